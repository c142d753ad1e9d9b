"""Retrieval scores of a dual encoder, class by class: the text is that of a class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from edge_sdk.token_ids import TokenIds
from models.conaclip.corpus import Corpus
from models.conaclip.model import DualEncoder
from models.conaclip.tokens import encode

KS = (1, 5, 10)


def scores(texts: np.ndarray, images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Percentages of queries that are answered.

    `r@k`: classes (that have images) whose text finds an image of its class among the k nearest.
    `image_r@k`: images whose class has its text among the k nearest. `map`: mean average precision
    of the texts' rankings, which moves in finer steps than `r@k`.

    Args:
        texts: float32 [classes, dimension], of length 1.
        images: float32 [images, dimension], of length 1.
        labels: int64 [images], the class of each image.
    """
    similarity = texts @ images.T
    queries = np.unique(labels)
    hits = labels[np.argsort(-similarity, axis=1, kind="stable")][queries] == queries[:, None]
    found = {f"r@{k}": 100 * float(hits[:, :k].any(1).mean()) for k in KS}
    candidates = queries[np.argsort(-similarity[queries].T, axis=1, kind="stable")]
    right = candidates == labels[:, None]
    found |= {f"image_r@{k}": 100 * float(right[:, :k].any(1).mean()) for k in KS}
    precision = hits.cumsum(1) / np.arange(1, hits.shape[1] + 1)
    found["map"] = 100 * float(((precision * hits).sum(1) / hits.sum(1)).mean())
    return found


class Validation:
    """Scores a model on a split as a device would: whole pictures, names as they stand."""

    def __init__(self, corpus: Corpus, reader: TokenIds, size: int, length: int) -> None:
        self.labels = corpus.labels
        self.pixels = corpus.whole(size)
        self.tokens = encode(reader, corpus.phrases.names, length)

    def __call__(self, model: DualEncoder) -> Mapping[str, float]:
        """As `scores`, and `mean`, the average of both directions, by which a model is chosen."""
        texts = model.encode_text(self.tokens).numpy()
        found = scores(texts, embed_images(model, self.pixels).numpy(), self.labels)
        return {**found, "mean": (found["map"] + found["image_r@1"]) / 2}


def embed_images(model: DualEncoder, pixels: Tensor, batch: int = 64) -> Tensor:
    """float32 [images, dimension] of length 1; no gradient, bfloat16 products."""
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        return torch.cat([model.encode_image(part) for part in pixels.split(batch)])
