"""A student that begins as what its targets are made of.

A phrase's target is the unit sum of its words' weighted vectors beside the unit sum of its trigrams'
signs (`models.charemb.targets`), and so is the linear path of `BagEncoder`. Written into its tables,
neither need be learnt row by row; training is left with what the sums do not say: unknown words,
typing errors, phrases that mean more than their words, and what fewer dimensions lose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from edge_sdk.kernels import PhraseScheme, phrase_ngrams_many
from models.charemb.data import Bags
from models.charemb.model import BagEncoder
from models.charemb.targets import TRIGRAMS, Targets


def start_from_parts(model: BagEncoder, bags: Bags, targets: Targets, words: Sequence[str]) -> None:
    """Fill the tables and the linear path; `words` are all words of the matrix.

    Words' vectors lose all but their largest principal directions; trigrams that share a bucket
    share the mean of their signs, by how often each occurs in `words`.
    """
    meaning = targets.meaning(words)
    directions = np.linalg.svd(meaning, full_matrices=False)[2][: model.words.shape[1]]
    reduced = (meaning @ directions.T) * targets.weights(words)[:, None]
    reduced /= np.linalg.norm(reduced, axis=1).mean()
    numbers, ends = phrase_ngrams_many(list(words), bags.scheme)
    rows = np.searchsorted(bags.known, numbers[ends - 2])
    rows = np.minimum(rows, len(bags.known) - 1)
    has = bags.known[rows] == numbers[ends - 2]
    linear = torch.zeros_like(model.linear.weight)
    share, spelling = targets.config.spelling, targets.config.spelling_dimension
    size = meaning.shape[1]
    with torch.no_grad():
        model.words[1 + rows[has]] = torch.from_numpy(reduced[has]).float()
        linear[:size, model.windows.shape[1] :] = (1 - share) ** 0.5 * torch.from_numpy(directions.T)
        if spelling:
            model.windows.copy_(torch.from_numpy(_signs(bags.scheme, targets, words)))
            linear[size:, :spelling] = share**0.5 * torch.eye(spelling)
        model.linear.weight.copy_(linear)
        model.linear.bias.zero_()
        model.down.weight.zero_()
        model.down.bias.zero_()
        model.head.fill_(targets.config.head)


def _signs(scheme: PhraseScheme, targets: Targets, words: Sequence[str]) -> np.ndarray:
    """The table of windows: float32 [buckets + 1, spelling dimension]; zeros for no trigram."""
    own = replace(scheme, ngram_min=3, ngram_max=3, word_max=0)
    ours, _ = phrase_ngrams_many(list(words), own)  # the same windows in the same order
    theirs, _ = phrase_ngrams_many(list(words), TRIGRAMS)
    table = np.zeros((scheme.ngram_buckets + 1, targets.config.spelling_dimension), np.float32)
    pairs, often = np.unique(ours * np.int64(TRIGRAMS.ngram_buckets + 1) + theirs, return_counts=True)
    bucket, trigram = np.divmod(pairs, TRIGRAMS.ngram_buckets + 1)
    np.add.at(table, bucket, often[:, None] * targets.trigrams(trigram))
    return table / np.maximum(np.bincount(bucket, often, len(table)), 1)[:, None].astype(np.float32)
