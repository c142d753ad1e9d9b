"""The CRF against all tag sequences, summed one by one, and against the runtime's decoder."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.kernels import TagDecoder, bio_masks
from models.common.crf import LinearChainCRF

TAGS = ["O", "B-x", "I-x", "B-y", "I-y"]


def make_crf(seed: int) -> LinearChainCRF:
    torch.manual_seed(seed)
    allowed, start, _ = bio_masks(TAGS)
    crf = LinearChainCRF(torch.from_numpy(allowed) > 0, torch.from_numpy(start) > 0)
    for parameter in crf.parameters():
        parameter.data.normal_()
    return crf


def allowed_paths(length: int) -> list[tuple[int, ...]]:
    """Sequences in which every I-x follows B-x or I-x, written out without the masks."""
    paths = []
    for path in product(range(len(TAGS)), repeat=length):
        names = ["O", *(TAGS[tag] for tag in path)]
        if all(b[0] != "I" or (a != "O" and a[2:] == b[2:]) for a, b in zip(names, names[1:])):
            paths.append(path)
    return paths


def path_score(crf: LinearChainCRF, emissions: torch.Tensor, path: tuple[int, ...]) -> torch.Tensor:
    score = crf.start[path[0]] + crf.end[path[-1]]
    for position, tag in enumerate(path):
        score = score + emissions[position, tag]
    for before, after in zip(path, path[1:]):
        score = score + crf.transitions[before, after]
    return score


@given(st.integers(0, 2**31), st.integers(1, 4), st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_likelihood_is_the_share_of_all_allowed_paths(seed: int, length: int, padding: int) -> None:
    crf = make_crf(seed)
    emissions = torch.randn(1, length + padding, len(TAGS))
    paths = allowed_paths(length)
    scores = torch.stack([path_score(crf, emissions[0], path) for path in paths])
    mask = torch.tensor([[1.0] * length + [0.0] * padding])

    assert torch.allclose(crf.log_partition(emissions, mask)[0], scores.logsumexp(0), atol=1e-4)
    path = paths[seed % len(paths)]
    tags = torch.tensor([[*path, *[0] * padding]])
    expected = scores.logsumexp(0) - path_score(crf, emissions[0], path)
    loss = crf.negative_log_likelihood(emissions, tags, mask)
    assert torch.allclose(loss, expected, atol=1e-4)


def test_the_decoder_finds_the_most_likely_path() -> None:
    crf = make_crf(3)
    table = crf.table().numpy()
    decoder = TagDecoder(table[:-2], table[-2], table[-1], *bio_masks(TAGS))
    emissions = torch.randn(4, len(TAGS))
    best = max(allowed_paths(4), key=lambda path: path_score(crf, emissions, path).item())
    tags, score = decoder.decode(emissions.numpy())
    assert tuple(tags) == best
    assert score == pytest.approx(path_score(crf, emissions, best).item(), abs=1e-4)


def test_training_finds_the_transitions_that_produced_the_tags() -> None:
    """Emissions say nothing, so only transitions can tell that O alternates with B-x."""
    crf = make_crf(0)
    tags = torch.tensor([[0, 1, 0, 1, 0, 1]])
    emissions, mask = torch.zeros(1, 6, len(TAGS)), torch.ones(1, 6)
    optimizer = torch.optim.Adam(crf.parameters(), lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        loss = crf.negative_log_likelihood(emissions, tags, mask)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    table = crf.table().numpy()
    decoder = TagDecoder(table[:-2], table[-2], table[-1], *bio_masks(TAGS))
    assert list(decoder.decode(np.zeros((6, len(TAGS)), np.float32))[0]) == [0, 1, 0, 1, 0, 1]
