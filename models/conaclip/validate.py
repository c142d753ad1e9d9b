"""Retrieval scores of a dual encoder, class by class: the text is that of a class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from edge_sdk.evaluate.retriever import retrieval_metrics
from edge_sdk.token_ids import TokenIds
from models.conaclip.corpus import Corpus
from models.conaclip.model import DualEncoder
from models.conaclip.tokens import encode

SETTLING = 512
"""Training pictures that batch statistics are taken from."""


class Validation:
    """Scores a model on a split as a device would: whole pictures, names as they stand."""

    def __init__(self, corpus: Corpus, training: Corpus, reader: TokenIds, size: int, length: int) -> None:
        rows = np.random.default_rng(0).permutation(len(training.labels))[:SETTLING]
        self.settling = training.whole(size, rows)
        present, self.labels = np.unique(corpus.labels, return_inverse=True)
        self.pixels = corpus.whole(size)
        self.tokens = encode(reader, [corpus.phrases.names[number] for number in present], length)

    def __call__(self, model: DualEncoder) -> Mapping[str, float]:
        """As `retrieval_metrics`, and `mean`, the average of both directions, which moves in finer
        steps than each R@k and decides which epoch is kept. Settles the model's statistics first."""
        settle(model, self.settling)
        texts = model.encode_text(self.tokens).numpy()
        found = retrieval_metrics(texts, embed_images(model, self.pixels).numpy(), self.labels)
        return {**found, "mean": (found["map"] + found["image_r@1"]) / 2}


def embed_images(model: DualEncoder, pixels: Tensor, batch: int = 64) -> Tensor:
    """float32 [images, dimension] of length 1; no gradient, bfloat16 products."""
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        return torch.cat([model.encode_image(part) for part in pixels.split(batch)])


def settle(model: DualEncoder, pixels: Tensor) -> None:
    """Give batch normalisation the statistics of these pictures, uint8 [images, size, size, 3].

    Averaged weights need statistics of their own (Izmailov et al., 2018), and whole pictures have
    others than the mixed crops of training (Touvron et al., 2019). Five points of R@1 hang on it.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
        norm.train()
    embed_images(model, pixels)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
