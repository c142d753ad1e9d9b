"""F1 of words on segmented sentences, with the decoder that runs on the device."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from edge_sdk.kernels import TagDecoder
from models.cwseg.data import Corpus
from models.cwseg.model import Member
from models.cwseg.tags import I, allowed

_BATCH = 128


def word_f1(member: Member, corpus: Corpus, features: np.ndarray, bfloat16: bool = True) -> float:
    """F1 of words, in percent, as the SIGHAN bake-off counts them: both ends must be right."""
    gold = found = right = 0
    for sentence, tags in predict(member, corpus, features, bfloat16):
        first = corpus.offsets[sentence]
        ours, theirs = _words(tags), _words(corpus.tags[first : first + len(tags)])
        gold, found, right = gold + len(theirs), found + len(ours), right + len(ours & theirs)
    return 200.0 * right / max(1, gold + found)


@torch.no_grad()
def predict(
    member: Member, corpus: Corpus, features: np.ndarray, bfloat16: bool = True
) -> Iterator[tuple[int, np.ndarray]]:
    """(sentence, its tags), shortest sentences first."""
    table = member.crf.table().float().numpy()
    moves, first, last = (mask.numpy() for mask in allowed())
    decoder = TagDecoder(table[:3].copy(), table[3].copy(), table[4].copy(), moves, first, last)
    order = np.argsort(corpus.lengths, kind="stable")
    for at in range(0, len(order), _BATCH):
        rows = order[at : at + _BATCH]
        batch = corpus.batch(rows, features)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            emissions = member(
                batch["characters"], batch["bigrams"], batch["lexicon"], batch["criterion"]
            )
        for row, scores in zip(rows.tolist(), emissions.float().numpy()):
            yield row, decoder.decode(np.ascontiguousarray(scores[: corpus.lengths[row]]))[0]


def _words(tags: np.ndarray) -> set[tuple[int, int]]:
    starts = np.flatnonzero(tags != I).tolist()
    return set(zip(starts, [*starts[1:], len(tags)]))
