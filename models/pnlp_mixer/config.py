"""Every constant of a tagger's training, by name. A checkpoint stores the one it was made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from models.common.trainer import TrainConfig


@dataclass(frozen=True)
class ProjectionConfig:
    """The projection layer (paper, section 3.1); what the paper leaves open is chosen here."""

    vocabulary: int = 4000
    """Largest WordPiece vocabulary, trained on the training split."""
    case: str = "fold"
    """"fold": words are lower-cased and one more unit tells what the case was; "keep": cased."""
    seed: int = 0
    n_hashes: int = 256
    n_features: int = 512
    ngram_min: int = 2
    ngram_max: int = 4


@dataclass(frozen=True)
class MixerConfig:
    """Sizes of the network (paper, section 3.2)."""

    bottleneck: int = 128
    """Width of one token's own features, before its neighbours are joined to it."""
    window: int = 1
    """Neighbours on each side whose features a token sees."""
    hidden: int = 256
    layers: int = 5
    token_hidden: int = 64
    """Hidden width of token mixing: 256 in the paper, for 64 padded tokens."""
    channel_hidden: int = 256
    filter_width: int = 0
    """Odd number of tokens that a filter beside token mixing covers; 0 for none."""
    dropout: float = 0.1
    max_tokens: int = 64


@dataclass(frozen=True)
class TeacherConfig:
    """A bidirectional LSTM tagger (Huang et al., 2015) over the same features."""

    bottleneck: int = 128
    window: int = 1
    hidden: int = 256
    layers: int = 1
    dropout: float = 0.3
    feature_dropout: float = 0.0


@dataclass(frozen=True)
class AugmentConfig:
    """How training utterances are varied, anew in every epoch."""

    swap: float = 0.3
    """Probability that a slot's value is replaced by another value of the same label."""
    lower: float = 0.0
    """Probability that an utterance is lower-cased."""


@dataclass(frozen=True)
class TaggerConfig:
    """One training run: projection, student, teachers, data and loop."""

    name: str
    projection: ProjectionConfig = field(default_factory=ProjectionConfig)
    mixer: MixerConfig = field(default_factory=MixerConfig)
    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    teachers: int = 0
    """Size of the ensemble that the mixer is distilled from; 0 trains it on the labels alone."""
    distillation: float = 0.7
    """Share of the ensemble's distribution in the loss; the labels have the rest."""
    variations: int = 10
    """Augmented copies of the training rows that the ensemble labels, once; the mixer then goes
    through them in turn, an epoch each, at the cost of training without teachers."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    student_augment: AugmentConfig | None = None
    """For the student, if other than the teachers': an ensemble also labels bolder variations."""
    intent_weight: float = 0.5
    batch_size: int = 128
    seed: int = 0
    train: TrainConfig = field(default_factory=TrainConfig)
    teacher_train: TrainConfig = field(default_factory=TrainConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return asdict(self)

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> TaggerConfig:
        """The inverse of `to_dict`. Raises TypeError for unknown keys."""
        rest = dict(values)
        student_augment = rest.pop("student_augment")
        return TaggerConfig(
            projection=ProjectionConfig(**rest.pop("projection")),
            mixer=MixerConfig(**rest.pop("mixer")),
            teacher=TeacherConfig(**rest.pop("teacher")),
            augment=AugmentConfig(**rest.pop("augment")),
            student_augment=AugmentConfig(**student_augment) if student_augment else None,
            train=TrainConfig(**rest.pop("train")),
            teacher_train=TrainConfig(**rest.pop("teacher_train")),
            **rest,
        )


MTOP = TaggerConfig(
    name="mtop-en",
    projection=ProjectionConfig(n_hashes=512, n_features=1024),
    mixer=MixerConfig(dropout=0.05),
    teachers=1,
    teacher=TeacherConfig(bottleneck=192, hidden=320, layers=2, dropout=0.4),
    teacher_train=TrainConfig(epochs=24, patience=8),
    variations=8,
    student_augment=AugmentConfig(swap=0.4),
    train=TrainConfig(epochs=40, patience=10, learning_rate=1.5e-3),
)

CONFIGS: dict[str, TaggerConfig] = {
    "mtop-en": MTOP,
    # Its utterances are regular: labels alone are enough.
    "snips-en": replace(
        MTOP,
        name="snips-en",
        teachers=0,
        mixer=MixerConfig(dropout=0.2),
        intent_weight=2.0,
        train=TrainConfig(epochs=30, patience=12),
    ),
    # Learns a toy grammar in seconds; the tests train it.
    "tiny": TaggerConfig(
        name="tiny",
        projection=ProjectionConfig(vocabulary=300, n_hashes=32, n_features=64),
        mixer=MixerConfig(
            bottleneck=32, hidden=32, layers=2, token_hidden=16, channel_hidden=32, max_tokens=32
        ),
        teacher=TeacherConfig(bottleneck=32, hidden=32),
        train=TrainConfig(epochs=12, learning_rate=5e-3, warmup_steps=10, ema_decay=0.9),
        teacher_train=TrainConfig(epochs=12, learning_rate=5e-3, warmup_steps=10, ema_decay=0.9),
        batch_size=32,
    ),
}
