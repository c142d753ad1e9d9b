"""The cohort experiments of the CWSeg paper (its Tables 5 to 7) at a scale of minutes.

    python -m models.cwseg.experiments --data DIR --out DIR

Members are small networks trained from scratch on part of one corpus. Each number is the mean F1 on
the corpus's development sentences over seeds, after the same number of epochs for all, with the
standard deviation. Runs that are finished already in DIR are not repeated.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from models.common.checkpoint import load_json
from models.common.trainer import Interrupted, TrainConfig
from models.cwseg.checkpoint import CohortConfig
from models.cwseg.config import parse_member
from models.cwseg.data import CRITERIA
from models.cwseg.task import Task, prepare
from models.cwseg.train import train

PAIRS = (("window-3x128", "window-1x64"), ("transformer-2x96", "transformer-1x64"))
"""Net1, the larger, and Net2: stand for BERT-4/BERT-1 and NEZHA-4/NEZHA-1."""


@dataclass(frozen=True)
class Run:
    """One training: `members`, and how they learn from one another."""

    members: tuple[str, ...]
    mimicry: str = "wasserstein"
    teacher: str = ""
    """Name of the single member that only teaches, for distillation."""

    @property
    def name(self) -> str:
        """Folder name, different for different runs."""
        kind = self.mimicry if len(self.members) > 1 else "alone"
        return "+".join(self.members) + (f"-from-{self.teacher}" if self.teacher else f"-{kind}")


class Laboratory:
    """Trains runs once and remembers their scores."""

    def __init__(
        self, task: Task, folder: Path, corpus: str, epochs: int, seeds: Sequence[int], pairs: int
    ) -> None:
        self.task, self.folder, self.corpus = task, folder, corpus
        self.epochs, self.seeds = epochs, seeds
        self.pairs = PAIRS[:pairs]

    def scores(self, run: Run, member: int = 0) -> list[float]:
        """F1 of one member after the last epoch, for each seed."""
        return [self._score(run, member, seed) for seed in self.seeds]

    def _score(self, run: Run, member: int, seed: int) -> float:
        folder = self._train(run, seed)
        last = load_json(folder / "checkpoint.json")["training"]["validation"]
        return last[f"mean_{member}" if member else "mean"]

    def _train(self, run: Run, seed: int) -> Path:
        folder = self.folder / f"{run.name}-seed{seed}"
        if (folder / "done").exists():
            return folder
        teacher = self._train(Run((run.teacher,)), seed) if run.teacher else None
        print(f"== {folder.name}", file=sys.stderr)
        config = CohortConfig(
            members=tuple(parse_member(name) for name in run.members),
            names=tuple(self.task.names),
            criteria=(self.corpus,),
            mimicry="kl" if run.teacher else run.mimicry,
            strength=0.5,
            batch=32,
            drop=0.1,
            bare=0.05,
            seed=seed,
            frozen=1 if run.teacher else 0,
            teacher=run.teacher,
        )
        settings = TrainConfig(epochs=self.epochs, patience=self.epochs, warmup_steps=50)
        train(self.task, config, settings, folder, teacher)
        (folder / "last.pt").unlink()
        (folder / "done").touch()
        return folder


def table_5(lab: Laboratory) -> list[list[str]]:
    """Single (SN), distilled (MD) and cohort (CH)."""
    rows = [["Net1 / Net2", "SN Net1", "SN Net2", "MD Net2", "CH Net1", "CH Net2"]]
    for large, small in lab.pairs:
        cohort = Run((large, small))
        found = [
            lab.scores(Run((large,))),
            lab.scores(Run((small,))),
            lab.scores(Run((small,), teacher=large)),
            lab.scores(cohort),
            lab.scores(cohort, 1),
        ]
        rows.append([f"{large} / {small}", *map(show, found)])
    return rows


def table_6(lab: Laboratory) -> list[list[str]]:
    """All members of the pairs in one cohort, against each alone: differences seed by seed."""
    members = tuple(name for pair in lab.pairs for name in pair)
    rows = [["member", "alone", f"cohort of {len(members)}", "difference"]]
    for number, name in enumerate(members):
        alone, together = lab.scores(Run((name,))), lab.scores(Run(members), number)
        gains = [b - a for a, b in zip(alone, together)]
        rows.append([name, show(alone), show(together), " ".join(f"{g:+.2f}" for g in gains)])
    return rows


def table_7(lab: Laboratory) -> list[list[str]]:
    """Kinds of mimicry."""
    rows = [["member", "alone", "KL", "JS", "Wasserstein"]]
    for number, name in enumerate(lab.pairs[0]):
        kinds = [lab.scores(Run(lab.pairs[0], kind), number) for kind in ("kl", "js", "wasserstein")]
        rows.append([name, show(lab.scores(Run((name,)))), *map(show, kinds)])
    return rows


TABLES = {"5": table_5, "6": table_6, "7": table_7}


def show(scores: Sequence[float]) -> str:
    """Mean and standard deviation."""
    return f"{mean(scores):.2f} ± {stdev(scores):.2f}" if len(scores) > 1 else f"{scores[0]:.2f}"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table; the first row is its head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m models.cwseg.experiments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--corpus", choices=CRITERIA, default="weibo")
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--pairs", type=int, choices=(1, 2), default=2, help="only the first, or both")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args(argv)
    task = prepare(options.data, [options.corpus], sentences=options.sentences)
    lab = Laboratory(task, options.out, options.corpus, options.epochs, options.seeds, options.pairs)
    try:
        for name in options.tables:
            print(f"Table {name}\n\n{markdown(TABLES[name](lab))}\n", flush=True)
    except Interrupted as stop:
        print(f"\n{stop}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
