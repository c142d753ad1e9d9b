"""Pairs from folders and tar files; views that keep their promises."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

torch = pytest.importorskip("torch")

from models.conaclip.augment import Augmentation, mix  # noqa: E402
from models.conaclip.corpus import Batches, Corpus, class_texts, coarse_texts, load_corpus  # noqa: E402
from models.conaclip.data import LARGEST_SIDE, Pair, Phrases, read_images, read_pairs  # noqa: E402
from models.conaclip.tokens import encode, train_vocabulary  # noqa: E402

PLAIN = Augmentation(smallest_area=1, aspect=1, flip=0, colour=0, erase=0)
PAIRS = [Pair("a.png", "Red Apple", "Apple"), Pair("b.png", "Green Apple", "Apple"), Pair("c.png", "Leek", "Leek")]


def picture(seed: int = 0, height: int = 40, width: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def write_pairs(folder: Path) -> None:
    rows = ["split\timage\tname\tcoarse_name", *(f"train\t{p.image}\t{p.name}\t{p.coarse_name}" for p in PAIRS)]
    (folder / "pairs.tsv").write_text("\n".join([*rows, "val\tv.png\tLeek\tLeek"]) + "\n", encoding="utf-8")


def test_pictures_come_from_the_folder_and_from_tar_files_in_the_order_of_the_pairs(tmp_path: Path) -> None:
    write_pairs(tmp_path)
    pictures = [picture(seed, 10, 12) for seed in range(3)]
    (tmp_path / "b.png").write_bytes(png(pictures[1]))
    with tarfile.open(tmp_path / "train.tar", "w") as archive:
        for number in (2, 0):
            info = tarfile.TarInfo(PAIRS[number].image)
            info.size = len(png(pictures[number]))
            archive.addfile(info, io.BytesIO(png(pictures[number])))
    pairs = read_pairs(tmp_path, "train")
    assert pairs == PAIRS
    for found, expected in zip(read_images(tmp_path, pairs), pictures, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_missing_picture_and_an_empty_split_are_named(tmp_path: Path) -> None:
    write_pairs(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"a\.png"):
        load_corpus(tmp_path, "train")
    with pytest.raises(ValueError, match="'test'"):
        load_corpus(tmp_path, "test")


def test_large_pictures_are_kept_small(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(picture(0, 2 * LARGEST_SIDE, 3 * LARGEST_SIDE)))
    (found,) = read_images(tmp_path, PAIRS[:1])
    assert found.shape == (LARGEST_SIDE, LARGEST_SIDE * 3 // 2, 3)


def test_a_sentence_of_two_descriptions_is_true_of_both_classes() -> None:
    descriptions = {"Red Apple": "It is red. It grows on trees.", "Green Apple": "It grows on trees."}
    phrases = Phrases(PAIRS, descriptions)
    assert phrases.names == ["Green Apple", "Leek", "Red Apple"]
    assert phrases.coarse == {"Apple": [0, 2], "Leek": [1]}
    np.random.seed(0)
    drawn = {text: classes for _ in range(200) for text, classes in [phrases.draw(2, described=True)]}
    assert drawn == {
        "It is red.": {2},
        "It grows on trees.": {0, 2},
        "Red Apple. It is red.": {2},
        "Red Apple. It grows on trees.": {2},
    }
    assert phrases.draw_coarse("Apple")[1] == {0, 2}
    assert "Leek" in phrases.draw(1, described=True)[0]  # without a description a template


def test_texts_of_a_step_say_what_they_are_true_of() -> None:
    phrases = Phrases(PAIRS, {})
    reader = train_vocabulary(list(phrases.corpus()), 600).reader()
    texts = class_texts(phrases, reader, 16, torch.ones(3, dtype=torch.bool))
    assert torch.equal(texts.true_of, torch.eye(3))
    assert len(texts.tokens) == 3
    wider = coarse_texts(phrases, reader, 16)
    assert sorted(wider.true_of.sum(1).tolist()) == [1, 2]
    assert encode(reader, ["apple " * 50], 16).shape == (1, 16)


def test_the_same_seed_gives_the_same_batches() -> None:
    corpus = Corpus([picture(i) for i in range(6)], np.array([0, 1, 2, 0, 1, 2]), Phrases(PAIRS, {}))
    batches = Batches(corpus, 3, (16, 20))

    def epoch() -> list[dict]:
        np.random.seed(7)
        return list(batches())

    first, second = epoch(), epoch()
    assert len(first) == len(batches) == 2
    for one, two in zip(first, second):
        assert all(torch.equal(one[key], two[key]) for key in one)
        assert one["pixels"].shape[1] in (16, 20)
        torch.testing.assert_close(one["share"].sum(1), torch.ones(3))
    assert sorted(torch.cat([batch["rows"] for batch in first]).tolist()) == list(range(6))


def test_a_view_without_changes_is_pillows_resize() -> None:
    whole = picture()
    expected = np.asarray(Image.fromarray(whole).resize((16, 16), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(PLAIN(whole, 16), expected)


def test_flips_are_mirror_images() -> None:
    whole = picture()
    flipped = Augmentation(smallest_area=1, aspect=1, flip=1, colour=0, erase=0)(whole, 40)
    np.testing.assert_array_equal(flipped, whole[:, ::-1])


def test_colours_change_as_by_the_three_formulas_one_after_another() -> None:
    whole = picture()
    np.random.seed(3)
    found = Augmentation(smallest_area=1, aspect=1, flip=0, colour=0.4, erase=0)(whole, 40)
    np.random.seed(3)
    np.random.uniform(0, 1), np.random.uniform(), np.random.uniform(size=2)  # the crop's numbers
    brightness, contrast, saturation = 1 + 0.4 * np.random.uniform(-1, 1, 3)
    pixels = whole.astype(float)
    weights = np.array([0.299, 0.587, 0.114])
    grey = (pixels @ weights)[..., None]
    mean = grey.mean()
    pixels = grey + saturation * (pixels - grey)
    pixels = brightness * (mean + contrast * (pixels - mean))
    assert np.abs(found - np.clip(pixels, 0, 255)).max() <= 1


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(4, 40), st.integers(0, 2**32 - 1))
def test_every_picture_has_views(height: int, width: int, size: int, seed: int) -> None:
    np.random.seed(seed)
    view = Augmentation(erase=0.5)(picture(seed, height, width), size)
    assert view.shape == (size, size, 3)
    assert view.dtype == np.uint8


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_labels_are_mixed_as_the_pictures_are(seed: int) -> None:
    # Picture i is all of value 40 i, so that its pixels tell how much of which picture is in it.
    values = np.arange(5) * 40.0
    views = np.broadcast_to(values[:, None, None, None], (5, 32, 32, 3)).astype(np.uint8)
    np.random.seed(seed)
    mixed, share = mix(views, np.eye(5, dtype=np.float32), probability=1.0)
    np.testing.assert_allclose(share.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(mixed.mean((1, 2, 3)), share @ values, atol=0.6)
    assert (views == values[:, None, None, None]).all()  # the input stays as it was


def test_without_mixing_a_batch_stays_as_it_is() -> None:
    views, labels = picture()[None], np.ones((1, 1), np.float32)
    assert mix(views, labels, probability=0.0) == (views, labels)
