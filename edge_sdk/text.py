"""Words of a text, with their places in the caller's own string.

Training and the runtime use this same copy, so a model sees the same words in both.

Splitting follows the default word boundaries of Unicode (UAX #29) with the two habits of the
MTOP corpus on top: a clitic ``'s`` and ``am``/``pm`` after digits are words of their own. It
works on the *shape* of the text, a string of equal length in which each character is replaced by
a letter for its class, so that one small regular expression covers every script.

- White space and control characters separate words and belong to none.
- Letters, digits and underscores form words. A full stop or an apostrophe between two of them
  stays inside ("p.m", "don't", "92.1"), and so does a comma between digits ("1,000").
- Combining marks, joiners and variation selectors stay with the character before them.
- Ideographs and hiragana are one word each. (Thai, Lao and Khmer have no spaces and need a
  dictionary: their unbroken runs are one word.)
- An emoji with its modifiers, joined parts, flag halves or tags is one word.
- Any other character is one word.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple


class Word(NamedTuple):
    """One word: its normalised text, and where it stands in the caller's string.

    ``source[start:end]`` is the word as written; ``start`` and ``end`` count code points.
    """

    text: str
    start: int
    end: int


# Ideographs, hiragana and the iteration marks among them: scripts written without spaces whose
# single characters carry meaning.
_IDEOGRAPHS = (
    (0x3005, 0x3007),
    (0x3041, 0x309F),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x1B001, 0x1B11F),
    (0x20000, 0x3FFFF),
)
_REGIONAL_INDICATORS = (0x1F1E6, 0x1F1FF)
_SKIN_TONES = (0x1F3FB, 0x1F3FF)
_ZERO_WIDTH_JOINER = 0x200D


def _character_class(code: int) -> str:
    """The letter that stands for a character in the shape of a text."""
    character = chr(code)
    if character in "aApPmMsS":
        return character.lower()
    if character in ".,":
        return character
    if character in "'\u2019":
        return "'"
    if character.isspace():
        return " "
    if code == _ZERO_WIDTH_JOINER:
        return "J"
    if _SKIN_TONES[0] <= code <= _SKIN_TONES[1]:
        return "M"
    if _REGIONAL_INDICATORS[0] <= code <= _REGIONAL_INDICATORS[1]:
        return "R"
    category = unicodedata.category(character)
    if category == "Cc":
        return " "
    if category[0] == "M" or category == "Cf":
        return "M"
    if category == "So":
        return "E"
    if category in ("Nd", "No"):
        return "0"
    if any(first <= code <= last for first, last in _IDEOGRAPHS):
        return "H"
    if category[0] == "L" or category in ("Nl", "Pc"):
        return "x"
    return "-"


class _Classes(dict[int, str]):
    """Character classes, worked out once for each character that is met."""

    def __missing__(self, code: int) -> str:
        self[code] = name = _character_class(code)
        return name


_CLASSES = _Classes()
_SHAPE_WORD = re.compile(
    r"""
      0+ (?= [ap]m (?! [xapms0MJ] ) )               # 7 | pm
    | (?<= [xapms0MJ] ) 's (?! [xapms0MJ'] )        # Dean | 's
    | [xapms0] [xapms0MJ]*                          # word, 15th, 4
      (?: (?: [.'] (?! (?<=') s (?! [xapms0MJ'] ) ) # p.m, don't, but not Dean's
            | (?<=0) , (?=0) )                      # 1,000
          [xapms0] [xapms0MJ]* )*
    | R{2} [MJ]*                                    # a flag
    | E M* (?: J [E-] M* )* J*                      # an emoji and what is joined to it
    | [^ ] [MJ]*                                    # anything else, one character at a time
    """,
    re.VERBOSE,
)

_SURROGATES = re.compile("[\ud800-\udfff]")


def normalise_word(word: str) -> str:
    """The form of a word that models see: NFKC, with straight apostrophes.

    Full-width letters, ligatures and decomposed accents become their plain forms; a lone
    surrogate becomes U+FFFD. Splitting comes first, so spans need no map back to the source.
    """
    if word.isascii():
        return word
    word = _SURROGATES.sub("\ufffd", word)
    return unicodedata.normalize("NFKC", word).replace("\u2019", "'")


def split_words(text: str) -> list[Word]:
    """Split a text into words.

    Returns them in order, not overlapping, covering every character that is neither white space
    nor a control character. Takes time linear in the length of the text.
    """
    shape = text.translate(_CLASSES)
    if text.isascii():
        return [
            Word(text[match.start() : match.end()], match.start(), match.end())
            for match in _SHAPE_WORD.finditer(shape)
        ]
    return [
        Word(normalise_word(text[start:end]), start, end)
        for start, end in (match.span() for match in _SHAPE_WORD.finditer(shape))
    ]
