"""Which target tokens a source token is likely to give: the table that decoding drafts from.

IBM model 1 (Brown et al., 1993) over pairs of ids, END standing for the empty word. The table only
decides how fast a translation is found, never which (`edge_sdk.decoding.draft`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_sdk.query_tokenizer import END

PER_TOKEN, ANYWHERE = 8, 96
LEAST = 0.02
"""Smaller probabilities are noise."""
LEAST_GIVEN = 0.5
"""Targets that an occurrence of a token gives on average; one that gives less is not guessed."""
ROUNDS = 6

Pairs = Sequence[tuple[Sequence[int], Sequence[int]]]
"""Source and target ids, each with END."""


def lexical_table(pairs: Pairs, vocabulary: int) -> tuple[np.ndarray, np.ndarray]:
    """The table as `edge_sdk.decoding.shortlist.Shortlist` reads it: starts int32 [V + 1], targets uint16 [n].

    A token's row has at most PER_TOKEN targets, the likeliest first, and before them END where the
    token mostly gives nothing at all. END's row has the ANYWHERE targets that most often follow from
    none of their source's tokens.
    """
    pairs = [(source, target[:-1]) for source, target in pairs]  # every target has END
    sources, targets, places = _links(pairs)
    keys, links = np.unique(sources.astype(np.int64) * vocabulary + targets, return_inverse=True)
    source, target = np.divmod(keys, vocabulary)
    probability = np.ones(len(keys))
    for _ in range(ROUNDS):
        share = probability[links]
        share /= np.bincount(places, share)[places]
        counts = np.bincount(links, share)
        probability = counts / np.bincount(source, counts)[source]
    order = np.lexsort((-probability, source))
    rank = np.empty(len(keys), np.int64)
    first = np.searchsorted(source[order], np.arange(vocabulary))
    rank[order] = np.arange(len(keys)) - first[source[order]]
    kept = (rank < PER_TOKEN) & (probability >= LEAST) & (source != END)
    # Target places that no kept pair and no copy of a source token explains.
    explained = np.bincount(places, kept[links] | (sources == targets)) > 0
    words = np.concatenate([np.array(t, np.int64) for _, t in pairs])
    missing = np.bincount(words[~explained], minlength=vocabulary)
    anywhere = np.argsort(-missing, kind="stable")[:ANYWHERE]
    rows = [np.empty(0, np.int64)] * vocabulary
    for token, chosen in zip(*_groups(source, target, kept, order)):
        rows[token] = chosen
    given = np.bincount(source, counts, minlength=vocabulary)
    present = np.bincount(np.concatenate([np.array(s, np.int64) for s, _ in pairs]), minlength=vocabulary)
    for token in np.flatnonzero((given < LEAST_GIVEN * present) & (np.arange(vocabulary) != END)):
        rows[token] = np.concatenate(([END], rows[token]))
    rows[END] = anywhere[missing[anywhere] > 0]
    starts = np.concatenate(([0], np.cumsum([len(row) for row in rows])))
    return starts.astype(np.int32), np.concatenate(rows).astype(np.uint16)


def _links(pairs: Pairs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every source token with every target token of its pair, and the target's place in the data."""
    sources, targets, places, place = [], [], [], 0
    for source, target in pairs:
        sources.append(np.tile(source, len(target)))
        targets.append(np.repeat(target, len(source)))
        places.append(np.repeat(np.arange(place, place + len(target)), len(source)))
        place += len(target)
    return np.concatenate(sources), np.concatenate(targets), np.concatenate(places)


def _groups(
    source: np.ndarray, target: np.ndarray, kept: np.ndarray, order: np.ndarray
) -> tuple[list[int], list[np.ndarray]]:
    """Kept targets by source token, in the given order."""
    chosen = order[kept[order]]
    tokens, first = np.unique(source[chosen], return_index=True)
    return tokens.tolist(), np.split(target[chosen], first[1:])
