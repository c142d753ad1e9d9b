"""Segmentation: the best path through a lattice of candidate words, and the decoding modes of CWSeg (Algorithm 1).

A word is an edge from position `start` to position `end` of a text of `length` characters.
"""

from __future__ import annotations

import numpy as np

from edge_sdk.kernels.words import (
    check_borders,
    check_length,
    check_mode,
    check_scores,
    check_segment,
    check_words,
    no_path,
)


def best_path(length: int, starts: np.ndarray, ends: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, float]:
    """The path from 0 to `length` with the largest sum of scores.

    Sums are made in float64 from the end of the text. Of equal sums the path with fewer words wins, then the one
    whose first differing word is longer, then the smaller index of that word. (Where float64 has to round a sum, the
    rest of the text is decided before the word in front of it.) A word scored minus infinity is never taken. Time is
    linear in `length` plus the number of words.

    Args:
        length: characters of the text.
        starts, ends: int32[n], 0 <= start < end <= length, in any order.
        scores: float32[n].

    Returns:
        int32[k], the indices of the path's words in the order of the text, and the sum of their scores.

    Raises:
        KernelError: `bad_length`, `bad_words`, `bad_word`, `not_a_number`, or `no_path` if no words lead to the end.
    """
    check_length(length)
    starts, ends = check_words(length, starts, ends)
    scores = check_scores(scores, len(starts))
    at: list[list[int]] = [[] for _ in range(length + 1)]
    for index, start in enumerate(starts.tolist()):
        at[start].append(index)
    end_of, score_of = ends.tolist(), scores.tolist()
    # per position: (score, -words, end of the first word, -its index) of the best path to the end; larger is better
    nothing = (-np.inf, 0, 0, 0)
    best = [nothing] * length + [(0.0, 0, 0, 0)]
    for start in range(length - 1, -1, -1):
        for index in at[start]:
            rest = best[end_of[index]]
            if rest is not nothing and score_of[index] > -np.inf:
                candidate = (score_of[index] + rest[0], rest[1] - 1, end_of[index], -index)
                best[start] = max(best[start], candidate)
    if best[0] is nothing:
        raise no_path(_furthest(length, at, end_of, score_of), length)
    path, position = [], 0
    while position < length:
        path.append(-best[position][3])
        position = best[position][2]
    return np.array(path, np.int32), best[0][0]


def _furthest(length: int, at: list[list[int]], end_of: list[int], score_of: list[float]) -> int:
    """The last position that words reach from 0, where they do not reach the end."""
    reached = {0}
    for start in range(length):
        if start in reached:
            reached.update(end_of[index] for index in at[start] if score_of[index] > -np.inf)
    return max(reached)


def extract_borders(length: int, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """ExtractBorders: uint8[length + 1], 1 where a word starts or ends.

    Raises:
        KernelError: `bad_length`, `bad_words` or `bad_word`.
    """
    check_length(length)
    starts, ends = check_words(length, starts, ends)
    borders = np.zeros(length + 1, np.uint8)
    borders[starts] = 1
    borders[ends] = 1
    return borders


def cut_borders(starts: np.ndarray, ends: np.ndarray, borders: np.ndarray) -> np.ndarray:
    """CutBorders: bool[n], the words that have no border strictly inside.

    Raises:
        KernelError: `bad_borders`, `bad_words` or `bad_word`.
    """
    check_borders(borders)
    starts, ends = check_words(len(borders) - 1, starts, ends)
    before = borders.cumsum()  # borders up to and with each position
    return before[ends - 1] == before[starts]


def link_borders(starts: np.ndarray, ends: np.ndarray, borders: np.ndarray) -> np.ndarray:
    """LinkBorders: bool[n], the words both of whose ends are borders.

    Raises:
        KernelError: `bad_borders`, `bad_words` or `bad_word`.
    """
    check_borders(borders)
    starts, ends = check_words(len(borders) - 1, starts, ends)
    return (borders[starts] & borders[ends]) == 1


def segment(
    mode: str,
    length: int,
    word_starts: np.ndarray,
    word_ends: np.ndarray,
    match_starts: np.ndarray,
    match_ends: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The words of a text at a granularity, from a model's words and a lexicon's matches.

    The paper leaves RouteScore open; here it is the number of words (for fine, of those with two or more characters,
    so that no word is split for the sake of single characters), which makes fine never coarser than normal and
    coarse never finer.

    - normal: the model's words.
    - fine: words and matches that cross no border of the model's; the path with the largest RouteScore.
    - coarse: words and matches whose ends are borders of the model's; the path with the smallest RouteScore.
    - index: the words of all three and all matches, each once (Table 3's rows contain matches beyond the three).

    Ties as in `best_path`: fewer words, then the longer word first.

    Args:
        word_starts, word_ends: int32[w], the model's words, tiling the text.
        match_starts, match_ends: int32[m], by start, then by end, as `Trie.matches` gives them.

    Returns:
        int32[k] starts and ends, by start, then by end.

    Raises:
        KernelError: `bad_mode`, `bad_length`, `bad_words` or `bad_word`.
    """
    check_mode(mode)
    check_length(length)
    word_starts, word_ends, match_starts, match_ends = check_segment(
        length, word_starts, word_ends, match_starts, match_ends
    )
    if mode == "normal":
        return word_starts.copy(), word_ends.copy()
    if mode == "index":
        words = (word_starts, word_ends, match_starts, match_ends)
        finer, coarser = segment("fine", length, *words), segment("coarse", length, *words)
        found = np.stack([np.concatenate(parts) for parts in zip(words[:2], words[2:], finer, coarser)], axis=1)
        starts, ends = np.unique(found, axis=0).T
        return starts.copy(), ends.copy()
    borders = extract_borders(length, word_starts, word_ends)
    keep = (cut_borders if mode == "fine" else link_borders)(match_starts, match_ends, borders)
    starts = np.concatenate([word_starts, match_starts[keep]])
    ends = np.concatenate([word_ends, match_ends[keep]])
    scores = ends - starts >= 2 if mode == "fine" else np.full(len(starts), -1)
    path, _ = best_path(length, starts, ends, scores.astype(np.float32))
    return starts[path], ends[path]
