"""Random views of pictures, with Pillow and NumPy: crops, flips, colours, mixtures.

All randomness comes from NumPy's global generator, so that a resumed training sees what the
uninterrupted one would have seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

_GREY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_ATTEMPTS = 10


@dataclass(frozen=True)
class Augmentation:
    """How strongly pictures are changed.

    Training with crops makes things look larger than they do in whole pictures, so views may be
    smaller than the pictures in use (Touvron et al., 2019): it costs less and gains accuracy.
    """

    smallest_area: float = 0.35
    """Least share of the picture that a crop keeps (Szegedy et al., 2015)."""
    aspect: float = 4 / 3
    """Largest stretching of a crop."""
    flip: float = 0.5
    colour: float = 0.3
    """Largest change of brightness, contrast and saturation; hues stay, for they tell fruits apart."""
    erase: float = 0.25
    """Probability of an erased rectangle (Zhong et al., 2020)."""

    def __call__(self, picture: np.ndarray, size: int) -> np.ndarray:
        """A random view of uint8 [height, width, 3]: uint8 [size, size, 3]."""
        image = Image.fromarray(picture)
        box = self._crop(*image.size)
        image = image.resize((size, size), Image.Resampling.BICUBIC, box)
        view = np.array(self._colours(image))
        if np.random.random() < self.flip:
            view = view[:, ::-1]
        if np.random.random() < self.erase:
            top, left, height, width = _rectangle(size, np.random.uniform(0.02, 0.2))
            view[top : top + height, left : left + width] = np.random.randint(0, 256, 3)
        return view

    def _crop(self, width: int, height: int) -> tuple[float, float, float, float]:
        for _ in range(_ATTEMPTS):
            area = np.random.uniform(self.smallest_area, 1) * width * height
            stretch = math.exp(np.random.uniform(-1, 1) * math.log(self.aspect))
            w, h = math.sqrt(area * stretch), math.sqrt(area / stretch)
            if w <= width and h <= height:
                left, top = np.random.uniform(0, width - w), np.random.uniform(0, height - h)
                return left, top, left + w, top + h
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        return left, top, left + side, top + side

    def _colours(self, image: Image.Image) -> Image.Image:
        """Brightness, contrast and saturation are one affine map of the three channels."""
        brightness, contrast, saturation = 1 + self.colour * np.random.uniform(-1, 1, 3)
        grey = np.asarray(image).mean((0, 1)) @ _GREY
        matrix = brightness * contrast * (saturation * np.eye(3) + (1 - saturation) * _GREY)
        offset = np.full((3, 1), brightness * (1 - contrast) * grey)
        return image.convert("RGB", tuple(np.hstack([matrix, offset]).ravel().tolist()))


def mix(views: np.ndarray, labels: np.ndarray, probability: float) -> tuple[np.ndarray, np.ndarray]:
    """Mix a batch with itself in another order: MixUp (Zhang et al., 2018) or CutMix (Yun et al.,
    2019), one or the other with equal chances, none with 1 - `probability`.

    Args:
        views: uint8 [batch, size, size, 3].
        labels: float32 [batch, classes], rows that sum to 1; mixed as the pictures are.
    """
    if np.random.random() >= probability:
        return views, labels
    order = np.random.permutation(len(views))
    if np.random.random() < 0.5:
        share = np.random.beta(0.3, 0.3)
        mixed = share * views.astype(np.float32) + (1 - share) * views[order]
        views = np.rint(mixed).astype(np.uint8)
    else:
        size = views.shape[1]
        top, left, height, width = _rectangle(size, np.random.uniform(0, 0.6))
        views = views.copy()
        views[:, top : top + height, left : left + width] = views[order][
            :, top : top + height, left : left + width
        ]
        share = 1 - height * width / size**2
    return views, (share * labels + (1 - share) * labels[order]).astype(np.float32)


def _rectangle(size: int, area: float) -> tuple[int, int, int, int]:
    """Top, left, height and width of a random rectangle with about that share of a square."""
    stretch = math.exp(np.random.uniform(-1, 1) * math.log(2))
    height = min(size, round(size * math.sqrt(area * stretch)))
    width = min(size, round(size * math.sqrt(area / stretch)))
    return np.random.randint(0, size - height + 1), np.random.randint(0, size - width + 1), height, width
