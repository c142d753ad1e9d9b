"""Checkpoint folders: what training writes and `export` reads.

checkpoint.json   {"family": "models.pnlp_mixer", "config": {...}, "training": {...}}
model.pt          weights with the best validation metric (a state dict)
last.pt           everything needed to go on after an interruption
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from edge_sdk.files import atomic_write


def save_json(path: Path, value: Any) -> None:
    """Write JSON; a reader sees the old file or the new one, never a half."""
    with atomic_write(path) as file:
        file.write(json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n")


def save_tensors(path: Path, value: Any) -> None:
    """`torch.save`; a reader sees the old file or the new one, never a half."""
    with atomic_write(path) as file:
        torch.save(value, file)


def load_tensors(path: Path) -> Any:
    """Tensors and plain types only: nothing in the file is executed. Raises as `torch.load`."""
    return torch.load(path, map_location="cpu", weights_only=True)


def load_json(path: Path) -> dict[str, Any]:
    """Read what `save_json` wrote. Raises OSError or ValueError."""
    return json.loads(path.read_text(encoding="utf-8"))
