import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int32]

def best_path(
    length: int, starts: Positions, ends: Positions, scores: npt.NDArray[np.float32]
) -> tuple[Positions, float]: ...
def extract_borders(length: int, starts: Positions, ends: Positions) -> npt.NDArray[np.uint8]: ...
def cut_borders(starts: Positions, ends: Positions, borders: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]: ...
def link_borders(starts: Positions, ends: Positions, borders: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]: ...
def segment(
    mode: str,
    length: int,
    word_starts: Positions,
    word_ends: Positions,
    match_starts: Positions,
    match_ends: Positions,
) -> tuple[Positions, Positions]: ...
