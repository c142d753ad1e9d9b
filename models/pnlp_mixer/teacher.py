"""The teacher: a bidirectional LSTM-CRF over the same features (Huang et al., 2015).

It learns more from 15,000 utterances than a mixer does, but reads them step by step.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.common.dropout import ByteDropout
from models.pnlp_mixer.config import TeacherConfig
from models.pnlp_mixer.data import Labels
from models.pnlp_mixer.layers import Bottleneck, Heads, bio_crf


class Teacher(nn.Module):
    """Word features to tag logits and intent logits; `crf` holds the tag transitions."""

    def __init__(self, config: TeacherConfig, n_features: int, labels: Labels) -> None:
        super().__init__()
        hidden = config.hidden
        self.feature_dropout = ByteDropout(config.feature_dropout)
        self.bottleneck = Bottleneck(n_features, config.bottleneck, config.window, hidden)
        self.dropout = ByteDropout(config.dropout)
        self.lstm = nn.LSTM(
            hidden, hidden, config.layers, bidirectional=True, batch_first=True,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )  # fmt: skip
        self.heads = Heads(2 * hidden, labels, config.dropout)
        self.crf = bio_crf(labels)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """As `Mixer.forward`."""
        features = features.float()
        mask = (features.amax(-1, keepdim=True) > 0).float()
        x = self.dropout(self.bottleneck(self.feature_dropout(features), mask))
        lengths = mask[..., 0].sum(1).long()
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        x, _ = pad_packed_sequence(self.lstm(packed)[0], True, total_length=x.shape[1])
        return self.heads(x * mask, mask)
