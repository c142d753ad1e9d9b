import pytest
import torch

from models.common.dropout import ByteDropout


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5])
def test_drops_its_share_and_keeps_the_expectation(p: float) -> None:
    torch.manual_seed(0)
    x = torch.full((1000, 1003), 2.0)
    y = ByteDropout(p)(x)
    assert (y == 0).float().mean().item() == pytest.approx(p, abs=0.005)
    assert y.mean().item() == pytest.approx(2.0, abs=0.01)
    assert len(y.unique()) == 2  # zero and one scaled value


def test_neighbours_drop_independently() -> None:
    """Eight elements share one random word: none may tell of another."""
    torch.manual_seed(0)
    dropped = (ByteDropout(0.5)(torch.ones(200_000, 8)) == 0).float()
    correlation = torch.corrcoef(dropped.t()) - torch.eye(8)
    assert correlation.abs().max().item() < 0.02


def test_does_nothing_in_evaluation_and_at_zero() -> None:
    x = torch.randn(5, 7)
    assert torch.equal(ByteDropout(0.5).eval()(x), x)
    assert torch.equal(ByteDropout(0.0)(x), x)


def test_repeats_with_the_seed_and_keeps_the_dtype() -> None:
    x = torch.ones(64, dtype=torch.bfloat16)
    torch.manual_seed(7)
    first = ByteDropout(0.3)(x)
    torch.manual_seed(7)
    assert torch.equal(ByteDropout(0.3)(x), first)
    assert first.dtype == torch.bfloat16


def test_refuses_an_impossible_probability() -> None:
    with pytest.raises(ValueError, match="1.0"):
        ByteDropout(1.0)
