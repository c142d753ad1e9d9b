"""From a checkpoint folder to the ExportSpec of the family that trained it."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

from export.errors import ExportError
from models.common.export_spec import ExportSpec


def load_spec(checkpoint_dir: Path, data_dir: Path | None) -> ExportSpec:
    """Ask the package that `checkpoint.json` names under "family" for its ExportSpec.

    Raises ExportError: `export_checkpoint`, `export_family`.
    """
    file = checkpoint_dir / "checkpoint.json"
    try:
        name = json.loads(file.read_text(encoding="utf-8"))["family"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExportError(
            "export_checkpoint",
            f"cannot read the family from {file}: {type(error).__name__}: {error}",
            "give the folder that a training command wrote (its --out)",
        ) from error
    if not isinstance(name, str) or not name.startswith("models."):
        raise ExportError(
            "export_family",
            f"{file} names the family {name!r:.80}, expected a package inside models",
            "give the folder that a training command wrote (its --out)",
        )
    try:
        family = import_module(name)
    except ImportError as error:
        raise ExportError(
            "export_family", f"cannot import {name}: {error}", "install the extra [train]"
        ) from error
    try:
        return family.export_spec(checkpoint_dir, data_dir)
    except (OSError, ValueError, RuntimeError) as error:
        raise ExportError(
            "export_checkpoint",
            f"{name} cannot use {checkpoint_dir}: {error}",
            "train again, or export with the version of the code that trained it",
        ) from error
