"""The cohort experiments of the CWSeg paper (its Tables 5 to 7) at a scale of minutes.

    python -m models.cwseg.experiments --data DIR --out DIR

Members are small networks trained from scratch on part of one corpus, all for as many epochs. Of
each member counts its best epoch on one half of the development sentences (early stopping), and
its F1 there on the other half: mean and standard deviation over seeds, then what a cohort
changes, seed by seed. Runs that are finished already in DIR are not repeated.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from models.common.checkpoint import load_json, load_tensors, save_json
from models.common.trainer import Interrupted, TrainConfig
from models.cwseg.checkpoint import CohortConfig
from models.cwseg.config import parse_member
from models.cwseg.data import CRITERIA
from models.cwseg.task import Task, prepare
from models.cwseg.train import train

PAIRS = (("window-3x128", "window-1x64"), ("transformer-2x96", "transformer-1x64"))
"""Net1, the larger, and Net2: stand for BERT-4/BERT-1 and NEZHA-4/NEZHA-1."""
STRENGTHS = {"kl": 3.0, "js": 3.0, "transport": 3.0, "wasserstein": 0.5}
"""The method's lambda for each kind of mimicry, chosen with a seed that the tables do not use. Larger
than the method's, as our supervised loss has two terms."""


@dataclass(frozen=True)
class Run:
    """One training: `members`, and how they learn from one another."""

    members: tuple[str, ...]
    mimicry: str = "transport"
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
        """Test F1 of one member at its own best epoch, for each seed."""
        return [self._scores(run, seed)[member] for seed in self.seeds]

    def _scores(self, run: Run, seed: int) -> list[float]:
        path = self._train(run, seed) / "history.json"
        history = load_json(path)["epochs"]
        suffixes = ["", *(f"_{number}" for number in range(1, len(run.members)))]
        best = [max(history, key=lambda epoch: epoch[f"mean{suffix}"]) for suffix in suffixes]
        return [epoch[f"test{suffix}"] for epoch, suffix in zip(best, suffixes)]

    def _train(self, run: Run, seed: int) -> Path:
        folder = self.folder / f"{run.name}-seed{seed}"
        if (folder / "history.json").exists():
            return folder
        teacher = self._train(Run((run.teacher,)), seed) if run.teacher else None
        print(f"== {folder.name}", file=sys.stderr)
        mimicry = "kl" if run.teacher else run.mimicry
        config = CohortConfig(
            members=tuple(parse_member(name) for name in run.members),
            names=tuple(self.task.names),
            criteria=(self.corpus,),
            mimicry=mimicry,
            strength=STRENGTHS[mimicry],
            batch=32,
            drop=0.1,
            bare=0.05,
            seed=seed,
            frozen=1 if run.teacher else 0,
            teacher=run.teacher,
        )
        settings = TrainConfig(
            epochs=self.epochs, patience=self.epochs, learning_rate=2e-3, warmup_steps=50
        )
        train(self.task, config, settings, folder, teacher)
        last = folder / "last.pt"
        save_json(folder / "history.json", {"epochs": load_tensors(last)["history"]})
        last.unlink()
        return folder


def table_5(lab: Laboratory) -> list[list[str]]:
    """Single (SN), distilled (MD) and cohort (CH)."""
    rows = [["Net1 / Net2", "SN Net1", "SN Net2", "MD Net2", "CH Net1", "CH Net2"]]
    for large, small in lab.pairs:
        cohort = Run((large, small))
        alone = lab.scores(Run((large,))), lab.scores(Run((small,)))
        found = [
            show(alone[0]),
            show(alone[1]),
            show(lab.scores(Run((small,), teacher=large)), alone[1]),
            show(lab.scores(cohort), alone[0]),
            show(lab.scores(cohort, 1), alone[1]),
        ]
        rows.append([f"{large} / {small}", *found])
    return rows


def table_6(lab: Laboratory) -> list[list[str]]:
    """All members of the pairs in one cohort, against each alone."""
    members = tuple(name for pair in lab.pairs for name in pair)
    rows = [["member", "alone", f"cohort of {len(members)}"]]
    for number, name in enumerate(members):
        alone = lab.scores(Run((name,)))
        rows.append([name, show(alone), show(lab.scores(Run(members), number), alone)])
    return rows


def table_7(lab: Laboratory) -> list[list[str]]:
    """Kinds of mimicry."""
    rows = [["member", "alone", *STRENGTHS]]
    for number, name in enumerate(lab.pairs[0]):
        alone = lab.scores(Run((name,)))
        kinds = [show(lab.scores(Run(lab.pairs[0], kind), number), alone) for kind in STRENGTHS]
        rows.append([name, show(alone), *kinds])
    return rows


TABLES = {"5": table_5, "6": table_6, "7": table_7}


def show(scores: Sequence[float], alone: Sequence[float] = ()) -> str:
    """Mean and standard deviation; the difference from each score of `alone`."""
    found = f"{mean(scores):.2f} ± {stdev(scores):.2f}" if len(scores) > 1 else f"{scores[0]:.2f}"
    gains = " ".join(f"{a - b:+.2f}" for a, b in zip(scores, alone))
    return f"{found} ({gains})" if gains else found


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
    parser.add_argument("--epochs", type=int, default=12)
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
