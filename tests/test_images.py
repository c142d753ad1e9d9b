"""Pictures to pixels: against EXIF's and the filters' definitions, and against every kind of damage."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.errors import InputError
from edge_sdk.images import MAX_PIXELS, Preprocessing, load_image

Image = pytest.importorskip("PIL.Image")

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def smooth(height: int, width: int) -> np.ndarray:
    """What lossy formats keep: slow gradients."""
    y, x = np.mgrid[:height, :width]
    return np.stack([y * 255 // height, x * 255 // width, (y + x) * 255 // (height + width)], 2).astype(np.uint8)


def saved(image, format: str, **options) -> io.BytesIO:
    file = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, format, **options)
    file.seek(0)
    return file


def pixels(file) -> np.ndarray:
    image = load_image(file)
    assert image.mode == "RGB"
    return np.asarray(image)


# --- resampling


def cubic(x: np.ndarray) -> np.ndarray:
    """Keys, "Cubic convolution interpolation for digital image processing" (1981), eq. 4 with a = -1/2."""
    x = np.abs(x)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - np.abs(x), 0)


def resampling_matrix(start: float, end: float, size: int, out: int, kernel, support: float) -> np.ndarray:
    """[out, size]: the kernel around each output pixel's place, stretched where the picture shrinks."""
    scale = (end - start) / out
    stretch = max(scale, 1.0)
    centres = start + (np.arange(out)[:, None] + 0.5) * scale
    distance = (np.arange(size)[None] + 0.5 - centres) / stretch
    weights = np.where(np.abs(distance) < support, kernel(distance), 0)
    return weights / weights.sum(1, keepdims=True)


@pytest.mark.parametrize("resize,kernel,support", [("bicubic", cubic, 2), ("bilinear", triangle, 1)])
@pytest.mark.parametrize("crop", ["center", "stretch"])
@pytest.mark.parametrize("height,width", [(40, 60), (61, 37), (9, 31), (24, 20)])
def test_resampling_follows_its_definition(resize, kernel, support, crop, height, width):
    """Crop and filter as float64 matrices; Pillow rounds after each of the two passes."""
    target_height, target_width = 24, 20
    picture = smooth(height, width) // 2 + noise(height, width) // 2
    found = Preprocessing(target_height, target_width, resize, crop)(picture)
    top = left = 0.0
    if crop == "center":
        scale = min(height / target_height, width / target_width)
        top, left = (height - scale * target_height) / 2, (width - scale * target_width) / 2
    rows = resampling_matrix(top, height - top, height, target_height, kernel, support)
    columns = resampling_matrix(left, width - left, width, target_width, kernel, support)
    expected = np.einsum("ay,bx,yxc->abc", rows, columns, picture.astype(float)).clip(0, 255)
    assert (found.dtype, found.shape) == (np.uint8, (24, 20, 3))
    difference = np.abs(found - expected)
    assert difference.max() <= 2 and np.median(difference) <= 0.5


@pytest.mark.parametrize("resize", ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"])
def test_every_filter_is_pillows(resize):
    """Next to the cut the filter sees what was cut off, which is there after all."""
    picture = noise(50, 90)
    square = Image.fromarray(picture[:, 20:70])
    expected = np.asarray(square.resize((16, 16), Image.Resampling[resize.upper()]))
    assert (Preprocessing(16, 16, resize, "center")(picture)[:, 3:-3] == expected[:, 3:-3]).all()
    whole = np.asarray(Image.fromarray(picture).resize((16, 16), Image.Resampling[resize.upper()]))
    assert (Preprocessing(16, 16, resize, "stretch")(picture) == whole).all()


def test_the_same_size_is_the_same_picture():
    picture = noise(17, 23)
    assert (Preprocessing(17, 23, "bicubic", "center")(picture) == picture).all()


@given(
    st.integers(1, 70), st.integers(1, 70), st.integers(1, 40), st.integers(1, 40),
    st.sampled_from(["center", "stretch"]), st.integers(0, 255),
)  # fmt: skip
def test_any_size_to_any_size(height, width, target_height, target_width, crop, grey):
    """A picture of one colour stays one, whatever is cut off."""
    picture = np.full((height, width, 3), grey, np.uint8)
    found = Preprocessing(target_height, target_width, "bicubic", crop)(picture)
    assert found.shape == (target_height, target_width, 3) and (found == grey).all()


def test_only_the_middle_of_a_very_long_picture_counts():
    picture = np.zeros((1, 60_001, 3), np.uint8)
    picture[0, 30_000] = 255
    assert Preprocessing(1, 1, "box", "center")(picture).tolist() == [[[255, 255, 255]]]


def test_large_jpegs_are_decoded_small(tmp_path):
    """The reduced decoding must show the same picture, with size to spare, in both orientations."""
    path = tmp_path / "photo.jpg"
    Image.fromarray(smooth(1600, 1200)).save(path, quality=95)
    assert load_image(path).size == (1200, 1600)
    reduced = load_image(path, at_least=200).size
    assert min(reduced) >= 200 and max(reduced) < 1600
    found = Preprocessing(96, 96, "bicubic", "center")(path)
    expected = Preprocessing(96, 96, "bicubic", "center")(np.asarray(load_image(path)))
    assert np.abs(found.astype(int) - expected).max() <= 3


# --- formats and modes


@pytest.mark.parametrize("format,options", [
    ("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 95}), ("JPEG", {"progressive": True}),
])  # fmt: skip
def test_formats(format, options):
    picture = smooth(40, 50)
    difference = np.abs(pixels(saved(picture, format, **options)).astype(int) - picture)
    assert difference.max() <= (12 if format == "JPEG" else 0)


# What the EXIF 2.3 table of tag 0x0112 says where the stored row 0 and column 0 belong.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a[::-1].swapaxes(0, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a[:, ::-1].swapaxes(0, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_exif_orientation(orientation, format):
    picture = noise(5, 8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if format == "WEBP" else {}
    file = saved(picture, format, exif=exif, **options)
    assert (pixels(file) == UPRIGHT[orientation](picture)).all()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_exif_of_a_jpeg_and_nonsense_in_it():
    picture = smooth(32, 64)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert load_image(saved(picture, "JPEG", exif=exif)).size == (32, 64)
    exif[0x0112] = 77
    assert load_image(saved(picture, "JPEG", exif=exif)).size == (64, 32)
    assert load_image(saved(picture, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).size == (64, 32)


def test_transparency_is_white():
    picture = np.zeros((2, 2, 4), np.uint8)
    picture[0, 0] = (*RED, 255)
    picture[1, 1] = (0, 0, 0, 128)
    expected = [[RED, (255, 255, 255)], [(255, 255, 255), (127, 127, 127)]]
    assert np.abs(pixels(saved(picture, "PNG")).astype(int) - expected).max() <= 1
    grey = Image.fromarray(picture).convert("LA")
    assert pixels(saved(grey, "PNG"))[0, 1].tolist() == [255, 255, 255]
    palette = Image.fromarray(np.array([[0, 1]], np.uint8))
    palette.putpalette([*RED, *BLUE])
    assert pixels(saved(palette, "PNG", transparency=1)).tolist() == [[list(RED), [255, 255, 255]]]
    assert pixels(saved(picture[:, :, :3], "PNG", transparency=RED))[0, 0].tolist() == [255, 255, 255]


def test_grey_palette_and_bilevel():
    grey = np.array([[0, 100, 255]], np.uint8)
    assert (pixels(saved(grey, "PNG")) == grey[:, :, None]).all()
    palette = Image.fromarray(np.array([[1, 0, 1]], np.uint8))
    palette.putpalette([*GREEN, *BLUE])
    assert pixels(saved(palette, "PNG")).tolist() == [[list(BLUE), list(GREEN), list(BLUE)]]
    bilevel = Image.fromarray(grey > 50)
    assert pixels(saved(bilevel, "PNG"))[0, :, 0].tolist() == [0, 255, 255]


def test_sixteen_bit_grey_is_not_clipped():
    grey = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    assert pixels(saved(grey, "PNG"))[0, :, 0].tolist() == [0, 0, 1, 128, 255]


def test_cmyk():
    """As Adobe's programs write it, with a marker and inverted, and as others do."""
    for colour in (RED, GREEN, BLUE, (250, 250, 250), (10, 10, 10)):
        picture = Image.new("RGB", (16, 16), colour).convert("CMYK")
        found = pixels(saved(picture, "JPEG", quality=95))
        assert np.abs(found.astype(int) - colour).max() <= 12


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
def test_an_animation_is_its_first_frame(format):
    first, *rest = (Image.new("RGB", (9, 7), colour) for colour in (RED, GREEN, BLUE))
    file = saved(first, format, save_all=True, append_images=rest, duration=10)
    assert Image.open(file).n_frames == 3
    file.seek(0)
    found = pixels(file)
    assert found.shape == (7, 9, 3) and np.abs(found.astype(int) - RED).max() <= 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "I;16", "LAB"])
def test_pillow_images_of_any_mode(mode):
    image = Image.new("RGB", (4, 3), (200, 200, 200))
    image = Image.new(mode, (4, 3)) if mode in ("I;16", "LAB") else image.convert(mode)
    before = image.tobytes()
    assert Preprocessing(2, 2, "bicubic", "center")(image).shape == (2, 2, 3)
    assert image.tobytes() == before


def test_arrays_and_images_are_left_as_they_are():
    picture = noise(6, 6)
    copy = picture.copy()
    found = Preprocessing(6, 6, "bicubic", "center")(picture)
    assert (picture == copy).all() and not np.shares_memory(found, picture)
    assert (Preprocessing(6, 6, "bicubic", "center")(picture[::-1, :, ::-1]) == picture[::-1, :, ::-1]).all()


# --- what is refused


def fails(code: str, picture) -> InputError:
    with pytest.raises(InputError) as caught:
        Preprocessing(8, 8, "bicubic", "center")(picture)
    assert caught.value.code == code and caught.value.hint
    return caught.value


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, bits: int = 1) -> bytes:
    """A PNG of zeros; a thousand times smaller than what it decodes to."""
    rows = zlib.compressobj(9)
    row = bytes(1 + (width * bits + 7) // 8)
    data = b"".join(rows.compress(row) for _ in range(height)) + rows.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [30_000, 10_000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_decompression_bombs(side, tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(side, side))
    assert path.stat().st_size < 200_000 and side * side > MAX_PIXELS
    assert str(path) in fails("image_too_large", path).message


def test_bombs_are_refused_where_the_application_switched_pillows_limit_off(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    fails("image_too_large", io.BytesIO(png(30_000, 30_000)))


def test_one_pixel_is_a_picture():
    assert (Preprocessing(8, 8, "bicubic", "center")(io.BytesIO(png(1, 1))) == 0).all()


def test_no_file_no_picture(tmp_path):
    empty, text, folder = tmp_path / "empty.jpg", tmp_path / "text.jpg", tmp_path / "folder.jpg"
    empty.write_bytes(b"")
    text.write_text("no picture")
    folder.mkdir()
    assert "empty" in fails("image_unreadable", empty).message
    assert str(text) in fails("image_unreadable", text).message
    fails("image_unreadable", folder)
    fails("image_not_found", tmp_path / "missing.jpg")
    fails("image_not_found", "a\0b.jpg")
    fails("image_unreadable", "a" * 5000 + ".jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    fails("image_unreadable", tmp_path / "pipe.jpg")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(png(1, 1))
    path.chmod(0)
    fails("image_unreadable", path)


@pytest.mark.parametrize("picture", [
    None, 3, b"bytes", ["a.jpg"], np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8), np.zeros(4, np.uint8),
    np.zeros((0, 4, 3), np.uint8), np.zeros((4, 0), np.uint8),
])  # fmt: skip
def test_other_types(picture):
    assert "argument picture" in fails("image_type", picture).message


def test_formats_that_are_not_listed_are_not_opened():
    fails("image_unreadable", saved(smooth(8, 8), "TIFF"))


FILES = {
    "jpeg": saved(smooth(40, 40), "JPEG").getvalue(),
    "progressive": saved(smooth(40, 40), "JPEG", progressive=True).getvalue(),
    "png": saved(noise(12, 12), "PNG").getvalue(),
    "webp": saved(smooth(40, 40), "WEBP").getvalue(),
    "gif": saved(Image.fromarray(smooth(20, 20)).convert("P"), "GIF").getvalue(),
}


@pytest.mark.parametrize("name", FILES)
@given(share=st.floats(0, 0.9))
def test_truncated_files(name, share):
    data = FILES[name]
    fails("image_unreadable", io.BytesIO(data[: int(share * len(data))]))


@given(st.sampled_from(list(FILES)), st.data())
def test_damaged_files_give_a_picture_or_an_error(name, data):
    damaged = bytearray(FILES[name])
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255))
    try:
        found = Preprocessing(8, 8, "bicubic", "center")(io.BytesIO(bytes(damaged)))
    except InputError as error:
        assert error.code in ("image_unreadable", "image_too_large")
    else:
        assert found.shape == (8, 8, 3)


def test_without_pillow_the_error_says_what_to_install(run_python):
    code = """
import sys
sys.modules["PIL"] = None
from edge_sdk.errors import EdgeError
from edge_sdk.images import load_image
try:
    load_image("a.jpg")
except EdgeError as error:
    print(error.code, error.hint)
"""
    assert run_python(code).stdout == "dependency_missing pip install 'edge-sdk[images]'\n"


def test_a_path_may_be_any_path_like(tmp_path: Path):
    path = tmp_path / "ü€ 1.png"
    path.write_bytes(png(3, 2))
    assert load_image(path).size == load_image(str(path)).size == (3, 2)
