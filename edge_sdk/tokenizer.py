"""Words and texts to subword units with the `tokenizers` library: no files, no network, no threads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_sdk.errors import BundleError, InputError

# The library warns and changes its behaviour after a fork unless this is decided. Only single
# inputs are encoded here, so its thread pool is never of use.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

UNKNOWN = "[UNK]"
CONTINUATION = "##"
CASE_UNITS = {"capital": CONTINUATION + "^Aa", "upper": CONTINUATION + "^AA"}
"""What `SubwordTokenizer.folded_units` adds to a word that had capital letters."""


class SubwordTokenizer:
    """A WordPiece tokenizer (or any other of `tokenizers` that marks continuations by "##").

    Safe to share between threads.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        """Read the bytes of a `tokenizer.json`. Raises BundleError (`tokenizer_invalid`)."""
        content = bytes(data)
        # The model alone: normalising and splitting are `edge_sdk.text`'s, and special
        # tokens, padding and truncation are for models that read numbers.
        self._model = _parse(content).model
        self.sha256 = hashlib.sha256(content).hexdigest()
        """Of the bytes given: tokenizers with the same one give the same units."""

    def units(self, words: Sequence[str]) -> list[list[str]]:
        """The subword units of each word; never an empty list for a word that is not empty.

        A word with a character that the vocabulary lacks is its own single unit, as written:
        all unknown words as "[UNK]" would be one and the same to a model, while their n-grams
        tell them apart.
        """
        units = []
        for word in words:
            found = [token.value for token in self._model.tokenize(word)]
            units.append([word] if not found or UNKNOWN in found else found)
        return units

    def folded_units(self, words: Sequence[str]) -> list[list[str]]:
        """`units` of the lower-cased words, and one more unit that tells what the case was.

        "Call" and "call" then share all their n-grams, and still differ. A word that is all
        capitals gets "##^AA", any other with a capital "##^Aa", the rest nothing.
        """
        folded = [word.lower() for word in words]
        units = self.units(folded)
        for word, lower, found in zip(words, folded, units, strict=True):
            if word != lower:
                upper = len(word) > 1 and word.isupper()
                found.append(CASE_UNITS["upper" if upper else "capital"])
        return units


class TextTokenizer:
    """A whole tokenizer: its own normaliser and splitter, then the model. Safe to share between threads."""

    def __init__(self, data: bytes | memoryview) -> None:
        """Read the bytes of a `tokenizer.json`; padding, truncation and special tokens in it do
        not count. Raises BundleError (`tokenizer_invalid`).
        """
        self._tokenizer = _parse(bytes(data))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def ids(self, text: str) -> list[int]:
        """The numbers of the text's units. A lone surrogate counts as U+FFFD."""
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        ids: list[int] = self._tokenizer.encode(whole, add_special_tokens=False).ids
        return ids


def _parse(content: bytes) -> Any:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_buffer(content)
    except Exception as error:  # the library raises bare Exception
        raise BundleError(
            "tokenizer_invalid",
            f"tokenizer.json cannot be read: {error}",
            "export the bundle again",
        ) from error


def subword_model(data: bytes | memoryview) -> Any:
    """The model alone of a `tokenizer.json`: no normaliser, no splitter, no special tokens.

    Raises BundleError (`tokenizer_invalid`).
    """
    return _parse(bytes(data)).model


def from_bert_vocab(path: str | os.PathLike[str]) -> bytes:
    """The `tokenizer.json` of a cased BERT vocabulary: a text file with one unit a line.

    Raises InputError (`vocab_unreadable`, `vocab_invalid`).
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise InputError(
            "vocab_unreadable",
            f"cannot read the vocabulary {path}: {error}",
            "give a UTF-8 text file with one unit a line, such as BERT's vocab.txt",
        ) from error
    if lines[-1] == "":
        lines.pop()
    vocabulary = {line.rstrip("\r"): number for number, line in enumerate(lines)}
    if UNKNOWN not in vocabulary or len(vocabulary) < len(lines):
        wrong = "a unit occurs twice" if UNKNOWN in vocabulary else f"{UNKNOWN} is missing"
        raise InputError("vocab_invalid", f"{path}: {wrong}", "give BERT's vocab.txt as published")
    return wordpiece_json(vocabulary)


def wordpiece_json(vocabulary: dict[str, int]) -> bytes:
    """The compact `tokenizer.json` of a WordPiece vocabulary (unit -> number) with "[UNK]".

    It has neither normaliser nor pre-tokenizer: `edge_sdk.text` does both.
    """
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece

    model = WordPiece(vocabulary, unk_token=UNKNOWN, continuing_subword_prefix=CONTINUATION)
    return Tokenizer(model).to_str().encode("utf-8")
