"""Pictures of benchmark results: how latency is distributed, and how it grows with the text."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_sdk.errors import EdgeError, InputError

_SUFFIXES = (".png", ".svg", ".pdf")


def plot(results: Sequence[Mapping[str, Any]], path: str | os.PathLike[str]) -> None:
    """Draw what `bench` returned for one or more bundles into a PNG, SVG or PDF file.

    Left: share of calls that took at most so long. Right: median time of each text by its length.
    Raises InputError (`plot_suffix`), EdgeError (`dependency_missing`) without matplotlib.
    """
    target = Path(path)
    check_suffix(target)
    try:
        import matplotlib
    except ImportError as error:
        raise EdgeError(
            "dependency_missing",
            "plots need matplotlib, which is not installed",
            "pip install 'edge-sdk[bench]'",
        ) from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    from edge_sdk.files import atomic_write

    figure, (shares, lengths) = pyplot.subplots(1, 2, figsize=(10, 4), constrained_layout=True)
    for result in results:
        label = f"{result['bundle']} ({result['engine']})"
        shares.plot(result["latency_quantiles_ms"], range(101), label=label)
        points = sorted((each["characters"], each["ms"]) for each in result["by_length"])
        lengths.plot(*zip(*points, strict=True), ".", markersize=3 if len(points) > 200 else 6, label=label)
    for axes, title, x, y in (
        (shares, "Calls that took at most so long", "milliseconds", "percent of calls"),
        (lengths, "Time by length of the text", "characters", "milliseconds, median"),
    ):
        axes.set(title=title, xlabel=x, ylabel=y)
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    shares.set_xscale("log")
    lengths.set_ylim(bottom=0)
    with atomic_write(target) as file:
        figure.savefig(file, format=target.suffix[1:].lower(), dpi=150)
    pyplot.close(figure)


def check_suffix(path: Path) -> None:
    """Raise InputError (`plot_suffix`) for a format that is not drawn, before minutes of measuring."""
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(
            "plot_suffix",
            f"{path} ends in none of {', '.join(_SUFFIXES)}",
            "choose a file name that does",
        )
