import numpy.typing as npt
import numpy as np

Scores = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8] | npt.NDArray[np.bool_] | None

class TagPosteriors:
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
    def __call__(self, emissions: Scores, tags: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]: ...
