"""Phrase encoders: sizes, inputs, targets, and training from a matrix to a bundle."""

from __future__ import annotations

import csv
import gzip
import json
import random
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from edge_sdk.kernels import phrase_ngrams
from edge_sdk.phrase_input import NgramInput
from models.charemb import compress as compress_module
from models.charemb import train as train_module
from models.charemb.checkpoint import Checkpoint
from models.charemb.config import MODELS, BagConfig, CharacterConfig
from models.charemb.data import (
    BagBatches,
    Bags,
    CharacterBatches,
    Examples,
    character_vocabulary,
    known_numbers,
    misspell,
    split,
)
from models.charemb.initial import start_from_parts
from models.charemb.model import BagEncoder, CharacterEncoder, build, megabytes
from models.charemb.targets import TargetConfig, Targets, unit
from models.charemb.vectors import Matrix

TINY = {
    kind: CharacterConfig(kind, 64, layers, 64, 0.0, 40)
    for kind, layers in (("lstm", 2), ("gru", 1), ("transformer", 2), ("convolution", 2))
}
TINY_BAG = BagConfig(ngram_buckets=256, known=40, word_width=16, hidden=32)
KNOWN = [a + b for a in "abcdefgh" for b in ("", "a", "bc")]
words = st.text("abcdefgh", min_size=1, max_size=7)
phrases = st.lists(words, min_size=1, max_size=5).map(" ".join)


@pytest.mark.parametrize(("name", "size"), [("small", 13), ("base", 38), ("large", 86)])
def test_sizes_are_those_of_table_5(name: str, size: int) -> None:
    with torch.device("meta"):
        model = build(MODELS[name], 64, 200)
    assert round(megabytes(model)) == size
    config = MODELS[name]
    assert (config.hidden, config.layers) == {"small": (512, 1), "base": (512, 2), "large": (768, 2)}[name]
    assert model.encoder.recurrent.bidirectional


def test_the_options_are_as_large_as_small_and_the_student_fits_the_device() -> None:
    for name in ("small-gru", "small-transformer"):
        assert megabytes(build(MODELS[name], 64, 200)) == pytest.approx(13, abs=0.7)
    assert megabytes(build(MODELS["student"], MODELS["student"].known, 264)) / 4 < 4


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_last_states_of_both_directions(kind: str) -> None:
    torch.manual_seed(0)
    model = CharacterEncoder(TINY[kind], 30, 8).eval()
    numbers = torch.randint(0, 30, (3, 11))
    embedded = model.embedding(numbers)
    outputs = model.encoder.recurrent(embedded)[0]  # [batch, length, both directions]
    expected = torch.cat([outputs[:, -1, :64], outputs[:, 0, 64:]], 1)
    torch.testing.assert_close(model.encoder(embedded), expected)


@pytest.mark.parametrize("kind", TINY)
def test_encoders_take_any_length_and_see_the_order(kind: str) -> None:
    torch.manual_seed(0)
    model = CharacterEncoder(TINY[kind], 30, 8).eval()
    for length in (1, 2, 40):
        assert model(torch.randint(0, 30, (2, length))).shape == (2, 8)
    text = torch.tensor([[3, 4, 5, 6, 7, 8, 9]])
    assert (model(text) - model(text.flip(1))).abs().max() > 1e-4


@given(st.lists(phrases, min_size=1, max_size=6))
def test_a_bag_is_the_same_padded_and_not(texts: list[str]) -> None:
    torch.manual_seed(0)
    bags = Bags(TINY_BAG.scheme, known_numbers(KNOWN, TINY_BAG.scheme))
    model = BagEncoder(TINY_BAG, len(KNOWN), 8, 8).eval()
    read = NgramInput(bags.scheme, bags.known)
    rows = [read(text) for text in texts]
    padded = np.zeros((len(rows), max(map(len, rows)) + 2), np.int64)
    for place, row in zip(padded, rows):
        place[: len(row)] = row
    with torch.no_grad():
        torch.testing.assert_close(model(torch.from_numpy(padded)), model.bag(*bags(texts)))


def test_known_words_have_rows_of_their_own() -> None:
    scheme = TINY_BAG.scheme
    known = known_numbers(KNOWN, scheme)
    assert len(known) == len(KNOWN) == 24
    read = NgramInput(scheme, known)
    plain, found = phrase_ngrams("a unknown abc", scheme), read("a unknown abc")
    windows = plain <= scheme.ngram_buckets
    np.testing.assert_array_equal(found[windows], plain[windows])
    a, unknown, last, head = found[~windows]
    assert unknown == 0 and head == last + 24
    assert {a, last} < set(range(scheme.ngram_buckets + 1, scheme.ngram_buckets + 25)) and a != last
    assert read("abc")[-2] == last and read("zzz")[-1] == 0 and not len(read(""))


def test_training_never_moves_the_padding_rows() -> None:
    bags = Bags(TINY_BAG.scheme, known_numbers(KNOWN, TINY_BAG.scheme))
    model = BagEncoder(TINY_BAG, len(KNOWN), 8, 8)
    model.bag(*bags(["a words", "abc", "x"])).sum().backward()
    for table in (model.windows, model.words):
        assert not table[0].any() and not table.grad[0].any() and table.grad.any()
    assert model.head.grad != 0


def test_a_student_begins_as_the_targets_of_known_words() -> None:
    matrix = matrix_of()
    targets = Targets(matrix, TargetConfig(spelling_dimension=32))
    single = [text for text in matrix.texts if " " not in text]
    for width, least in ((12, 0.9), (6, 0.7)):
        config = replace(TINY_BAG, ngram_buckets=4096, known=1000, word_width=width)
        bags = Bags(config.scheme, known_numbers(single, config.scheme))
        model = BagEncoder(config, len(bags.known), 32, targets.dimension).eval()
        start_from_parts(model, bags, targets, single)
        # Never seen together, so their target is what their words give.
        texts = [f"{single[i]} {single[-i]}" for i in range(1, 30) if f"{single[i]} {single[-i]}" not in matrix.texts]
        with torch.no_grad():
            found = unit(model.bag(*bags(texts)).numpy())
        # Windows across two words are in no single word: spelling is not all there.
        assert (found * targets(texts)).sum(1).mean() > least
        if width == 12:
            np.testing.assert_allclose(unit(found[:, :12]), targets.meaning(texts), atol=1e-3)


def damerau(a: str, b: str) -> int:
    """Edit distance with swaps of neighbours (optimal string alignment)."""
    table = {(i, j): i or j for i in range(len(a) + 1) for j in range(len(b) + 1) if not i or not j}
    for i, j in product(range(1, len(a) + 1), range(1, len(b) + 1)):
        change = a[i - 1] != b[j - 1]
        table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + change)
        if i > 1 and j > 1 and a[i - 2 : i] == b[j - 2 : j][::-1]:
            table[i, j] = min(table[i, j], table[i - 2, j - 2] + 1)
    return table[len(a), len(b)]


@given(phrases, st.integers(0, 1000))
def test_a_misspelling_is_one_error(text: str, seed: int) -> None:
    random.seed(seed)
    wrong = misspell(text, 1.0)
    assert damerau(text, wrong) <= 1
    assert wrong == wrong.strip() and "  " not in wrong
    assert misspell(text, 0.0) == text


def matrix_of(topics: int = 6, seed: int = 0) -> Matrix:
    """Made-up words whose vectors follow from their stems, and two-word phrases of them."""
    draw = np.random.default_rng(seed)
    stems = ["".join(draw.choice(list("bcdfglmnprst"), 2)) + "a" + draw.choice(list("bdgklmnr")) for _ in range(40)]
    stems = sorted(set(stems))
    meaning = draw.normal(size=(len(stems), 12))
    endings = ["", "s", "ing", "ed", "er"]
    texts = {stem + ending: meaning[i] + 0.2 * draw.normal(size=12) for i, stem in enumerate(stems) for ending in endings}
    singles = list(texts)
    for _ in range(600):
        a, b = draw.choice(singles, 2)
        texts[f"{a} {b}"] = texts[a] + 1.5 * texts[b] + 0.2 * draw.normal(size=12)
    counts = draw.integers(10, 200, len(texts))
    return Matrix.of(list(texts), np.array(list(texts.values())), counts)


def test_targets_against_the_formula() -> None:
    matrix, config = matrix_of(), TargetConfig(spelling_dimension=16, spelling=0.25)
    found = Targets(matrix, config)
    text = next(text for text in matrix.texts if " " in text)
    a, b = (matrix.texts.index(word) for word in text.split())
    row = matrix.texts.index(text)
    vectors = unit(matrix.vectors - matrix.vectors.mean(0))
    single = [i for i, t in enumerate(matrix.texts) if " " not in t]
    total = matrix.counts[single].sum()
    weight = [-np.log(matrix.counts[i] / total) for i in (a, b)]
    both = weight[0] ** 1.25 * vectors[a] + 1.6 * weight[1] ** 1.25 * vectors[b]
    count = matrix.counts[row]
    meaning = both / np.linalg.norm(both) + count / (count + 10) * vectors[row]
    expected = 0.75**0.5 * meaning / np.linalg.norm(meaning)
    target = found([text, "zzzz", matrix.texts[a]])
    np.testing.assert_allclose(target[0, :12], expected, rtol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(target, axis=1), [1, 0, 1], atol=1e-5)
    np.testing.assert_allclose(target[2, :12], 0.75**0.5 * vectors[a], rtol=1e-4)
    plain = Targets(matrix, TargetConfig.plain())
    np.testing.assert_allclose(plain([text])[0], vectors[row], rtol=1e-4)


def test_spelling_keeps_the_cosines_of_trigrams() -> None:
    texts = ["battery", "batteries", "flattery", "neural network"]
    matrix = Matrix.of(texts, np.eye(4, 5) + 0.1, [9, 9, 9, 9])
    config = TargetConfig(spelling=0.9999, spelling_dimension=512)
    found = Targets(matrix, config)(texts)[:, 5:]

    def trigrams(text: str) -> list[str]:
        text = f" {text}\x03"
        return [text[i : i + 3] for i in range(len(text) - 2)]

    names = sorted({gram for text in texts for gram in trigrams(text)})
    seen = {gram: sum(gram in trigrams(text) for text in texts) for gram in names}
    exact = np.zeros((4, len(names)))
    for i, text in enumerate(texts):
        for gram in trigrams(text):
            exact[i, names.index(gram)] += np.log(5 / (1 + seen[gram])) + 1
    np.testing.assert_allclose(unit(found) @ unit(found).T, unit(exact) @ unit(exact).T, atol=0.12)


def test_batches_cover_every_phrase_once_without_padding() -> None:
    matrix = matrix_of()
    examples = Examples(matrix.texts, unit(matrix.vectors), np.ones(len(matrix.texts), np.float32))
    learning, held_out = split(examples, 0.2, 1)
    assert len(held_out.texts) == round(0.2 * len(matrix.texts))
    assert sorted(learning.texts + held_out.texts) == sorted(matrix.texts)
    batches = CharacterBatches(learning, character_vocabulary(matrix.texts), 40, 32, 0.0)
    random.seed(0)
    seen = [row for batch in batches() for row in batch.targets.tolist()]
    assert sorted(seen) == sorted(learning.targets.tolist())
    assert len(list(batches())) == len(batches)
    assert all(batch.inputs[0].min() > 0 for batch in batches.plain())
    known = known_numbers([text for text in matrix.texts if " " not in text], TINY_BAG.scheme)
    bags = BagBatches(learning, Bags(TINY_BAG.scheme, known), 40, 32, 0.0, 0.5)
    assert len(list(bags())) == len(bags)
    kept = sum(len(batch.inputs[0]) for batch in bags())
    every = sum(len(batch.inputs[0]) for batch in bags.plain())
    assert 0.4 < kept / every < 0.6


@pytest.fixture
def small_models(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kind in (("small", "lstm"), ("convolution", "convolution")):
        monkeypatch.setitem(MODELS, name, TINY[kind])
    monkeypatch.setitem(MODELS, "student", BagConfig(2, 4, 4096, known=1000, word_width=24, hidden=64))


@pytest.mark.parametrize(("name", "options", "least"), [
    ("student", ["--epochs", "25", "--batch", "64", "--learning-rate", "0.01"], 80),
    ("small", ["--epochs", "12", "--batch", "32", "--learning-rate", "0.003"], 65),
])  # fmt: skip
def test_training_places_unseen_phrases(
    name: str, options: list[str], least: float, small_models: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix = matrix_of()
    matrix.save(tmp_path / "matrix")
    command = ["--matrix", str(tmp_path / "matrix"), "--out", str(tmp_path / "run"), "--model", name, "--paper", *options]  # fmt: skip
    assert train_module.main(command) == 0
    checkpoint = Checkpoint.load(tmp_path / "run")
    assert checkpoint.training["validation"]["cosine"] > least
    # What was held out is nearer to its own stem's words than to others.
    found = checkpoint.embed([*matrix.texts[:5], matrix.texts[0].upper() + "!", "", "…"])
    np.testing.assert_allclose(found[5], found[0], atol=1e-5)
    assert not found[6:].any()
    assert found[0] @ found[1] > 0.5 and found.shape == (8, 12)
    # The same command again has nothing left to do; other settings are refused.
    assert train_module.main(command) == 0
    assert train_module.main([*command, "--seed", "2"]) == 2
    assert "other settings" in capsys.readouterr().err


def test_a_checkpoint_becomes_a_bundle_and_compresses_its_matrix(
    small_models: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import edge_sdk
    from export.__main__ import main as export

    matrix = matrix_of()
    matrix.save(tmp_path / "matrix")
    pairs = tmp_path / "patent_phrase" / "validation.tsv"
    pairs.parent.mkdir()
    draw = np.random.default_rng(0)
    vectors = unit(matrix.vectors)
    with open(pairs, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        table.writerow(["anchor", "target", "score"])
        for a, b in draw.integers(0, len(matrix.texts), (300, 2)):
            table.writerow([matrix.texts[a], matrix.texts[b], round(float(vectors[a] @ vectors[b]), 3)])
    pairs.with_suffix(".tsv.gz").write_bytes(gzip.compress(pairs.read_bytes()))
    command = ["--matrix", str(tmp_path / "matrix"), "--out", str(tmp_path / "run"), "--paper", "--epochs", "25", "--batch", "64", "--learning-rate", "0.01"]  # fmt: skip
    assert train_module.main(command) == 0
    bundle = tmp_path / "phrase.edge"
    assert export([str(tmp_path / "run"), "--data", str(tmp_path), "--out", str(bundle)]) == 0
    capsys.readouterr()
    arguments = ["--matrix", str(tmp_path / "matrix"), "--checkpoint", str(tmp_path / "run"), "--pairs", str(pairs)]  # fmt: skip
    assert compress_module.main([*arguments, "--bundle", str(bundle)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["vocabulary"] == len(matrix.texts)
    assert report["predicted"]["pearson"] > 60 and report["cosine_with_targets"] > 0.6
    texts = [*matrix.texts[:50], "unseen wordz", "Ünseen"]
    exact = Checkpoint.load(tmp_path / "run").embed(texts)
    assert (exact * edge_sdk.load(bundle).vectors(texts)).sum(1).min() > 0.98
