"""How a phrase is written before a model sees it; training uses this same copy."""

from __future__ import annotations

import re
import unicodedata

NORMALISATION = "phrase-v1"
"""Name of `normalise_phrase` in a manifest."""
_SEPARATORS = re.compile(r"[\W_]+")


def normalise_phrase(text: str) -> str:
    """Compatibility-composed (NFKC), lower-cased words of letters and digits, one space between.

    Hyphens and all other marks separate words, so "Lithium-ion  battery" and "lithium ion battery"
    are one phrase; combining marks that NFKC leaves are kept with their letter.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _SEPARATORS.sub(" ", text.lower()).strip()
