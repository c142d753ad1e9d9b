"""Every cell of the interaction graph against loops over single numbers, and its gradients."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.conaclip.graph import CELLS, CONACLIP, MOTIS, OBJECTIVES, Features, Objective  # noqa: E402
from models.conaclip.losses import class_contrast, info_nce  # noqa: E402

TEMPERATURE = 0.3
# Table 1 of the paper, written as its formulas: the loss and its arrows. Ts is a student's texts.
TABLE_1 = {
    "intra_stu_stu_sd": [("SD", "TsTs", "TtTt"), ("SD", "IsIs", "ItIt")],
    "intra_stu_stu_kl": [("KL", "TsTs", "TtTt"), ("KL", "IsIs", "ItIt")],
    "intra_stu_stu_sym_sd": [("SD", "TsTs", "IsIs")],
    "intra_stu_stu_sym_kl": [("KL", "TsTs", "IsIs"), ("KL", "IsIs", "TsTs")],
    "inter_stu_stu_info_nce": [("NCE", "TsIs"), ("NCE", "IsTs")],
    "inter_stu_stu_fd": [("FD", "TsIs")],
    "inter_stu_stu_sd": [("SD", "TsIs", "TtIt"), ("SD", "IsTs", "ItTt")],
    "inter_stu_stu_kl": [("KL", "TsIs", "TtIt"), ("KL", "IsTs", "ItTt")],
    "intra_tch_stu_info_nce": [("NCE", "TsTt"), ("NCE", "IsIt")],
    "intra_tch_stu_fd": [("FD", "TsTt"), ("FD", "IsIt")],
    "intra_tch_stu_sd": [("SD", "TsTt", "TtTt"), ("SD", "IsIt", "ItIt")],
    "intra_tch_stu_kl": [("KL", "TsTt", "TtTt"), ("KL", "IsIt", "ItIt")],
    "intra_tch_stu_sym_sd": [("SD", "TsTt", "IsIt")],
    "intra_tch_stu_sym_kl": [("KL", "TsTt", "IsIt"), ("KL", "IsIt", "TsTt")],
    "inter_tch_stu_info_nce": [("NCE", "TsIt"), ("NCE", "IsTt")],
    "inter_tch_stu_fd": [("FD", "TsIt"), ("FD", "IsTt")],
    "inter_tch_stu_sd": [("SD", "TsIt", "TtIt"), ("SD", "IsTt", "ItTt")],
    "inter_tch_stu_kl": [("KL", "TsIt", "TtIt"), ("KL", "IsTt", "ItTt")],
    "inter_tch_stu_sym_sd": [("SD", "TsIt", "IsTt")],
    "inter_tch_stu_sym_kl": [("KL", "TsIt", "IsTt"), ("KL", "IsTt", "TsIt")],
}


def unit_rows(seed: int, n: int = 5, d: int = 4) -> "torch.Tensor":
    x = torch.from_numpy(np.random.default_rng(seed).normal(size=(n, d)))
    return x / x.norm(dim=1, keepdim=True)


def features(student: int = 0) -> Features:
    return Features(*(unit_rows(seed + student) for seed in (0, 1)), unit_rows(2), unit_rows(3), TEMPERATURE)


def loops(formula: tuple[str, ...], f: Features) -> float:
    """A loss of the paper, number by number."""
    names = {"Ts": f.ts, "Is": f.is_, "Tt": f.tt, "It": f.it}
    arrows = [(names[a[:2]].tolist(), names[a[2:]].tolist()) for a in formula[1:]]
    n, d = len(f.ts), len(f.ts[0])

    def dot(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b))

    def p(arrow: tuple[list, list], i: int, j: int) -> float:
        a, b = arrow
        return math.exp(dot(a[i], b[j]) / f.temperature) / sum(
            math.exp(dot(a[i], b[k]) / f.temperature) for k in range(n)
        )

    if formula[0] == "NCE":
        return -sum(math.log(p(arrows[0], i, i)) for i in range(n)) / n
    if formula[0] == "FD":
        a, b = arrows[0]
        return 0.5 * sum((a[i][j] - b[i][j]) ** 2 for i in range(n) for j in range(d)) / (n * d)
    total = 0.0
    for i in range(n):
        for j in range(n):
            if formula[0] == "SD":
                (a, b), (c, e) = arrows
                total += 0.5 * (dot(a[i], b[j]) - dot(c[i], e[j])) ** 2 / n**2
            else:
                found, target = p(arrows[0], i, j), p(arrows[1], i, j)
                total += found * math.log(found / target) / n
    return total


def test_the_table_has_exactly_these_cells() -> None:
    assert set(CELLS) == set(TABLE_1)


@pytest.mark.parametrize("name", TABLE_1)
def test_cell_is_the_papers_formula(name: str) -> None:
    f = features()
    expected = sum(loops(formula, f) for formula in TABLE_1[name])
    assert CELLS[name](f).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", TABLE_1)
def test_gradients_of_a_cell(name: str) -> None:
    teacher = features()

    def of(ts: "torch.Tensor", is_: "torch.Tensor") -> "torch.Tensor":
        return CELLS[name](Features(ts, is_, teacher.tt, teacher.it, TEMPERATURE))

    student = [unit_rows(seed).requires_grad_() for seed in (0, 1)]
    # Both towers learn from every cell.
    assert all(g.abs().max() > 1e-6 for g in torch.autograd.grad(of(*student), student))
    assert torch.autograd.gradcheck(of, student)


@pytest.mark.parametrize("name", [name for name in TABLE_1 if "_sd" in name or "_kl" in name])
def test_a_student_that_equals_its_teacher_has_nothing_to_learn_from_distances(name: str) -> None:
    tt = unit_rows(2)
    # Symmetric cells compare texts with images: there the two have to be equal as well.
    it = tt if "sym" in name else unit_rows(3)
    assert CELLS[name](Features(tt, it, tt, it, TEMPERATURE)).item() == pytest.approx(0, abs=1e-12)


def test_the_final_objective_is_the_baseline_and_the_five_cells_that_beat_it() -> None:
    assert [name for name, _ in CONACLIP.terms] == [
        "intra_tch_stu_info_nce",
        "intra_stu_stu_sd",
        "inter_stu_stu_sd",
        "intra_tch_stu_sd",
        "intra_tch_stu_sym_sd",
        "inter_tch_stu_sym_kl",
    ]
    assert [name for name, _ in MOTIS.terms] == ["intra_tch_stu_info_nce"]
    assert set(OBJECTIVES) == {"motis", "conaclip"}


def test_an_objective_is_the_weighted_sum_of_its_terms() -> None:
    f = features()
    objective = Objective((("inter_tch_stu_kl", 2.0), ("intra_stu_stu_sd", 0.5)), TEMPERATURE)
    expected = 2 * CELLS["inter_tch_stu_kl"](f) + 0.5 * CELLS["intra_stu_stu_sd"](f)
    assert objective(f).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("terms", [(), (("intra_stu_stu_fd", 1.0),)])
def test_an_objective_without_known_terms_is_refused(terms: tuple) -> None:
    with pytest.raises(ValueError, match="terms"):
        Objective(terms)


def test_class_contrast_with_one_text_an_image_is_clips_loss() -> None:
    texts, images = unit_rows(4), unit_rows(5)
    clip = info_nce(texts, images, 0.1) + info_nce(images, texts, 0.1)
    found = class_contrast(texts, images, torch.eye(5, dtype=torch.float64), 0.1, smoothing=0)
    assert found.item() == pytest.approx(clip.item())


def test_class_contrast_does_not_push_a_text_from_the_images_of_its_class() -> None:
    # Images 0 and 1 are of class 0. The loss is least where both get the same share of text 0.
    texts, images = unit_rows(4, n=2), unit_rows(5, n=3)
    match = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    expected = 0.0
    logits = (images @ texts.T / 0.1).tolist()
    for i, label in enumerate((0, 0, 1)):
        expected -= (logits[i][label] - math.log(sum(map(math.exp, logits[i])))) / 3
    for label, rows in enumerate(((0, 1), (2,))):
        total = math.log(sum(math.exp(row[label]) for row in logits))
        expected -= sum(logits[i][label] - total for i in rows) / len(rows) / 2
    assert class_contrast(texts, images, match, 0.1, smoothing=0).item() == pytest.approx(expected)
