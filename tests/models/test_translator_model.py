"""The translator's Transformer and its search, against recomputation and enumeration."""

import itertools
import math

import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from edge_sdk.query_tokenizer import BEGIN, END
from models.query_translator.config import MOBILE_10MB, MOBILE_20MB, PAPER, ModelConfig
from models.query_translator.model import Translator, sinusoids, source_bias
from models.query_translator.search import EXTRA, RATIO, pad, translate

VARIANTS = {
    "shipped": {},
    "deep": {"decoder_layers": 2, "encoder_layers": 2},
    "bart": {
        "norm": "post", "activation": "gelu", "learned_positions": True, "embedding_norm": True,
        "attention_bias": True, "output_bias": True, "scale_embedding": False,
    },
}  # fmt: skip


def make(vocabulary: int = 20, **changes: object) -> Translator:
    torch.manual_seed(3)
    sizes = {"width": 16, "heads": 2, "hidden": 24, "encoder_layers": 1, "decoder_layers": 1}
    return Translator(ModelConfig(vocabulary, **{**sizes, **changes})).eval()


@pytest.mark.parametrize("variant", VARIANTS)
def test_steps_give_the_scores_of_the_whole_target(variant: str) -> None:
    model = make(**VARIANTS[variant])
    source = pad([[13, 14, 15, END], [16, END]])
    target = torch.tensor([[BEGIN, 17, 18, 12], [BEGIN, 12, 13, 19]])
    with torch.no_grad():
        whole = model(source, target)
        cross, past = model.cross(model.encode(source)), []
        for place in range(target.shape[1]):
            logits, past = model.step(target[:, place], past, cross, source_bias(source))
            torch.testing.assert_close(logits, whole[:, place], atol=1e-5, rtol=1e-5)


def test_padding_and_later_tokens_change_nothing() -> None:
    model = make()
    with torch.no_grad():
        alone = model(torch.tensor([[13, 14, END]]), torch.tensor([[BEGIN, 15, 16]]))
        padded = model(pad([[13, 14, END], [12] * 7]), torch.tensor([[BEGIN, 15, 16], [BEGIN, 1, 1]]))
        later = model(torch.tensor([[13, 14, END]]), torch.tensor([[BEGIN, 15, 19]]))
    torch.testing.assert_close(padded[:1], alone, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(later[:, :2], alone[:, :2])


def test_source_order_matters() -> None:
    model = make()
    with torch.no_grad():
        one = model(torch.tensor([[13, 14, END]]), torch.tensor([[BEGIN]]))
        other = model(torch.tensor([[14, 13, END]]), torch.tensor([[BEGIN]]))
    assert not torch.allclose(one, other)


def test_positions_are_those_of_vaswani() -> None:
    table = sinusoids(8, 6)
    for position, pair in itertools.product(range(8), range(3)):
        angle = position / 10000 ** (2 * pair / 6)
        assert table[position, 2 * pair] == pytest.approx(math.sin(angle), abs=1e-5)
        assert table[position, 2 * pair + 1] == pytest.approx(math.cos(angle), abs=1e-5)


@pytest.mark.parametrize(
    ("config", "published"),
    [(MOBILE_10MB, 9.9e6), (MOBILE_20MB, 20.8e6)],
    ids=["10MB", "20MB"],
)
def test_parameter_counts_of_mobilenmt(config: ModelConfig, published: float) -> None:
    count = sum(p.numel() for p in Translator(config).parameters())
    assert count == pytest.approx(published, rel=0.01)


def test_size_of_the_papers_student() -> None:
    """Its ~23 M parameters are three vocabulary matrices and one layer a side; one is shared here."""
    count = sum(p.numel() for p in Translator(PAPER).parameters())
    assert count + 2 * 18000 * 384 == pytest.approx(23e6, rel=0.1)


def test_unknown_variants_are_refused() -> None:
    with pytest.raises(ValueError, match="middle"):
        ModelConfig(10, norm="middle")
    with pytest.raises(ValueError, match="heads 3"):
        ModelConfig(10, width=16, heads=3)


def score(model: Translator, source: list[int], target: tuple[int, ...]) -> float:
    """Sum of log-probabilities of a target and END, with what search never gives left out."""
    ids = [*target, END]
    with torch.no_grad():
        logits = model(torch.tensor([source]), torch.tensor([[BEGIN, *ids[:-1]]]))[0]
    logits[:, [0, 1, BEGIN]] = -torch.inf
    return sum(row.log_softmax(0)[token].item() for row, token in zip(logits, ids))


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_wide_beam_finds_the_best_of_all_translations(alpha: float) -> None:
    """All targets of up to limit - 1 tokens are enumerated."""
    model = make(vocabulary=6)  # tokens 4 and 5
    source = [4, 5, END]
    limit = 5
    with torch.no_grad():  # longer targets are made improbable, so that the limit decides nothing
        model.embedding.weight[END] += 0.6
    candidates = [t for n in range(limit) for t in itertools.product((4, 5), repeat=n)]
    best = max(candidates, key=lambda t: score(model, source, t) / (len(t) + 1) ** alpha)
    found, total = translate(model, [source], beam=64, alpha=alpha)[0]
    assert total / (len(found) + 1) ** alpha >= score(model, source, best) / (len(best) + 1) ** alpha - 1e-4
    assert total == pytest.approx(score(model, source, tuple(found)), abs=1e-4)


def test_greedy_takes_the_best_token_each_time_and_batches_change_nothing() -> None:
    model = make(decoder_layers=2)
    sources = [[13, 14, 15, END], [16, END], [12, 19, 18, 17, 13, END]]
    together = translate(model, sources)
    for source, (found, total) in zip(sources, together):
        alone, alone_total = translate(model, [source])[0]
        longest = int(RATIO * len(source)) + EXTRA
        assert alone == found
        assert alone_total == pytest.approx(total, abs=1e-3)
        ids = [BEGIN]
        with torch.no_grad():
            while len(ids) <= len(alone):
                logits = model(torch.tensor([source]), torch.tensor([ids]))[0, -1]
                logits[[0, 1, BEGIN]] = -torch.inf
                if len(ids) < longest:
                    assert alone[len(ids) - 1] == int(logits.argmax())
                ids.append(alone[len(ids) - 1])


def test_decoding_ends() -> None:
    model = make()
    with torch.no_grad():
        model.embedding.weight[END] -= 100.0 * model.embedding.weight[END].sign()
    for beam in (1, 3):
        for source in ([END], [13] * 40 + [END]):
            found, total = translate(model, [source], beam=beam)[0]
            assert len(found) < RATIO * len(source) + EXTRA
            assert math.isfinite(total)
