import numpy as np
import numpy.typing as npt

def nearest(
    rows: npt.NDArray[np.int8],
    scales: npt.NDArray[np.float32],
    query: npt.NDArray[np.int16],
    unit: float,
    most: int,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]: ...
