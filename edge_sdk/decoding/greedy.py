"""Greedy search: at each step the most probable token; many sources in step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_sdk.decoding.decoder import Decoder, Hypothesis
from edge_sdk.query_tokenizer import BEGIN, END


def greedy(
    decoder: Decoder, sources: Sequence[Sequence[int]], limits: Sequence[int]
) -> list[Hypothesis]:
    """The greedy target of each source.

    Args:
        sources: ids, each with END.
        limits: most tokens of each target (`LengthLimit`).

    A row that has ended leaves the batch, so that a short query does not pay for a long one.
    """
    memory = decoder.encode_batch(sources)
    past = decoder.start(memory)
    rows = np.arange(len(sources))
    tokens: list[list[int]] = [[] for _ in sources]
    log_p = np.zeros(len(sources))
    last = np.full(len(sources), BEGIN)
    for length in range(max(limits) + 1):
        hidden, past = decoder.step(decoder.vectors(last)[:, None], past, memory)
        scores = decoder.log_p(hidden[:, 0])
        full = np.array([limits[row] == length for row in rows.tolist()])
        last = np.where(full, END, scores.argmax(axis=1))
        log_p[rows] += scores[np.arange(len(rows)), last]
        going = last != END
        for row, token in zip(rows[going].tolist(), last[going].tolist()):
            tokens[row].append(token)
        if not going.all():
            rows, last, past, memory = rows[going], last[going], past[going], memory.rows(going)
        if not len(rows):
            break
    return [Hypothesis(tuple(t), float(p)) for t, p in zip(tokens, log_p)]
