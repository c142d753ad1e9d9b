"""The training loop: epochs, averaging of weights, early stopping, resuming."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.common.checkpoint import load_tensors, save_json, save_tensors
from models.common.seeding import random_state, restore_random_state


@dataclass(frozen=True)
class TrainConfig:
    """How long and how fast a model is trained; the same for every family."""

    epochs: int = 40
    patience: int = 5
    """Stop after this many epochs without a better validation metric."""
    learning_rate: float = 1e-3
    """Peak of AdamW's rate: linear warm-up, then half a cosine down to `final_rate` of it."""
    final_rate: float = 0.02
    warmup_steps: int = 200
    weight_decay: float = 0.01
    """On matrices only: gains and biases are not decayed."""
    gradient_clip: float = 5.0
    ema_decay: float = 0.99
    """Decay per step of the averaged weights that are validated and kept; 0 keeps the raw ones."""
    bfloat16: bool = True
    """Matrix products in bfloat16, twice as fast where the CPU has the instruction."""


class Interrupted(Exception):
    """Ctrl-C arrived; the last finished epoch is on the disk."""


class Trainer:
    """Trains one model in one folder; the same call again goes on where the last one stopped.

    Args:
        model: the network; its forward is only called by `loss` and `validate`.
        loss: (model, batch) -> scalar tensor; runs under autocast.
        batches: called once an epoch; must take all its randomness from the global generators,
            so that a resumed run sees the batches that the uninterrupted one would have seen.
        validate: model -> metrics; called with the averaged weights, in evaluation mode.
        metric: key of `validate`'s result that decides what is kept; larger is better.
        steps_per_epoch: number of batches an epoch, for the learning-rate schedule.
        folder: where the checkpoint lies (see `models.common.checkpoint`).
        description: the ``family`` and ``config`` of ``checkpoint.json``.
    """

    def __init__(
        self,
        model: nn.Module,
        config: TrainConfig,
        *,
        loss: Callable[[nn.Module, Any], Tensor],
        batches: Callable[[], Iterable[Any]],
        validate: Callable[[nn.Module], Mapping[str, float]],
        metric: str,
        steps_per_epoch: int,
        folder: Path,
        description: Mapping[str, Any],
    ) -> None:
        self.model, self.config, self.folder = model, config, folder
        self._loss, self._batches, self._validate, self._metric = loss, batches, validate, metric
        self._description = {**description, "train": asdict(config)}
        self._average = (
            AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay))
            if config.ema_decay
            else None
        )
        self._optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in model.parameters() if p.ndim > 1]},
                {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            betas=(0.9, 0.98),
            fused=True,  # one pass over the weights, six times as fast with large embedding tables
        )
        total = config.epochs * steps_per_epoch
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: _rate(step, total, config)
        )
        self.history: list[dict[str, float]] = []

    def fit(self) -> dict[str, float]:
        """Train to the end and return the metrics of the kept epoch.

        Writes ``model.pt`` at each best epoch and ``last.pt`` after every epoch. Raises
        Interrupted on Ctrl-C, ValueError if the folder holds a run with another configuration,
        FloatingPointError if the loss stops being finite.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._resume()
        try:
            while len(self.history) < self.config.epochs and self._stale() < self.config.patience:
                self._epoch()
        except KeyboardInterrupt:
            raise Interrupted(
                f"stopped after epoch {len(self.history)} of {self.config.epochs}; "
                "the same command goes on from there"
            ) from None
        return self.history[self._best()]

    def _epoch(self) -> None:
        started = time.perf_counter()
        self.model.train()
        losses: list[float] = []
        for batch in self._batches():
            with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16):
                loss = self._loss(self.model, batch)
            self._optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.gradient_clip)
            self._optimizer.step()
            self._schedule.step()
            if self._average is not None:
                self._average.update_parameters(self.model)
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise FloatingPointError(f"loss became {losses[-1]}; lower the learning rate")
            _progress(len(self.history) + 1, len(losses), losses[-1])
        kept = self.model if self._average is None else self._average.module
        kept.eval()
        with torch.no_grad():
            metrics = dict(self._validate(kept))
        seconds = time.perf_counter() - started
        self.history.append({"loss": sum(losses) / len(losses), "seconds": seconds, **metrics})
        self._save(kept)
        shown = "  ".join(f"{key} {value:.4g}" for key, value in self.history[-1].items())
        best = "  *" if self._best() == len(self.history) - 1 else ""
        print(
            f"\repoch {len(self.history):3d}/{self.config.epochs}  {shown}{best}", file=sys.stderr
        )

    def _best(self) -> int:
        return max(range(len(self.history)), key=lambda epoch: self.history[epoch][self._metric])

    def _stale(self) -> int:
        return len(self.history) - 1 - self._best() if self.history else 0

    def _save(self, kept: nn.Module) -> None:
        # last.pt is written last: a run killed between the files repeats the epoch, and
        # overwrites them with the same content.
        best = self._best()
        if best == len(self.history) - 1:
            save_tensors(self.folder / "model.pt", kept.state_dict())
        training = {
            "best_epoch": best + 1,
            "epochs": len(self.history),
            "seconds": sum(epoch["seconds"] for epoch in self.history),
            "validation": self.history[best],
        }
        save_json(self.folder / "checkpoint.json", {**self._description, "training": training})
        save_tensors(
            self.folder / "last.pt",
            {
                "description": self._description,
                "model": self.model.state_dict(),
                "average": None if self._average is None else self._average.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "schedule": self._schedule.state_dict(),
                "random": random_state(),
                "history": self.history,
            },
        )

    def _resume(self) -> None:
        path = self.folder / "last.pt"
        if not path.exists():
            return
        state = load_tensors(path)
        if state["description"] != self._description:
            raise ValueError(
                f"{self.folder} holds a run with other settings; give another folder, "
                "or remove it to start again"
            )
        self.model.load_state_dict(state["model"])
        if self._average is not None:
            self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        restore_random_state(state["random"])
        self.history = state["history"]
        print(f"resuming after epoch {len(self.history)}", file=sys.stderr)


def finished_epochs(folder: Path) -> int:
    """How many epochs the run in a folder has behind it; 0 where there is none."""
    path = folder / "last.pt"
    return len(load_tensors(path)["history"]) if path.exists() else 0


def _rate(step: int, total: int, config: TrainConfig) -> float:
    """Share of the peak learning rate at a step."""
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, step / max(1, total))))
    return warm * (config.final_rate + (1 - config.final_rate) * cosine)


def _progress(epoch: int, step: int, loss: float) -> None:
    if sys.stderr.isatty() and step % 10 == 0:
        print(f"\repoch {epoch:3d}  step {step}  loss {loss:.4g}  ", end="", file=sys.stderr)
