"""What makes the members of a cohort learn from one another: the loss L_m of CWSeg.

Each member's prediction is a distribution over the tags for every character. The method's choice is
the Wasserstein-1 distance, which it estimates with a critic (equations 3 and 4). The critic's sums
over x and over y are separate: it sees which predictions two members make, not which character
each is for, so it only brings their averages together. `transport` is the distance of equation (2)
itself, exact, character by character. `kl` and `js` are the alternatives that the method compares with.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Critic(nn.Module):
    """The function f of equation (3): two layers, weights clipped to [-clip, clip].

    Equation (4) maximises over the critic what the members minimise. One optimizer does both,
    because the critic's gradients are turned round: `2 w.detach() - w` has the value of w and
    the gradient of -w.
    """

    def __init__(self, tags: int, hidden: int = 32, clip: float = 0.5) -> None:
        super().__init__()
        self.clip = clip
        self.first = nn.Parameter(torch.empty(hidden, tags).uniform_(-clip, clip))
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.second = nn.Parameter(torch.empty(1, hidden).uniform_(-clip, clip))

    def forward(self, probabilities: Tensor) -> Tensor:
        """f of each distribution: [characters, tags] -> [characters]."""
        first, bias, second = (
            2 * weight.detach() - weight for weight in (self.first, self.bias, self.second)
        )
        hidden = functional.relu(functional.linear(probabilities, first, bias))
        return functional.linear(hidden, second)[:, 0]

    @torch.no_grad()
    def clip_weights(self) -> None:
        """Bring the weights back into [-clip, clip], which keeps f Lipschitz."""
        for weight in self.parameters():
            weight.clamp_(-self.clip, self.clip)


def transport(first: Tensor, second: Tensor) -> Tensor:
    """Mean over characters of Wasserstein-1 (equation 2), every two tags at distance 1 of one another.

    Then the least that must be moved is half the sum of the absolute differences; log-probabilities in.
    """
    return (first.exp() - second.exp()).abs().sum(1).mean() / 2


def kl(first: Tensor, second: Tensor) -> Tensor:
    """Mean over characters of KL(first || second), made symmetric; log-probabilities in."""
    towards = functional.kl_div(first, second, log_target=True, reduction="batchmean")
    back = functional.kl_div(second, first, log_target=True, reduction="batchmean")
    return (towards + back) / 2


def js(first: Tensor, second: Tensor) -> Tensor:
    """Mean over characters of the Jensen-Shannon divergence; log-probabilities in."""
    middle = torch.logaddexp(first, second) - torch.log(torch.tensor(2.0))
    left = functional.kl_div(middle, first, log_target=True, reduction="batchmean")
    right = functional.kl_div(middle, second, log_target=True, reduction="batchmean")
    return (left + right) / 2
