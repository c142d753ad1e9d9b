"""Train a tagger: ``python -m models.pnlp_mixer.train --data DIR --out DIR``.

With teachers, each is trained first (in ``OUT/teacher-N``), then the mixer is distilled from all
of them. Every stage goes on where it was stopped, and is skipped once it is done.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from edge_sdk.evaluate.tagger import TaggedRow, read_tagged_rows, tagger_metrics
from edge_sdk.files import atomic_write
from edge_sdk.kernels import TagDecoder, bio_masks
from models.common.checkpoint import load_tensors
from models.common.seeding import seed_everything
from models.common.trainer import Interrupted, TrainConfig, Trainer, finished_epochs
from models.common.wordpiece import train_wordpiece
from models.pnlp_mixer.augment import Augmenter
from models.pnlp_mixer.checkpoint import make_projection
from models.pnlp_mixer.config import CONFIGS, TaggerConfig
from models.pnlp_mixer.data import (
    Batch,
    BatchMaker,
    Labels,
    read_training_rows,
    validation_path,
)
from models.pnlp_mixer.features import WordTable
from models.pnlp_mixer.losses import Ensemble, Targets, distillation_loss, supervised_loss
from models.pnlp_mixer.mixer import Mixer
from models.pnlp_mixer.teacher import Teacher

METRIC = "exact_match"

Lesson = tuple[Batch, Targets]


class Run:
    """The data of a training run, and its stages."""

    def __init__(
        self, data: Path, out: Path, config: TaggerConfig, bert_vocab: Path | None
    ) -> None:
        self.config, self.out = config, out
        self.rows = read_training_rows(data)
        self.validation = read_tagged_rows(validation_path(data))
        self.labels = Labels.of(self.rows)
        self.tokenizer = self._tokenizer(bert_vocab)
        projection = make_projection(self.tokenizer, config.projection)
        words = WordTable(projection, (word for row in self.rows for word in row.tokens))
        self.batches = BatchMaker(words, self.labels, config.batch_size)

    def train_teacher(self, number: int) -> None:
        """Train member `number` of the ensemble."""
        seed = self.config.seed + 1 + number
        seed_everything(seed)
        model = Teacher(self.config.teacher, self.config.projection.n_features, self.labels)
        folder = self.out / f"teacher-{number}"
        config = replace(self.config, seed=seed)
        # Without the mixer's part: trying another mixer must not cost the teachers again.
        mine = ("name", "projection", "teacher", "augment", "intent_weight", "batch_size", "seed")
        described = {key: value for key, value in config.to_dict().items() if key in mine}
        self._fit(
            model, folder, config.teacher_train, config, self._supervised, described=described
        )

    def train_mixer(self) -> None:
        """Train the mixer, on the labels and on the ensemble if there is one."""
        seed_everything(self.config.seed)
        config = self.config
        if not config.teachers:
            model = self._mixer()
            self._fit(model, self.out, config.train, config, self._supervised)
            return
        config = replace(config, augment=config.student_augment or config.augment)
        lessons = self._lessons(config)
        model = self._mixer()
        epochs = itertools.cycle(lessons)

        def batches() -> Iterator[Lesson]:
            epoch = next(epochs)
            return iter(random.sample(epoch, len(epoch)))

        for _ in range(finished_epochs(self.out)):
            next(epochs)  # so that a resumed run goes on with the copy that is next
        self._fit(model, self.out, config.train, config, self._distilled, batches)

    def _mixer(self) -> Mixer:
        model = Mixer(self.config.mixer, self.config.projection.n_features, self.labels)
        print(f"{sum(p.numel() for p in model.parameters()):,} parameters", file=sys.stderr)
        return model

    def _lessons(self, config: TaggerConfig) -> list[list[Lesson]]:
        """Augmented copies of the training rows with what the ensemble says of them."""
        ensemble = self.ensemble()
        augmenter = Augmenter(self.rows, config.augment, config.mixer.max_tokens)
        lessons: list[list[Lesson]] = []
        for number in range(config.variations):
            with torch.autocast("cpu", torch.bfloat16, enabled=config.train.bfloat16):
                copy = self.batches.training(self.rows, augmenter)
                lessons.append([(batch, ensemble.targets(batch)) for batch in copy])
            print(f"labelled copy {number + 1}/{config.variations}", file=sys.stderr)
        return lessons

    def ensemble(self) -> Ensemble:
        """The trained teachers. Raises FileNotFoundError where one is missing."""
        members = []
        for number in range(self.config.teachers):
            member = Teacher(self.config.teacher, self.config.projection.n_features, self.labels)
            member.load_state_dict(load_tensors(self.out / f"teacher-{number}" / "model.pt"))
            members.append(member)
        return Ensemble(members)

    def validate(self, model: nn.Module | Ensemble) -> dict[str, float]:
        """`edge_sdk.evaluate.tagger.tagger_metrics` on the validation split, decoded as on the device."""
        forward = model.logits if isinstance(model, Ensemble) else model
        table = model.crf.table().numpy()
        decoder = TagDecoder(table[:-2], table[-2], table[-1], *bio_masks(self.labels.tags))
        order = sorted(range(len(self.validation)), key=lambda i: len(self.validation[i].tokens))
        predicted: list[tuple[str, list[str]]] = [("", [])] * len(order)
        limit = self.config.mixer.max_tokens
        for first in range(0, len(order), 256):
            places = order[first : first + 256]
            rows = [self.validation[place] for place in places]
            rows = [TaggedRow(row.tokens[:limit], row.tags[:limit], row.intent) for row in rows]
            with torch.no_grad():
                slots, intents = forward(self.batches.batch(rows).features)
            for place, row, logits, best in zip(
                places, rows, slots, intents.argmax(-1), strict=True
            ):
                tags, _ = decoder.decode(logits[: len(row.tokens)].float().numpy())
                predicted[place] = self.labels.intents[best], [self.labels.tags[t] for t in tags]
        metrics = tagger_metrics(self.validation, predicted)
        del metrics["rows"]
        return metrics

    def _supervised(self, model: nn.Module, batch: Batch) -> Tensor:
        return supervised_loss(model.crf, model(batch.features), batch, self.config.intent_weight)

    def _distilled(self, model: nn.Module, lesson: Lesson) -> Tensor:
        batch, targets = lesson
        share, weight = self.config.distillation, self.config.intent_weight
        logits = model(batch.features)
        soft = distillation_loss(model.crf, logits, batch, targets, weight)
        return share * soft + (1 - share) * supervised_loss(model.crf, logits, batch, weight)

    def _fit(
        self,
        model: nn.Module,
        folder: Path,
        train: TrainConfig,
        config: TaggerConfig,
        loss: Callable[[nn.Module, Any], Tensor],
        batches: Callable[[], Iterable[Any]] | None = None,
        *,
        described: Mapping[str, Any] | None = None,
    ) -> None:
        augmenter = Augmenter(self.rows, config.augment, config.mixer.max_tokens)
        write_files(folder, self.tokenizer, self.labels)
        trainer = Trainer(
            model,
            train,
            loss=loss,
            batches=batches or (lambda: self.batches.training(self.rows, augmenter)),
            validate=self.validate,
            metric=METRIC,
            steps_per_epoch=math.ceil(len(self.rows) / config.batch_size),
            folder=folder,
            description={"family": "models.pnlp_mixer", "config": described or config.to_dict()},
        )
        report(folder.name, trainer.fit())

    def _tokenizer(self, bert_vocab: Path | None) -> bytes:
        if bert_vocab is not None:
            from edge_sdk.tokenizer import from_bert_vocab

            return from_bert_vocab(bert_vocab)
        fold = self.config.projection.case == "fold"
        words: Iterable[str] = (word for row in self.rows for word in row.tokens)
        words = (word.lower() for word in words) if fold else words
        return train_wordpiece(words, self.config.projection.vocabulary)


def write_files(folder: Path, tokenizer: bytes, labels: Labels) -> None:
    """What else export needs from the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / "tokenizer.json") as file:
        file.write(tokenizer)
    with atomic_write(folder / "labels.json") as file:
        names = {"intents": labels.intents, "tags": labels.tags}
        file.write(json.dumps(names, ensure_ascii=False).encode())


def report(stage: str, metrics: Mapping[str, float]) -> None:
    """One line about a finished stage."""
    shown = "  ".join(f"{key} {value:.2f}" for key, value in metrics.items())
    print(f"{stage}: {shown}", file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """The command line. 0 when done, 130 when stopped by Ctrl-C, 2 on unusable arguments."""
    parser = argparse.ArgumentParser(prog="python -m models.pnlp_mixer.train", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with train and eval (or valid) .tsv.gz"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="checkpoint folder; goes on if it holds one"
    )
    parser.add_argument("--config", choices=CONFIGS, default="mtop-en")
    parser.add_argument("--seed", type=int, help="other than the configuration's")
    parser.add_argument(
        "--teachers", type=int, help="size of the ensemble to distil from; 0 for none"
    )
    parser.add_argument("--epochs", type=int, help="of the mixer, other than the configuration's")
    parser.add_argument(
        "--bert-vocab", type=Path, help="a BERT vocab.txt instead of a trained vocabulary"
    )
    parser.add_argument(
        "--only", metavar="STAGE",
        help="only this stage (teacher-0, teacher-1, ..., mixer): two cores can train two stages",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    config = CONFIGS[options.config]
    if options.seed is not None:
        config = replace(config, seed=options.seed)
    if options.teachers is not None:
        config = replace(config, teachers=options.teachers)
    if options.epochs is not None:
        config = replace(config, train=replace(config.train, epochs=options.epochs))
    stages = [f"teacher-{number}" for number in range(config.teachers)] + ["mixer"]
    if options.only is not None:
        if options.only not in stages:
            parser.error(f"--only must be one of {', '.join(stages)}")
        stages = [options.only]
    try:
        run = Run(options.data, options.out, config, options.bert_vocab)
        for stage in stages:
            if stage == "mixer":
                run.train_mixer()
            else:
                run.train_teacher(int(stage.removeprefix("teacher-")))
    except (Interrupted, KeyboardInterrupt) as stop:
        print(f"\n{stop or 'stopped before the first epoch'}", file=sys.stderr)
        return 130
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
