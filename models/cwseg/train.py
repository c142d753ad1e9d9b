"""Train a cohort of segmenters.

    python -m models.cwseg.train --data DIR --out DIR

`--data` is the folder that holds `cws` and `lexicons_zh`. Without options this trains the cohort that
the bundles come from. Its first member is the one that validation follows and that
`python -m export` packs. The same command goes on after an interruption.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from torch import nn

from models.common.seeding import seed_everything
from models.common.trainer import Interrupted, TrainConfig, Trainer
from models.cwseg.checkpoint import LEXICON, CohortConfig, load_members, write_lexicon
from models.cwseg.cohort import MIMICRY, Cohort
from models.cwseg.config import parse_member
from models.cwseg.data import CRITERIA
from models.cwseg.model import build_member
from models.cwseg.task import Task, prepare


def train(
    task: Task, config: CohortConfig, settings: TrainConfig, folder: Path, teacher: Path | None = None
) -> dict[str, float]:
    """Train a cohort in a folder; the metrics of the epoch that is kept.

    Metrics are what `Task.validate` gives of the first learning member, and of the others their
    `mean_1`, `mean_2`, and so on. `teacher` is the checkpoint folder of a single model that only teaches.
    """
    seed_everything(config.seed)
    members = [build_member(m, config.names, len(CRITERIA)) for m in config.members]
    if teacher is not None:
        members.insert(0, load_members(teacher)[1][0])
    cohort = Cohort(members, config.mimicry, config.strength, frozen=config.frozen)
    batches = task.batches(config.batch, config.drop, config.bare)

    def validate(model: nn.Module) -> dict[str, float]:
        found: dict[str, float] = {}
        for number, member in enumerate(list(model.members)[config.frozen :]):
            scores = task.validate(member)
            if number:  # of the others, only what sums up
                scores = {f"{k}_{number}": scores[k] for k in ("mean", "test") if k in scores}
            found.update(scores)
        return found

    return Trainer(
        cohort,
        settings,
        loss=lambda model, batch: model.loss(batch),
        batches=batches,
        validate=validate,
        metric="mean",
        steps_per_epoch=len(batches),
        folder=folder,
        description={"family": "models.cwseg", "config": asdict(config)},
    ).fit()


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.cwseg.train", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--members", nargs="+", default=["window-2x64", "window-3x128"], metavar="MEMBER",
                        help="window[SPAN]-LAYERSxWIDTH, transformer-LAYERSxWIDTH, bert-LAYERS")  # fmt: skip
    parser.add_argument("--bert", default="", metavar="DIR",
                        help="BERT checkpoint in the Hugging Face layout, for members bert-k")  # fmt: skip
    parser.add_argument("--criteria", nargs="+", choices=CRITERIA, default=list(CRITERIA))
    parser.add_argument("--mimicry", choices=MIMICRY, default="kl")
    parser.add_argument("--strength", type=float, default=1.0, help="lambda of the mimicry loss")
    parser.add_argument("--teacher", type=Path, metavar="DIR",
                        help="plain distillation: a trained single model that only teaches")  # fmt: skip
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--patience", type=int, default=5)
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--drop", type=float, default=0.1, help="share of lexicon words forgotten")
    parser.add_argument("--bare", type=float, default=0.05, help="share of sentences without lexicon")
    parser.add_argument("--sentences", type=int, help="only so many of each corpus")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    try:
        members = tuple(parse_member(name, options.bert) for name in options.members)
    except ValueError as error:
        parser.error(str(error))
    task = prepare(options.data, options.criteria, sentences=options.sentences)
    options.out.mkdir(parents=True, exist_ok=True)
    write_lexicon(options.out / LEXICON, task.words)
    config = CohortConfig(
        members=members,
        names=tuple(task.names),
        criteria=tuple(options.criteria),
        mimicry=options.mimicry,
        strength=options.strength,
        batch=options.batch,
        drop=options.drop,
        bare=options.bare,
        seed=options.seed,
        frozen=1 if options.teacher else 0,
        teacher=str(options.teacher or ""),
    )
    settings = TrainConfig(
        epochs=options.epochs, patience=options.patience, learning_rate=options.learning_rate
    )
    try:
        found = train(task, config, settings, options.out, options.teacher)
    except Interrupted as stop:
        print(f"\n{stop}", file=sys.stderr)
        return 130
    print("  ".join(f"{key} {value:.2f}" for key, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
