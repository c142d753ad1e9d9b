from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_sdk.kernels.scheme import HashScheme

def fingerprints(tokens: Sequence[Sequence[str]], scheme: HashScheme) -> npt.NDArray[np.uint32]: ...
def bloom_counts(fingerprints: npt.NDArray[np.uint32], n_features: int) -> npt.NDArray[np.uint8]: ...
def project(
    tokens: Sequence[Sequence[str]], scheme: HashScheme, n_features: int, out: npt.NDArray[np.uint8] | None = None
) -> npt.NDArray[np.uint8]: ...
