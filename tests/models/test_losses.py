"""Distillation against distributions written out path by path."""

import torch
from torch import Tensor, nn

from models.common.crf import LinearChainCRF
from models.pnlp_mixer.data import Batch
from models.pnlp_mixer.losses import Ensemble, distillation_loss
from tests.models.test_crf import TAGS, allowed_paths, make_crf, path_score

LENGTH = 3


class Fixed(nn.Module):
    """A tagger that always says the same."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.crf: LinearChainCRF = make_crf(seed)
        self.slots = nn.Parameter(torch.randn(1, LENGTH, len(TAGS)))
        self.intents = nn.Parameter(torch.randn(1, 4))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.slots * 1, self.intents * 1


class NoTable:
    """`Fixed` does not look at features."""

    def features(self, numbers: Tensor) -> Tensor:
        return torch.zeros(*numbers.shape, 2)


def a_batch() -> Batch:
    zero = torch.zeros(1, LENGTH, dtype=torch.int64)
    none = torch.zeros(1, dtype=torch.int64)
    return Batch(NoTable(), zero, torch.ones(1, LENGTH), zero, none)


def distribution(crf: LinearChainCRF, slots: Tensor) -> Tensor:
    """Probability of each allowed path."""
    return torch.stack([path_score(crf, slots[0], path) for path in allowed_paths(LENGTH)]).softmax(
        0
    )


def test_an_ensemble_is_the_geometric_mean_of_its_members() -> None:
    members = [Fixed(1), Fixed(2)]
    ensemble = Ensemble(members)
    slots, _ = ensemble.logits(torch.zeros(1, LENGTH, 2))
    logs = [distribution(member.crf, member.slots).log() for member in members]
    expected = ((logs[0] + logs[1]) / 2).softmax(0)
    assert torch.allclose(distribution(ensemble.crf, slots), expected, atol=1e-5)


def test_targets_are_the_marginals_of_all_paths() -> None:
    ensemble = Ensemble([Fixed(5)])
    batch = a_batch()
    targets = ensemble.targets(batch)
    probabilities = distribution(ensemble.crf, ensemble.logits(batch.features)[0])
    slots, transitions = torch.zeros(LENGTH, len(TAGS)), torch.zeros(len(TAGS), len(TAGS))
    for path, probability in zip(allowed_paths(LENGTH), probabilities.detach(), strict=True):
        for position, tag in enumerate(path):
            slots[position, tag] += probability
        for before, after in zip(path, path[1:]):
            transitions[before, after] += probability
    assert torch.allclose(targets.slots[0], slots, atol=1e-5)
    assert torch.allclose(targets.transitions, transitions, atol=1e-5)
    assert torch.allclose(targets.start, slots[0], atol=1e-5)
    assert torch.allclose(targets.end, slots[-1], atol=1e-5)


def test_the_loss_is_the_cross_entropy_over_whole_paths() -> None:
    teacher, student, batch = Fixed(8), Fixed(9), a_batch()
    targets = Ensemble([teacher]).targets(batch)
    loss = distillation_loss(student.crf, student(batch.features), batch, targets, 0.5)
    p = distribution(teacher.crf, teacher.slots)
    q = distribution(student.crf, student.slots)
    intents = -(teacher.intents.softmax(-1) * student.intents.log_softmax(-1)).sum()
    assert torch.allclose(loss, -(p * q.log()).sum() + 0.5 * intents, atol=1e-4)


def test_a_student_learns_the_teachers_distribution() -> None:
    teacher, student, batch = Fixed(8), Fixed(9), a_batch()
    targets = Ensemble([teacher]).targets(batch)
    optimizer = torch.optim.Adam(student.parameters(), lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        distillation_loss(student.crf, student(batch.features), batch, targets, 0.5).backward()
        optimizer.step()
    p = distribution(teacher.crf, teacher.slots)
    q = distribution(student.crf, student.slots)
    assert (p - q).abs().max().item() < 0.01
