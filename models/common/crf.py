"""A linear-chain conditional random field over tag sequences (Lafferty et al., 2001).

Only the training side: decoding is `edge_sdk.kernels.viterbi`, the same code as on the device.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Stands for minus infinity: exp() of it is 0 in fp32, yet 0 times it is not NaN.
FORBIDDEN = -1e4
_TINY = 1e-30


class LinearChainCRF(nn.Module):
    """Scores of tag transitions, and the likelihood of a tag sequence under them.

    Args:
        allowed: bool [tags, tags], entry (i, j) tells whether tag j may follow tag i.
        allowed_start: bool [tags], tags that may come first.
    """

    def __init__(self, allowed: Tensor, allowed_start: Tensor) -> None:
        super().__init__()
        tags = allowed.shape[0]
        self.transitions = nn.Parameter(torch.zeros(tags, tags))
        self.start = nn.Parameter(torch.zeros(tags))
        self.end = nn.Parameter(torch.zeros(tags))
        self.register_buffer("allowed", allowed.float(), persistent=False)
        self.register_buffer(
            "forbidden_start", (~allowed_start.bool()).float() * FORBIDDEN, persistent=False
        )

    def negative_log_likelihood(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Mean over the batch of -log p(tags | emissions).

        Args:
            emissions: float32 [batch, tokens, tags].
            tags: int64 [batch, tokens]; anything where the mask is 0.
            mask: float32 [batch, tokens], 1 for tokens, then 0 for padding; no empty rows.
        """
        return (self.log_partition(emissions, mask) - self._score(emissions, tags, mask)).mean()

    def log_partition(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Log of the summed weights of all allowed tag sequences, float32 [batch].

        One matrix product a step: log(exp(alpha) @ exp(transitions)), with alpha's maximum taken
        out first; the usual [batch, tags, tags] log-sum-exp is a hundred times slower on a CPU.
        """
        with torch.autocast(emissions.device.type, enabled=False):  # bfloat16 sums too coarsely
            weights = self.transitions.exp() * self.allowed
            alpha = self.start + self.forbidden_start + emissions[:, 0]
            for step in range(1, emissions.shape[1]):
                top = alpha.max(1, keepdim=True).values
                moved = torch.log((alpha - top).exp() @ weights + _TINY) + top + emissions[:, step]
                alpha = torch.where(mask[:, step : step + 1] > 0, moved, alpha)
            return torch.logsumexp(alpha + self.end, 1)

    def _score(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        emitted = (emissions.gather(2, tags[:, :, None])[:, :, 0] * mask).sum(1)
        moved = (self.transitions[tags[:, :-1], tags[:, 1:]] * mask[:, 1:]).sum(1)
        last = tags.gather(1, mask.sum(1).long()[:, None] - 1)[:, 0]
        return emitted + moved + self.start[tags[:, 0]] + self.end[last]

    def table(self) -> Tensor:
        """What a bundle stores: float32 [tags + 2, tags]; rows are the tag left, then the start
        scores, then the end scores. Which transitions are allowed follows from the tags' names.
        """
        return torch.cat([self.transitions, self.start[None], self.end[None]]).detach()
