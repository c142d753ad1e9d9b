"""How good the translations of a torch model are."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from edge_sdk.evaluate.translator import translation_metrics
from edge_sdk.query_tokenizer import END, QueryTokenizer
from models.query_translator.model import Translator
from models.query_translator.search import translate


def translations(
    model: Translator,
    tokenizer: QueryTokenizer,
    sources: Sequence[str],
    beam: int = 1,
    alpha: float = 1.0,
    bfloat16: bool = False,
) -> list[str]:
    """Translations of normalised texts, through the same tokenizer as in the runtime.

    `bfloat16`: matrix products in that precision, for many sources.
    """
    read = [tokenizer.encode(text) for text in sources]
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        found = translate(model, [[*source.ids, END] for source in read], beam, alpha)
    return [tokenizer.decode(ids, source.slots) for (ids, _), source in zip(found, read)]


def scores(found: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    """`bleu` and `exact_match` in percent, as `edge-sdk eval` reports them."""
    metrics = translation_metrics(found, wanted)
    return {"bleu": metrics["bleu"], "exact_match": metrics["exact_match"]}
