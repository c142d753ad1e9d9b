"""Pictures as arrays of pixels. Training and the runtime both use this copy.

Decoding and resampling are Pillow's (extra `images`). Pictures come from anywhere, so only a few
formats are opened, sizes are checked before a pixel is decoded, and every fault is an InputError.
"""

from __future__ import annotations

import os
import stat
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np

from edge_sdk.errors import EdgeError, InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from edge_sdk.section import Section

    Picture = str | os.PathLike[str] | BinaryIO | Image | np.ndarray
    """A path, an open binary file, a Pillow image, or uint8 [height, width] or [height, width, 3]."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
"""File names of pictures end so, in capitals or not."""
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
MAX_PIXELS = 1 << 26
"""Larger pictures are refused: decoded they take 200 MB. A 64-megapixel photo still fits."""
RESAMPLING = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
CROPS = ("center", "stretch")
WHITE = (255, 255, 255)

_ORIENTATION = 0x0112  # EXIF 2.3, 4.6.4 A
_UPRIGHT = {
    2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE",
    6: "ROTATE_270", 7: "TRANSVERSE", 8: "ROTATE_90",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From a picture to the pixels that an image encoder takes.

    crop "center" keeps the largest centred rectangle with the target's aspect ratio, "stretch" the
    whole picture. What is kept is resampled in one step, with Pillow's filter of the name `resize`.
    """

    height: int
    width: int
    resize: str
    crop: str

    @classmethod
    def from_section(cls, section: Section) -> Preprocessing:
        """Read `manifest.pipeline.image`. Raises BundleError (`bundle_schema`)."""
        section.only("height", "width", "resize", "crop")
        return cls(
            section.integer("height", minimum=1, maximum=4096),
            section.integer("width", minimum=1, maximum=4096),
            section.text("resize", choices=RESAMPLING),
            section.text("crop", choices=CROPS),
        )

    def __call__(self, picture: Picture) -> np.ndarray:
        """uint8 [height, width, 3], RGB. Raises as `load_image` does.

        A JPEG file more than twice as large as needed is decoded at a half, a quarter or an
        eighth of its size, which is many times faster for photos.
        """
        image = load_image(picture, at_least=2 * max(self.height, self.width))
        filter = getattr(_pillow().Resampling, self.resize.upper())
        resized = image.resize((self.width, self.height), filter, box=self._box(*image.size))
        return np.asarray(resized)

    def _box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom edge of what is kept."""
        if self.crop == "stretch":
            return 0, 0, width, height
        scale = min(width / self.width, height / self.height)
        left, top = (width - scale * self.width) / 2, (height - scale * self.height) / 2
        # Rounding must not push an edge out of the picture: Pillow refuses that.
        return max(left, 0), max(top, 0), min(width - left, width), min(height - top, height)


def load_image(picture: Picture, at_least: int | None = None) -> Image:
    """Decode a picture to an upright RGB image of Pillow.

    EXIF orientation is applied, transparency becomes white, of an animation the first frame is
    taken; grey, palette, 16-bit and CMYK pictures are converted.

    Args:
        picture: see `Picture`; of an array, the last axis is RGB.
        at_least: where given, a JPEG may be decoded at a reduced size, both sides at least this.

    Raises:
        InputError: `image_not_found`; `image_unreadable` (not a picture, truncated, no
            permission); `image_too_large` (more than MAX_PIXELS); `image_type` (an argument of
            another type, dtype or shape).
        EdgeError: `dependency_missing` where Pillow is not installed.
    """
    pillow = _pillow()
    if isinstance(picture, np.ndarray):
        picture = pillow.fromarray(_checked_array(picture))
    if isinstance(picture, pillow.Image):
        return _decode(picture, "the image", None)
    with _open(picture) as file:
        name = f"{picture}" if isinstance(picture, (str, os.PathLike)) else "the file"
        try:
            image = pillow.open(file, formats=FORMATS)
        except pillow.DecompressionBombError as error:
            raise _too_large(name, str(error)) from error
        except Exception as error:  # decoders raise whatever the damage led to
            size = file.seek(0, os.SEEK_END)
            raise _unreadable(
                name, "it is no JPEG, PNG, WebP, GIF or BMP picture" if size else "it is empty"
            ) from error
        with image:
            return _decode(image, name, at_least)


def _open(picture: object) -> AbstractContextManager[BinaryIO]:
    if not isinstance(picture, (str, os.PathLike)):
        if not (hasattr(picture, "read") and hasattr(picture, "seek")):
            raise _wrong_type(f"found {type(picture).__name__}")
        return nullcontext(cast(BinaryIO, picture))  # the caller closes it
    try:
        # Opening a named pipe would wait for a writer, and reading a device might never end.
        regular = stat.S_ISREG(os.stat(picture).st_mode)
        if regular:
            return open(picture, "rb")
    except (FileNotFoundError, ValueError) as error:  # ValueError: a NUL in the path
        raise InputError(
            "image_not_found", f"{picture} does not exist", "check the path of the picture"
        ) from error
    except OSError as error:
        raise _unreadable(str(picture), error.strerror or str(error)) from error
    raise _unreadable(str(picture), "it is a folder or a device")


def _decode(image: Image, name: str, at_least: int | None) -> Image:
    """Upright, RGB."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_large(name, f"it has {width} x {height} pixels, at most {MAX_PIXELS} are decoded")
    if not width or not height:
        raise _wrong_type(f"found {width} x {height} pixels")
    try:
        if at_least is not None:
            image.draft("RGB", (at_least, at_least))
        image.load()
        turn = _UPRIGHT.get(_orientation(image))
        if turn is not None:
            image = image.transpose(_pillow().Transpose[turn])
        return _rgb(image)
    except Exception as error:  # decoders raise whatever the damage led to
        raise _unreadable(name, f"it is damaged: {' '.join(str(error).split()):.200}") from error


def _orientation(image: Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001  # the picture itself is fine: show it as it lies
        return 1


def _rgb(image: Image) -> Image:
    pillow = _pillow()
    if image.mode.startswith("I"):  # 16-bit grey: Pillow would clip it to 255
        grey = np.asarray(image).astype(np.int64) >> 8
        image = pillow.fromarray(grey.clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = pillow.new("RGB", image.size, WHITE)
        ground.paste(image, mask=image.getchannel("A"))
        return ground
    return image.convert("RGB")  # a copy that needs no file, also where it is RGB already


def _checked_array(array: np.ndarray) -> np.ndarray:
    grey = array.ndim == 2
    if array.dtype != np.uint8 or not (grey or (array.ndim == 3 and array.shape[2] == 3)):
        raise _wrong_type(f"found {array.dtype} {list(array.shape)}")
    if not array.size:
        raise _wrong_type("found an array without pixels")
    return np.ascontiguousarray(array)


def _wrong_type(found: str) -> InputError:
    return InputError(
        "image_type",
        f"argument picture: {found}, expected a path, an open binary file, a Pillow image, "
        "or uint8 [height, width] or [height, width, 3] with at least one pixel",
        "give the path of the picture",
    )


def _unreadable(name: str, why: str) -> InputError:
    return InputError(
        "image_unreadable",
        f"{name} cannot be decoded: {why}",
        "open it in an image viewer, and save it anew as JPEG or PNG",
    )


def _too_large(name: str, why: str) -> InputError:
    return InputError("image_too_large", f"{name} is too large: {why}", "make the picture smaller")


@cache
def _pillow() -> ModuleType:
    """The module PIL.Image; with WebP registered, or its first `open` would import every format."""
    try:
        from PIL import Image, WebPImagePlugin  # noqa: F401
    except ImportError as error:
        raise EdgeError(
            "dependency_missing",
            "pictures need the Python package Pillow, which is not installed here",
            "pip install 'edge-sdk[images]'",
        ) from error
    return Image
