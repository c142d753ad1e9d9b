"""From raw text to a matrix: tokens, terms, phrases, counted contexts, CBOW, file formats."""

from __future__ import annotations

import gzip
import lzma
import math
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from edge_sdk.errors import EdgeError, InputError
from models.charemb import matrix as matrix_module
from models.charemb.cooccurrence import CountConfig, count_vectors
from models.charemb.corpus import BREAKS, Corpus, documents, encode, tokenise
from models.charemb.spans import frequent_spans
from models.charemb.terms import FUNCTION_WORDS, TermConfig, find_pairs, join_terms
from models.charemb.vectors import Matrix, read_matrix

TOPICS = (
    ("lithium ion battery", "charge", "voltage", "electrode", "cell"),
    ("neural network", "training", "layer", "image", "loss"),
    ("heat exchanger", "pipe", "flow", "pump", "pressure"),
)


def write_text(folder: Path, rows: int = 600, seed: int = 0) -> Path:
    """Documents about one topic each; a topic's term stands among its words."""
    draw = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "text.txt", "w", encoding="utf-8") as file:
        for _ in range(rows):
            topic = draw.choice(TOPICS)
            words = [draw.choice(topic) for _ in range(8)]
            file.write(f"The {' '.join(words[:4])}, of the {' '.join(words[4:])}. It is so.\n")
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpus")
    encode([write_text(folder / "text")], folder)
    return Corpus.open(folder)


def test_tokens_and_breaks() -> None:
    text = "A Lithium-ion (Li-ion) battery, of 3.5 V. It's Ångström's; end"
    expected = "a lithium ion , li ion , battery , of 3 5 v . it s ångström s . end"
    assert tokenise(text) == expected.split()
    assert tokenise("... , !") == []


@given(st.text())
def test_tokenise_takes_any_text(text: str) -> None:
    tokens = tokenise(text)
    assert all(token in BREAKS or token == token.lower() for token in tokens)
    assert not any(a in BREAKS and b in BREAKS for a, b in zip(tokens, tokens[1:]))


def test_documents_of_every_layout(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\ntwo\n")
    with gzip.open(tmp_path / "b.tsv.gz", "wt") as file:
        file.write('id\ttitle\tabstract\n1\tA "title\tits text\n')
    with lzma.open(tmp_path / "c.txt.xz", "wt") as file:
        file.write("three\n")
    found = [text.strip() for text in documents([tmp_path])]
    assert found == ["one", "two", 'A "title . its text', "three"]
    with pytest.raises(InputError) as missing:
        list(documents([tmp_path / "nothing"]))
    assert missing.value.code == "corpus_not_found"
    (tmp_path / "d.tsv").write_text("id\tname\n1\tx\n")
    with pytest.raises(InputError) as columns:
        list(documents([tmp_path]))
    assert columns.value.code == "corpus_columns" and "d.tsv" in columns.value.message


def test_a_smaller_share_is_within_a_larger_one(tmp_path: Path) -> None:
    text = write_text(tmp_path / "text", 200)
    kept = []
    for name, share in (("a", 0.3), ("b", 0.7)):
        (tmp_path / name).mkdir()
        found = encode([text], tmp_path / name, share)
        kept.append(Counter(map(tuple, Corpus.open(tmp_path / name).sentences())))
        assert 0.5 * share < found["documents"] / 200 < 1.5 * share
    assert not kept[0] - kept[1]


def test_blocks_end_with_documents(corpus: Corpus) -> None:
    blocks = list(corpus.blocks(100))
    assert len(blocks) > 10 and all(block[-1] == 0 for block in blocks)
    np.testing.assert_array_equal(np.concatenate(blocks), corpus.ids)
    assert [len(b) for b in corpus.blocks(3)]  # smaller than any document


def test_pairs_against_a_naive_count(corpus: Corpus) -> None:
    tokens = [corpus.names[i] for i in corpus.ids]
    words = Counter(token for token in tokens if token not in BREAKS)
    total = sum(words.values())
    expected = {}
    for (a, b), count in Counter(zip(tokens, tokens[1:])).items():
        if count < 5 or {a, b} & (set(BREAKS) | FUNCTION_WORDS):
            continue
        joint = count / total
        npmi = math.log(joint / (words[a] / total * words[b] / total)) / -math.log(joint)
        if npmi >= 0.2:
            expected[a, b] = npmi
    found = find_pairs(corpus, TermConfig(min_count=5, min_npmi=0.2))
    names = len(corpus.names)
    pairs = {
        (corpus.names[key // names], corpus.names[key % names]): strength
        for key, strength in zip(found.keys.tolist(), found.strengths.tolist())
    }
    assert ("lithium", "ion") in pairs and pairs == pytest.approx(expected, rel=1e-5)


def test_terms_grow_over_passes_and_lose_no_word(corpus: Corpus, tmp_path: Path) -> None:
    joined = join_terms(corpus, TermConfig(passes=2, min_count=5, min_npmi=0.2), tmp_path)
    counts = dict(zip(joined.names, joined.counts().tolist()))
    assert counts["lithium_ion_battery"] > 50 and counts["neural_network"] > 50
    assert counts["lithium"] == 0  # it never stands alone
    plain = [word for sentence in corpus.sentences() for word in sentence]
    again = [word for sentence in joined.sentences() for term in sentence for word in term.split("_")]
    assert again == plain
    assert not any(FUNCTION_WORDS & set(name.split("_")) for name in joined.names if "_" in name)
    reopened = Corpus.open(tmp_path)
    assert reopened.names == joined.names and np.array_equal(reopened.ids, joined.ids)


def naive_spans(corpus: Corpus, min_count: int, max_words: int) -> dict[str, list[int]]:
    tokens = [corpus.names[i] for i in corpus.ids]
    places: dict[str, list[int]] = {}
    for start in range(len(tokens)):
        for length in range(1, max_words + 1):
            run = tokens[start : start + length]
            if len(run) < length or set(run) & set(BREAKS):
                break
            if length == 1 or not {run[0], run[-1]} & FUNCTION_WORDS:
                places.setdefault(" ".join(run), []).append(start)
    return {text: found for text, found in places.items() if len(found) >= min_count}


@pytest.mark.parametrize("min_count", [1, 7])
def test_spans_against_a_naive_search(corpus: Corpus, min_count: int) -> None:
    part = Corpus(corpus.ids[: 3000 + int(np.flatnonzero(corpus.ids[3000:] == 0)[0]) + 1], corpus.names)
    found = frequent_spans(part, min_count, 3)
    groups = np.split(found.starts, found.ends[:-1])
    assert {text: sorted(group) for text, group in zip(found.texts, groups)} == naive_spans(part, min_count, 3)
    assert [text.count(" ") + 1 for text in found.texts] == found.words.tolist()


def test_counted_vectors_against_dense_algebra(corpus: Corpus) -> None:
    pytest.importorskip("numba")
    spans = frequent_spans(corpus, 3)
    config = CountConfig(window=2, dimension=10, subsample=1e9, power=1.0)
    found = count_vectors(corpus, spans, config)

    tokens = [corpus.names[i] for i in corpus.ids]
    words = Counter(token for token in tokens if token not in BREAKS)
    contexts = sorted(words)
    smoothed = np.array([words[word] for word in contexts]) ** 0.75
    smoothed = smoothed / smoothed.sum()
    table = np.zeros((len(spans.texts), len(contexts)))
    for row, group in enumerate(np.split(spans.starts, spans.ends[:-1])):
        for start in group:
            for step, at in ((-1, start - 1), (1, start + spans.words[row])):
                distance = 0
                while 0 <= at < len(tokens) and distance < 2 and tokens[at] not in ("", "."):
                    if tokens[at] != ",":  # a pause is no word, and ends no window
                        table[row, contexts.index(tokens[at])] += (2 - distance) / 2
                        distance += 1
                    at += step
    with np.errstate(divide="ignore"):
        ppmi = np.maximum(np.log(table / table.sum(1, keepdims=True) / smoothed), 0)
    u, s, _ = np.linalg.svd(ppmi, full_matrices=False)
    expected = u[:, :10] * s[:10]
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, rtol=0.02, atol=0.02 * s[0] ** 2 / len(u))


def test_counting_needs_enough_text(corpus: Corpus) -> None:
    pytest.importorskip("numba")
    spans = frequent_spans(corpus, 3)
    with pytest.raises(EdgeError) as small:
        count_vectors(corpus, spans, CountConfig(dimension=5000))
    assert small.value.code == "corpus_too_small"


def neighbours(matrix: Matrix, text: str) -> list[str]:
    unit = matrix.vectors / np.linalg.norm(matrix.vectors, axis=1, keepdims=True)
    order = np.argsort(-(unit @ unit[matrix.texts.index(text)]))
    return [matrix.texts[row] for row in order[1:]]


@pytest.mark.parametrize("method", ["ppmi", "cbow"])
def test_the_commands_make_a_matrix_that_knows_the_topics(
    method: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("gensim" if method == "cbow" else "numba")
    text = write_text(tmp_path / "text", 1500)
    made, out = str(tmp_path / "corpus"), str(tmp_path / "matrix")
    first = ["corpus", "--data", str(text), "--out", made, "--term-npmi", "0.2"]
    second = ["vectors", "--corpus", made, "--out", out, "--method", method, "--dimension", "8", "--window", "4", "--epochs", "60"]  # fmt: skip
    assert matrix_module.main(first) == 0 and matrix_module.main(second) == 0
    found = read_matrix(Path(out))
    assert found.dimension == 8 and "lithium ion battery" in found.texts
    words = ["charge", "voltage", "electrode", "cell"]
    near = [text for text in neighbours(found, "lithium ion battery") if text in {w for t in TOPICS for w in t[1:]}]
    assert set(near[:4]) == set(words)
    assert "token_coverage" in capsys.readouterr().out
    # The same command again finds its result; another one does not overwrite it.
    before = (Path(out) / "vectors.npy").stat().st_mtime_ns
    assert matrix_module.main(second) == 0
    assert (Path(out) / "vectors.npy").stat().st_mtime_ns == before
    assert matrix_module.main([*second, "--min-count", "99"]) == 2
    assert matrix_module.main([*first, "--share", "0.5"]) == 2
    assert "another folder" in capsys.readouterr().err


def test_cbow_goes_on_after_an_interruption(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    word2vec = pytest.importorskip("gensim.models").Word2Vec
    from models.charemb.cbow import CbowConfig, cbow_matrix

    config = CbowConfig(dimension=4, epochs=3)
    real, calls = word2vec.train, []

    def counted(self, *args, **options):
        calls.append((options["start_alpha"], options["end_alpha"]))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, *args, **options)

    monkeypatch.setattr(word2vec, "train", counted)
    with pytest.raises(KeyboardInterrupt):
        cbow_matrix(corpus, config, tmp_path)
    found = cbow_matrix(corpus, config, tmp_path)
    assert len(calls) == 4 and calls[1] == calls[2] and calls[0][1] == calls[1][0]
    assert np.isfinite(found.vectors).all() and found.counts.max() == corpus.counts()[3:].max()
    with pytest.raises(ValueError, match="other settings"):
        cbow_matrix(corpus, CbowConfig(dimension=4, epochs=5), tmp_path)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_formats(tmp_path: Path) -> None:
    rows = "the 1 0.5\nMachine_learning -2 3e-1\nThe 9 9\nnew york 1 1\n, 5 5\n"
    glove = read_matrix(write(tmp_path / "g.txt", rows))
    word2vec = read_matrix(write(tmp_path / "w.txt", "5 2\n" + rows))
    for found in (glove, word2vec):
        # "The" is "the" again, which comes first; "," is no phrase.
        assert found.texts == ["the", "machine learning", "new york"]
        np.testing.assert_allclose(found.vectors, [[1, 0.5], [-2, 0.3], [1, 1]], rtol=1e-6)
    np.save(tmp_path / "m.npy", glove.vectors)
    write(tmp_path / "vocabulary.txt", "the\nmachine_learning\nnew york\n")
    assert read_matrix(tmp_path / "m.npy").texts == glove.texts
    glove.save(tmp_path / "folder")
    again = read_matrix(tmp_path / "folder")
    assert again.texts == glove.texts and np.array_equal(again.vectors, glove.vectors)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a 1 2\nb 1\n", "matrix_ragged", 2),
        ("2 2\na 1 2\nb 1.5 2.5 3.5\n", "matrix_ragged", 3),
        ("a 1 2\nb 1 x\n", "matrix_number", 2),
        ("a 1 2\nb nan 1\n", "matrix_not_finite", 2),
        ("2 2\na 1 2\nb 1 inf\n", "matrix_not_finite", 3),
        ("a 1 2\nb 0 0\n", "matrix_zero", 2),
        ("a 1 2\nb 1 2\na 3 4\n", "matrix_duplicate", 3),
        (" 1 2\n", "matrix_empty_text", 1),
        ("", "matrix_shape", None),
    ],
)
def test_bad_matrices_name_the_line(text: str, code: str, line: int | None, tmp_path: Path) -> None:
    with pytest.raises(InputError) as found:
        read_matrix(write(tmp_path / "m.txt", text))
    assert found.value.code == code and "m.txt" in found.value.message
    if line:
        assert f" {line}:" in found.value.message


def test_bad_arrays(tmp_path: Path) -> None:
    write(tmp_path / "vocabulary.txt", "a\nb\n")
    np.save(tmp_path / "m.npy", np.ones((3, 2)))
    with pytest.raises(InputError) as shape:
        read_matrix(tmp_path / "m.npy")
    assert shape.value.code == "matrix_shape"
    np.save(tmp_path / "m.npy", np.array([[1.0, 2.0], [np.nan, 1.0]]))
    with pytest.raises(InputError, match="vocabulary.txt, line 2"):
        read_matrix(tmp_path / "m.npy")
    for missing in (tmp_path / "no.npy", tmp_path / "no.txt"):
        with pytest.raises(InputError) as gone:
            read_matrix(missing)
        assert gone.value.code == "matrix_not_found"
