"""Percentiles of times, and whether two sets of measurements differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import comb
from statistics import median


def percentile(values: Sequence[float], p: float) -> float:
    """The smallest value that at least `p` percent of the values do not pass (nearest rank)."""
    return _ranked(sorted(values), p)


def quantiles(values: Sequence[float]) -> list[float]:
    """The percentiles 0 to 100, 101 values."""
    ordered = sorted(values)
    return [_ranked(ordered, p) for p in range(101)]


def _ranked(ordered: Sequence[float], p: float) -> float:
    return ordered[max(0, -int(-len(ordered) * p // 100) - 1)]


def merge_quantiles(of_each: Sequence[Sequence[float]]) -> list[float]:
    """For each of the 101 percentiles its median over the processes."""
    return [round(median(column), 4) for column in zip(*of_each, strict=True)]


def rank_sum_p(a: Sequence[float], b: Sequence[float]) -> float:
    """Two-sided p of the exact Wilcoxon rank-sum test that `a` and `b` come from the same source.

    The share of all choices of len(a) of the pooled values whose sum of ranks (ties share
    their mean rank) is as far from the middle as that of `a`, or farther.
    """
    pooled = sorted([*a, *b])
    # Twice the mean rank, so that sums stay whole numbers.
    rank = {value: 2 * pooled.index(value) + pooled.count(value) + 1 for value in set(pooled)}
    middle = len(a) * (len(pooled) + 1)
    distance = abs(sum(rank[value] for value in a) - middle)
    # choices[n][s]: how many choices of n of the values so far have the rank sum s.
    choices = [Counter({0: 1}), *(Counter[int]() for _ in a)]
    for value in pooled:
        for n in range(len(a), 0, -1):
            for total, count in choices[n - 1].items():
                choices[n][total + rank[value]] += count
    far = sum(n for total, n in choices[-1].items() if abs(total - middle) >= distance)
    return far / comb(len(pooled), len(a))
