"""Lexicons: words with weights, from a file, a mapping or a bundle, to be found in texts.

A lexicon file is UTF-8 (gzipped or plain), one word a line, its weight after a tab:

    冠状病毒<TAB>2.5
    中国科学技术大学

No weight means 1; a weight below 0 says that this is no word, whatever other lexicons say. Blank lines are skipped, further columns are ignored, of a word given twice the
last line counts, a first line whose word is "word" is a header. A word is what a text must
contain, up to case and full-width forms; it has no white space in it and at most LONGEST_WORD
characters. Words of one character are dropped: they tell nothing about where words end.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Union

from edge_sdk.characters import plain_text
from edge_sdk.errors import InputError
from edge_sdk.files import read_text
from edge_sdk.kernels import Trie

if TYPE_CHECKING:
    from edge_sdk.kernels.lexicon import Matches

LONGEST_WORD = 64
HEAVIEST = 1e30
"""Weights lie from -HEAVIEST to HEAVIEST."""
_SPACE = re.compile(r"[^\S\n\t]|[\x00-\x08\x0b-\x1f\x7f]")


class Lexicon:
    """Words with weights. Never changes; safe to share between threads and segmenters."""

    def __init__(self, trie: Trie) -> None:
        """`trie` holds words in their plain form with float32 weights."""
        self._trie = trie

    @classmethod
    def of(cls, words: Mapping[str, float] | Iterable[str]) -> Lexicon:
        """A lexicon of some words; the weight of those in a plain list is 1.

        Raises InputError (`lexicon_word`, `lexicon_weight`) that names the word.
        """
        if isinstance(words, (str, bytes)):
            raise InputError("lexicon_type", "argument lexicon is one str", "give a path or a dict")
        pairs = words.items() if isinstance(words, Mapping) else ((word, 1.0) for word in words)
        weights: dict[str, float] = {}
        for word, weight in pairs:
            where = f"argument lexicon, word {str(word)[:40]!r}"
            if not isinstance(word, str) or not word:
                raise _bad_word(where, "it is no str, or empty")
            if not isinstance(weight, (int, float)) or isinstance(weight, bool):
                raise _bad_weight(where, repr(weight))
            _check_word(word, where)
            if not -HEAVIEST <= weight <= HEAVIEST:
                raise _bad_weight(where, repr(weight))
            weights[plain_text(word)] = float(weight)
        kept = [word for word in weights if len(word) > 1]
        return cls(_build(kept, [weights[word] for word in kept]))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Lexicon:
        """Read a lexicon file.

        Raises InputError: `lexicon_unreadable`; `lexicon_encoding`, `lexicon_word` or
        `lexicon_weight`, which name the line.
        """
        text = read_text(Path(path), unreadable="lexicon_unreadable", encoding="lexicon_encoding")
        text = text.replace("\r\n", "\n")
        strict = _SPACE.search(text) is not None  # one search is faster than one a line
        words: list[str] = []
        weights: list[float] = []
        for number, line in enumerate(plain_text(text).split("\n"), 1):
            word, tab, rest = line.partition("\t")
            weight = 1.0
            if tab:
                if number == 1 and word == "word":
                    continue
                try:
                    weight = float(rest)
                except ValueError:
                    weight = _first_number(rest, f"{path}:{number}")
                if not -HEAVIEST <= weight <= HEAVIEST:
                    raise _bad_weight(f"{path}:{number}", rest.partition("\t")[0][:40])
                if not word:
                    raise _bad_word(f"{path}:{number}", "there is no word before the tab")
            if strict or len(word) > LONGEST_WORD:
                _check_word(word, f"{path}:{number}")
            if len(word) > 1:
                words.append(word)
                weights.append(weight)
        return cls(_build(words, weights))

    @classmethod
    def open(cls, data: bytes | memoryview) -> Lexicon:
        """The lexicon of a bundle, read in place: what `to_bytes` gave, already verified."""
        return cls(Trie.open(data, verify=False))

    def to_bytes(self) -> bytes:
        """The stored form; the same words and weights give the same bytes."""
        return self._trie.to_bytes()

    def find(self, text: str) -> Matches:
        """Every place where a word of the lexicon stands: starts, ends, weights.

        `text` must be in plain form (`edge_sdk.characters.plain_text`).
        """
        return self._trie.matches(text)

    def __len__(self) -> int:
        return len(self._trie)

    def __contains__(self, word: str) -> bool:
        return plain_text(word) in self._trie


LexiconLike = Union[Lexicon, "Mapping[str, float]", "Iterable[str]", str, "os.PathLike[str]"]
"""A lexicon, or what one is made of: a mapping of words to weights, a list of words, a path."""


def as_lexicon(value: LexiconLike) -> Lexicon:
    """Make a Lexicon of what a caller gave. Raises InputError, as `Lexicon.of` and `load`."""
    if isinstance(value, Lexicon):
        return value
    if isinstance(value, (str, os.PathLike)):
        return Lexicon.load(value)
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return Lexicon.of(value)
    raise InputError(
        "lexicon_type",
        f"argument lexicon is a {type(value).__name__}",
        "give the path of a file, a dict of words and weights, or a Lexicon",
    )


def _build(words: list[str], weights: list[float]) -> Trie:
    """Of equal words the last one counts."""
    import numpy as np

    return Trie.build(words, np.array(weights, np.float32))


def _first_number(rest: str, where: str) -> float:
    """The weight where more columns follow it."""
    given = rest.partition("\t")[0]
    try:
        return float(given)
    except ValueError:
        raise _bad_weight(where, repr(given[:40])) from None


def _check_word(word: str, where: str) -> None:
    if len(word) > LONGEST_WORD:
        raise _bad_word(where, f"the word has {len(word)} characters, at most {LONGEST_WORD} are taken")
    if any(c.isspace() or ord(c) < 32 or ord(c) == 127 for c in word):
        raise _bad_word(where, f"white space or a control character inside the word {word[:40]!r}")


def _bad_word(where: str, problem: str) -> InputError:
    return InputError(
        "lexicon_word", f"{where}: {problem}", "write one word a line, then a tab and its weight"
    )


def _bad_weight(where: str, shown: str) -> InputError:
    return InputError(
        "lexicon_weight",
        f"{where}: the weight {shown} is not a number of at most {HEAVIEST:g}",
        "write the weight as a number, such as 2.5, or leave it out for 1; -1 removes the word",
    )
