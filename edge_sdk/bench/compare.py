"""Two recorded benchmarks: which differences are real, and is one a step back?"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge_sdk.bench.statistics import rank_sum_p
from edge_sdk.errors import InputError

LEAST_CHANGE = 0.05
"""A smaller relative change of the median is not reported, however sure it is."""
SIGNIFICANT = 0.01
"""p of the rank-sum test below which a change counts: five processes a side can just reach it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One measurement of one bundle in both files; `verdict` is "same", "better" or "worse"."""

    bundle: str
    measure: str
    before: float
    after: float
    change_percent: float
    p: float | None
    """None for what is counted and not timed, such as a file's size."""
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


def compare(before: str | os.PathLike[str], after: str | os.PathLike[str]) -> list[Change]:
    """Compare what `edge-sdk bench --json` printed into two files, or bench/record.py kept.

    A time, rate or size of memory is better or worse if its median moved by at least
    LEAST_CHANGE and the rank-sum test over the processes' values says that chance moves it
    so with p <= SIGNIFICANT, for which both files need five or more runs. A file's size has no noise.
    Bundles are matched by name, engine and threads.

    Raises InputError: `bench_file` for a file that is no such result, `bench_runs` for too few runs,
    `bench_different` when nothing in one can be compared with the other.
    """
    old, new = _read(Path(before)), _read(Path(after))
    shared = [key for key in old if key in new]
    if not shared:
        raise InputError(
            "bench_different",
            f"{before} has {_names(old)}, {after} has {_names(new)}",
            "measure the same bundles with the same engine and threads",
        )
    return [change for key in shared for change in _changes(old[key], new[key])]


def caveats(before: str | os.PathLike[str], after: str | os.PathLike[str]) -> list[str]:
    """Why a difference between two files may not come from what they measured, in words."""
    found = []
    keys = ("processor", "board", "cpus", "system")
    both = [list(_read(Path(path)).values()) for path in (before, after)]
    machines = [{tuple(each["machine"][key] for key in keys) for each in side} for side in both]
    if machines[0] != machines[1]:
        found.append("the two were measured on different machines")
    for path, side in zip((before, after), both, strict=True):
        conditions = [each[when] for each in side for when in ("before", "after")]
        # One busy core is the benchmark itself.
        load = max(each["load"] or 0 for each in conditions)
        if load > side[0]["machine"]["cpus"]:
            found.append(f"{path}: other programs were running (load {load}), whose share changes")
        if any(each["throttled"] for each in conditions):
            found.append(f"{path}: the processor was throttled")
    return found


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    name = f"{old['bundle']} ({old['engine']}, {old['threads']} thread{'s' * (old['threads'] > 1)})"
    for measure, value in old.items():
        other = new.get(measure)
        if other is None:
            continue
        if measure == "file_bytes":
            yield _change(name, measure, value, other, None)
        elif isinstance(value, Mapping) and isinstance(other, Mapping) and "values" in value:
            p = rank_sum_p(value["values"], other["values"])
            yield _change(name, measure, value["median"], other["median"], p)


def _change(name: str, measure: str, before: float, after: float, p: float | None) -> Change:
    moved = (after - before) / before if before else 0.0
    real = abs(moved) >= LEAST_CHANGE and (p is None or p <= SIGNIFICANT)
    more_is_better = measure.endswith("_per_s")
    verdict = "same" if not real else "better" if (moved > 0) == more_is_better else "worse"
    return Change(
        name, measure, before, after, round(100 * moved, 1), p and round(p, 4), verdict
    )


def _read(path: Path) -> dict[tuple[str, str, int], Mapping[str, Any]]:
    """Results by bundle, engine and threads."""
    try:
        text = path.read_text(encoding="utf-8")
        try:
            record = json.loads(text)
            kept = record.get("result", record)
            results = kept if isinstance(kept, list) else [kept]
        except ValueError:  # not one JSON text: one a line
            results = [json.loads(line) for line in text.splitlines() if line.strip()]
        found = {(each["bundle"], each["engine"], each["threads"]): each for each in results}
        runs = min(each["runs"] for each in results)
        if any(not isinstance(each["p50_ms"]["values"], list) for each in results):
            raise ValueError("p50_ms.values is no list")
    except OSError as error:
        raise InputError("bench_file", f"cannot read {path}: {error}", "check the path") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "bench_file",
            f"{path} is not what edge-sdk bench --json prints: {type(error).__name__}: {error}",
            "make it with edge-sdk bench BUNDLE --json > FILE",
        ) from error
    if runs < 5:
        raise InputError(
            "bench_runs",
            f"{path} has {runs} runs, too few to tell a change from noise",
            "measure with --runs 5 or more",
        )
    return found


def _names(results: Mapping[tuple[str, str, int], Any]) -> str:
    return ", ".join(f"{bundle} ({engine}, {threads})" for bundle, engine, threads in results)
