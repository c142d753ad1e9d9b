"""Cohort training: several members learn the task and learn from one another (CWSeg, eq. 1 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

from models.cwseg.mimicry import Critic, js, kl, transport
from models.cwseg.model import Member
from models.cwseg.tags import TAGS

DISTANCES = {"transport": transport, "kl": kl, "js": js}
MIMICRY = ("wasserstein", *DISTANCES)
"""`wasserstein` is by a critic, `transport` the same distance exactly; see `models.cwseg.mimicry`."""


class Cohort(nn.Module):
    """K members and the loss that ties them:

        L = sum_i L_ci + 2 strength / (K (K - 1)) sum_{i<j} mimicry(p_i, p_j)

    One member alone has no second term. The first `frozen` members only teach: their weights stay
    and they have no L_c, which is plain distillation.

    Args:
        mimicry: one of MIMICRY.
        strength: the method's lambda.
        clip: the method's c, the bound of the critic's weights.
    """

    def __init__(
        self,
        members: Sequence[Member],
        mimicry: str = "wasserstein",
        strength: float = 0.5,
        clip: float = 0.5,
        frozen: int = 0,
    ) -> None:
        super().__init__()
        if mimicry not in MIMICRY:
            raise ValueError(f"mimicry {mimicry!r}: expected one of {', '.join(MIMICRY)}")
        self.members = nn.ModuleList(members)
        self.mimicry, self.strength, self.frozen = mimicry, strength, frozen
        self.pairs = [pair for pair in combinations(range(len(members)), 2) if pair[1] >= frozen]
        critics = len(self.pairs) if mimicry == "wasserstein" else 0
        self.critics = nn.ModuleList(Critic(len(TAGS), clip=clip) for _ in range(critics))
        for member in self.members[:frozen]:
            member.requires_grad_(False)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """L for one batch, a mean per character (see `models.cwseg.data.Corpus.batch`)."""
        inputs = [batch[name] for name in ("characters", "bigrams", "lexicon", "criterion")]
        emissions = []
        total = torch.zeros(())
        for number, member in enumerate(self.members):
            if number < self.frozen:
                member.eval()
                with torch.no_grad():
                    emissions.append(member(*inputs))
            else:
                emissions.append(member(*inputs))
                total = total + member.supervised_loss(emissions[-1], batch["tags"], batch["mask"])
        if not self.pairs:
            return total
        chosen = batch["mask"] > 0
        logs = [e.float()[chosen].log_softmax(1) for e in emissions]
        count = len(self.members)
        weight = 2 * self.strength / (count * (count - 1))
        return total + weight * sum(
            self._distance(number, logs[i], logs[j]) for number, (i, j) in enumerate(self.pairs)
        )

    def _distance(self, pair: int, first: Tensor, second: Tensor) -> Tensor:
        if self.mimicry in DISTANCES:
            return DISTANCES[self.mimicry](first, second)
        critic = self.critics[pair]
        critic.clip_weights()
        # Equation (4) sums; the mean keeps the weight independent of the batch, as L_c's does.
        return (critic(second.exp()) - critic(first.exp())).mean()
