"""Tag Viterbi, 30 tokens and 150 tags, with any transition allowed and with BIO masks; pytorch-crf is the peer."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np

from harness import main

N_TOKENS, N_TAGS = 30, 150
LABELS = [*(f"{kind}-{i}" for i in range(75) for kind in "BI")][: N_TAGS - 1] + ["O"]
generator = np.random.default_rng(0)
EMISSIONS, TRANSITIONS, START, END = (
    generator.normal(size=shape).astype(np.float32)
    for shape in ((N_TOKENS, N_TAGS), (N_TAGS, N_TAGS), (N_TAGS,), (N_TAGS,))
)


def decoder(module: str, masked: bool, n_best: int = 1) -> Callable[[], Callable[[], object]]:
    def prepare() -> Callable[[], object]:
        tags = importlib.import_module(f"edge_sdk.kernels.{module}")
        masks = tags.bio_masks(LABELS) if masked else ()
        ready = tags.TagDecoder(TRANSITIONS, START, END, *masks)
        if n_best > 1:
            return lambda: ready.nbest(EMISSIONS, n_best)
        return lambda: ready.decode(EMISSIONS)

    return prepare


def single_use() -> Callable[[], object]:
    from edge_sdk.kernels.native import _tags

    masks = _tags.bio_masks(LABELS)
    return lambda: _tags.viterbi(EMISSIONS, TRANSITIONS, START, END, *masks)


def pytorch_crf() -> Callable[[], object]:
    import torch
    from torchcrf import CRF

    torch.set_num_threads(1)
    crf = CRF(N_TAGS, batch_first=True)
    with torch.no_grad():
        crf.transitions.copy_(torch.from_numpy(TRANSITIONS))
        crf.start_transitions.copy_(torch.from_numpy(START))
        crf.end_transitions.copy_(torch.from_numpy(END))
    emissions = torch.from_numpy(EMISSIONS)[None]
    expected = importlib.import_module("edge_sdk.kernels.reference.tags").viterbi(EMISSIONS, TRANSITIONS, START, END)
    assert crf.decode(emissions) == [expected[0].tolist()]
    return lambda: crf.decode(emissions)


if __name__ == "__main__":
    main(
        "tags",
        {
            "native": decoder("native._tags", False),
            "native, BIO masks": decoder("native._tags", True),
            "native, BIO masks, single use": single_use,
            "native, BIO masks, 5 best": decoder("native._tags", True, 5),
            "numba": decoder("numba.tags", False),
            "reference": decoder("reference.tags", False),
            "pytorch-crf": pytorch_crf,
        },
        ("numba", "torch", "pytorch-crf"),
    )
