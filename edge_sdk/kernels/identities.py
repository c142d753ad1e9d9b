"""Numbers that stand for classes of characters, shared by all faces and by `edge_sdk.characters`."""

from __future__ import annotations

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
FIRST_LETTER = 7
"""The letter a; the others follow."""
FIRST_KNOWN = FIRST_LETTER + 26
"""From here on, single characters that a model knows."""
TABLE_SIZE = 65537
"""Entries of a table of identities: one a code point of the basic plane, then one for all others."""
LONGEST = 5
"""Lexicon words of more characters count as this long."""
LEXICON_FEATURES = LONGEST * (LONGEST - 1) * LONGEST
"""Number of different lexicon features; 0 is "no word touches this character"."""
