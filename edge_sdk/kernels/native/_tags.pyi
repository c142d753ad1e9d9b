from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8] | npt.NDArray[np.bool_] | None
Tags = npt.NDArray[np.int32]

class TagDecoder:
    n_tags: int
    def __init__(
        self,
        transitions: Scores,
        start: Scores,
        end: Scores,
        allowed: Mask = None,
        allowed_start: Mask = None,
        allowed_end: Mask = None,
    ) -> None: ...
    def decode(self, emissions: Scores) -> tuple[Tags, float]: ...
    def nbest(self, emissions: Scores, n: int) -> list[tuple[Tags, float]]: ...

def viterbi(
    emissions: Scores,
    transitions: Scores,
    start: Scores,
    end: Scores,
    allowed: Mask = None,
    allowed_start: Mask = None,
    allowed_end: Mask = None,
) -> tuple[Tags, float]: ...
def viterbi_nbest(
    emissions: Scores,
    transitions: Scores,
    start: Scores,
    end: Scores,
    allowed: Mask = None,
    allowed_start: Mask = None,
    allowed_end: Mask = None,
    *,
    n: int,
) -> list[tuple[Tags, float]]: ...
def argmax_tags(emissions: Scores) -> Tags: ...
def bio_masks(
    labels: Sequence[str],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]: ...
