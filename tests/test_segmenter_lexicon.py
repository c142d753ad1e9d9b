"""Lexicon files and mappings, good and bad."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from edge_sdk import InputError
from edge_sdk.lexicon import LONGEST_WORD, Lexicon


def weights(lexicon: Lexicon, *words: str) -> list[float]:
    """Weight of each word, found in a text."""
    return [float(lexicon.find(word).values[-1]) for word in words]


def test_what_a_file_may_hold(tmp_path: Path) -> None:
    file = tmp_path / "words.tsv"
    file.write_bytes("\ufeffword\tfreq\tpos\n\n中国\t2.5\tns\r\n大学\n中国\t3\n一\t9\n\nＡＢＣ\t1e3\n".encode())
    lexicon = Lexicon.load(file)
    assert len(lexicon) == 3 and "一" not in lexicon  # one character says nothing
    assert weights(lexicon, "中国", "大学", "abc") == [3.0, 1.0, 1000.0]


def test_a_gzipped_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "words.tsv.gz"
    file.write_bytes(gzip.compress("中国\t2\n".encode()))
    assert weights(Lexicon.load(file), "中国") == [2.0]


@pytest.mark.parametrize(
    "content,code,named",
    [
        ("中国\n大 学\t1\n".encode(), "lexicon_word", ":2: white space"),
        ("中国 1\n".encode(), "lexicon_word", ":1: white space"),
        ("中国\n大\u3000学\n".encode(), "lexicon_word", ":2: white space"),
        ("中国\n大\x00学\n".encode(), "lexicon_word", ":2: white space or a control"),
        ("中国\t1\n大学\tmany\n".encode(), "lexicon_weight", ":2: the weight 'many'"),
        ("中国\tnan\n".encode(), "lexicon_weight", ":1: the weight nan"),
        ("中国\tinf\n".encode(), "lexicon_weight", ":1: the weight inf"),
        ("中国\t-1e31\n".encode(), "lexicon_weight", ":1: the weight -1e31"),
        ("中国\t\n".encode(), "lexicon_weight", ":1: the weight ''"),
        ("中国\n\t3\n".encode(), "lexicon_word", ":2: there is no word"),
        (b"\xe4\xb8\xad\n" * 3 + "大学".encode("gb18030"), "lexicon_encoding", ":4: byte 12"),
        ("中国".encode("utf-16"), "lexicon_encoding", ":1: byte"),
        (b"ok\n" + b"x" * 10_000_000 + b"\t1\n", "lexicon_word", ":2: the word has 10000000 characters"),
        (b"\x1f\x8b broken gzip", "lexicon_unreadable", "cannot read"),
    ],
)
def test_wrong_files_name_the_line(tmp_path: Path, content: bytes, code: str, named: str) -> None:
    file = tmp_path / "words.tsv"
    file.write_bytes(content)
    with pytest.raises(InputError) as error:
        Lexicon.load(file)
    assert error.value.code == code and named in error.value.message
    assert len(error.value.message) < 500


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere.tsv"):
        Lexicon.load(tmp_path / "nowhere.tsv")


def test_an_empty_file_is_an_empty_lexicon(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    lexicon = Lexicon.load(tmp_path / "empty")
    assert len(lexicon) == 0 and len(lexicon.find("中国").starts) == 0


def test_stored_lexicons_are_the_same_whatever_the_order() -> None:
    words = {"中国": 1.0, "大学": 2.0, "中国人": 0.5}
    stored = Lexicon.of(words).to_bytes()
    assert Lexicon.of(dict(reversed(words.items()))).to_bytes() == stored
    assert weights(Lexicon.open(stored), "中国", "大学", "中国人") == [1.0, 2.0, 0.5]


def test_the_longest_word_that_is_taken() -> None:
    assert "x" * LONGEST_WORD in Lexicon.of(["x" * LONGEST_WORD])
    with pytest.raises(InputError, match="at most"):
        Lexicon.of(["x" * (LONGEST_WORD + 1)])


def test_half_a_million_words_load(tmp_path: Path) -> None:
    file = tmp_path / "many.tsv"
    lines = (f"{chr(0x4E00 + i % 5000)}{chr(0x4E00 + i // 5000)}{chr(0x5000 + i % 77)}\t{i % 9}\n" for i in range(500_000))
    file.write_text("".join(lines), encoding="utf-8")
    assert len(Lexicon.load(file)) == 500_000
