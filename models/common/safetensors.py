"""The safetensors format: weights without code."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import torch
from torch import Tensor

_TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64}


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file: an 8-byte length, a JSON header, then raw little-endian data.

    Raises ValueError if header and data do not fit.
    """
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8]) if len(data) >= 8 else (1 << 63,)
    if length > len(data) - 8:
        raise ValueError(f"{path}: the header of {length} bytes does not fit in the file")
    header = json.loads(data[8 : 8 + length])
    body = bytearray(data[8 + length :])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype = _TYPES.get(entry["dtype"])
        first, last = entry["data_offsets"]
        count = torch.Size(entry["shape"]).numel()
        if dtype is None or not 0 <= first <= last <= len(body) or count * dtype.itemsize != last - first:
            raise ValueError(f"{path}: {name} is {entry}, which does not fit in the file")
        tensors[name] = torch.frombuffer(body, dtype=dtype, count=count, offset=first).view(entry["shape"]) \
            if count else torch.empty(entry["shape"], dtype=dtype)
    return tensors
