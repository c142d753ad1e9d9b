"""Transformers trained with OpenNMT-py (checkpoints of its versions 2 and 3) as `Translator`.

What must be so in the checkpoint, because there is one vocabulary matrix here: source, target and
output share their embeddings (`share_vocab`, `share_embeddings`, `share_decoder_embeddings`),
positions are sinusoids, norms come before the layers, the feed-forward networks use ReLU.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edge_sdk.query_tokenizer import FIRST_SLOT, PADDING, SLOTS
from models.query_translator.config import ModelConfig
from models.query_translator.model import Translator
from models.query_translator.vocabulary import SPECIAL

SPECIAL_SYMBOLS = ("<blank>", "<unk>", "<s>", "</s>")
"""OpenNMT-py's, in the order of `SPECIAL`."""
_LUT = "embeddings.make_embedding.emb_luts.0.weight"


def load_opennmt(path: Path) -> tuple[Translator, list[str]]:
    """The model of a `.pt` checkpoint, and its symbols in the order of their ids.

    Copy slots get small random embeddings. Raises OSError; ValueError that names what the
    checkpoint lacks or has of another kind.
    """
    with torch.serialization.safe_globals([argparse.Namespace]):
        stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    weights = {**stored["model"], **{f"generator.{k}": v for k, v in stored.get("generator", {}).items()}}
    table = _get(weights, f"encoder.{_LUT}", path)
    for other in (f"decoder.{_LUT}", "generator.0.weight"):
        if other in weights and not torch.equal(weights[other], table):
            raise ValueError(f"{path}: {other} differs from encoder.{_LUT}; train with shared embeddings")
    old = list(stored["vocab"]["src"])
    if missing := [s for s in SPECIAL_SYMBOLS if s not in old]:
        raise ValueError(f"{path}: the vocabulary lacks {missing[0]}")
    rest = [symbol for symbol in old if symbol not in SPECIAL_SYMBOLS]
    symbols = SPECIAL + [f"[COPY{i}]" for i in range(SLOTS)] + rest
    model = Translator(_config(stored, weights, len(symbols), path))
    state = {ours: _stack(weights, keys, path) for ours, keys in _names(model.config).items()}
    rows = [old.index(symbol) for symbol in (*SPECIAL_SYMBOLS, *rest)]
    state["embedding.weight"] = _spread(table[rows], model.embedding.weight.detach() * table.std())
    state["embedding.weight"][PADDING] = 0.0
    bias = weights.get("generator.0.bias", torch.zeros(len(old)))
    state["output_bias"] = _spread(bias[rows], torch.zeros(len(symbols)))
    state["positions"] = model.positions
    model.load_state_dict(state)
    return model, symbols


def _config(stored: dict[str, Any], weights: dict[str, Tensor], vocabulary: int, path: Path) -> ModelConfig:
    options = vars(stored["opt"]) if isinstance(stored["opt"], argparse.Namespace) else stored["opt"]
    kind = options.get("pos_ffn_activation_fn", "relu")
    if kind != "relu":
        raise ValueError(f"{path}: pos_ffn_activation_fn {kind!r} is not supported, only relu")
    hidden, width = _get(weights, "encoder.transformer.0.feed_forward.w_1.weight", path).shape
    layers = {int(key.split(".")[2]) for key in weights if key.startswith("encoder.transformer.")}
    deep = {int(key.split(".")[2]) for key in weights if key.startswith("decoder.transformer_layers.")}
    return ModelConfig(
        vocabulary=vocabulary,
        width=width,
        heads=options["heads"],
        hidden=hidden,
        encoder_layers=len(layers),
        decoder_layers=len(deep),
        attention_bias=True,
        output_bias=True,
    )


def _names(config: ModelConfig) -> dict[str, list[str]]:
    """Our name of each parameter -> theirs, several where they are stacked."""
    names: dict[str, list[str]] = {}
    for kind in ("weight", "bias"):
        for side in ("encoder", "decoder"):
            names[f"{side}_norm.{kind}"] = [f"{side}.layer_norm.{kind}"]
        for i in range(config.encoder_layers):
            ours, theirs = f"encoder.{i}", f"encoder.transformer.{i}"
            names |= _layer(ours, theirs, "attention", kind)
            names[f"{ours}.attention_norm.{kind}"] = [f"{theirs}.layer_norm.{kind}"]
        for i in range(config.decoder_layers):
            ours, theirs = f"decoder.{i}", f"decoder.transformer_layers.{i}"
            names |= _layer(ours, theirs, "self_attention", kind)
            names[f"{ours}.self_norm.{kind}"] = [f"{theirs}.layer_norm_1.{kind}"]
            names[f"{ours}.cross_norm.{kind}"] = [f"{theirs}.layer_norm_2.{kind}"]
            context = f"{theirs}.context_attn"
            names[f"{ours}.cross_attention.query.{kind}"] = [f"{context}.linear_query.{kind}"]
            names[f"{ours}.cross_attention.output.{kind}"] = [f"{context}.final_linear.{kind}"]
            names[f"{ours}.cross_attention.keys_values.{kind}"] = [
                f"{context}.linear_{part}.{kind}" for part in ("keys", "values")
            ]
    return names


def _layer(ours: str, theirs: str, attention: str, kind: str) -> dict[str, list[str]]:
    return {
        f"{ours}.{attention}.qkv.{kind}": [
            f"{theirs}.self_attn.linear_{part}.{kind}" for part in ("query", "keys", "values")
        ],
        f"{ours}.{attention}.output.{kind}": [f"{theirs}.self_attn.final_linear.{kind}"],
        f"{ours}.feed_forward_norm.{kind}": [f"{theirs}.feed_forward.layer_norm.{kind}"],
        f"{ours}.feed_forward.inner.{kind}": [f"{theirs}.feed_forward.w_1.{kind}"],
        f"{ours}.feed_forward.outer.{kind}": [f"{theirs}.feed_forward.w_2.{kind}"],
    }


def _spread(rows: Tensor, base: Tensor) -> Tensor:
    """`rows` of the stored symbols put around the copy slots, whose rows stay those of `base`."""
    base = base.clone()
    base[: len(SPECIAL)] = rows[: len(SPECIAL)]
    base[FIRST_SLOT + SLOTS :] = rows[len(SPECIAL) :]
    return base


def _stack(weights: dict[str, Tensor], keys: list[str], path: Path) -> Tensor:
    return torch.cat([_get(weights, key, path) for key in keys]).float()


def _get(weights: dict[str, Tensor], key: str, path: Path) -> Tensor:
    if key not in weights:
        raise ValueError(f"{path}: the weight {key} is missing; is it a Transformer of OpenNMT-py 2 or 3?")
    return weights[key]
