"""A translator in the format of CTranslate2 4, the engine of the paper: a peer for speed and a check.

    python -m models.query_translator.to_ctranslate2 CHECKPOINT --out FOLDER

The tokens of both vocabularies are the ids in decimal, so that whoever runs it hands over ids as
`edge_sdk.query_tokenizer` makes them: `[str(i) for i in ids]`. Needs `pip install ctranslate2`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from edge_sdk.errors import EdgeError
from edge_sdk.query_tokenizer import BEGIN, END, UNKNOWN
from models.query_translator.model import FeedForward, SelfAttention, Translator


def convert(model: Translator, folder: Path, quantization: str | None = "int8") -> None:
    """Write the model to `folder`, which must not exist; fp32 where `quantization` is None.

    Raises EdgeError (`dependency_missing`), and ValueError where the model is none that we ship.
    """
    try:
        from ctranslate2.specs import TransformerSpec
    except ImportError as error:
        raise EdgeError(
            "dependency_missing", f"ctranslate2 cannot be imported: {error}", "pip install ctranslate2"
        ) from error
    config = model.config
    if config.norm != "pre" or config.embedding_norm or config.activation != "relu" or config.learned_positions:
        raise ValueError("only pre-norm models with ReLU and sinusoids are converted")
    spec = TransformerSpec.from_config(
        (config.encoder_layers, config.decoder_layers), config.heads, pre_norm=True
    )
    spec.config.layer_norm_epsilon = config.norm_epsilon
    spec.config.decoder_start_token = spec.config.bos_token = str(BEGIN)
    spec.config.eos_token, spec.config.unk_token = str(END), str(UNKNOWN)
    tokens = [str(i) for i in range(config.vocabulary)]
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    for side, norm in ((spec.encoder, model.encoder_norm), (spec.decoder, model.decoder_norm)):
        side.scale_embeddings = config.scale_embedding
        side.position_encodings.encodings = _array(model.positions)
        _norm(side.layer_norm, norm)
    spec.encoder.embeddings[0].weight = _array(model.embedding.weight)
    spec.decoder.embeddings.weight = spec.decoder.projection.weight = _array(model.embedding.weight)
    if model.output_bias is not None:
        spec.decoder.projection.bias = _array(model.output_bias)
    for target, layer in zip(spec.encoder.layer, model.encoder):
        _self_attention(target.self_attention, layer.attention_norm, layer.attention)
        _feed_forward(target.ffn, layer.feed_forward_norm, layer.feed_forward)
    for target, layer in zip(spec.decoder.layer, model.decoder):
        _self_attention(target.self_attention, layer.self_norm, layer.self_attention)
        _norm(target.attention.layer_norm, layer.cross_norm)
        cross = layer.cross_attention
        for place, linear in enumerate((cross.query, cross.keys_values, cross.output)):
            _linear(target.attention.linear[place], linear)
        _feed_forward(target.ffn, layer.feed_forward_norm, layer.feed_forward)
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True)
    spec.save(str(folder))


def _self_attention(target: Any, norm: nn.LayerNorm, attention: SelfAttention) -> None:
    _norm(target.layer_norm, norm)
    _linear(target.linear[0], attention.qkv)
    _linear(target.linear[1], attention.output)


def _feed_forward(target: Any, norm: nn.LayerNorm, network: FeedForward) -> None:
    _norm(target.layer_norm, norm)
    _linear(target.linear_0, network.inner)
    _linear(target.linear_1, network.outer)


def _norm(target: Any, norm: nn.LayerNorm) -> None:
    target.gamma, target.beta = _array(norm.weight), _array(norm.bias)


def _linear(target: Any, linear: nn.Linear) -> None:
    target.weight = _array(linear.weight)
    if linear.bias is not None:
        target.bias = _array(linear.bias)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().contiguous().numpy()


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when written, 2 on an error."""
    parser = argparse.ArgumentParser(prog="python -m models.query_translator.to_ctranslate2", description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="--out of a training run")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--precision", choices=("int8", "fp32"), default="int8")
    options = parser.parse_args(arguments)
    from models.query_translator.task import load_model

    try:
        convert(load_model(options.checkpoint), options.out, None if options.precision == "fp32" else "int8")
    except EdgeError as error:
        print(f"{error}\nhint: {error.hint}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
