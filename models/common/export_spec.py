"""What a model family hands to `export/`: everything that the machinery cannot know by itself.

A family's package has one function, ``export_spec(checkpoint_dir, data_dir) -> ExportSpec``.
`export/` reads the family's module name from ``checkpoint.json`` and calls it, so adding a family
changes nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch


@dataclass(frozen=True)
class GraphSpec:
    """One torch module that becomes one graph of the bundle.

    The order of `inputs` is the order of the module's arguments; `outputs` names what it returns
    (a tensor or a tuple of them). No output may bear the name of a parameter.
    """

    module: torch.nn.Module
    """In evaluation mode, fp32, on the CPU."""
    inputs: Mapping[str, torch.Tensor]
    """Example arguments: real data with every dynamic axis longer than 1."""
    outputs: Sequence[str]
    dynamic_axes: Mapping[str, Mapping[int, str]]
    """For inputs and outputs: axis number -> name, e.g. ``{"features": {0: "batch", 1: "tokens"}}``."""
    calibration: Sequence[Mapping[str, np.ndarray]]
    """Feeds of real data: they calibrate static quantization and measure the drift of every
    stage (a hundred are plenty)."""
    axis_limits: Mapping[str, int] = field(default_factory=dict)
    """Largest size of a named axis, where the module has one, e.g. ``{"tokens": 64}``."""
    sizes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """For engines whose graphs have fixed shapes (TFLite): the lengths, ascending, that a named axis
    is padded to, the last one the longest that ever occurs, e.g. ``{"tokens": (8, 16, 64)}``. Zeros
    at the end of the inputs must then change nothing but what they add to the end of the outputs.
    One axis at most, the first of every input that has it, may have no sizes: it counts rows."""
    activations: Literal["fixed", "dynamic"] = "fixed"
    """Scales of 8-bit activations: fixed ones from `calibration`, with which a row's result does
    not depend on its batch; or dynamic ones, taken anew from every tensor, where fixed ones are
    too coarse."""


@dataclass(frozen=True)
class Guard:
    """The task metric that quantization must not spoil.

    The rows of `data` are scored at each stage with the task's own metric
    (`edge_sdk.evaluate`), through the runtime's pipeline.
    """

    data: Path
    """Labelled file as `edge-sdk eval` takes it: the split used for choosing, never the test split."""
    metric: str
    """Key of the evaluation's result, larger is better, in percent."""
    max_loss: float
    """Largest drop from torch fp32 to int8, in points, that the export accepts."""


@dataclass(frozen=True)
class ExportSpec:
    """All that a family says about one trained model."""

    name: str
    """Name of the bundle, e.g. "mtop-en"."""
    version: str
    task: str
    """Key of the runtime's task, e.g. "tagger"."""
    language: str
    """BCP 47 tag(s), e.g. "en"."""
    licence: str
    """SPDX expression of the weights."""
    training_data: str
    """Names and licences of the data that the weights come from."""
    graphs: Mapping[str, GraphSpec]
    """Keyed by the graph's role in the pipeline; a task with one graph calls it "model"."""
    pipeline: Mapping[str, Any]
    """The manifest's section `pipeline`: every constant of pre- and post-processing."""
    files: Mapping[str, bytes]
    """Other members of the bundle by name, e.g. ``labels.json``, ``tokenizer.json``."""
    selftest_inputs: Sequence[str]
    """Inputs of the whole pipeline whose outputs are stored and compared by `edge-sdk verify`."""
    guard: Guard | None
    """None only where no labelled data was given: the report then says that nothing was guarded."""
    card: str
    """Markdown body of the model card: what it is for, what it is not for, how it was trained.
    Export adds the measured numbers."""
    examples: Sequence[str] = ()
    """Inputs that `edge-sdk demo` shows."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """Facts of the training run worth keeping in the report (seed, epochs, parameters...)."""
