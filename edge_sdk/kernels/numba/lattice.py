"""The lattice compiled by Numba; the contract is in the reference."""

from __future__ import annotations

import numpy as np
from numba import njit

from edge_sdk.kernels.reference import lattice as reference
from edge_sdk.kernels.reference.lattice import cut_borders, extract_borders, link_borders
from edge_sdk.kernels.words import check_length, check_mode, check_scores, check_segment, check_words, no_path

__all__ = ["best_path", "cut_borders", "extract_borders", "link_borders", "segment"]  # borders: NumPy does them fast


@njit(cache=True, nogil=True)
def _best_path(length, starts, ends, scores):
    """(path, sum, furthest position reached)"""
    head, following = np.full(length + 1, -1, np.int32), np.empty(len(starts), np.int32)
    for i in range(len(starts) - 1, -1, -1):
        following[i] = head[starts[i]]
        head[starts[i]] = i
    total, words, edge = np.zeros(length + 1), np.full(length + 1, -1, np.int32), np.full(length + 1, -1, np.int32)
    words[length] = 0
    for start in range(length - 1, -1, -1):
        i = head[start]
        while i >= 0:
            end = ends[i]
            if words[end] >= 0 and scores[i] > -np.inf:
                score, n = np.float64(scores[i]) + total[end], words[end] + 1
                better = words[start] < 0 or score > total[start]
                if not better and score == total[start]:
                    better = n < words[start] or (n == words[start] and end > ends[edge[start]])
                if better:
                    total[start], words[start], edge[start] = score, n, i
            i = following[i]
    path = np.empty(max(words[0], 0), np.int32)
    position = 0
    if words[0] < 0:
        reached = np.zeros(length + 1, np.bool_)
        reached[0] = True
        for start in range(length):
            if reached[start]:
                position = start
                i = head[start]
                while i >= 0:
                    if scores[i] > -np.inf:
                        reached[ends[i]] = True
                    i = following[i]
        return path, -1.0, position
    for k in range(len(path)):
        path[k] = edge[position]
        position = ends[edge[position]]
    return path, total[0], length


def best_path(length: int, starts: np.ndarray, ends: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, float]:
    """(int32[k] indices of the words on the best path, float sum of their scores)."""
    check_length(length)
    starts, ends = check_words(length, starts, ends)
    scores = check_scores(scores, len(starts))
    path, score, reach = _best_path(length, starts, ends, scores)
    if reach < length:
        raise no_path(int(reach), length)
    return path, float(score)


def _decode(
    mode: str, length: int, words: tuple[np.ndarray, np.ndarray], matches: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    borders = extract_borders(length, *words)
    keep = (cut_borders if mode == "fine" else link_borders)(*matches, borders)
    starts, ends = (np.concatenate([word, match[keep]]) for word, match in zip(words, matches))
    scores = ends - starts >= 2 if mode == "fine" else np.full(len(starts), -1)
    path, _, _ = _best_path(length, starts, ends, scores.astype(np.float32))
    return starts[path], ends[path]


def segment(
    mode: str,
    length: int,
    word_starts: np.ndarray,
    word_ends: np.ndarray,
    match_starts: np.ndarray,
    match_ends: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(int32[k] starts, int32[k] ends) of the words at the granularity `mode`."""
    check_mode(mode)
    check_length(length)
    checked = check_segment(length, word_starts, word_ends, match_starts, match_ends)
    words, matches = checked[:2], checked[2:]
    if mode in ("fine", "coarse"):
        return _decode(mode, length, words, matches)
    return reference.segment(mode, length, *checked)
