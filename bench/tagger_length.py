"""How a tagger's time grows with the length of its input.

    python -m bench.tagger_length mtop-en --out bench/results/tagger-length.json --plot docs/img/tagger-length.svg

Every length is timed in several fresh processes; the plot shows the median and the span of the
processes' medians, beside a line that doubles with the length.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

LENGTHS = (1, 2, 4, 8, 16, 32, 64)
CALLS = 300
# One token each, all within a cache of words: what is timed is the model, not the first sight.
WORDS = "remind me to call mom at noon and play some music in the kitchen then".split()


def measure(bundle: str) -> dict[int, float]:
    """Median milliseconds of a call by number of words, in this process."""
    import edge_sdk

    tagger = edge_sdk.load(bundle)
    medians = {}
    for length in LENGTHS:
        text = " ".join(WORDS[i % len(WORDS)] for i in range(length))
        times = []
        for _ in range(CALLS):
            start = time.perf_counter()
            tagger(text)
            times.append(time.perf_counter() - start)
        medians[length] = statistics.median(times[CALLS // 10 :]) * 1e3
    return medians


def plot(rows: list[dict[str, float]], path: Path) -> None:
    """Time against length, both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lengths = [row["words"] for row in rows]
    medians = [row["median_ms"] for row in rows]
    spread = [
        [row["median_ms"] - row["min_ms"] for row in rows],
        [row["max_ms"] - row["median_ms"] for row in rows],
    ]
    figure, axes = pyplot.subplots(figsize=(6.4, 4.0), constrained_layout=True)
    axes.errorbar(lengths, medians, yerr=spread, marker="o", capsize=3, label="text to result")
    linear = [medians[0] * length for length in lengths]
    axes.plot(lengths, linear, "--", color="grey", label="linear: twice the words, twice the time")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xticks(lengths, [str(length) for length in lengths])
    ticks = [2.0**k for k in range(-5, 5) if medians[0] / 2 < 2.0**k < linear[-1]]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xlabel("words in the text")
    axes.set_ylabel("milliseconds, one core")
    axes.set_ylim(medians[0] / 1.5, medians[-1] * 3)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)


def main() -> None:
    """Measure, write the JSON, draw the plot."""
    parser = argparse.ArgumentParser(prog="python -m bench.tagger_length", description=__doc__)
    parser.add_argument("bundle")
    parser.add_argument("--runs", type=int, default=5, help="processes")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.bundle)))
        return
    command = [sys.executable, "-m", "bench.tagger_length", options.bundle, "--child"]
    found = [
        json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        for _ in range(options.runs)
    ]
    rows = []
    for length in LENGTHS:
        values = [one[str(length)] for one in found]
        rows.append(
            {
                "words": length,
                "median_ms": round(statistics.median(values), 4),
                "min_ms": round(min(values), 4),
                "max_ms": round(max(values), 4),
            }
        )
        print(json.dumps(rows[-1]))
    result = {"command": " ".join(["python", "-m", "bench.tagger_length", *sys.argv[1:]]),
              "runs": options.runs, "rows": rows}  # fmt: skip
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n")
    if options.plot:
        plot(rows, options.plot)


if __name__ == "__main__":
    main()
