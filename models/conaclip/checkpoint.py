"""What a checkpoint folder of this family holds beside `models.common.checkpoint`'s files.

tokenizer.json    the vocabulary
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_sdk.files import atomic_write
from models.common.checkpoint import load_json, load_tensors
from models.conaclip.config import DualConfig
from models.conaclip.model import DualEncoder
from models.conaclip.tokens import Vocabulary

FAMILY = "models.conaclip"
TOKENIZER = "tokenizer.json"


def write_vocabulary(folder: Path, vocabulary: Vocabulary) -> None:
    """Store the `tokenizer.json` of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / TOKENIZER) as file:
        file.write(vocabulary.json)


def describe(config: DualConfig, vocabulary: Vocabulary, run: Mapping[str, Any]) -> dict[str, Any]:
    """The `family` and `config` of checkpoint.json; `run` is what else defines the run."""
    marks = {"start": vocabulary.start, "end": vocabulary.end}
    return {"family": FAMILY, "config": {"model": config.to_dict(), "marks": marks, "run": dict(run)}}


def load_model(folder: Path) -> tuple[DualEncoder, Vocabulary]:
    """A trained model, in evaluation mode. Raises OSError, ValueError, KeyError, RuntimeError."""
    config = load_json(folder / "checkpoint.json")["config"]
    model = DualEncoder(DualConfig.from_dict(config["model"]))
    model.load_state_dict(load_tensors(folder / "model.pt"))
    marks = config["marks"]
    vocabulary = Vocabulary((folder / TOKENIZER).read_bytes(), marks["start"], marks["end"])
    return model.eval(), vocabulary
