"""Trie and overlay: pyahocorasick, a dictionary searched word by word, damaged files, and every face."""

from __future__ import annotations

import gzip
import importlib
import itertools
import mmap
import pickle
import random
import threading
from pathlib import Path

import numpy as np
import pytest
from faces import outcome
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.errors import KernelError

reference = importlib.import_module("edge_sdk.kernels.reference.trie")
DATA = Path(__file__).parents[3] / "shared" / "data"
STORED = Path(__file__).parent.parent / "data" / "kernels" / "trie-v1.bin"
STORED_WORDS = ["a", "ab", "abc", "中国", "中国人", "人民", "😀", "été", "\x00\x00", "long tail of one word"]

# Few letters, so that words share prefixes; of each storage width of str, with NUL and a lone surrogate.
LETTERS = st.sampled_from(["ab", "abé\x00", "中国人a", "a\ud800\uffff", "😀a\U0010ffff中"])
NUMBERS = st.one_of(
    st.none(),
    st.integers(-(2**31), 2**31 - 1),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
)


@st.composite
def lexicons(draw):
    """(letters, words, values or None)"""
    letters = draw(LETTERS)
    words = draw(st.lists(st.text(letters, min_size=1, max_size=8), max_size=30))
    first = draw(NUMBERS)
    if first is None:
        return letters, words, None
    kind = st.integers(-(2**31), 2**31 - 1) if isinstance(first, int) else st.floats(-1e6, 1e6, width=32)
    return letters, words, draw(st.lists(kind, min_size=len(words), max_size=len(words)))


def rows(matches):
    return list(zip(*(column.tolist() for column in matches)))


def naive_matches(words, text):
    found = []
    for start, end in itertools.combinations(range(len(text) + 1), 2):
        if text[start:end] in words:
            found.append((start, end, words[text[start:end]]))
    return found


def check_answers(trie, words, text):
    """Every look-up against a dictionary of the words."""
    expected = naive_matches(words, text)
    assert rows(trie.matches(text)) == expected
    assert len(trie) == len(words)
    for start in range(len(text) + 1):
        here = [(end, value) for begin, end, value in expected if begin == start]
        assert trie.longest(text, start) == (here[-1] if here else None)
        assert trie.get(text[start:]) == words.get(text[start:])
        assert (text[:start] in trie) == (text[:start] in words)
    for prefix in {"", text[:1], text[:2], *list(words)[:3]}:
        expected = sorted((word, value) for word, value in words.items() if word.startswith(prefix))
        assert trie.prefix(prefix) == expected
        assert trie.prefix(prefix, 2) == expected[:2]


@given(lexicon=lexicons(), data=st.data())
def test_answers_and_bytes(face, lexicon, data):
    letters, words, values = lexicon
    text = data.draw(st.text(letters + "x", max_size=30))
    trie = face("trie").Trie.build(words, values)
    expected = dict(zip(words, range(len(words)) if values is None else values))
    assert trie.dtype == (np.float32 if values and isinstance(values[0], float) else np.int32)
    assert trie.max_length == max(map(len, words), default=0)
    check_answers(trie, expected, text)
    stored = trie.to_bytes()
    assert stored == reference.Trie.build(words, values).to_bytes()
    shuffled = random.Random(0).sample(list(expected), len(expected))
    assert face("trie").Trie.build(shuffled, np.array([expected[w] for w in shuffled], trie.dtype)).to_bytes() == stored
    check_answers(face("trie").Trie.open(stored), expected, text)


@given(lexicon=lexicons(), data=st.data())
def test_overlay_answers_as_a_rebuilt_trie(face, lexicon, data):
    letters, words, values = lexicon
    trie = face("trie").Trie.build(words, values)
    overlay = face("trie").Overlay(trie)
    current = dict(zip(words, range(len(words)) if values is None else values))
    number = st.integers(-5, 5) if trie.dtype == np.int32 else st.floats(-5, 5, width=32)
    word = st.text(letters, min_size=1, max_size=6) | st.sampled_from(words or ["a"])
    for changed, value in data.draw(st.lists(st.tuples(word, st.none() | number), max_size=40)):
        if value is None:
            assert overlay.remove(changed) == (current.pop(changed, None) is not None)
        else:
            overlay.add(changed, value)
            current[changed] = value
    check_answers(overlay, current, data.draw(st.text(letters + "x", max_size=20)))
    assert len(trie) == len(set(words))


@given(lexicon=lexicons(), data=st.data())
def test_matches_are_those_of_pyahocorasick(face, lexicon, data):
    ahocorasick = pytest.importorskip("ahocorasick")
    letters, words, _ = lexicon
    text = data.draw(st.text(letters, max_size=60))
    automaton = ahocorasick.Automaton()
    for index, word in enumerate(words):
        automaton.add_word(word, (index, len(word)))
    automaton.make_automaton()
    found = automaton.iter(text) if words else []
    expected = sorted((last + 1 - length, last + 1, index) for last, (index, length) in found)
    assert rows(face("trie").Trie.build(words).matches(text)) == expected


@pytest.mark.skipif(not DATA.exists(), reason="the project's data folder ../shared/data is not here")
def test_a_large_lexicon_on_real_text():
    """157,172 words over Chinese news against pyahocorasick; only the native face is built for this size."""
    ahocorasick = pytest.importorskip("ahocorasick")
    native = importlib.import_module("edge_sdk.kernels.native._trie")
    with gzip.open(DATA / "lexicons_zh" / "thuocl.tsv.gz", "rt", encoding="utf-8", newline="\n") as file:
        words = [line.split("\t")[0] for line in file.read().split("\n")[1:-1]]
    with gzip.open(DATA / "cws" / "sxu" / "train.txt.gz", "rt", encoding="utf-8") as file:
        text = file.read(300_000).replace(" ", "")
    automaton = ahocorasick.Automaton()
    for index, word in enumerate(words):
        automaton.add_word(word, (index, len(word)))
    automaton.make_automaton()
    expected = sorted((last + 1 - length, last + 1, index) for last, (index, length) in automaton.iter(text))
    trie = native.Trie.build(words, np.arange(len(words), dtype=np.float32))
    assert rows(trie.matches(text)) == expected
    assert len(trie.to_bytes()) <= 12 * len(words)


def test_more_characters_than_codes(face):
    """Characters beyond the first 16,000 take three symbols; Hangul is among them here, and so are emoji."""
    letters = [chr(c) for c in (*range(0x4E00, 0xA000), *range(0xAC00, 0xB000), *range(0x1F600, 0x1F640))]
    rare = letters[16_000:]
    pick = random.Random(3).choices
    words = letters + ["".join(pick(rare, k=1 + i % 4) + pick(letters, k=i % 3)) for i in range(2000)]
    trie = face("trie").Trie.build(words)
    expected = {word: index for index, word in enumerate(words)}
    text = "".join(pick(words[-2000:], k=8) + pick(letters, k=8))
    check_answers(trie, expected, text)
    assert trie.to_bytes() == importlib.import_module("edge_sdk.kernels.native._trie").Trie.build(words).to_bytes()


def test_long_and_nested_words(face):
    words = {"x" * n: n for n in (1, 2, 3, 50, 700)} | {"x" * 2000 + "y": 0}
    trie = face("trie").Trie.build(list(words), list(words.values()))
    text = "x" * 800
    assert rows(trie.matches(text)) == [
        (start, start + n, n) for start in range(800) for n in (1, 2, 3, 50, 700) if start + n <= 800
    ]
    assert trie.prefix("x" * 51) == [("x" * 700, 700), ("x" * 2000 + "y", 0)]
    overlay = face("trie").Overlay(trie)
    overlay.add("x" * 1000, 7)
    assert overlay.longest("x" * 1500) == (1000, 7)


def test_the_stored_form_stays_readable(face):
    """A file written by version 1 of the format, kept for ever; its floats are i + 0.5."""
    trie = face("trie").Trie.open(STORED.read_bytes())
    expected = {word: index + 0.5 for index, word in enumerate(STORED_WORDS)}
    check_answers(trie, expected, "abc中国人民😀été\x00\x00\x00 long tail of one word")


def test_open_reads_in_place(face, tmp_path):
    """At any alignment, and the buffer is held as long as the trie lives."""
    stored = face("trie").Trie.build(["ab", "abc"]).to_bytes()
    (tmp_path / "trie").write_bytes(b"odd" + stored)
    with open(tmp_path / "trie", "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    trie = face("trie").Trie.open(memoryview(mapped)[3:])
    assert trie.get("abc") == 1
    with pytest.raises(BufferError):
        mapped.close()
    del trie
    mapped.close()


def test_pickle(face):
    trie = pickle.loads(pickle.dumps(face("trie").Trie.build(["a", "b"], [0.5, 1.5])))
    assert trie.prefix() == [("a", 0.5), ("b", 1.5)]


def test_threads_share_a_trie(face):
    trie = face("trie").Trie.build(["ab", "b", "ba"])
    expected = rows(trie.matches("abba" * 500))
    failures = []

    def work():
        for _ in range(20):
            if rows(trie.matches("abba" * 500)) != expected:
                failures.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_every_flipped_byte_is_noticed(face):
    stored = bytearray(face("trie").Trie.build(["ab", "abc", "bcd"], [1.0, 2.0, 3.0]).to_bytes())
    step = 1 if "native" in face("trie").__name__ else 7  # the reference hashes in Python
    for index in range(0, len(stored), step):
        stored[index] ^= 1 << index % 8
        with pytest.raises(KernelError, match="bad_trie"):
            face("trie").Trie.open(bytes(stored))
        stored[index] ^= 1 << index % 8
    for size in (0, 7, 63, 64, len(stored) - 1):
        with pytest.raises(KernelError, match="bad_trie"):
            face("trie").Trie.open(bytes(stored[:size]))


@given(seed=st.integers(0, 2**32))
def test_damage_behind_the_checksum_is_survived(face, seed):
    """An unverified trie may answer wrongly, but not crash, hang or raise anything but KernelError."""
    rng = random.Random(seed)
    stored = bytearray(reference.Trie.build(["ab", "abc", "b", "bcd", "bcdefg", "中a"], range(6)).to_bytes())
    for _ in range(rng.randint(1, 4)):
        index = rng.randrange(16, len(stored)) if rng.random() < 0.3 else rng.randrange(64, 64 + 40 * 6)
        stored[min(index, len(stored) - 1)] = rng.randrange(256)
    try:
        trie = face("trie").Trie.open(bytes(stored), verify=False)
        text = "".join(rng.choices("abcdefg中", k=40))
        matches = trie.matches(text)
        assert ((matches.starts >= 0) & (matches.ends > matches.starts) & (matches.ends <= 40)).all()
        trie.get(text[:3])
        trie.longest(text)
        trie.prefix("b")
    except KernelError as error:
        assert error.code == "bad_trie"


ERRORS = {
    "words is a str": ("build", "ab"),
    "words is None": ("build", None),
    "a word is empty": ("build", ["a", ""]),
    "a word is bytes": ("build", ["a", b"b"]),
    "too few values": ("build", ["a", "b"], [1]),
    "values are text": ("build", ["a"], ["x"]),
    "values are None": ("build", ["a"], [None]),
    "a value is NaN": ("build", ["a", "b"], [1.0, float("nan")]),
    "a value is beyond float32": ("build", ["a"], [1e300]),
    "a value is beyond int32": ("build", ["a"], [2**31]),
    "values are bool": ("build", ["a"], [True]),
    "not a buffer": ("open", "text"),
    "not a trie": ("open", b"x" * 200),
    "another version": ("open", b"EKTRIE01" + bytes(8) + b"\x02" + bytes(200)),
    "get of a number": ("get", 5),
    "matches of bytes": ("matches", b"ab"),
    "longest of None": ("longest", None),
    "start behind the end": ("longest", "ab", 3),
    "start below 0": ("longest", "ab", -1),
    "start is a float": ("longest", "ab", 0.5),
    "prefix is None": ("prefix", None),
    "limit below 0": ("prefix", "a", -1),
    "add of nothing": ("add", "", 1),
    "add of a float to integers": ("add", "a", 0.5),
    "add of text": ("add", "a", "x"),
    "remove of a number": ("remove", 1),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_the_same_in_every_face(face, name):
    def call(module):
        method, *arguments = ERRORS[name]
        trie = module.Trie.build(["ab", "b"])
        target = module.Trie if method in ("build", "open") else trie
        if method in ("add", "remove"):
            target = module.Overlay(trie)
        return outcome(getattr(target, method), *arguments)

    result = call(face("trie"))
    assert isinstance(result, tuple) and result == call(reference)
    assert result[1] and result[2]


def test_empty(face):
    trie = face("trie").Trie.build([])
    check_answers(trie, {}, "ab")
    check_answers(face("trie").Trie.open(trie.to_bytes()), {}, "")
    assert trie.get("", 5) == 5
