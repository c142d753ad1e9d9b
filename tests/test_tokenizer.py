"""Subword units, and the vocabularies that they come from."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.errors import BundleError, InputError
from edge_sdk.text import normalise_word
from edge_sdk.tokenizer import SubwordTokenizer, from_bert_vocab, wordpiece_json

UNITS = ["a", "b", "ab", "ba", "é", "aba", "##a", "##b", "##é", "##ab", "##bab", "##aba"]
LETTERS = {c for unit in UNITS for c in unit.removeprefix("##")}


def tokenizer(units: list[str]) -> SubwordTokenizer:
    return SubwordTokenizer(wordpiece_json({unit: i for i, unit in enumerate(["[UNK]", *units])}))


def greedy(word: str, vocabulary: set[str]) -> list[str]:
    """Longest match first (Devlin et al., 2019); the word itself where some part has none."""
    units, rest = [], word
    while rest:
        prefix = "##" if units else ""
        ends = [end for end in range(len(rest), 0, -1) if prefix + rest[:end] in vocabulary]
        if not ends:
            return [word]
        units.append(prefix + rest[: ends[0]])
        rest = rest[ends[0] :]
    return units


@given(
    st.sets(st.sampled_from(UNITS)),
    st.lists(st.text(st.sampled_from("abéz"), min_size=1, max_size=12)),
)
def test_units_are_the_longest_matches(units: set[str], words: list[str]) -> None:
    assert tokenizer(sorted(units)).units(words) == [greedy(word, units) for word in words]


@given(st.lists(st.text(min_size=1).map(normalise_word)))
def test_every_word_has_units(words: list[str]) -> None:
    units = tokenizer(UNITS).units(words)
    assert len(units) == len(words)
    assert all(found and all(found) for found in units)


def test_unknown_words_stay_apart() -> None:
    first, second = tokenizer(UNITS).units(["zz東", "東zz"])
    assert first != second


def test_words_longer_than_any_vocabulary_are_one_unit() -> None:
    assert tokenizer(UNITS).units(["a" * 100_000]) == [["a" * 100_000]]


@pytest.mark.parametrize(
    ("word", "units"),
    [
        ("ab", ["ab"]),
        ("Ab", ["ab", "##^Aa"]),
        ("AB", ["ab", "##^AA"]),
        ("A", ["a", "##^Aa"]),
        ("É", ["é", "##^Aa"]),
        ("7", ["7"]),
    ],
)
def test_case_is_a_unit_of_its_own(word: str, units: list[str]) -> None:
    assert tokenizer(UNITS).folded_units([word]) == [units]


def test_settings_of_a_foreign_file_do_not_change_the_units() -> None:
    """Padding, truncation and special tokens are for models that read numbers."""
    data = json.loads(wordpiece_json({"[UNK]": 0, "a": 1, "##b": 2, "[CLS]": 3}))
    data["truncation"] = {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0}
    data["padding"] = {
        "strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": None,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[UNK]",
    }  # fmt: skip
    data["post_processor"] = {
        "type": "BertProcessing", "sep": ["[CLS]", 3], "cls": ["[CLS]", 3],
    }  # fmt: skip
    assert SubwordTokenizer(json.dumps(data).encode()).units(["ab", "a"]) == [["a", "##b"], ["a"]]


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"version": "1.0"}', b"[1, 2]"])
def test_damaged_file(data: bytes) -> None:
    with pytest.raises(BundleError, match="tokenizer.json") as caught:
        SubwordTokenizer(data)
    assert caught.value.code == "tokenizer_invalid"


class TestBertVocabulary:
    def test_the_example_of_bert(self, tmp_path: Path) -> None:
        """github.com/google-research/bert, tokenization.py: "unaffable" -> un ##aff ##able."""
        path = tmp_path / "vocab.txt"
        path.write_bytes(b"[PAD]\r\n[UNK]\r\nun\r\n##aff\r\n##able\r\n")
        assert SubwordTokenizer(from_bert_vocab(path)).units(["unaffable"]) == [["un", "##aff", "##able"]]

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"a\nb\n", "vocab_invalid"),
            (b"[UNK]\na\na\n", "vocab_invalid"),
            (b"[UNK]\n\xff\n", "vocab_unreadable"),
            (None, "vocab_unreadable"),
        ],
    )
    def test_unusable(self, tmp_path: Path, content: bytes | None, code: str) -> None:
        path = tmp_path / "vocab.txt"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match="vocab.txt") as caught:
            from_bert_vocab(path)
        assert caught.value.code == code


class TestTraining:
    # Many words of equal frequency: ties between merges, which the library alone breaks at random.
    WORDS = [a + b + c for a in "kstm" for b in "aeiou" for c in "rnlw"] * 3 + ["alarm"] * 50

    def train(self, size: int) -> bytes:
        from models.common.wordpiece import train_wordpiece

        return train_wordpiece(self.WORDS, size)

    def test_equal_words_give_equal_bytes(self) -> None:
        assert len({self.train(60) for _ in range(8)}) == 1

    def test_vocabulary(self) -> None:
        vocabulary = json.loads(self.train(90))["model"]["vocab"]
        assert len(vocabulary) == 90
        assert vocabulary["[UNK]"] == 0
        assert "alarm" in vocabulary  # the most frequent word

    def test_every_training_word_can_be_spelled(self) -> None:
        trained = SubwordTokenizer(self.train(60))
        for word, units in zip(self.WORDS, trained.units(self.WORDS), strict=True):
            assert "".join(unit.removeprefix("##") for unit in units) == word
        lengths = Counter(len(units) for units in trained.units(self.WORDS))
        assert lengths[2] > 0  # 81 words do not fit into 60 units
