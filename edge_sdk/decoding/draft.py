"""Greedy search for one source, by drafting: the same result with fewer reads of the weights.

Most of a step's time goes into reading the vocabulary matrix. So the next token is looked for
among a few hundred candidates only, which the source suggests; later one pass of the whole matrix
over all drafted tokens at once checks them. Up to the first token that another one beats, the
draft is what plain greedy search finds, and so are its scores; that token is corrected, and
drafting goes on behind it. (Speculative decoding, Leviathan et al. 2023, where the draft comes
from the model itself with a smaller vocabulary, so that even its cached keys and values are kept.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_sdk.decoding.decoder import Decoder, Hypothesis
from edge_sdk.query_tokenizer import BEGIN, END


def drafted_greedy(
    decoder: Decoder, source: Sequence[int], limit: int, candidates: np.ndarray
) -> Hypothesis:
    """The greedy target of a source, as `greedy` finds it.

    Args:
        source: ids with END.
        limit: most tokens of the target.
        candidates: int32 [c], ids that the draft chooses from, END among them. They decide how
            fast the result is found, not which.
    """
    vectors = decoder.vectors(np.concatenate((source, (BEGIN,), candidates)))
    n = len(source)
    memory = decoder.encode(vectors[None, :n], np.zeros((1, 1, 1, n), np.float32))
    drafter = vectors[n + 1 :]
    # The candidates' rows of the vocabulary matrix, up to a factor: the matrix is the embedding.
    vector, past = vectors[n : n + 1], decoder.start(memory)
    tokens: list[int] = []
    log_p = 0.0
    block = limit + 1  # how many tokens are drafted before a check
    while True:
        draft: list[int] = []
        hidden: list[np.ndarray] = []
        while len(draft) < block:
            state, past = decoder.step(vector, past, memory)
            hidden.append(state)
            best = int((drafter @ state[0]).argmax()) if len(tokens) + len(draft) < limit else -1
            draft.append(int(candidates[best]) if best >= 0 else END)
            if draft[-1] == END:
                break
            vector = drafter[best : best + 1]
        scores = decoder.log_p(np.concatenate(hidden))
        checked = scores.argmax(axis=1)
        if len(tokens) + len(draft) > limit:
            checked[-1] = END
        right = 0
        while right < len(draft) and draft[right] == checked[right]:
            right += 1
        kept = checked[: right + 1].tolist()
        log_p += float(scores[np.arange(len(kept)), kept].sum())
        if kept[-1] == END:
            return Hypothesis((*tokens, *kept[:-1]), log_p)
        tokens += kept
        if right < len(draft):
            vector = decoder.vectors(kept[-1:])
            past = np.ascontiguousarray(past[:, :, : len(tokens)])
            block = max(1, 2 * right)  # a draft that was soon wrong cost more than it won
        else:
            block *= 2
