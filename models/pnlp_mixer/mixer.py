"""The pNLP-Mixer: bottleneck, mixer blocks, a tag head and an intent head in one network."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.common.dropout import ByteDropout
from models.pnlp_mixer.config import MixerConfig
from models.pnlp_mixer.data import Labels
from models.pnlp_mixer.layers import Bottleneck, Heads, activation, bio_crf


class TokenMixing(nn.Module):
    """The MLP over positions, cut to the tokens that are there.

    Padded tokens come in as zero, so they add nothing to the hidden layer, and what is written to
    them is not wanted: the first n rows of the weights give the same result as all `max_tokens`,
    and a call costs what its own tokens cost. There are no biases: adding one to the hidden layer is
    a pass over token_hidden x hidden values, whatever the length.

    The optional filter adds to each token a weighted sum of its neighbours, a channel at a time:
    it sees distances, where the MLP sees absolute positions.
    """

    def __init__(self, config: MixerConfig) -> None:
        super().__init__()
        width, tokens = config.token_hidden, config.max_tokens
        # Scaled for the usual number of tokens, not for the largest.
        self.up = nn.Parameter(torch.randn(tokens, width) / math.sqrt(8))
        self.down = nn.Parameter(torch.randn(tokens, width) / math.sqrt(width))
        self.activation = activation()
        self.filter = (
            nn.Parameter(torch.randn(config.filter_width, config.hidden) * 0.1)
            if config.filter_width
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """[batch, tokens, hidden], zero where padded -> the same shape."""
        tokens = x.shape[1]
        mixed = self.activation(self.up[:tokens].t() @ x)
        mixed = self.down[:tokens] @ mixed
        if self.filter is not None:
            width = self.filter.shape[0]
            padded = F.pad(x, (0, 0, width // 2, width // 2))
            for i in range(width):
                mixed = mixed + padded[:, i : i + tokens] * self.filter[i]
        return mixed


class MixerBlock(nn.Module):
    """Token mixing, then channel mixing, each on normalised input and added to it
    (MLP-Mixer: Tolstikhin et al., 2021, section 2)."""

    def __init__(self, config: MixerConfig) -> None:
        super().__init__()
        self.token_norm = nn.LayerNorm(config.hidden)
        self.token_mixing = TokenMixing(config)
        self.channel_norm = nn.LayerNorm(config.hidden)
        self.channel_mixing = nn.Sequential(
            nn.Linear(config.hidden, config.channel_hidden),
            activation(),
            ByteDropout(config.dropout),
            nn.Linear(config.channel_hidden, config.hidden),
        )
        self.dropout = ByteDropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[batch, tokens, hidden] -> the same shape; what stands at padded places is arbitrary.

        Only token mixing looks at other tokens, so masking its input keeps padding out.
        """
        x = x + self.dropout(self.token_mixing(self.token_norm(x) * mask))
        return x + self.dropout(self.channel_mixing(self.channel_norm(x)))


class Mixer(nn.Module):
    """Word features to tag logits and intent logits; `crf` holds the tag transitions."""

    def __init__(self, config: MixerConfig, n_features: int, labels: Labels) -> None:
        super().__init__()
        self.bottleneck = Bottleneck(n_features, config.bottleneck, config.window, config.hidden)
        self.dropout = ByteDropout(config.dropout)
        self.blocks = nn.ModuleList(MixerBlock(config) for _ in range(config.layers))
        self.heads = Heads(config.hidden, labels, config.dropout)
        self.crf = bio_crf(labels)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """features: uint8 or float32 [batch, tokens, n_features], all zero where padded.

        Returns tag logits float32 [batch, tokens, tags] and intent logits [batch, intents].
        Padding is told by the features themselves: a word's counts are never all zero.
        """
        # Widened first: onnxruntime 1.17 cannot compare bytes.
        mask = (features.amax(-1, keepdim=True).float() > 0).float()
        x = self.dropout(self.bottleneck(features.float(), mask))
        for block in self.blocks:
            x = block(x, mask)
        return self.heads(x, mask)
