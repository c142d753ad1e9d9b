"""Characters as numbers: the input of the word segmenter. Training uses this same copy.

Every code point of a text becomes exactly one identity, so a position in the model is a position
in the caller's string. Full-width forms, case and the ten digits are folded (`fold`); a character
that the model has not seen becomes the unknown character of its class.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

EDGE = 0
"""White space, control characters and whatever lies beyond the ends of the text: what stands
between two spaces looks to the model like a text of its own."""
MARK = 1
"""Combining marks, joiners, variation selectors: never the first character of a word."""
HAN = 2
LETTER = 3
DIGIT = 4
SYMBOL = 5
"""Emoji and other pictures."""
OTHER = 6
_FIRST_LETTER = 7
_PAST_LETTERS = _FIRST_LETTER + 26

TABLE_SIZE = 65537
"""One entry a code point of the basic plane, then one that stands for all astral ones."""

_SYMBOLS = ((0x1F000, 0x1FAFF), (0x2600, 0x27BF))
_MODIFIERS = ((0x1F3FB, 0x1F3FF), (0xE0020, 0xE007F), (0xE0100, 0xE01EF))


def plain(character: str) -> str:
    """The form in which lexicons are searched: NFKC and lower case, where that is one character."""
    for form in (unicodedata.normalize("NFKC", character), character):
        if len(form.lower()) == 1:
            return form.lower()
    return character


def fold(character: str) -> str:
    """The form that the model sees: `plain`, and 0 for every digit."""
    form = plain(character)
    return "0" if form.isdecimal() else form


class _PlainForms(dict[int, str]):
    """`plain` of code points, worked out once for each that is met."""

    def __missing__(self, code: int) -> str:
        self[code] = form = plain(chr(code))
        return form


_PLAIN_FORMS = _PlainForms()


def plain_text(text: str) -> str:
    """`plain` of every character; as long as the text."""
    return text.translate(_PLAIN_FORMS)


def character_class(character: str) -> int:
    """EDGE, MARK, HAN, LETTER, DIGIT, SYMBOL or OTHER, of a folded character."""
    code = ord(character)
    category = unicodedata.category(character)
    if character.isspace() or category == "Cc":
        return EDGE
    if category[0] == "M" or code in (0x200C, 0x200D) or _within(code, _MODIFIERS):
        return MARK
    if category == "Lo" and unicodedata.name(character, "").startswith("CJK"):
        return HAN
    if category[0] == "L":
        return LETTER
    if category[0] == "N":
        return DIGIT if character.isdecimal() else OTHER
    return SYMBOL if _within(code, _SYMBOLS) else OTHER


def vocabulary(known: Iterable[str]) -> list[str]:
    """The character of each identity, "" for the classes of unknown ones.

    `known` are folded characters to give identities of their own, in order. Classes, the digit
    and the letters a to z have theirs already; other letters and digits get none.
    """
    names = [""] * _FIRST_LETTER + [chr(ord("a") + i) for i in range(26)]
    names[DIGIT] = "0"
    taken = set(names)
    for character in known:
        if character not in taken and character_class(character) in (HAN, SYMBOL, OTHER):
            names.append(character)
            taken.add(character)
    return names


def identity_table(names: Sequence[str]) -> np.ndarray:
    """Identity of each code point: uint16 [TABLE_SIZE]. Made for a bundle, not on the device."""
    import numpy as np

    identities = {name: identity for identity, name in enumerate(names) if name}
    table = np.empty(TABLE_SIZE, np.uint16)
    for code in range(TABLE_SIZE - 1):
        folded = fold(chr(code))
        table[code] = identities.get(folded, character_class(folded))
    table[-1] = HAN
    return table


def identify(text: str, table: np.ndarray) -> np.ndarray:
    """Identities of the characters of a text: int32 [len(text)]. Any str, lone surrogates too."""
    import numpy as np

    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) == 2 * len(text):
        return table[np.frombuffer(units, "<u2")].astype(np.int32)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    identities = table[np.minimum(codes, TABLE_SIZE - 1)].astype(np.int32)
    for position in np.flatnonzero(codes >= TABLE_SIZE - 1):
        identities[position] = _astral(text[position], table)
    return identities


def bigrams(identities: np.ndarray, buckets: int) -> np.ndarray:
    """Hashed pairs of each character and the one before it: int32 [n], in [0, buckets).

    EDGE stands before the first character. `buckets` is a power of two, at least 2. The hash is
    multiply-shift (Dietzfelbinger et al., 1997): the high bits of a sum of products mod 2^32.
    """
    import numpy as np

    characters = identities.astype(np.uint32)
    pairs = characters * np.uint32(0x9E3779B1)
    pairs[1:] += characters[:-1] * np.uint32(0x85EBCA77)
    return (pairs >> np.uint32(33 - buckets.bit_length())).astype(np.int32)


def inside_words(identities: np.ndarray) -> np.ndarray | None:
    """bool [n]: characters that never begin a word; None where there are none such.

    A letter after a letter (of an alphabet, not Han), a digit after a digit, and a mark, unless
    it stands at an edge.
    """
    import numpy as np

    low = identities[1:] < _PAST_LETTERS  # a quick test: few texts go on
    if not low.any():
        return None
    letter = (identities == LETTER) | ((identities >= _FIRST_LETTER) & (identities < _PAST_LETTERS))
    digit = identities == DIGIT
    inside = identities == MARK
    inside[1:] &= identities[:-1] != EDGE
    inside[1:] |= (letter[1:] & letter[:-1]) | (digit[1:] & digit[:-1])
    inside[:1] = False
    return inside if inside.any() else None


def _astral(character: str, table: np.ndarray) -> int:
    folded = fold(character)  # styled letters and digits have plain forms
    if ord(folded) < TABLE_SIZE - 1:
        return int(table[ord(folded)])
    return character_class(folded)


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)
