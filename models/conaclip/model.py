"""A dual encoder: texts and images into one space, where a text lies near its images.

ConaCLIP, Wang et al., "ConaCLIP: Exploring Distillation of Fully-Connected Knowledge Interaction
Graph for Lightweight Text-Image Retrieval" (ACL 2023), with the teacher of Radford et al. (2021).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.conaclip.config import DualConfig
from models.conaclip.image_encoder import ImageEncoder, build_image_encoder
from models.conaclip.text_encoder import TextEncoder


class DualEncoder(nn.Module):
    """Both towers, and the temperature of the contrastive loss that trains them."""

    def __init__(self, config: DualConfig) -> None:
        super().__init__()
        self.config = config
        self.text = TextEncoder(config.text, config.dimension)
        self.image: ImageEncoder = build_image_encoder(config.image, config.dimension)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        """Log of 1 / temperature, CLIP's first value."""

    def encode_text(self, tokens: Tensor) -> Tensor:
        """Integers [batch, n] -> float32 [batch, dimension] of length 1."""
        return functional.normalize(self.text(tokens).float(), dim=1)

    def encode_image(self, pixels: Tensor) -> Tensor:
        """uint8 [batch, height, width, 3] -> float32 [batch, dimension] of length 1."""
        return functional.normalize(self.image(pixels).float(), dim=1)

    def parameters_in_millions(self) -> float:
        """Of both towers, the projections into the joint space included."""
        return sum(p.numel() for p in self.parameters()) / 1e6
