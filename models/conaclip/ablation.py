"""The paper's Table 2 at a scale of minutes: each cell of the interaction graph beside the baseline.

    python -m models.conaclip.ablation --teacher DIR --data DIR --out DIR

A very small student learns for a few epochs from views whose teacher features are computed once; all
runs see the same views and differ in nothing but their objective and, between seeds, their first
weights and the order of the batches. Numbers are of the last epoch, nothing is picked. Runs that are
finished already in --out are not repeated.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from models.common.checkpoint import load_json, save_json
from models.common.seeding import seed_everything
from models.common.trainer import Interrupted, TrainConfig
from models.conaclip.config import PRESETS, DualConfig
from models.conaclip.corpus import Batches, load_corpus
from models.conaclip.distil import distil
from models.conaclip.graph import BASELINE, CELLS, CONACLIP, MOTIS, Objective, weight_of
from models.conaclip.model import DualEncoder
from models.conaclip.teacher import CachedBatches, TaughtBatches, load_teacher
from models.conaclip.tokens import Vocabulary
from models.conaclip.train import schedule
from models.conaclip.validate import Validation

ROWS = ("intra_stu_stu", "inter_stu_stu", "intra_tch_stu", "inter_tch_stu")
COLUMNS = ("info_nce", "fd", "sd", "kl", "sym_sd", "sym_kl")
SHOWN = ("r@1", "r@5", "r@10", "map")
SCORES = "scores.json"
BATCH = 84  # as in the paper's ablation


@dataclass(frozen=True)
class Laboratory:
    """Trains runs once and remembers their scores."""

    teacher: DualEncoder
    vocabulary: Vocabulary
    batches: CachedBatches
    validate: Validation
    config: DualConfig
    settings: TrainConfig
    folder: Path
    warm: bool = False
    """Whether every run goes on from the student that the baseline made with the same seed."""

    def scores(self, name: str, objective: Objective, seed: int) -> dict[str, float]:
        """Of the last epoch."""
        start = self._train("motis", MOTIS, seed) if self.warm else None
        return load_json(self._train(f"{name}-warm" if self.warm else name, objective, seed, start) / SCORES)

    def _train(self, name: str, objective: Objective, seed: int, start: Path | None = None) -> Path:
        folder = self.folder / f"{name}-seed{seed}"
        if not (folder / SCORES).exists():
            print(f"== {folder.name}", file=sys.stderr)
            epochs = distil(
                self.teacher, self.vocabulary, self.batches, self.validate, self.config, objective,
                self.settings, folder, start=start, seed=seed,
            )  # fmt: skip
            save_json(folder / SCORES, epochs[-1])
            (folder / "last.pt").unlink()
        return folder


def objectives(cells: Sequence[str]) -> dict[str, Objective]:
    """The baseline, the final objective, and the baseline with each of the cells added."""
    added = {cell: Objective((*MOTIS.terms, (cell, weight_of(cell)))) for cell in cells if cell != BASELINE}
    return {"motis": MOTIS, "conaclip": CONACLIP, **added}


def table(found: dict[str, list[dict[str, float]]]) -> str:
    """Table 2 in Markdown: mean R@1/5/10 and mean average precision over the seeds."""
    lines = ["| learning type | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for row in ROWS:
        names = [f"{row}_{column}" for column in COLUMNS]
        cells = [show(found.get("motis" if name == BASELINE else name)) for name in names]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    seeds = [f"{run['r@1']:.1f}, {run['map']:.1f}" for run in found["motis"]]
    final = [f"{run['r@1']:.1f}, {run['map']:.1f}" for run in found["conaclip"]]
    return "\n".join(
        [*lines, "", f"Final objective: {show(found['conaclip'])}.",
         f"R@1 and map, seed by seed: baseline {'; '.join(seeds)}; final {'; '.join(final)}."]
    )


def show(runs: list[dict[str, float]] | None) -> str:
    """Means over seeds; the spread of the mean average precision where there are several."""
    if not runs:
        return ""
    means = "/".join(f"{mean(run[key] for run in runs):.1f}" for key in SHOWN)
    return f"{means} ± {stdev(run['map'] for run in runs):.1f}" if len(runs) > 1 else means


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m models.conaclip.ablation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with pairs.tsv, splits train and val")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, default="tiny")
    parser.add_argument("--cells", nargs="*", choices=CELLS, default=list(CELLS))
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--cached", type=int, default=6, help="epochs of different views")
    parser.add_argument("--warm", action="store_true",
                        help="every run goes on from what the baseline made: the image tower then knows "
                        "something, as the paper's does from ImageNet")  # fmt: skip
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args(argv)
    seed_everything(0)
    teacher, vocabulary = load_teacher(options.teacher)
    config = PRESETS[options.preset]
    corpus = load_corpus(options.data, "train")
    held_out = load_corpus(options.data, "val", corpus.phrases)
    drawn = Batches(corpus, BATCH, sizes=(96,))
    taught = TaughtBatches(drawn, teacher, vocabulary, config.image.size)
    cached = CachedBatches(taught, options.cached, options.out / "views.pt")
    lab = Laboratory(
        teacher,
        vocabulary,
        cached,
        Validation(held_out, corpus, vocabulary.reader(), config.image.size, config.text.length),
        config,
        schedule(options.epochs, len(cached), options.learning_rate),
        options.out,
        options.warm,
    )
    runs = objectives(options.cells)
    final = ("motis", "conaclip")
    order = [(name, seed) for seed in options.seeds for name in final]
    order += [(name, seed) for seed in options.seeds for name in runs if name not in final]
    found: dict[str, list[dict[str, float]]] = {}
    try:
        for name, seed in order:
            found.setdefault(name, []).append(lab.scores(name, runs[name], seed))
    except Interrupted as stop:
        print(f"\n{stop}", file=sys.stderr)
        return 130
    finally:
        if "conaclip" in found:
            print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
