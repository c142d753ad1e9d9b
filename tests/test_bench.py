"""Percentiles, the rank-sum test, and telling changes from noise in recorded benchmarks."""

from __future__ import annotations

import json
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk import InputError
from edge_sdk.bench import by_length
from edge_sdk.bench.compare import caveats, compare
from edge_sdk.bench.statistics import percentile, quantiles, rank_sum_p
from edge_sdk.machine import throttle_flags


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
    assert quantiles(values)[p] == found


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [  # scipy.stats.mannwhitneyu(a, b, method="exact").pvalue
        ([1, 2, 3, 4, 5], [6, 7, 8, 9, 10], 0.007936507936507936),
        ([1, 2, 3, 4, 6], [5, 7, 8, 9, 10], 0.015873015873015872),
        ([1.1, 2.5, 3.2], [2.4, 3.3], 0.8),
        ([19, 22, 16, 29, 24], [20, 11, 17, 12], 0.1111111111111111),
        ([1], [2], 1.0),
    ],
)
def test_rank_sum_against_scipy(a, b, expected):
    assert rank_sum_p(a, b) == pytest.approx(expected)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5), st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_rank_sum_against_every_choice(a, b):
    """With ties, which scipy's exact method does not take: all choices of positions, one by one."""
    pooled = a + b
    ranks = [sum(y < x for y in pooled) + (sum(y == x for y in pooled) + 1) / 2 for x in pooled]
    middle = len(a) * (len(pooled) + 1) / 2
    far = abs(sum(ranks[: len(a)]) - middle)
    sums = [sum(ranks[i] for i in chosen) for chosen in combinations(range(len(pooled)), len(a))]
    expected = sum(abs(total - middle) >= far - 1e-9 for total in sums) / len(sums)
    assert rank_sum_p(a, b) == pytest.approx(expected)


def result(**changes):
    """What `edge-sdk bench --json` prints, with five quiet runs, as far as comparing needs it."""
    measures = {
        "p50_ms": [1.00, 1.01, 1.02, 0.99, 0.98],
        "batch_8_per_s": [900.0, 905.0, 910.0, 895.0, 890.0],
        "peak_rss_mb": [80.0, 80.0, 80.0, 80.0, 80.0],
    } | changes
    condition = {"load": 0.4, "mhz": None, "celsius": None, "throttled": None}
    machine = {"processor": "one", "board": None, "cpus": 2, "system": "Linux x86_64"}
    return {
        "bundle": "tiny", "engine": "onnx", "threads": 1, "runs": 5, "file_bytes": 1000,
        "machine": machine, "before": condition, "after": condition,
        **{key: {"median": sorted(values)[len(values) // 2], "values": values} for key, values in measures.items()},
    }  # fmt: skip


@pytest.fixture
def write(tmp_path):
    def write(name, *results):
        path = tmp_path / name
        path.write_text("".join(json.dumps(each) + "\n" for each in results))
        return path

    return write


def verdicts(before, after):
    return {change.measure: change.verdict for change in compare(before, after)}


def test_noise_is_no_change(write):
    before = write("a.json", result())
    after = write("b.json", result(p50_ms=[1.03, 0.97, 1.0, 1.1, 0.96]))
    assert set(verdicts(before, after).values()) == {"same"}


def test_a_sure_but_tiny_change_is_not_reported(write):
    after = write("b.json", result(p50_ms=[1.030, 1.031, 1.032, 1.033, 1.034]))
    assert verdicts(write("a.json", result()), after)["p50_ms"] == "same"


@pytest.mark.parametrize(
    ("measure", "values", "verdict"),
    [
        ("p50_ms", [1.20, 1.21, 1.19, 1.22, 1.18], "worse"),
        ("p50_ms", [0.80, 0.81, 0.79, 0.82, 0.78], "better"),
        ("batch_8_per_s", [700.0, 705, 710, 695, 690], "worse"),
        ("batch_8_per_s", [1200.0, 1205, 1210, 1195, 1190], "better"),
        ("peak_rss_mb", [95.0, 95.1, 95.2, 95.3, 95.4], "worse"),
    ],
)
def test_real_changes(write, measure, values, verdict):
    found = verdicts(write("a.json", result()), write("b.json", result(**{measure: values})))
    assert found.pop(measure) == verdict
    assert set(found.values()) == {"same"}


def test_a_record_with_its_command_is_read_too(write, tmp_path):
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"command": "edge-sdk bench tiny --json", "result": result()}, indent=2))
    grown = write("b.json", {**result(), "file_bytes": 1200})
    assert verdicts(record, grown)["file_bytes"] == "worse"


def test_caveats(write):
    quiet, elsewhere = result(), result()
    elsewhere["machine"] = {**elsewhere["machine"], "processor": "another"}
    busy = {**result(), "after": {"load": 7.5, "throttled": ["throttled now"]}}
    assert caveats(write("a.json", quiet), write("b.json", quiet)) == []
    assert "different machines" in caveats(write("a.json", quiet), write("b.json", elsewhere))[0]
    said = " ".join(caveats(write("a.json", quiet), write("b.json", busy)))
    assert "load 7.5" in said and "throttled" in said


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "bench_file"),
        ("{}", "bench_file"),
        ("[1]", "bench_file"),
        ("not json", "bench_file"),
        (json.dumps(result() | {"runs": 3}), "bench_runs"),
        (json.dumps(result() | {"bundle": "other"}), "bench_different"),
    ],
)
def test_files_that_cannot_be_compared(write, tmp_path, content, code):
    path = tmp_path / "b.json"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        compare(write("a.json", result()), path)
    assert caught.value.code == code
    assert code == "bench_different" or str(path) in str(caught.value)


def test_a_slower_process_comes_to_fewer_texts():
    """Three processes, the second of which was stopped by the clock after two of three texts."""
    found = by_length(["a", "bb", "ccc"], [[1.0, 2.0, 3.0], [5.0, 6.0], [3.0, 4.0, 5.0]])
    assert found == [{"characters": 1, "ms": 3.0}, {"characters": 2, "ms": 4.0}]


def test_throttle_flags():
    """The Raspberry Pi documentation's bits: 0x50005 is under-voltage and throttling, now and before."""
    assert throttle_flags(0) == []
    assert throttle_flags(0x50005) == [
        "under-voltage now", "throttled now", "under-voltage has occurred", "was throttled",
    ]  # fmt: skip
