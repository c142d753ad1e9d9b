"""The loop on a problem with a known answer: a line through noisy points."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from models.common.checkpoint import load_json, load_tensors
from models.common.seeding import seed_everything
from models.common.trainer import Interrupted, TrainConfig, Trainer

CONFIG = TrainConfig(
    epochs=6,
    patience=6,
    learning_rate=0.05,
    warmup_steps=5,
    weight_decay=0.0,
    ema_decay=0.9,
    bfloat16=False,
)


class Line:
    """y = 3 x - 1, in batches drawn from the global generators."""

    def __init__(self, folder: Path, config: TrainConfig = CONFIG, stop_in_epoch: int = 0) -> None:
        seed_everything(0)
        self.model = nn.Linear(1, 1)
        self.epoch, self.stop = 0, stop_in_epoch
        self.trainer = Trainer(
            self.model,
            config,
            loss=lambda model, x: ((model(x) - (3 * x - 1)) ** 2).mean(),
            batches=self.batches,
            validate=self.validate,
            metric="fit",
            steps_per_epoch=40,
            folder=folder,
            description={"family": "test", "config": {}},
        )

    def batches(self) -> Iterator[torch.Tensor]:
        self.epoch += 1
        for step in range(40):
            if self.epoch == self.stop and step == 20:
                raise KeyboardInterrupt
            yield torch.randn(16, 1) * random.uniform(0.9, 1.1)

    def validate(self, model: nn.Module) -> dict[str, float]:
        return {"fit": -abs(model.weight.item() - 3) - abs(model.bias.item() + 1)}


def test_finds_the_line_and_keeps_the_best_epoch(tmp_path: Path) -> None:
    best = Line(tmp_path).trainer.fit()
    assert best["fit"] > -0.1
    kept = load_tensors(tmp_path / "model.pt")
    assert kept["weight"].item() == pytest.approx(3, abs=0.1)
    assert load_json(tmp_path / "checkpoint.json")["training"]["validation"] == best


def test_a_resumed_run_ends_where_the_uninterrupted_one_does(tmp_path: Path) -> None:
    whole = Line(tmp_path / "whole")
    whole.trainer.fit()
    with pytest.raises(Interrupted, match="after epoch 2 of 6"):
        Line(tmp_path / "cut", stop_in_epoch=3).trainer.fit()
    Line(tmp_path / "cut").trainer.fit()
    ours = load_tensors(tmp_path / "cut" / "last.pt")
    theirs = load_tensors(tmp_path / "whole" / "last.pt")
    assert torch.equal(ours["model"]["weight"], theirs["model"]["weight"])
    assert torch.equal(ours["average"]["module.weight"], theirs["average"]["module.weight"])
    assert [e["loss"] for e in ours["history"]] == [e["loss"] for e in theirs["history"]]


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    first = Line(tmp_path).trainer.fit()
    again = Line(tmp_path)
    assert again.trainer.fit() == first
    assert again.epoch == 0


def test_stops_early_when_nothing_gets_better(tmp_path: Path) -> None:
    line = Line(tmp_path, replace(CONFIG, epochs=50, patience=3))
    line.validate = lambda model: {"fit": 0.0}  # type: ignore[method-assign]
    line.trainer._validate = line.validate
    line.trainer.fit()
    assert line.epoch == 4


def test_refuses_a_folder_with_another_configuration(tmp_path: Path) -> None:
    Line(tmp_path, replace(CONFIG, epochs=1)).trainer.fit()
    with pytest.raises(ValueError, match="other settings"):
        Line(tmp_path, replace(CONFIG, epochs=2)).trainer.fit()


def test_says_when_the_loss_explodes(tmp_path: Path) -> None:
    line = Line(tmp_path, replace(CONFIG, learning_rate=1e30, gradient_clip=1e30, warmup_steps=0))
    with pytest.raises(FloatingPointError, match="learning rate"):
        line.trainer.fit()
