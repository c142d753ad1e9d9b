"""The losses of ConaCLIP's Table 1, and the contrastive loss with classes that trains a teacher.

Arguments are L2-normalised float32 [batch, dimension]. Names follow the paper: T and I are texts and
images, s and t student and teacher; row i of all four belongs to pair i. Equation numbers are those of
the paper.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def info_nce(a: Tensor, b: Tensor, temperature: float | Tensor) -> Tensor:
    """InfoNCE(a -> b), equation (2): how surely each row of `a` picks its own row of `b`."""
    return -log_probabilities(a, b, temperature).diagonal().mean()


def feature_distance(a: Tensor, b: Tensor) -> Tensor:
    """FD(a <=> b), equation (5): half the mean squared difference of components."""
    return 0.5 * (a - b).square().mean()


def similarity_distance(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """SD(a -> b <=> c -> d), equation (6): half the mean squared difference of two similarity
    matrices."""
    return 0.5 * (a @ b.T - c @ d.T).square().mean()


def kl_divergence(a: Tensor, b: Tensor, c: Tensor, d: Tensor, temperature: float | Tensor) -> Tensor:
    """KL(a -> b || c -> d), equation (7): of the probabilities p(a, b) from p(c, d), mean over rows."""
    found, target = log_probabilities(a, b, temperature), log_probabilities(c, d, temperature)
    return (found.exp() * (found - target)).sum(1).mean()


def log_probabilities(a: Tensor, b: Tensor, temperature: float | Tensor) -> Tensor:
    """log p(a, b), equation (1): [rows of a, rows of b]."""
    return functional.log_softmax(a @ b.T / temperature, 1)


def class_contrast(
    texts: Tensor, images: Tensor, match: Tensor, temperature: float | Tensor, smoothing: float
) -> Tensor:
    """CLIP's loss (3) where several texts may be true of an image, and several images fit a text.

    With one text a class, the usual loss pushes a text away from the images of its own class
    ("false negatives"); here both directions share their target among all that match.

    Args:
        texts: [T, dimension].
        images: [N, dimension].
        match: float [N, T]: how much of an image each text is true of, at least 0.
        smoothing: share of the image's target that goes to all texts alike.
    """
    logits = images @ texts.T / temperature
    target = match / match.sum(1, keepdim=True).clamp_min(1e-6)
    target = (1 - smoothing) * target + smoothing / match.shape[1]
    to_text = -(target * functional.log_softmax(logits, 1)).sum(1).mean()
    seen = match.sum(0) > 0
    target = match / match.sum(0).clamp_min(1e-6)
    to_image = -(target * functional.log_softmax(logits, 0)).sum(0)[seen].mean()
    return to_text + to_image
