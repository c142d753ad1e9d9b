"""What the mixer and its teacher have in common: features in, tag and intent logits out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edge_sdk.kernels import bio_masks
from models.common.crf import LinearChainCRF
from models.common.dropout import ByteDropout
from models.pnlp_mixer.data import Labels

# Where a bucket of 512 catches 16 of 256 hashes the scaled count is 1.
_COUNT_SCALE = 1 / 16
_NEVER_MAXIMAL = -1e4


def activation() -> nn.Module:
    """LeakyReLU, as the paper's bottleneck; in the mixer's MLPs it costs a fraction of GELU."""
    return nn.LeakyReLU(0.01)


class Bottleneck(nn.Module):
    """Features of a token and of its neighbours to the hidden width (paper, section 3.2).

    The paper's is one layer, features -> hidden. With neighbours that layer would be most of the
    model, so each token is first reduced to `width` values and these are joined.
    """

    def __init__(self, n_features: int, width: int, window: int, hidden: int) -> None:
        super().__init__()
        self.window = window
        self.reduce = nn.Linear(n_features, width)
        self.join = nn.Linear(width * (2 * window + 1), hidden)
        self.activation = activation()
        self.norm = nn.LayerNorm(hidden)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Features float32 [batch, tokens, n_features] and mask float32 [batch, tokens, 1] to
        float32 [batch, tokens, hidden], arbitrary where padded."""
        tokens = features.shape[1]
        # The weights are scaled, not the features: the exporter folds that into a constant.
        scaled = F.linear(features, self.reduce.weight * _COUNT_SCALE, self.reduce.bias)
        own = self.activation(scaled) * mask
        padded = F.pad(own, (0, 0, self.window, self.window))
        joined = torch.cat([padded[:, i : i + tokens] for i in range(2 * self.window + 1)], -1)
        return self.norm(self.activation(self.join(joined)))


class Heads(nn.Module):
    """Tag logits of each token, and intent logits of the maximum over tokens (section 3.2)."""

    def __init__(self, hidden: int, labels: Labels, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.dropout = ByteDropout(dropout)
        self.slots = nn.Linear(hidden, len(labels.tags))
        self.intents = nn.Linear(hidden, len(labels.intents))

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, tokens, hidden] -> [batch, tokens, tags], [batch, intents]."""
        x = self.dropout(self.norm(x))
        pooled = (x + (1.0 - mask) * _NEVER_MAXIMAL).amax(1)
        return self.slots(x), self.intents(pooled)


def bio_crf(labels: Labels) -> LinearChainCRF:
    """A CRF that allows what BIO allows."""
    allowed, start, _ = bio_masks(labels.tags)
    return LinearChainCRF(torch.from_numpy(allowed) > 0, torch.from_numpy(start) > 0)
