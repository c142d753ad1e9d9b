import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int32]

def character_inputs(
    text: str, table: npt.NDArray[np.uint16], buckets: int
) -> tuple[Numbers, Numbers, npt.NDArray[np.bool_] | None]: ...
def lexicon_features(size: int, starts: Numbers, ends: Numbers) -> Numbers: ...
