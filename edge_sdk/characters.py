"""Characters as numbers: the input of the word segmenter. Training uses this same copy.

Every code point of a text becomes exactly one identity, so a position in the model is a position
in the caller's string. Full-width forms, case and the ten digits are folded (`fold`); a character
that the model has not seen becomes the unknown character of its class.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from edge_sdk.kernels import character_inputs
from edge_sdk.kernels.identities import (
    DIGIT,
    EDGE,
    FIRST_LETTER,
    HAN,
    LETTER,
    MARK,
    OTHER,
    SYMBOL,
    TABLE_SIZE,
)

if TYPE_CHECKING:
    import numpy as np

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
    names = [""] * FIRST_LETTER + [chr(ord("a") + i) for i in range(26)]
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


def prepare(
    text: str, table: np.ndarray, buckets: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Identities, hashed bigrams, and what never begins a word, of a text of n characters.

    int32 [n], int32 [n], and bool [n] or None, as `edge_sdk.kernels.character_inputs` gives them,
    but with the classes of astral characters, which the table does not hold.
    """
    found = character_inputs(text, table, buckets)
    if not text or max(text) <= "\uffff":
        return found
    from edge_sdk.kernels.reference.characters import bigrams, inside_words

    identities = found[0]
    for position, character in enumerate(text):
        if character > "\uffff":
            identities[position] = _astral(character, table)
    return identities, bigrams(identities, buckets), inside_words(identities)


def _astral(character: str, table: np.ndarray) -> int:
    folded = fold(character)  # styled letters and digits have plain forms
    if ord(folded) < TABLE_SIZE - 1:
        return int(table[ord(folded)])
    return character_class(folded)


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)
