"""The loss: supervised + augmentation + lambda x brand (paper, equation 1)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from edge_sdk.query_tokenizer import PADDING
from models.query_translator.examples import Group
from models.query_translator.model import Translator


def translation_loss(
    model: Translator, batch: Sequence[Group], weights: Sequence[float], smoothing: float = 0.1
) -> Tensor:
    """Weighted sum of the terms' cross entropies, each the mean over its target tokens."""
    losses = [
        weight * cross_entropy(model, group, smoothing) for weight, group in zip(weights, batch) if weight
    ]
    return sum(losses[1:], losses[0])


def cross_entropy(model: Translator, group: Group, smoothing: float) -> Tensor:
    """Label-smoothed cross entropy under teacher forcing. Scores are worked out for real tokens only."""
    real = group.target != PADDING
    logits = model.logits(model.hidden(group.source, group.target_in)[real])
    return functional.cross_entropy(logits.float(), group.target[real], label_smoothing=smoothing)
