"""Sizes of dual encoders: those of the paper, CLIP's, and a small pair for devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class TextConfig:
    """A Transformer over sub-word units, pooled at the end mark, as in CLIP."""

    layers: int
    heads: int
    width: int
    vocabulary: int = 49_408
    """The last two units are the start and the end mark; the end mark has the largest number."""
    length: int = 77
    """Most units in a text, marks included."""
    activation: str = "quick_gelu"


@dataclass(frozen=True)
class Normalisation:
    """Per-channel mean and standard deviation of pixels, in units of the bytes 0 to 255."""

    mean: tuple[float, float, float] = (128.0, 128.0, 128.0)
    std: tuple[float, float, float] = (64.0, 64.0, 64.0)


@dataclass(frozen=True)
class VitConfig:
    """A Vision Transformer (Dosovitskiy et al., 2021) with a class token."""

    layers: int
    heads: int
    width: int
    patch: int
    size: int = 224
    activation: str = "gelu"
    stem_norm: bool = False
    """As in CLIP: LayerNorm before the first layer, and no bias in the patch embedding."""
    normalisation: Normalisation = field(default_factory=Normalisation)


@dataclass(frozen=True)
class ConvConfig:
    """A residual network (He et al., 2016) over patches; each stage halves height and width."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    """Residual blocks of each stage."""
    patch: int = 4
    size: int = 128
    normalisation: Normalisation = field(default_factory=Normalisation)


@dataclass(frozen=True)
class DualConfig:
    """A pair of encoders into one space of `dimension` components."""

    text: TextConfig
    image: VitConfig | ConvConfig
    dimension: int = 512

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DualConfig:
        """From `to_dict()`, also after a way through JSON. Raises KeyError, TypeError."""
        image = dict(values["image"])
        normalisation = {key: tuple(channels) for key, channels in image.pop("normalisation").items()}
        image = {key: tuple(v) if isinstance(v, list) else v for key, v in image.items()}
        kind = ConvConfig if "widths" in image else VitConfig
        return cls(
            TextConfig(**values["text"]),
            kind(**image, normalisation=Normalisation(**normalisation)),
            values["dimension"],
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain types."""
        return asdict(self)


CLIP_NORMALISATION = Normalisation(
    (0.48145466 * 255, 0.4578275 * 255, 0.40821073 * 255),
    (0.26862954 * 255, 0.26130258 * 255, 0.27577711 * 255),
)
_IMAGENET_21K = Normalisation((127.5,) * 3, (127.5,) * 3)


def _conaclip(layers: int) -> DualConfig:
    """The paper's student with so many text layers (its table of models)."""
    image = VitConfig(layers=12, heads=6, width=384, patch=16, normalisation=_IMAGENET_21K)
    return DualConfig(TextConfig(layers=layers, heads=8, width=512), image)


PRESETS = {
    "clip-vit-b32": DualConfig(
        TextConfig(layers=12, heads=8, width=512),
        VitConfig(
            layers=12, heads=12, width=768, patch=32, activation="quick_gelu", stem_norm=True,
            normalisation=CLIP_NORMALISATION,
        ),
    ),
    "conaclip-6l": _conaclip(6),
    "conaclip-4l": _conaclip(4),
    "conaclip-2l": _conaclip(2),
    "grocery-teacher": DualConfig(
        TextConfig(layers=2, heads=4, width=192, vocabulary=2048, length=64, activation="relu"),
        ConvConfig(widths=(32, 64, 128, 256), depths=(2, 2, 2, 2), size=112),
        dimension=256,
    ),
    "grocery-student": DualConfig(
        TextConfig(layers=2, heads=4, width=192, vocabulary=2048, length=64, activation="relu"),
        ConvConfig(widths=(32, 64, 128, 256), depths=(1, 1, 1, 1), size=112),
        dimension=256,
    ),
    "tiny": DualConfig(
        TextConfig(layers=1, heads=4, width=192, vocabulary=2048, length=64, activation="relu"),
        ConvConfig(widths=(16, 32, 64, 128), depths=(1, 1, 1, 1), size=64),
        dimension=256,
    ),
}  # fmt: skip
"""By the names that the commands take; `tiny` is the student of the ablation."""
