"""A trained encoder in a folder: ``checkpoint.json``, ``model.pt`` and ``characters.json``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from edge_sdk.phrase import normalise_phrase
from models.charemb.config import BagConfig, CharacterConfig
from models.charemb.data import BagBatches, Bags, Batch, CharacterBatches, Examples
from models.charemb.model import build
from models.charemb.targets import TargetConfig, unit
from models.common.checkpoint import load_json, load_tensors

SPELLING = 64
"""Width of a student's table of windows where the targets have no spelling."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a training run, apart from the loop's own settings."""

    name: str
    model: CharacterConfig | BagConfig
    targets: TargetConfig
    dimension: int
    characters: tuple[str, ...] = ()
    """Known characters; number 0 is for all others. None for a bag."""
    words: tuple[int, ...] = ()
    """Sorted numbers of the words that a bag knows."""
    batch: int = 256
    held_out: float = 0.2
    limit: int = 0
    """Only so many phrases, the most frequent ones; 0 takes all."""
    frequency_power: float = 0.5
    """Of a phrase's occurrences in the weight of its loss."""
    contrast: float = 0.3
    """Weight of the contrastive loss beside the cosine loss; 0 is the paper's."""
    temperature: float = 0.05
    noise: float = 0.0
    """Share of phrases that get a typing error."""
    drop: float = 0.0
    """Share of n-grams left out in training."""
    seed: int = 1
    matrix: dict[str, Any] = field(default_factory=dict)
    """Report of the matrix."""

    @staticmethod
    def from_json(value: dict[str, Any]) -> RunConfig:
        kind = BagConfig if "ngram_min" in value["model"] else CharacterConfig
        return RunConfig(
            **{
                **value,
                "model": kind(**value["model"]),
                "targets": TargetConfig(**value["targets"]),
                "characters": tuple(value["characters"]),
                "words": tuple(value["words"]),
            }
        )

    def build(self) -> nn.Module:
        if isinstance(self.model, BagConfig):
            spelling = self.targets.spelling_dimension or SPELLING
            return build(self.model, len(self.words), self.dimension, spelling)
        return build(self.model, len(self.characters) + 1, self.dimension)

    @property
    def bags(self) -> Bags:
        return Bags(self.model.scheme, np.array(self.words, np.int32))

    def batches(self, examples: Examples) -> BagBatches | CharacterBatches:
        limit = self.model.max_characters
        if isinstance(self.model, BagConfig):
            return BagBatches(examples, self.bags, limit, self.batch, self.noise, self.drop)
        return CharacterBatches(examples, self.characters, limit, self.batch, self.noise)


@dataclass(frozen=True)
class Checkpoint:
    """A trained encoder, in evaluation mode."""

    config: RunConfig
    model: nn.Module
    training: dict[str, Any]

    @staticmethod
    def load(folder: Path) -> Checkpoint:
        """Raises OSError, ValueError or RuntimeError where the folder cannot be used."""
        found = load_json(folder / "checkpoint.json")
        config = RunConfig.from_json(found["config"])
        model = config.build()
        model.load_state_dict(load_tensors(folder / "model.pt"))
        return Checkpoint(config, model.eval(), found["training"])

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of any texts, float32 [texts, dimension]; zeros where nothing is left of one."""
        return embed(self.model, self.config, texts)


def run_model(model: nn.Module, batch: Batch) -> torch.Tensor:
    """The encoder's vectors for a batch, whatever it reads."""
    return model.bag(*batch.inputs) if len(batch.inputs) > 1 else model(*batch.inputs)


def embed(model: nn.Module, config: RunConfig, texts: Sequence[str]) -> np.ndarray:
    """As `Checkpoint.embed`."""
    phrases = [normalise_phrase(text)[: config.model.max_characters].rstrip() for text in texts]
    given = [i for i, phrase in enumerate(phrases) if phrase]
    numbers = np.arange(len(given), dtype=np.float32)[:, None]
    examples = Examples([phrases[i] for i in given], numbers, np.ones(len(given), np.float32))
    out = np.zeros((len(texts), config.dimension), np.float32)
    with torch.no_grad():
        for batch in _plain(config, examples):
            rows = [given[int(number)] for number in batch.targets[:, 0]]
            out[rows] = run_model(model, batch).float().numpy()
    return unit(out)


def _plain(config: RunConfig, examples: Examples) -> Iterator[Batch]:
    return config.batches(examples).plain() if examples.texts else iter(())


def description(config: RunConfig) -> dict[str, Any]:
    """What `models.common.trainer.Trainer` writes into ``checkpoint.json``."""
    value = asdict(config)
    value["characters"], value["words"] = list(config.characters), list(config.words)
    return {"family": "models.charemb", "config": value}
