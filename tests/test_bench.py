"""Percentiles by the nearest rank."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.bench import percentile


@pytest.mark.parametrize(
    ("values", "p", "expected"),
    [
        ([15, 20, 35, 40, 50], 5, 15),  # the worked example of the nearest-rank method
        ([15, 20, 35, 40, 50], 30, 20),
        ([15, 20, 35, 40, 50], 40, 20),
        ([15, 20, 35, 40, 50], 50, 35),
        ([15, 20, 35, 40, 50], 100, 50),
        ([7], 99, 7),
    ],
)
def test_known_percentiles(values, p, expected):
    assert percentile(values, p) == expected


@given(st.lists(st.integers(), min_size=1), st.integers(1, 100))
def test_at_least_p_percent_do_not_pass_it(values, p):
    found = percentile(values, p)
    below = sum(value <= found for value in values)
    assert 100 * below >= p * len(values)
    assert 100 * sum(value < found for value in values) < p * len(values)
