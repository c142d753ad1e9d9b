"""Distil a small dual encoder from a teacher through the interaction graph.

    python -m models.conaclip.distil --teacher DIR --data DIR --out DIR

`--teacher` is a folder of `models.conaclip.train`, or a CLIP checkpoint (OpenAI's file and
bpe_simple_vocab_16e6.txt.gz, or Hugging Face's files). The same command goes on after an interruption.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from models.common.seeding import seed_everything
from models.common.trainer import Interrupted, TrainConfig, Trainer
from models.conaclip.checkpoint import describe, load_model, write_vocabulary
from models.conaclip.config import PRESETS, DualConfig
from models.conaclip.corpus import Batches, load_corpus
from models.conaclip.graph import OBJECTIVES, Features, Objective
from models.conaclip.model import DualEncoder
from models.conaclip.teacher import CachedBatches, TaughtBatches, load_teacher, start_from_teacher
from models.conaclip.tokens import Vocabulary
from models.conaclip.train import schedule
from models.conaclip.validate import Validation


def distil(
    teacher: DualEncoder,
    vocabulary: Vocabulary,
    batches: TaughtBatches | CachedBatches,
    validate: Validation,
    config: DualConfig,
    objective: Objective,
    settings: TrainConfig,
    folder: Path,
    *,
    start: Path | None = None,
    seed: int = 1,
) -> list[dict[str, float]]:
    """Train a student on batches as `TaughtBatches` gives them; the scores after every epoch.

    It begins with the teacher's first text layers and a new image tower, or with the checkpoint folder
    `start`.
    """
    seed_everything(seed)
    student = DualEncoder(config)
    start_from_teacher(student, teacher)
    if start:
        student = load_model(start)[0]
    write_vocabulary(folder, vocabulary)
    terms = {"terms": [list(term) for term in objective.terms], "temperature": objective.temperature}
    run = {"kind": "distilled", "objective": terms, **batches.description(), "seed": seed}
    run["start"] = str(start.name) if start else None
    trainer = Trainer(
        student,
        settings,
        loss=lambda model, batch: taught_loss(model, batch, objective),
        batches=batches,
        validate=validate,
        metric="mean",
        steps_per_epoch=len(batches),
        folder=folder,
        description=describe(config, vocabulary, run),
    )
    trainer.fit()
    return trainer.history


def taught_loss(model: nn.Module, batch: dict[str, Tensor], objective: Objective) -> Tensor:
    """The objective on one batch; similarities are computed in float32."""
    texts, images = model.encode_text(batch["tokens"]), model.encode_image(batch["pixels"])
    with torch.autocast("cpu", enabled=False):
        return objective(Features(texts, images, batch["tt"], batch["it"], objective.temperature))


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.conaclip.distil", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with pairs.tsv, splits train and val")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, default="grocery-student")
    parser.add_argument("--objective", choices=OBJECTIVES, default="conaclip")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 80, 96],
                        help="sides of the training views, in pixels; each batch draws one")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    seed_everything(options.seed)
    teacher, vocabulary = load_teacher(options.teacher)
    config = PRESETS[options.preset]
    corpus = load_corpus(options.data, "train")
    held_out = load_corpus(options.data, "val", corpus.phrases)
    taught = TaughtBatches(Batches(corpus, options.batch, tuple(options.sizes)), teacher, vocabulary)
    settings = schedule(options.epochs, len(taught), options.learning_rate)
    validate = Validation(held_out, corpus, vocabulary.reader(), config.image.size, config.text.length)
    try:
        epochs = distil(
            teacher, vocabulary, taught, validate, config, OBJECTIVES[options.objective], settings,
            options.out, seed=options.seed,
        )  # fmt: skip
    except Interrupted as stop:
        print(f"\n{stop}", file=sys.stderr)
        return 130
    best = max(epochs, key=lambda epoch: epoch["mean"])
    print("  ".join(f"{key} {value:.2f}" for key, value in best.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
