"""Short queries as token ids and back. Training and the runtime use this same copy.

A normalised query (`edge_sdk.query_text`) is cut at spaces, and each word becomes

1. the single token of a brand, where the longest match of a `BrandList` covers it and the model
   has a token for that brand;
2. a copy slot, where it is a brand that the model lacks or has a character that the vocabulary
   lacks. What stands there comes back where the slot stands in the output: a brand that no
   training has seen, an emoji or a name in another script is copied as it is;
3. subword pieces otherwise. "▁" marks the begin of a word, so that joining pieces is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_sdk.brands import BrandList
from edge_sdk.errors import BundleError
from edge_sdk.tokenizer import subword_model

PADDING, UNKNOWN, BEGIN, END = range(4)
"""Ids of the special tokens in every vocabulary. BEGIN is the decoder's first input; source and
target end with END."""
FIRST_SLOT, SLOTS = 4, 8
"""Ids of the copy slots: FIRST_SLOT, FIRST_SLOT + 1, ..."""
WORD_BEGIN = "▁"
CACHED_WORDS = 20_000


class Source(NamedTuple):
    """A query as the model reads it, without END."""

    ids: list[int]
    slots: tuple[str, ...]
    """What stands in for slot 0, 1, ..."""


class QueryTokenizer:
    """Words to ids and ids to words. Safe to share between threads."""

    def __init__(
        self,
        tokenizer: bytes | memoryview,
        brands: Sequence[str],
        first_brand: int,
        known: int | None = None,
    ) -> None:
        """
        Args:
            tokenizer: bytes of a `tokenizer.json` whose model gives pieces their ids; its unknown
                token has the id UNKNOWN. Its normaliser and pre-tokenizer are not used.
            brands: normalised names. The first `known` (default: all) are single tokens, with the
                ids first_brand, first_brand + 1, ...; the others take slots.

        Raises BundleError (`tokenizer_invalid`).
        """
        self._model = subword_model(tokenizer)
        self.brands = BrandList(brands)
        self._brand_names = dict(enumerate(brands[:known], first_brand))
        self._brand_ids = {name: i for i, name in self._brand_names.items()}
        self._pieces: dict[str, tuple[int, ...]] = {}
        if not all(brands) or len(self.brands) < len(brands):
            raise BundleError(
                "tokenizer_invalid", "a brand of the model is empty or there twice", "export the bundle again"
            )

    def encode(self, text: str, brands: BrandList | None = None) -> Source:
        """The ids of a normalised text.

        `brands` stands in for the model's own list, `self.brands`. When there is more to copy
        than slots, the rest becomes pieces, with UNKNOWN for what has none.
        """
        ids: list[int] = []
        slots: list[str] = []
        open_slot = False  # adjacent words without pieces share a slot
        for word, is_brand in (self.brands if brands is None else brands).split(text):
            if is_brand and word in self._brand_ids:
                ids.append(self._brand_ids[word])
                open_slot = False
                continue
            pieces = self._word_pieces(word)
            if not is_brand and UNKNOWN not in pieces:
                ids += pieces
                open_slot = False
            elif open_slot and not is_brand:
                slots[-1] += f" {word}"
            elif len(slots) < SLOTS:
                ids.append(FIRST_SLOT + len(slots))
                slots.append(word)
                open_slot = not is_brand
            else:
                ids += pieces
        return Source(ids, tuple(slots))

    def decode(self, ids: Iterable[int], slots: Sequence[str] = ()) -> str:
        """The text of ids: special tokens and slots that are not in `slots` give nothing."""
        parts: list[str] = []
        for token in ids:
            if token in self._brand_names:
                parts.append(WORD_BEGIN + self._brand_names[token])
            elif FIRST_SLOT <= token < FIRST_SLOT + len(slots):
                parts.append(WORD_BEGIN + slots[token - FIRST_SLOT])
            elif token >= FIRST_SLOT + SLOTS:
                parts.append(self._model.id_to_token(token) or "")
        return "".join(parts).replace(WORD_BEGIN, " ").strip()

    def _word_pieces(self, word: str) -> tuple[int, ...]:
        """Ids of the pieces of a word, or of the words of a brand."""
        pieces = self._pieces.get(word)
        if pieces is None:
            pieces = tuple(
                token.id for part in word.split(" ") for token in self._model.tokenize(WORD_BEGIN + part)
            )
            if len(self._pieces) >= CACHED_WORDS:
                self._pieces.clear()
            self._pieces[word] = pieces
        return pieces
