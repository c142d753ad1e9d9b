"""The network: what padding may not change, sizes, and both heads."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.pnlp_mixer.config import CONFIGS, MixerConfig, TeacherConfig
from models.pnlp_mixer.data import Labels
from models.pnlp_mixer.mixer import Mixer
from models.pnlp_mixer.teacher import Teacher

LABELS = Labels(("O", "B-x", "I-x"), ("a", "b"))
FEATURES = 24
SMALL = MixerConfig(
    bottleneck=8,
    hidden=16,
    layers=2,
    token_hidden=8,
    channel_hidden=16,
    max_tokens=12,
    filter_width=3,
)


def make(kind: str) -> torch.nn.Module:
    torch.manual_seed(1)
    if kind == "mixer":
        return Mixer(SMALL, FEATURES, LABELS).eval()
    return Teacher(TeacherConfig(bottleneck=8, hidden=8), FEATURES, LABELS).eval()


@pytest.mark.parametrize("kind", ["mixer", "teacher"])
@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=5), seed=st.integers(0, 999))
@settings(max_examples=20, deadline=None)
def test_an_utterance_alone_gives_what_it_gives_in_a_padded_batch(
    kind: str, lengths: list[int], seed: int
) -> None:
    model = make(kind)
    torch.manual_seed(seed)
    rows = [torch.randint(0, 9, (n, FEATURES), dtype=torch.uint8) for n in lengths]
    for row in rows:
        row[:, 0] = 1  # a word's counts are never all zero
    padded = torch.zeros(len(rows), 12, FEATURES, dtype=torch.uint8)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    with torch.no_grad():
        slots, intents = model(padded)
        for place, row in enumerate(rows):
            own_slots, own_intents = model(row[None])
            assert torch.allclose(slots[place, : len(row)], own_slots[0], atol=1e-5)
            assert torch.allclose(intents[place], own_intents[0], atol=1e-5)


def test_every_token_reads_every_other() -> None:
    """Changing the last word changes the first word's logits, through token mixing alone."""
    model = make("mixer")
    words = torch.randint(1, 9, (1, 12, FEATURES), dtype=torch.uint8)
    other = words.clone()
    other[0, -1] = words[0, 0]
    with torch.no_grad():
        assert not torch.allclose(model(words)[0][0, 0], model(other)[0][0, 0], atol=1e-6)


@pytest.mark.parametrize("name", ["mtop-en", "snips-en"])
def test_the_shipped_sizes_stay_within_the_papers(name: str) -> None:
    """About a million parameters (paper, section 4.2); at most 1.25 million."""
    config = CONFIGS[name]
    slots = [f"{prefix}{i}" for i in range(74) for prefix in ("B-", "I-")]
    labels = Labels(("O", *slots), tuple(map(str, range(113))))
    model = Mixer(config.mixer, config.projection.n_features, labels)
    assert sum(parameter.numel() for parameter in model.parameters()) <= 1_250_000
