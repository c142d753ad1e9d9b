"""Train an encoder on an embedding matrix.

    python -m models.charemb.train --matrix MATRIX --out CHECKPOINT [--model student]

`--matrix` is a folder that models.charemb.matrix made, a word2vec or GloVe text file, or an .npy
file with its vocabulary. The same command goes on after an interruption. `--paper` trains as the
paper does: the matrix' own rows as targets, the cosine loss alone, every phrase of equal weight.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edge_sdk.errors import EdgeError
from models.charemb.checkpoint import RunConfig, description, run_model
from models.charemb.config import MODELS, BagConfig
from models.charemb.data import (
    Batch,
    Examples,
    character_vocabulary,
    known_numbers,
    split,
)
from models.charemb.initial import start_from_parts
from models.charemb.matrix import REPORT
from models.charemb.model import BagEncoder
from models.charemb.targets import TargetConfig, Targets
from models.charemb.vectors import Matrix, read_matrix
from models.common.checkpoint import load_json
from models.common.seeding import seed_everything
from models.common.trainer import Interrupted, TrainConfig, Trainer

VALIDATED = 5000
"""Held-out phrases that an epoch is judged by, at most."""


def examples_of(matrix: Matrix, goals: Targets, config: RunConfig) -> Examples:
    """The phrases of a matrix with targets and weights, the most frequent ones first."""
    order = np.argsort(-matrix.counts, kind="stable")[: config.limit or None]
    texts = [matrix.texts[row] for row in order]
    targets = goals(texts)
    weights = matrix.counts[order].astype(np.float32) ** config.frequency_power
    learnt = np.flatnonzero(targets.any(1))
    found = Examples(texts, targets, np.minimum(weights, 100.0)).rows(learnt)
    return replace(found, weights=found.weights / found.weights.mean())


def known_words(matrix: Matrix, model: BagConfig) -> tuple[int, ...]:
    """Numbers of the words that a student has rows for: the most frequent ones."""
    single = [row for row, text in enumerate(matrix.texts) if " " not in text]
    single.sort(key=lambda row: -matrix.counts[row])
    words = [matrix.texts[row] for row in single[: model.known]]
    return tuple(known_numbers(words, model.scheme).tolist())


def loss_of(contrast: float, temperature: float):
    """The loss of a batch: cosine distance to the targets, weighted; and, against vectors that are
    near to all others, the chance of picking the own target among the batch's (InfoNCE)."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        found = F.normalize(run_model(model, batch).float(), dim=1)
        with torch.autocast("cpu", enabled=False):
            weights = batch.weights / batch.weights.sum()
            total = ((1 - (found * batch.targets).sum(1)) * weights).sum()
            if contrast:
                scores = found @ batch.targets.t() / temperature
                own = torch.arange(len(found))
                total = total + contrast * (F.cross_entropy(scores, own, reduction="none") * weights).sum()
        return total

    return loss


def mean_cosine(model: nn.Module, batches: Iterator[Batch]) -> float:
    """Of an encoder's vectors with their targets, in percent."""
    cosines = [
        F.cosine_similarity(run_model(model, batch).float(), batch.targets, dim=1) for batch in batches
    ]
    return 100 * torch.cat(cosines).mean().item()


def train(matrix: Matrix, config: RunConfig, settings: TrainConfig, folder: Path) -> dict[str, float]:
    """Train one encoder in a folder; the metrics of the epoch that is kept."""
    seed_everything(config.seed)
    goals = Targets(matrix, config.targets)
    learning, held_out = split(examples_of(matrix, goals, config), config.held_out, config.seed)
    judged = held_out.rows(np.linspace(0, len(held_out.texts) - 1, min(VALIDATED, len(held_out.texts))).astype(int))
    batches, validation = config.batches(learning), config.batches(judged)
    model = config.build()
    if isinstance(model, BagEncoder) and config.targets.composed:
        words = [text for text in matrix.texts if " " not in text]
        start_from_parts(model, config.bags, goals, words)
    return Trainer(
        model,
        settings,
        loss=loss_of(config.contrast, config.temperature),
        batches=batches,
        validate=lambda model: {"cosine": mean_cosine(model, validation.plain())},
        metric="cosine",
        steps_per_epoch=len(batches),
        folder=folder,
        description=description(config),
    ).fit()


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.charemb.train", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--matrix", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, help="of an .npy matrix; default vocabulary.txt beside it")  # fmt: skip
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", choices=sorted(MODELS), default="student")
    parser.add_argument("--paper", action="store_true", help="the paper's targets and loss")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--patience", type=int, default=10)
    parser.add_argument("--batch", type=int, help="default 256, of the student 1024")
    parser.add_argument("--learning-rate", type=float, help="default Table 5, of the student 0.003")
    parser.add_argument("--held-out", type=float, default=0.2)
    parser.add_argument("--limit", type=int, default=0, help="only the most frequent phrases")
    parser.add_argument("--noise", type=float, default=0.1, help="share of phrases with a typing error")
    parser.add_argument("--drop", type=float, default=0.1, help="share of n-grams left out (student)")
    parser.add_argument("--frequency-power", type=float, default=0.0, help="of a phrase's occurrences in its loss")  # fmt: skip
    for name in ("ngram_max", "ngram_buckets", "known", "word_width", "hidden"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, help="of the student")
    parser.add_argument("--spelling", type=float, default=TargetConfig.spelling)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    model = MODELS[options.model]
    student = isinstance(model, BagConfig)
    if student:
        sizes = {name: getattr(options, name) for name in vars(model) if getattr(options, name, None)}
        model = replace(model, **sizes)
    try:
        matrix = read_matrix(options.matrix, options.vocabulary)
        targets = TargetConfig.plain() if options.paper else TargetConfig(spelling=options.spelling)
        report = options.matrix / REPORT
        config = RunConfig(
            name=options.model,
            model=model,
            targets=targets,
            dimension=matrix.dimension + targets.spelling_dimension,
            characters=() if student else tuple(character_vocabulary(matrix.texts)),
            words=known_words(matrix, model) if student else (),
            batch=options.batch or (1024 if student else 256),
            held_out=options.held_out,
            limit=options.limit,
            frequency_power=0.0 if options.paper else options.frequency_power,
            contrast=0.0 if options.paper else 0.3,
            noise=0.0 if options.paper else options.noise,
            drop=options.drop if student else 0.0,
            seed=options.seed,
            matrix=load_json(report) if report.exists() else {},
        )
        rate = options.learning_rate or (3e-3 if student else 5e-4 if options.model == "large" else 1e-3)
        settings = TrainConfig(
            epochs=options.epochs,
            patience=options.patience,
            learning_rate=rate,
            weight_decay=1e-8,  # Table 5
            bfloat16=not student,
        )
        found = train(matrix, config, settings, options.out)
    except Interrupted as stop:
        print(f"\n{stop}", file=sys.stderr)
        return 130
    except (EdgeError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print("  ".join(f"{key} {value:.2f}" for key, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
