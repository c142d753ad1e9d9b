"""Losses of taggers: from labels, and from an ensemble of teachers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.common.crf import LinearChainCRF
from models.pnlp_mixer.data import Batch


def supervised_loss(
    crf: LinearChainCRF, logits: tuple[Tensor, Tensor], batch: Batch, intent_weight: float
) -> Tensor:
    """Negative log-likelihood of the tags plus the weighted cross entropy of the intent."""
    slots, intents = (x.float() for x in logits)
    tags = crf.negative_log_likelihood(slots, batch.tags, batch.mask)
    return tags + intent_weight * F.cross_entropy(intents, batch.intents)


@dataclass(frozen=True)
class Targets:
    """What an ensemble says of a batch: the expected counts of its joint distribution.

    slots: float32 [batch, tokens, tags], marginal probabilities, zero where padded.
    transitions: float32 [tags, tags], expected transitions in the whole batch; start and end:
    float32 [tags], expected first and last tags. intents: float32 [batch, intents].
    """

    slots: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor
    intents: Tensor


class Ensemble:
    """Several taggers with the same labels as one: the geometric mean of their distributions.

    A CRF's distribution is proportional to exp(score), so that mean is one CRF over the averaged
    tag logits and transitions. Intents are averaged as probabilities.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        self._members = [member.eval() for member in members]
        crfs = [member.crf for member in members]
        self.crf = LinearChainCRF(crfs[0].allowed > 0, crfs[0].forbidden_start == 0)
        with torch.no_grad():
            for name, parameter in self.crf.named_parameters():
                parameter.copy_(torch.stack([getattr(crf, name) for crf in crfs]).mean(0))

    @torch.no_grad()
    def logits(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Averaged tag logits, and the log of the averaged intent probabilities."""
        outputs = [member(features) for member in self._members]
        slots = torch.stack([slots.float() for slots, _ in outputs]).mean(0)
        intents = torch.stack([intents.float().softmax(-1) for _, intents in outputs]).mean(0)
        return slots, intents.log()

    def targets(self, batch: Batch) -> Targets:
        """Expected counts, as the gradient of the log partition by the scores that they count."""
        slots, intents = self.logits(batch.features)
        parameters = self.crf.transitions, self.crf.start, self.crf.end
        with torch.enable_grad():
            slots.requires_grad_()
            total = self.crf.log_partition(slots, batch.mask).sum()
            counts = torch.autograd.grad(total, (slots, *parameters))
        return Targets(*counts, intents.exp())


def distillation_loss(
    crf: LinearChainCRF,
    logits: tuple[Tensor, Tensor],
    batch: Batch,
    targets: Targets,
    intent_weight: float,
) -> Tensor:
    """Cross entropy of the student's joint tag distribution under the ensemble's, mean over the
    batch, plus that of the intents.

    -E[log p] = log partition - E[score], and the score is linear in the counts: exact for whole
    tag sequences at the cost of the usual likelihood.
    """
    slots, intents = (x.float() for x in logits)
    expected = (
        (slots * targets.slots).sum()
        + (crf.transitions * targets.transitions).sum()
        + (crf.start * targets.start).sum()
        + (crf.end * targets.end).sum()
    )
    tags = (crf.log_partition(slots, batch.mask).sum() - expected) / len(slots)
    intent = -(targets.intents * intents.log_softmax(-1)).sum(-1).mean()
    return tags + intent_weight * intent
