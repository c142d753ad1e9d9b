"""A trained tagger from its checkpoint folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.kernels import HashScheme
from edge_sdk.projection import Projection
from edge_sdk.tokenizer import SubwordTokenizer
from models.common.checkpoint import load_json, load_tensors
from models.pnlp_mixer.config import ProjectionConfig, TaggerConfig
from models.pnlp_mixer.data import Labels
from models.pnlp_mixer.mixer import Mixer


def make_projection(tokenizer: bytes, config: ProjectionConfig) -> Projection:
    """The runtime's projection for a configuration and the bytes of a tokenizer.json."""
    scheme = HashScheme(config.seed, config.n_hashes, config.ngram_min, config.ngram_max)
    fold = config.case == "fold"
    return Projection(SubwordTokenizer(tokenizer), scheme, config.n_features, fold_case=fold)


@dataclass(frozen=True)
class Checkpoint:
    """What `models.pnlp_mixer.train` left in a folder."""

    config: TaggerConfig
    labels: Labels
    tokenizer: bytes
    model: Mixer
    """With the kept weights, in evaluation mode."""
    training: dict[str, Any]
    """Epochs, seconds and validation metrics of the run."""

    @staticmethod
    def load(folder: Path) -> Checkpoint:
        """Raises OSError for a missing file, ValueError or RuntimeError for an unusable one."""
        description = load_json(folder / "checkpoint.json")
        config = TaggerConfig.from_dict(description["config"])
        names = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        labels = Labels(tuple(names["tags"]), tuple(names["intents"]))
        model = Mixer(config.mixer, config.projection.n_features, labels)
        model.load_state_dict(load_tensors(folder / "model.pt"))
        model.eval()
        tokenizer = (folder / "tokenizer.json").read_bytes()
        return Checkpoint(config, labels, tokenizer, model, description["training"])
