"""A torch module as an fp32 TFLite graph with one signature for each length, on shared weights."""

from __future__ import annotations

import copy
import itertools
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from export.errors import ExportError
from export.tflite_file import name_signatures, quiet
from models.common.export_spec import GraphSpec


class _Floats(torch.nn.Module):
    """A module whose bytes are turned into floats first: TFLite has no maximum of bytes."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.module(*[x.float() if x.dtype == torch.uint8 else x for x in inputs])


def signatures(spec: GraphSpec) -> dict[str, dict[str, int]]:
    """The sizes of each signature by its name, e.g. ``{"tokens8": {"tokens": 8}}``."""
    combinations = itertools.product(*spec.sizes.values())
    named = [dict(zip(spec.sizes, sizes)) for sizes in combinations]
    return {"_".join(f"{axis}{n}" for axis, n in sizes.items()) or "all": sizes for sizes in named}


def to_tflite(spec: GraphSpec) -> bytes:
    """Convert the module of `spec` for each of its sizes; rows are taken one at a time.

    Raises ExportError: `export_missing` without the converter, `export_litert` where it fails.
    """
    try:
        with quiet():
            import litert_torch
    except ImportError as error:
        raise ExportError(
            "export_missing", f"litert-torch cannot be imported: {error}", "install the extra [train-litert]"
        ) from error
    module = _Floats(_contiguous(spec.module)).eval()
    with quiet(), torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        try:
            converter = litert_torch
            for name, sizes in signatures(spec).items():
                converter = converter.signature(name, module, _example(spec, sizes))
            path = Path(folder, "model.tflite")
            converter.convert().export(str(path))
        except Exception as error:  # the converter raises whatever its parts do
            raise ExportError(
                "export_litert",
                f"litert-torch cannot convert {type(spec.module).__name__}: {' '.join(str(error).split())[-300:]}",
                "export for --engines onnx only, or write the module with other operators",
            ) from error
        return name_signatures(path.read_bytes(), list(spec.inputs), list(spec.outputs))


def _contiguous(module: torch.nn.Module) -> torch.nn.Module:
    """A copy whose weights lie in memory as their shapes say: the converter reads weights in
    torch.channels_last as if they did, and says nothing."""
    module = copy.deepcopy(module)
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.data = tensor.data.contiguous()
    return module


def _example(spec: GraphSpec, sizes: Mapping[str, int]) -> tuple[Tensor, ...]:
    """Zeros of a signature's shapes."""
    examples = []
    for name, value in spec.inputs.items():
        names = spec.dynamic_axes.get(name, {})
        shape = [sizes.get(names[i], 1) if i in names else n for i, n in enumerate(value.shape)]
        examples.append(torch.zeros(shape, dtype=value.dtype))
    return tuple(examples)
