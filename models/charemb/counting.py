"""The loops of `models.charemb.cooccurrence`, compiled by numba."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(fastmath=True, cache=True)
def count_rows(phrases, starts, ends, words, tokens, logq, window):
    capacity = 1 << 20
    columns, values = np.empty(capacity, np.int32), np.empty(capacity, np.float32)
    row_ends = np.zeros(len(phrases), np.int64)
    weights, touched = np.zeros(len(logq), np.float32), np.empty(len(logq), np.int32)
    n = 0
    for row in range(len(phrases)):
        phrase = phrases[row]
        m, total = 0, 0.0
        for place in range(ends[phrase - 1] if phrase else 0, ends[phrase]):
            for step in (-1, 1):
                at = starts[place] + (words[phrase] if step > 0 else -1)
                distance = 0
                while 0 <= at < len(tokens) and distance < window and tokens[at] != -1:
                    token = tokens[at]
                    if token >= 0:
                        weight = (window - distance) / window
                        distance += 1
                        total += weight
                        if token < len(logq):
                            if weights[token] == 0.0:
                                touched[m] = token
                                m += 1
                            weights[token] += weight
                    at += step
        if n + m > capacity:
            capacity = max(2 * capacity, n + m)
            old_columns, old_values = columns, values
            columns, values = np.empty(capacity, np.int32), np.empty(capacity, np.float32)
            columns[:n], values[:n] = old_columns[:n], old_values[:n]
        for j in range(m):
            token = touched[j]
            information = math.log(weights[token] / total) - logq[token]
            weights[token] = 0.0
            if information > 0.0:
                columns[n], values[n] = token, information
                n += 1
        row_ends[row] = n
    return columns[:n], values[:n], row_ends


@njit(fastmath=True, cache=True)
def times(columns, values, ends, right, out):
    first = 0
    for row in range(len(ends)):
        for j in range(first, ends[row]):
            out[row] += values[j] * right[columns[j]]
        first = ends[row]


@njit(fastmath=True, cache=True)
def transposed_times(columns, values, ends, left, out):
    first = 0
    for row in range(len(ends)):
        for j in range(first, ends[row]):
            out[columns[j]] += values[j] * left[row]
        first = ends[row]
