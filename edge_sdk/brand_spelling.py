"""Spelling: brand names of a list, found by sound ("asribad" -> "aashirvaad"), and variants of words.

Two names sound alike when they have the same skeleton: consonants, with those that people mix up
(b, v and w; s and sh; j and z; m and n) as one. A run of one to three words, of which at least
one is no known word, becomes the brand whose skeleton is the same or differs by one consonant, if the
letters are close enough too and no other brand is as close. First and last letters are rarely
wrong, so they must sound alike, unless many consonants agree. A list that no training has seen
works as well as any.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache

from edge_sdk.brands import BrandList

LONGEST_RUN = 3
"""Words."""
SHORTEST = 4
"""Letters of a run; there are too many words of fewer."""
CLOSE_SAME, CLOSE_SHORT, CLOSE_NEAR = 0.5, 0.6, 0.72
"""Least similarity where the skeletons are the same; are the same but short; differ."""
MANY = 4
"""Consonants of a skeleton that is not short: those agree by no accident."""
_SOUNDS = (
    ("sh", "s"), ("ph", "f"), ("ch", "c"), ("ck", "k"), ("x", "ks"), ("gh", "g"), ("kh", "k"), ("th", "t"),
    ("dh", "d"), ("bh", "b"), ("jh", "j"), ("c", "k"), ("q", "k"), ("w", "b"), ("v", "b"), ("z", "j"), ("m", "n"),
)  # fmt: skip
_NO_LETTER = re.compile(r"[^a-z0-9]")
_VOWEL = re.compile(r"(?<!^)[aeiouyh]")
_FIRST_VOWEL = re.compile(r"^[aeiouy]")
_REPEATED = re.compile(r"(.)\1+")


class BrandSpelling:
    """Corrects the spelling of normalised queries. Never changes; safe to share."""

    def __init__(self, brands: BrandList, words: Mapping[str, str]) -> None:
        """`words` are known words, which are never taken for a misspelled brand, each with its most
        common spelling: mostly itself."""
        self._brands, self._words = brands, words
        self._same: dict[str, list[str]] = defaultdict(list)
        self._shorter: dict[str, list[str]] = defaultdict(list)
        for name in brands.names:
            skeleton = sound(name)
            if len(skeleton) > 1:
                self._same[skeleton].append(name)
                for less in _less_one(skeleton):
                    self._shorter[less].append(name)

    def correct(self, text: str) -> str:
        """The text with misspelled brands and known words written right. Brands that are right stay."""
        parts = list(self._brands.split(text))
        out: list[str] = []
        at = 0
        while at < len(parts):
            size, name = self._longest(parts, at)
            out.append(name)
            at += size
        return " ".join(out)

    def _longest(self, parts: list[tuple[str, bool]], at: int) -> tuple[int, str]:
        """Number of words from `at` on that are a brand, and the brand; else one word, itself."""
        for size in range(min(LONGEST_RUN, len(parts) - at), 0, -1):
            run = parts[at : at + size]
            words = [word for word, _ in run]
            known = [is_brand or word in self._words or word.isdigit() for word, is_brand in run]
            if all(known) or any(is_brand for _, is_brand in run):
                continue
            name = self._nearest("".join(words))
            if name and (size == 1 or " " in name):
                ends = ((known[0], words[0], name.split(" ")[0]), (known[-1], words[-1], name.split(" ")[-1]))
                # A known word at an end belongs to the query, unless it sounds like the brand's.
                if all(sound(word) == sound(brand) for is_known, word, brand in ends if is_known):
                    return size, name
        word, is_brand = parts[at]
        return 1, word if is_brand else self._words.get(word, word)

    def _nearest(self, written: str) -> str | None:
        """The one brand that sounds like it and is near enough."""
        if len(written) < SHORTEST:
            return None
        skeleton = sound(written)
        many = len(skeleton) >= MANY
        found = {
            name: CLOSE_SAME if many else CLOSE_SHORT
            for name in self._same.get(skeleton, ())
            if many or _same_ends(written, name)
        }
        if len(skeleton) > 1:
            for near in (*self._shorter.get(skeleton, ()), *self._one_more(skeleton)):
                if _same_ends(written, near):
                    found.setdefault(near, CLOSE_NEAR)
        ranked = sorted(((similarity(written, name.replace(" ", "")), name) for name in found), reverse=True)
        ranked = [(close, name) for close, name in ranked if close >= found[name]]
        if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
            return None
        return ranked[0][1]

    def _one_more(self, skeleton: str) -> Iterator[str]:
        """Brands whose skeleton lacks a consonant of this one, or has another in its place."""
        for less in _less_one(skeleton):
            yield from self._same.get(less, ())
            yield from self._shorter.get(less, ())


def sound(text: str) -> str:
    """The skeleton of a name: its consonants as they sound, and "a" for a vowel at its begin."""
    found = _NO_LETTER.sub("", text)
    for written, heard in _SOUNDS:
        found = found.replace(written, heard)
    return _REPEATED.sub(r"\1", _VOWEL.sub("", _FIRST_VOWEL.sub("a", found)))


def similarity(one: str, other: str) -> float:
    """1 less the share of letters to be changed: optimal string alignment, by the longer length."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            best = min(last[j] + 1, row[-1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return 1.0 - last[-1] / max(len(one), len(other), 1)


def _same_ends(one: str, other: str) -> bool:
    """Whether first and last letters sound alike; vowels at the end all do."""
    # After another letter a vowel is nothing in a skeleton.
    return _heard(one[0]) == _heard(other[0]) and _heard("b" + one[-1]) == _heard("b" + other[-1])


_heard = lru_cache(maxsize=1024)(sound)
"""Of single letters, which come again and again."""


def _less_one(skeleton: str) -> set[str]:
    return {skeleton[:i] + skeleton[i + 1 :] for i in range(len(skeleton))}
