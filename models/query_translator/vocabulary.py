"""Training of the subword vocabulary that source and target share."""

from __future__ import annotations

import re
from collections.abc import Iterable

from edge_sdk.query_tokenizer import FIRST_SLOT, SLOTS, WORD_BEGIN

SPECIAL = ["[PAD]", "[UNK]", "[BEGIN]", "[END]"]
_PIECES = re.compile(rf"{WORD_BEGIN}?(?:[^\W\d_]+|[\d_]|[^\w\s])")


def train_tokenizer(texts: Iterable[str], size: int) -> bytes:
    """The `tokenizer.json` of a BPE vocabulary with `size` entries, special ones included.

    Words bear "▁" at their begin. Letters, single digits and punctuation marks are never merged
    with one another, so that numbers are copied digit by digit.
    """
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    slots = [f"[COPY{i}]" for i in range(SLOTS)]
    assert len(SPECIAL) == FIRST_SLOT
    tokenizer = Tokenizer(BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = BpeTrainer(
        vocab_size=size, min_frequency=2, special_tokens=SPECIAL + slots, limit_alphabet=100, show_progress=False
    )  # fmt: skip
    tokenizer.train_from_iterator((" ".join(pieces(text)) for text in texts), trainer)
    return Tokenizer(tokenizer.model).to_str().encode("utf-8")


def pieces(text: str) -> list[str]:
    """The largest units that merges may build: "8:30 pm" -> ["▁8", ":", "3", "0", "▁pm"]."""
    return _PIECES.findall(" ".join(WORD_BEGIN + word for word in text.split(" ")))
