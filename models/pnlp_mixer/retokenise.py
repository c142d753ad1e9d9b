"""Training rows in the words that the runtime will split their text into.

MTOP's training tokens were rebuilt, and differ from the gold tokens of the other splits where a
space stands before a clitic: "call Ann 's dad" became "call Ann 's dad", where gold has
"call Ann ' s dad". The runtime's splitter agrees with gold (tests/test_text.py measures it), so
the rows are split anew and the tags are carried over by the characters they cover.
"""

from __future__ import annotations

from edge_sdk.evaluate.tagger import TaggedRow
from edge_sdk.text import split_words


def retokenise(row: TaggedRow, utterance: str) -> TaggedRow:
    """The row with the utterance's own words; the row itself where their characters differ."""
    words = [utterance[word.start : word.end] for word in split_words(utterance)]
    if words == row.tokens or "".join(words) != "".join(row.tokens):
        return row
    by_character: list[str] = []
    for token, tag in zip(row.tokens, row.tags, strict=True):
        inside = tag if tag == "O" else f"I-{tag[2:]}"
        by_character += [tag] + [inside] * (len(token) - 1)
    tags: list[str] = []
    position = 0
    for word in words:
        tags.append(by_character[position])
        position += len(word)
    return TaggedRow(words, tags, row.intent)
