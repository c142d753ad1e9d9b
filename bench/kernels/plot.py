"""Draws bench/results/kernels/*.json as bars: python bench/kernels/plot.py [OUT.svg]"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from harness import RESULTS

OUT = Path(__file__).parents[2] / "docs" / "img" / "kernels.svg"


def main() -> None:
    results = {path.stem: json.loads(path.read_text())["results"] for path in sorted(RESULTS.glob("*.json"))}
    heights = [len(rows) + 1.5 for rows in results.values()]
    figure, axes = plt.subplots(
        len(results), figsize=(8, 0.28 * sum(heights)), height_ratios=heights, layout="constrained", squeeze=False
    )
    for (name, rows), axis in zip(results.items(), axes[:, 0]):
        medians = [row["median_us"] for row in rows.values()]
        spread = [[row["median_us"] - row["low_us"] for row in rows.values()]]
        spread.append([row["high_us"] - row["median_us"] for row in rows.values()])
        colours = ["tab:blue" if label.startswith("native") else "tab:gray" for label in rows]
        bars = axis.barh(list(rows), medians, xerr=spread, color=colours, error_kw={"lw": 1})
        axis.bar_label(bars, [f"{median:,.3g}" for median in medians], padding=4, fontsize=8)
        axis.set_xscale("log")
        axis.set_xlim(right=max(medians) * 4)
        axis.invert_yaxis()
        axis.set_title(f"{name}: microseconds a call, median and spread of fresh processes", fontsize=9, loc="left")
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    main()
