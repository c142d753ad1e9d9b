"""The fully-connected interaction graph between texts and images of student and teacher.

Table 1 of the paper, cell by cell: learning within one modality (`intra`) or between both (`inter`),
among student features (`stu_stu`) or between teacher and student (`tch_stu`). A cell is called
`learning_type_loss`. The row intra_stu_stu is not legible in the source; its cells follow the pattern
of the other rows. In symmetric losses both sides learn: the paper does not say that one is detached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from models.conaclip.losses import feature_distance as fd
from models.conaclip.losses import info_nce, kl_divergence
from models.conaclip.losses import similarity_distance as sd


@dataclass(frozen=True)
class Features:
    """L2-normalised outputs for a batch of pairs: float32 [batch, dimension] each."""

    ts: Tensor
    """Texts, student."""
    is_: Tensor
    """Images, student."""
    tt: Tensor
    """Texts, teacher."""
    it: Tensor
    """Images, teacher."""
    temperature: float = 0.07

    def nce(self, a: Tensor, b: Tensor) -> Tensor:
        return info_nce(a, b, self.temperature)

    def kl(self, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
        return kl_divergence(a, b, c, d, self.temperature)


def intra_stu_stu_sd(f: Features) -> Tensor:
    return sd(f.ts, f.ts, f.tt, f.tt) + sd(f.is_, f.is_, f.it, f.it)


def intra_stu_stu_kl(f: Features) -> Tensor:
    return f.kl(f.ts, f.ts, f.tt, f.tt) + f.kl(f.is_, f.is_, f.it, f.it)


def intra_stu_stu_sym_sd(f: Features) -> Tensor:
    return sd(f.ts, f.ts, f.is_, f.is_)


def intra_stu_stu_sym_kl(f: Features) -> Tensor:
    return f.kl(f.ts, f.ts, f.is_, f.is_) + f.kl(f.is_, f.is_, f.ts, f.ts)


def inter_stu_stu_info_nce(f: Features) -> Tensor:
    return f.nce(f.ts, f.is_) + f.nce(f.is_, f.ts)


def inter_stu_stu_fd(f: Features) -> Tensor:
    return fd(f.ts, f.is_)


def inter_stu_stu_sd(f: Features) -> Tensor:
    return sd(f.ts, f.is_, f.tt, f.it) + sd(f.is_, f.ts, f.it, f.tt)


def inter_stu_stu_kl(f: Features) -> Tensor:
    return f.kl(f.ts, f.is_, f.tt, f.it) + f.kl(f.is_, f.ts, f.it, f.tt)


def intra_tch_stu_info_nce(f: Features) -> Tensor:
    """Equation (4), the objective of MoTIS: the baseline."""
    return f.nce(f.ts, f.tt) + f.nce(f.is_, f.it)


def intra_tch_stu_fd(f: Features) -> Tensor:
    return fd(f.ts, f.tt) + fd(f.is_, f.it)


def intra_tch_stu_sd(f: Features) -> Tensor:
    return sd(f.ts, f.tt, f.tt, f.tt) + sd(f.is_, f.it, f.it, f.it)


def intra_tch_stu_kl(f: Features) -> Tensor:
    return f.kl(f.ts, f.tt, f.tt, f.tt) + f.kl(f.is_, f.it, f.it, f.it)


def intra_tch_stu_sym_sd(f: Features) -> Tensor:
    return sd(f.ts, f.tt, f.is_, f.it)


def intra_tch_stu_sym_kl(f: Features) -> Tensor:
    return f.kl(f.ts, f.tt, f.is_, f.it) + f.kl(f.is_, f.it, f.ts, f.tt)


def inter_tch_stu_info_nce(f: Features) -> Tensor:
    return f.nce(f.ts, f.it) + f.nce(f.is_, f.tt)


def inter_tch_stu_fd(f: Features) -> Tensor:
    return fd(f.ts, f.it) + fd(f.is_, f.tt)


def inter_tch_stu_sd(f: Features) -> Tensor:
    return sd(f.ts, f.it, f.tt, f.it) + sd(f.is_, f.tt, f.it, f.tt)


def inter_tch_stu_kl(f: Features) -> Tensor:
    """Equation (8)."""
    return f.kl(f.ts, f.it, f.tt, f.it) + f.kl(f.is_, f.tt, f.it, f.tt)


def inter_tch_stu_sym_sd(f: Features) -> Tensor:
    return sd(f.ts, f.it, f.is_, f.tt)


def inter_tch_stu_sym_kl(f: Features) -> Tensor:
    """Equation (9): the target of each arrow is the paired one."""
    return f.kl(f.ts, f.it, f.is_, f.tt) + f.kl(f.is_, f.tt, f.ts, f.it)


CELLS: dict[str, Callable[[Features], Tensor]] = {
    cell.__name__: cell
    for cell in (
        intra_stu_stu_sd, intra_stu_stu_kl, intra_stu_stu_sym_sd, intra_stu_stu_sym_kl,
        inter_stu_stu_info_nce, inter_stu_stu_fd, inter_stu_stu_sd, inter_stu_stu_kl,
        intra_tch_stu_info_nce, intra_tch_stu_fd, intra_tch_stu_sd, intra_tch_stu_kl,
        intra_tch_stu_sym_sd, intra_tch_stu_sym_kl,
        inter_tch_stu_info_nce, inter_tch_stu_fd, inter_tch_stu_sd, inter_tch_stu_kl,
        inter_tch_stu_sym_sd, inter_tch_stu_sym_kl,
    )
}  # fmt: skip
BASELINE = "intra_tch_stu_info_nce"


@dataclass(frozen=True)
class Objective:
    """A weighted sum of cells.

    The paper states no weights. Distances of similarities are means of squares of small numbers, so
    that with weight 1 they hardly count beside a contrastive loss; symmetric KL has a useless minimum
    where both sides say the same of everything, and gets little weight.
    docs/text-image-training.md has what was measured.
    """

    terms: tuple[tuple[str, float], ...]
    temperature: float = 0.07

    def __post_init__(self) -> None:
        unknown = [name for name, _ in self.terms if name not in CELLS]
        if unknown or not self.terms:
            raise ValueError(f"unknown or no terms: {unknown}; there are {', '.join(CELLS)}")

    def __call__(self, features: Features) -> Tensor:
        return torch.stack([weight * CELLS[name](features) for name, weight in self.terms]).sum()


SD_WEIGHT = 7.5
KL_WEIGHT = 0.1
MOTIS = Objective(((BASELINE, 1.0),))
CONACLIP = Objective(
    (
        (BASELINE, 1.0),
        ("intra_stu_stu_sd", SD_WEIGHT),
        ("inter_stu_stu_sd", SD_WEIGHT),
        ("intra_tch_stu_sd", SD_WEIGHT),
        ("intra_tch_stu_sym_sd", SD_WEIGHT),
        ("inter_tch_stu_sym_kl", KL_WEIGHT),
    )
)
"""The paper's final objective: the baseline, and the five cells that beat it in Table 2."""
OBJECTIVES = {"motis": MOTIS, "conaclip": CONACLIP}


def weight_of(cell: str) -> float:
    """The weight of a cell where it alone is added to the baseline (Table 2)."""
    return 4 * SD_WEIGHT if cell.endswith("sd") else 1.0
