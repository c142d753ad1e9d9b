"""Greedy and beam search in PyTorch, for validation and for a teacher's translations.

The runtime has its own for the exported graphs; both follow one definition: scores are sums of
log-probabilities, divided by length ** alpha, END counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from edge_sdk.query_tokenizer import BEGIN, END, PADDING, UNKNOWN
from models.query_translator.model import KeysValues, Translator, source_bias

RATIO, EXTRA = 1.5, 6
"""A target ends after RATIO * source + EXTRA tokens at the latest."""
Found = list[tuple[list[int], float]]
"""Token ids without BEGIN and END, and the sum of their log-probabilities and END's."""


@torch.no_grad()
def translate(
    model: Translator, sources: Sequence[Sequence[int]], beam: int = 1, alpha: float = 1.0, batch: int = 64
) -> Found:
    """The best translation of each source (ids that end with END), in their order."""
    model.eval()
    order = sorted(range(len(sources)), key=lambda i: len(sources[i]))
    found: Found = [([], 0.0)] * len(sources)
    for first in range(0, len(order), batch):
        rows = order[first : first + batch]
        for row, result in zip(rows, _search(model, pad([sources[i] for i in rows]), beam, alpha)):
            found[row] = result
    return found


def pad(rows: Sequence[Sequence[int]]) -> Tensor:
    """int64 [len(rows), longest], filled up with PADDING."""
    width = max(len(row) for row in rows)
    return torch.tensor([[*row, *[PADDING] * (width - len(row))] for row in rows])


def _search(model: Translator, source: Tensor, beam: int, alpha: float) -> Found:
    size, width = source.shape[0], beam
    lengths = (source != PADDING).sum(1)
    limits = ((RATIO * lengths).long() + EXTRA).clamp(max=model.config.max_positions)
    source = source.repeat_interleave(width, 0)
    cross, bias = model.cross(model.encode(source)), source_bias(source)
    token = torch.full((size * width,), BEGIN)
    past: list[KeysValues] = []
    # Only the first hypothesis counts at first: all are the same.
    scores = torch.full((size, width), -torch.inf)
    scores[:, 0] = 0.0
    sequences = torch.zeros(size * width, 0, dtype=torch.int64)
    done: list[list[tuple[float, list[int], float]]] = [[] for _ in range(size)]
    for length in range(1, int(limits.max()) + 1):
        logits, past = model.step(token, past, cross, bias)
        logits[:, PADDING] = -torch.inf
        logits[:, BEGIN] = -torch.inf
        logits[:, UNKNOWN] = -torch.inf
        if (stop := limits <= length).any():
            rows = stop.repeat_interleave(width, 0)[:, None]
            logits = logits.masked_fill(rows & (torch.arange(logits.shape[1]) != END), -torch.inf)
        steps = logits.float().log_softmax(1).view(size, width, -1)
        total = (scores[:, :, None] + steps).flatten(1)
        scores, best = total.topk(2 * width, 1)  # enough to fill the beam though all of it ends
        origin, token = best // steps.shape[2], best % steps.shape[2]
        ended = token == END
        for row in range(size):
            for rank in range(width):
                if ended[row, rank] and scores[row, rank] > -torch.inf:
                    where = row * width + int(origin[row, rank])
                    total_score = float(scores[row, rank])
                    done[row].append((total_score / length**alpha, sequences[where].tolist(), total_score))
        keep = scores.masked_fill(ended, -torch.inf).topk(width, 1)
        scores = keep.values
        token = token.gather(1, keep.indices).flatten()
        chosen = (origin.gather(1, keep.indices) + torch.arange(size)[:, None] * width).flatten()
        sequences = torch.cat((sequences[chosen], token[:, None]), 1)
        past = [(k[chosen], v[chosen]) for k, v in past]
        # Nothing that is still open can end better than this.
        bound = scores[:, 0] / length**alpha
        if all(len(d) >= width or (d and max(d)[0] > b) for d, b in zip(done, bound.tolist())):
            break
    return [max(d)[1:] if d else ([], 0.0) for d in done]
