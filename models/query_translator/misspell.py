"""Spelling mistakes as people make them: in the middle of words, by sound, by a slip.

First and last letters are usually right (paper, section on brand loss), so they are left alone
unless a sound-alike replaces them.
"""

from __future__ import annotations

from random import Random

VOWELS = "aeiou"
_VOWEL_VARIANTS = {
    "a": ("aa", "e", ""), "aa": ("a",), "e": ("i", "a", "ee"), "ee": ("i", "e"), "i": ("e", "ee", "y"),
    "o": ("u", "oo", "au"), "oo": ("u", "o"), "u": ("oo", "o", "a"), "ai": ("e", "ay"), "au": ("o", "ou"),
    "ou": ("o", "u"), "ea": ("e", "ee"), "ie": ("i", "y"),
}  # fmt: skip
_SOUND_ALIKE = {
    "sh": ("s",), "ch": ("c",), "ph": ("f",), "th": ("t",), "dh": ("d",), "bh": ("b",), "kh": ("k",),
    "gh": ("g",), "ck": ("k",), "v": ("w", "b"), "w": ("v",), "s": ("sh", "c"), "z": ("j", "s"),
    "j": ("z", "g"), "k": ("c", "q"), "c": ("k", "s"), "q": ("k",), "f": ("ph",), "b": ("v", "d"),
    "t": ("th", "tt"), "d": ("dh",), "n": ("m", "nn"), "m": ("n", "mm"), "x": ("ks",), "y": ("i",),
    "g": ("gh", "j"), "r": ("rr",), "l": ("ll",), "p": ("pp", "b"),
}  # fmt: skip


def char_drop(word: str, random: Random) -> str:
    """The word less one character that is neither its first nor its last (paper, Table 2)."""
    if len(word) < 4:
        return word
    at = random.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1 :]


def vowel_change(word: str, random: Random) -> str:
    """One vowel written another way."""
    return _replace(word, _VOWEL_VARIANTS, random)


def sound_alike(word: str, random: Random) -> str:
    """One consonant written as another that sounds similar."""
    return _replace(word, _SOUND_ALIKE, random)


def double_letter(word: str, random: Random) -> str:
    """A letter doubled, or a doubled one written once."""
    doubled = [i for i in range(1, len(word)) if word[i] == word[i - 1]]
    if doubled and random.random() < 0.7:
        at = random.choice(doubled)
        return word[:at] + word[at + 1 :]
    at = random.randrange(1, len(word)) if len(word) > 1 else 0
    return word[:at] + word[at] + word[at:]


def swap(word: str, random: Random) -> str:
    """Two neighbouring letters in the middle exchanged."""
    if len(word) < 4:
        return word
    at = random.randrange(1, len(word) - 2)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def misspell(word: str, random: Random) -> str:
    """One or two mistakes in a word, three at times in a long one; the word itself if it is short
    or has no letters."""
    if len(word) < 3 or not word.isalpha():
        return word
    mistakes = 1 + (random.random() < 0.3 and len(word) > 4) + (random.random() < 0.12 and len(word) > 7)
    kinds = (char_drop, vowel_change, vowel_change, sound_alike, double_letter, swap)
    changed = word
    for _ in range(mistakes):
        changed = random.choice(kinds)(changed, random)
    return changed


def misspell_phrase(phrase: str, random: Random, share: float = 1.0) -> str:
    """`misspell` for about `share` of the words, at least one; at times two words become one."""
    words = phrase.split(" ")
    if len(words) > 1 and random.random() < 0.12:
        at = random.randrange(len(words) - 1)
        words[at : at + 2] = [words[at] + words[at + 1]]
        return " ".join(words)
    sure = random.randrange(len(words))
    return " ".join(
        misspell(word, random) if i == sure or random.random() < share else word
        for i, word in enumerate(words)
    )


def _replace(word: str, table: dict[str, tuple[str, ...]], random: Random) -> str:
    """One occurrence of a key of the table replaced; longer keys go first where both fit."""
    places = []
    for at in range(len(word)):
        for size in (2, 1):
            if word[at : at + size] in table and len(word[at : at + size]) == size:
                places.append((at, size))
                break
    places = [p for p in places if p[0] > 0 or table is _SOUND_ALIKE] or places
    if not places:
        return word
    at, size = random.choice(places)
    return word[:at] + random.choice(table[word[at : at + size]]) + word[at + size :]
