"""CLIP's byte-pair units: OpenAI's and Hugging Face's files, and small vocabularies of our own.

A vocabulary of CLIP is told by its merges alone: all bytes, all bytes at the end of a word, one unit
a merge, then the start and the end mark.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from edge_sdk.token_ids import TokenIds

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END_OF_WORD = "</w>"
_MARKS = ("<|startoftext|>", "<|endoftext|>")
_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_OPENAI_FILE = "bpe_simple_vocab_16e6.txt.gz"
_OPENAI_MERGES = 49_152 - 256 - 2  # the file has more lines than CLIP uses
_BYTES = 2 * 256  # alone, and at the end of a word

Merges = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Vocabulary:
    """A `tokenizer.json` and the numbers of the marks around a text."""

    json: bytes
    start: int
    end: int

    @property
    def size(self) -> int:
        """Units, marks included; the end mark is the last one."""
        return self.end + 1

    def reader(self) -> TokenIds:
        """What turns texts into numbers, as on the device."""
        return TokenIds(self.json, [self.start], [self.end])


def encode(reader: TokenIds, texts: Iterable[str], length: int) -> Tensor:
    """int64 [texts, longest], 0 behind the end mark; texts of more than `length` units are cut."""
    rows = []
    for text in texts:
        row = reader(text)
        rows.append(row if len(row) <= length else [*row[: length - 1], row[-1]])
    tokens = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for number, row in enumerate(rows):
        tokens[number, : len(row)] = row
    return torch.from_numpy(tokens)


def vocabulary_of(merges: Merges) -> Vocabulary:
    """The vocabulary that follows from merges, in CLIP's order."""
    size = _BYTES + len(merges) + len(_MARKS)
    return Vocabulary(_tokenizer(merges).to_str().encode("utf-8"), size - 2, size - 1)


def train_vocabulary(texts: Sequence[str], size: int) -> Vocabulary:
    """Learn merges from texts; at most `size` units. Equal texts give equal bytes.

    The most frequent pair is merged first (Sennrich et al., 2016); of equally frequent ones the first
    in alphabetical order.
    """
    splitter = _tokenizer([])
    counts: dict[tuple[str, ...], int] = {}
    for text in texts:
        normal = splitter.normalizer.normalize_str(text)
        for word, _ in splitter.pre_tokenizer.pre_tokenize_str(normal):
            symbols = (*word[:-1], word[-1] + END_OF_WORD)
            counts[symbols] = counts.get(symbols, 0) + 1
    merges: list[tuple[str, str]] = []
    while _BYTES + len(merges) + len(_MARKS) < size:
        pairs: dict[tuple[str, str], int] = {}
        for symbols, count in counts.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] = pairs.get(pair, 0) + count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        counts = {_merge(symbols, best): count for symbols, count in counts.items()}
    return vocabulary_of(merges)


def read_clip_vocabulary(folder: Path) -> Vocabulary:
    """From OpenAI's `bpe_simple_vocab_16e6.txt.gz`, or Hugging Face's `merges.txt` and `vocab.json`.

    Raises OSError, and ValueError where the two files of Hugging Face do not belong together.
    """
    openai = folder / _OPENAI_FILE
    if openai.exists():
        lines = gzip.decompress(openai.read_bytes()).decode("utf-8").split("\n")
        return vocabulary_of(_parse(lines[1 : 1 + _OPENAI_MERGES], openai))
    path = folder / "merges.txt"
    lines = path.read_text(encoding="utf-8").split("\n")
    vocabulary = vocabulary_of(_parse(lines[1:], path))
    ours = json.loads(vocabulary.json)["model"]["vocab"]
    stored = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    if ours != stored:
        raise ValueError(f"{folder}: vocab.json does not follow from merges.txt in CLIP's order")
    return vocabulary


def _tokenizer(merges: Merges) -> Tokenizer:
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import BPE
    from tokenizers.normalizers import NFC, Lowercase, Replace
    from tokenizers.normalizers import Sequence as Normalizers
    from tokenizers.pre_tokenizers import ByteLevel, Split
    from tokenizers.pre_tokenizers import Sequence as Splitters

    alphabet = _byte_characters()
    units = [*alphabet, *(c + END_OF_WORD for c in alphabet), *(a + b for a, b in merges), *_MARKS]
    numbers = {unit: number for number, unit in enumerate(units)}
    model = BPE(numbers, list(merges), end_of_word_suffix=END_OF_WORD)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = Normalizers([NFC(), Replace(Regex(r"\s+"), " "), Lowercase()])
    tokenizer.pre_tokenizer = Splitters(
        [
            Split(Regex(_WORDS), "removed", invert=True),
            ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer


def _parse(lines: Iterable[str], path: Path) -> list[tuple[str, str]]:
    merges = [tuple(line.split()) for line in lines if line]
    wrong = next((merge for merge in merges if len(merge) != 2), None)
    if wrong is not None:
        raise ValueError(f"{path}: {' '.join(wrong)!r:.80} is no pair of units")
    return merges  # type: ignore[return-value]


def _merge(symbols: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    merged: list[str] = []
    for symbol in symbols:
        if merged and (merged[-1], symbol) == pair:
            merged[-1] += symbol
        else:
            merged.append(symbol)
    return tuple(merged)


def _byte_characters() -> list[str]:
    """The character that stands for each byte, in the order of CLIP's vocabulary (GPT-2's map):
    printable Latin-1 for itself, the others as the characters from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(byte) for byte in printable] + [chr(0x100 + n) for n in range(256 - len(printable))]
