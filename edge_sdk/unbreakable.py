"""Stretches of a text that are one word whatever a model thinks: addresses and joined emoji."""

from __future__ import annotations

import re

_CLUE = re.compile("://|www\\.|@|[\u200d\U0001f1e6-\U0001f1ff]")
_STRETCH = re.compile(
    r"""
      (?: [a-zA-Z][a-zA-Z0-9+.-]* :// | www\. ) [!-~]* [a-zA-Z0-9/=&\#_-]   # an address on the web
    | [a-zA-Z0-9._%+-]+ @ [a-zA-Z0-9-]+ (?: \. [a-zA-Z0-9-]+ )+             # an address for mail
    | [\U0001f1e6-\U0001f1ff]{2}                                            # a flag
    | [^\s\u200d] [\ufe0f\U0001f3fb-\U0001f3ff]* (?: \u200d [^\s\u200d] [\ufe0f\U0001f3fb-\U0001f3ff]* )+
    """,
    re.VERBOSE,
)


def unbreakable(text: str) -> list[tuple[int, int]]:
    """(start, end) of each such stretch, in order, not overlapping; takes time linear in the text."""
    if _CLUE.search(text) is None:  # nearly every text: one quick scan is all it costs
        return []
    return [match.span() for match in _STRETCH.finditer(text)]
