"""The loss: supervised + augmentation + lambda x brand (paper, equation 1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from edge_sdk.query_tokenizer import PADDING
from models.query_translator.examples import Batch
from models.query_translator.model import Translator


def translation_loss(
    model: Translator, batch: Batch, weights: Sequence[float], smoothing: float = 0.1
) -> Tensor:
    """Weighted sum of the terms' label-smoothed cross entropies under teacher forcing.

    Each is the mean over the target tokens of its rows. Scores are worked out for real tokens only.
    """
    real = batch.target != PADDING
    logits = model.logits(model.hidden(batch.source, batch.target_in)[real])
    losses = functional.cross_entropy(
        logits.float(), batch.target[real], label_smoothing=smoothing, reduction="none"
    )
    term = batch.term[:, None].expand_as(real)[real]
    tokens = torch.bincount(term, minlength=len(weights)).clamp(min=1)
    share = torch.tensor(weights, dtype=torch.float32) / tokens
    return (losses * share[term]).sum()
