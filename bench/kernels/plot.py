"""Draws docs/img/kernels.png from the recorded results: each kernel and its peers on one logarithmic axis a panel."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from harness import RESULTS

PANELS = {
    "trie": "All matches of 157,172 words in 100,000 characters of news",
    "trie_load": "Loading the stored lexicon",
    "lattice": "Decoding a sentence of median length",
    "tags": "Tag Viterbi, 30 tokens, 150 tags",
    "fingerprint": "Projection of an 8-word utterance",
}
OURS, PEER = "#1f6f8b", "#c9a227"


def label(microseconds: float) -> str:
    """Three digits with the unit that suits them."""
    for factor, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= factor:
            return f"{microseconds / factor:.3g} {unit}"
    return f"{microseconds:.3g} µs"


def main() -> None:
    """One panel for each benchmark that has results."""
    found = {name: RESULTS / f"{name}.json" for name in PANELS if (RESULTS / f"{name}.json").exists()}
    rows = {name: json.loads(path.read_text())["results"] for name, path in found.items()}
    figure, axes = plt.subplots(len(rows), 1, figsize=(8, 1.1 + 0.33 * sum(len(r) + 2 for r in rows.values())),
                                gridspec_kw={"height_ratios": [len(r) + 1 for r in rows.values()]})  # fmt: skip
    for axis, (name, results) in zip(axes, rows.items()):
        names = list(results)
        times = [results[n]["median_us"] for n in names]
        ours = [
            any(n.startswith(w) or f", {w}" in n for w in ("native", "numba", "reference", "matches")) for n in names
        ]
        bars = axis.barh(names, times, color=[OURS if mine else PEER for mine in ours])
        axis.bar_label(bars, [label(time) for time in times], padding=3, fontsize=8)
        axis.set(xscale="log", xlim=(min(times) / 2, max(times) * 6))
        axis.set_title(PANELS[name], fontsize=10, loc="left")
        axis.invert_yaxis()
        axis.set_xticks([])
        axis.minorticks_off()
        axis.tick_params(labelsize=8, length=0)
        axis.spines[["top", "right", "bottom"]].set_visible(False)
    figure.suptitle(
        "Time of one call from Python, one core (logarithmic; peers in yellow)", fontsize=11, x=0.02, ha="left"
    )
    figure.tight_layout(rect=(0, 0, 1, 0.985))
    target = Path(__file__).parents[2] / "docs" / "img" / "kernels.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main()
