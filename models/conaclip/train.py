"""Train a dual encoder on pairs alone: from scratch, to be a teacher, or a distilled one further.

    python -m models.conaclip.train --data DIR --out DIR
    python -m models.conaclip.train --data DIR --out DIR --start STUDENT_DIR --epochs 12 --learning-rate 5e-4

The same command goes on after an interruption.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.common.checkpoint import load_json
from models.common.seeding import seed_everything
from models.common.trainer import Interrupted, TrainConfig, Trainer
from models.conaclip.checkpoint import describe, load_model, write_vocabulary
from models.conaclip.config import PRESETS, DualConfig
from models.conaclip.corpus import Batches, Corpus, class_texts, coarse_texts, load_corpus
from models.conaclip.losses import class_contrast
from models.conaclip.model import DualEncoder
from models.conaclip.tokens import Vocabulary, train_vocabulary
from models.conaclip.validate import Validation

SMOOTHING = 0.1
COARSE_WEIGHT = 0.3
_HOTTEST = 100.0  # as CLIP: the temperature is kept above 0.01


def train(
    batches: Batches,
    held_out: Corpus,
    vocabulary: Vocabulary,
    config: DualConfig,
    settings: TrainConfig,
    folder: Path,
    *,
    start: DualEncoder | None = None,
    about_start: Mapping[str, Any] | None = None,
    seed: int = 1,
) -> dict[str, float]:
    """Train with the contrastive loss over classes; the scores of the epoch that is kept.

    `start` is a trained model to begin with, `about_start` how that was trained.
    """
    seed_everything(seed)
    model = start or DualEncoder(config)
    reader, length = vocabulary.reader(), config.text.length
    phrases = batches.corpus.phrases

    def loss(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        images = model.encode_image(batch["pixels"])
        parts = [(1.0, class_texts(phrases, reader, length, batch["share"].sum(0) > 0))]
        if (wider := coarse_texts(phrases, reader, length)) is not None:
            parts.append((COARSE_WEIGHT, wider))
        total = images.new_zeros(())
        for weight, texts in parts:
            vectors = model.encode_text(texts.tokens)
            match = batch["share"] @ texts.true_of.T
            # Pictures that none of these texts is true of teach nothing here.
            known = match.sum(1) > 0
            with torch.autocast("cpu", enabled=False):
                temperature = 1 / model.logit_scale.exp().clamp(max=_HOTTEST)
                total = total + weight * class_contrast(
                    vectors, images[known], match[known], temperature, SMOOTHING
                )
        return total

    run = {"kind": "tuned" if start else "scratch", "start": about_start, **batches.description(), "seed": seed}
    write_vocabulary(folder, vocabulary)
    return Trainer(
        model,
        settings,
        loss=loss,
        batches=batches,
        validate=Validation(held_out, batches.corpus, reader, config.image.size, length),
        metric="mean",
        steps_per_epoch=len(batches),
        folder=folder,
        description=describe(config, vocabulary, run),
    ).fit()


def schedule(epochs: int, steps_per_epoch: int, learning_rate: float) -> TrainConfig:
    """Warm-up and averaging over a tenth of the steps, or less where there are many."""
    tenth = max(1, epochs * steps_per_epoch // 10)
    return TrainConfig(
        epochs=epochs,
        patience=epochs,
        learning_rate=learning_rate,
        warmup_steps=min(200, tenth),
        weight_decay=0.05,
        ema_decay=max(0.0, min(0.995, 1 - 1 / tenth)),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.conaclip.train", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--data", type=Path, required=True, help="folder with pairs.tsv, splits train and val")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, default="grocery-teacher")
    parser.add_argument("--start", type=Path, metavar="DIR",
                        help="a trained model to go on with, instead of a new one of --preset")  # fmt: skip
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 80, 96],
                        help="sides of the training views, in pixels; each batch draws one")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    config = PRESETS[options.preset]
    corpus = load_corpus(options.data, "train")
    held_out = load_corpus(options.data, "val", corpus.phrases)
    start = about_start = None
    if options.start:
        start, vocabulary = load_model(options.start)
        config = start.config
        about_start = load_json(options.start / "checkpoint.json")["config"]["run"]
    else:
        vocabulary = train_vocabulary(list(corpus.phrases.corpus()), config.text.vocabulary)
    batches = Batches(corpus, options.batch, tuple(options.sizes))
    settings = schedule(options.epochs, len(batches), options.learning_rate)
    try:
        found = train(
            batches, held_out, vocabulary, config, settings, options.out,
            start=start, about_start=about_start, seed=options.seed,
        )  # fmt: skip
    except Interrupted as stop:
        print(f"\n{stop}", file=sys.stderr)
        return 130
    print("  ".join(f"{key} {value:.2f}" for key, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
