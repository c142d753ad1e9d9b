from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_sdk.kernels.labels import TagLabels

def tag_spans(tags: npt.NDArray[np.int32], labels: TagLabels) -> list[tuple[str, int, int]]: ...
def span_scores(
    emissions: npt.NDArray[np.float32], tags: npt.NDArray[np.int32], spans: Sequence[tuple[str, int, int]]
) -> list[float]: ...
