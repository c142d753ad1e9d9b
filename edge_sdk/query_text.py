"""The one form of a query that models, brand lists and training data have in common."""

from __future__ import annotations

import re
import unicodedata

_SEPARATORS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b\u2060\ufeff]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_LAST_MARK = re.compile(r"(?<=[^ ,;!?])([,;!?]+)(?= |$)")


def normalise(text: str) -> str:
    """The form that models and brand lists see.

    NFKC, lower case, straight apostrophes; white space and control characters become one space,
    and commas, semicolons, exclamation and question marks at the end of a word a word of their
    own. A lone surrogate becomes U+FFFD.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _SURROGATES.sub("\ufffd", text)).replace("\u2019", "'")
    return _LAST_MARK.sub(r" \1", _SEPARATORS.sub(" ", text).strip().lower())
