"""Members, cohorts and their losses, and training from files to a bundle."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.common.crf import LinearChainCRF  # noqa: E402
from models.cwseg import experiments  # noqa: E402
from models.cwseg import train as train_module  # noqa: E402
from models.cwseg.checkpoint import load_members  # noqa: E402
from models.cwseg.cohort import Cohort  # noqa: E402
from models.cwseg.config import MemberConfig, parse_member  # noqa: E402
from models.cwseg.data import MARGIN, Corpus, Sentence  # noqa: E402
from models.cwseg.mimicry import Critic, js, kl, transport  # noqa: E402
from models.cwseg.model import ExportedSegmenter, Segmenter  # noqa: E402
from models.cwseg.tags import B, I, O, allowed, word_tags  # noqa: E402
from edge_sdk.characters import identity_table, vocabulary  # noqa: E402

SMALL = {
    "window": MemberConfig("window", 2, 16, 1, 8, 6, 64, 4, 0.0),
    "transformer": MemberConfig("transformer", 2, 32, 0, 8, 6, 64, 4, 0.0),
    "wide": MemberConfig("window", 1, 16, 2, 8, 6, 64, 4, 0.0),
}
CHARACTERS = 50


def member(kind: str = "window", seed: int = 0) -> Segmenter:
    torch.manual_seed(seed)
    return Segmenter(SMALL[kind], CHARACTERS, 3).eval()


def batch(rows: int = 3, length: int = 9, seed: int = 1) -> dict[str, torch.Tensor]:
    """Random inputs of three sentences, the last the longest, with edges around them."""
    torch.manual_seed(seed)
    lengths = torch.tensor([length - 4, length - 2, length][-rows:])
    mask = torch.arange(length) < lengths[:, None]
    around = torch.nn.functional.pad(mask, (MARGIN, MARGIN))
    shape = (rows, length + 2 * MARGIN)
    drawn = {
        "characters": torch.randint(1, CHARACTERS, shape),
        "bigrams": torch.randint(0, 64, shape),
        "lexicon": torch.randint(0, 100, shape),
    }
    found = {name: value * around for name, value in drawn.items()}
    tags = torch.full((rows, length), O) * mask
    return {**found, "tags": tags, "criterion": torch.arange(rows) % 3, "mask": mask.float()}


def inputs(found: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    return [found[name] for name in ("characters", "bigrams", "lexicon", "criterion")]


def test_tags_of_words() -> None:
    assert word_tags(["我们", "是", "中国人"]).tolist() == [B, I, O, B, I, I]


def test_the_crf_allows_what_words_can_give() -> None:
    moves, first, last = allowed()
    for _ in range(50):
        words = ["x" * random.Random(_).randint(1, 4) for _ in range(4)]
        tags = word_tags(words).tolist()
        assert first[tags[0]] and last[tags[-1]]
        assert all(moves[a, b] for a, b in zip(tags, tags[1:]))
    assert moves.sum() == 6 and not moves[B, B] and not moves[O, I]


@pytest.mark.parametrize("kind", SMALL)
def test_padding_changes_nothing(kind: str) -> None:
    found = batch()
    together = member(kind)(*inputs(found))
    for row, length in enumerate(found["mask"].sum(1).int().tolist()):
        alone = [value[row : row + 1, : length + 2 * MARGIN] for value in inputs(found)[:3]]
        expected = member(kind)(*alone, found["criterion"][row : row + 1])
        torch.testing.assert_close(expected[0], together[row, :length])


@pytest.mark.parametrize("kind", ["window", "wide"])
def test_a_window_member_sees_two_characters_each_way_and_no_more(kind: str) -> None:
    found = batch(1, 9)
    before = member(kind)(*inputs(found))
    found["characters"][0, MARGIN] = 0
    changed = (member(kind)(*inputs(found)) != before).any(2)[0].tolist()
    assert changed == [True] * 3 + [False] * 6


def test_the_exported_form_is_the_same_function() -> None:
    model, found = member(), batch()
    exported = ExportedSegmenter(model)
    cut = slice(MARGIN - exported.reach, exported.reach - MARGIN)
    hints = found["lexicon"] + 100 * found["criterion"][:, None]
    seen = [value[:, cut] for value in (found["characters"], found["bigrams"], hints)]
    torch.testing.assert_close(exported(*seen), model(*inputs(found)))
    with pytest.raises(ValueError, match="only window"):
        ExportedSegmenter(member("transformer"))


def test_mimicry_against_the_definitions() -> None:
    p, q = (np.random.default_rng(seed).dirichlet([1, 1, 1], 5) for seed in (1, 2))
    logs = [torch.tensor(np.log(x)) for x in (p, q)]
    def divergence(a, b):
        return (a * np.log(a / b)).sum(1).mean()
    assert kl(*logs).item() == pytest.approx((divergence(p, q) + divergence(q, p)) / 2)
    middle = (p + q) / 2
    assert js(*logs).item() == pytest.approx((divergence(p, middle) + divergence(q, middle)) / 2)
    # The least to move from p to q: what stays is their common part.
    assert transport(*logs).item() == pytest.approx((1 - np.minimum(p, q).sum(1)).mean())
    # Two distributions that are nowhere alike: JS is log 2 (appendix A.1), and everything moves.
    apart = [torch.log(torch.tensor([[1.0, 1e-30, 0.0]]).clamp(1e-30)), torch.log(torch.tensor([[1e-30, 1.0, 0.0]]).clamp(1e-30))]
    assert js(*apart).item() == pytest.approx(np.log(2), abs=1e-4)
    assert transport(*apart).item() == pytest.approx(1)


def test_the_critic_cannot_tell_which_character_a_prediction_is_for() -> None:
    torch.manual_seed(0)
    ours = torch.randn(40, 3).log_softmax(1)
    shuffled = ours[torch.randperm(40)]
    critic = Critic(3)
    assert (critic(shuffled.exp()) - critic(ours.exp())).mean().item() == pytest.approx(0, abs=1e-6)
    assert min(distance(ours, shuffled) for distance in (transport, kl, js)) > 0.1


def test_the_critic_climbs_while_members_descend() -> None:
    torch.manual_seed(0)
    critic = Critic(3)
    logits = torch.randn(20, 3, requires_grad=True)
    other = torch.randn(20, 3).softmax(1)

    def distance() -> torch.Tensor:
        return (critic(other) - critic(logits.softmax(1))).mean()

    def after(parameters) -> float:
        """The distance after one small step of descent by what the loss says."""
        before = distance()
        grads = torch.autograd.grad(before, parameters)
        with torch.no_grad():
            for p, g in zip(parameters, grads):
                p -= 0.01 * g
        change = distance().item() - before.item()
        with torch.no_grad():
            for p, g in zip(parameters, grads):
                p += 0.01 * g
        return change

    assert after(list(critic.parameters())) > 0
    assert after([logits]) < 0
    with torch.no_grad():
        critic.first += 9
    critic.clip_weights()
    assert max(p.abs().max() for p in critic.parameters()) <= critic.clip


def test_one_member_has_no_mimicry() -> None:
    model, found = member(), batch()
    emissions = model(*inputs(found))
    expected = model.supervised_loss(emissions, found["tags"], found["mask"])
    torch.testing.assert_close(Cohort([model]).loss(found), expected)


@pytest.mark.parametrize("count", [2, 3])
def test_the_cohort_loss_is_equation_5(count: int) -> None:
    members, found = [member(seed=i) for i in range(count)], batch()
    logs = [m(*inputs(found))[found["mask"] > 0].log_softmax(1) for m in members]
    pairs = [kl(logs[i], logs[j]) for i in range(count) for j in range(i + 1, count)]
    alone = sum(Cohort([m]).loss(found) for m in members)
    expected = alone + 2 * 0.3 / (count * (count - 1)) * sum(pairs)
    torch.testing.assert_close(Cohort(members, "kl", 0.3).loss(found), expected)


def test_a_teacher_only_teaches() -> None:
    teacher, pupil = member(seed=1), member(seed=2)
    cohort = Cohort([teacher, pupil], "kl", frozen=1)
    cohort.loss(batch()).backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in pupil.parameters())


def test_the_supervised_loss_counts_sequences() -> None:
    """All emissions 0: the CRF's part is the log of the number of segmentations, 2^(n-1)."""
    model = member()
    assert isinstance(model.crf, LinearChainCRF)
    with torch.no_grad():
        model.crf.end[B] = -1e4  # a text does not end inside a beginning
    zeros, mask = torch.zeros(1, 6, 3), torch.ones(1, 6)
    loss = model.supervised_loss(zeros, torch.full((1, 6), O), mask)
    assert loss.item() == pytest.approx(5 * np.log(2) / 6 + np.log(3), abs=1e-4)


def test_words_that_only_one_sentence_has_are_hidden_there() -> None:
    rows = [Sentence(("甲乙", "丙"), 0), Sentence(("甲", "乙丙"), 0)]
    corpus = Corpus(rows, identity_table(vocabulary("甲乙丙")), 64)
    found = corpus.find(["甲乙", "乙丙"], only_here=["甲乙"])
    first, second = corpus.offsets.tolist()
    assert list(zip(found.starts, found.ends)) == [
        (first + 1, first + 3), (second, second + 2), (second + 1, second + 3),
    ]  # fmt: skip


def test_member_names() -> None:
    for name in ("transformer-2x128", "window-2x64", "window2-1x96"):
        assert parse_member(name).name == name
    for wrong in ("window", "window-2", "transformer2-1x8", "bert-2", "lstm-1x2"):
        with pytest.raises(ValueError, match=wrong):
            parse_member(wrong)


@pytest.fixture
def toy_data(tmp_path: Path) -> Path:
    """Corpora of an easy language: words are runs that begin with a character of their own."""
    import gzip

    draw = random.Random(0)
    words = ["甲" + "".join(draw.choices("丙丁戊", k=draw.randint(0, 3))) for _ in range(30)] + ["。", "乙"]
    def lines(count: int) -> bytes:
        rows = (" ".join(draw.choices(words, k=draw.randint(2, 9))) for _ in range(count))
        return gzip.compress(("\n".join(rows) + "\n").encode())
    for name in ("weibo_nlpcc2016", "sxu", "udc"):
        (tmp_path / "cws" / name).mkdir(parents=True)
        (tmp_path / "cws" / name / "train.txt.gz").write_bytes(lines(120))
        if name != "sxu":
            (tmp_path / "cws" / name / "dev.txt.gz").write_bytes(lines(30))
    (tmp_path / "lexicons_zh").mkdir()
    for name in ("jieba_dict", "thuocl"):
        content = "word\tfreq\tpos\n甲丙\t12\tn\n丙丁\t3?\tn\n丁\t9\tn\n"
        (tmp_path / "lexicons_zh" / f"{name}.tsv.gz").write_bytes(gzip.compress(content.encode()))
    return tmp_path


def test_training_learns_an_easy_language_and_exports(toy_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["--data", str(toy_data), "--out", str(out), "--members", "window-1x31", "window-2x31",
                 "--epochs", "6", "--batch", "8", "--learning-rate", "0.01"]  # fmt: skip
    assert train_module.main(arguments) == 0
    config, members = load_members(out)
    assert [m.config.name for m in members] == ["window-1x31", "window-2x31"]
    from edge_sdk.evaluate import evaluate
    from edge_sdk.loading import load
    from export.pack import export
    from models.cwseg import export_spec

    report = export(export_spec(out, toy_data), tmp_path / "toy.edge")
    scores = [stage["metrics"]["f1"] for stage in report["stages"]]
    assert min(scores) > 95
    with load(tmp_path / "toy.edge") as task:
        assert task("甲丙乙。").texts == ["甲丙", "乙", "。"]
        assert evaluate(task, toy_data / "cws" / "udc" / "dev.txt.gz")["f1"] > 95


def test_experiments_compare_members_alone_and_together(
    toy_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(experiments, "PAIRS", (("window-2x31", "window-1x31"),))
    arguments = ["--data", str(toy_data), "--out", str(tmp_path / "lab"), "--sentences", "60", "--epochs", "2",
                 "--seeds", "1", "2", "--pairs", "1", "--tables", "5", "6", "7"]  # fmt: skip
    assert experiments.main(arguments) == 0
    first = capsys.readouterr()
    trained = [line for line in first.err.splitlines() if line.startswith("==")]
    assert len(trained) == len(set(trained)) == 2 * (2 + 1 + 4)  # seeds; alone, taught, kinds
    assert experiments.main(arguments) == 0
    again = capsys.readouterr()
    assert again.out == first.out and "==" not in again.err
    rows = [line.split("|")[1:-1] for line in first.out.splitlines() if " ± " in line]
    assert [len(row) for row in rows] == [6] + [3] * 2 + [6] * 2
    for row in rows[1:]:
        alone = float(row[1].split()[0])
        for cell in row[2:]:
            together, gains = cell.split(" ± ")[0], cell.split("(")[1].rstrip(") ").split()
            assert float(together) - alone == pytest.approx(sum(map(float, gains)) / 2, abs=0.02)
