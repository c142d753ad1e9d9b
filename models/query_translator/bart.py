"""A BART checkpoint (Lewis et al., 2020) in the Hugging Face layout as a teacher to fine-tune.

The folder holds `config.json`, `model.safetensors` or `pytorch_model.bin`, `vocab.json` and
`merges.txt`. Brand names become new symbols with random embeddings, as in the paper. Symbols are
put in the order that every vocabulary has here, so BART's `<s>` is BEGIN and `</s>` END.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edge_sdk.query_tokenizer import FIRST_SLOT, PADDING, SLOTS, WORD_BEGIN
from models.common.safetensors import read_safetensors
from models.query_translator.config import ModelConfig
from models.query_translator.model import Translator
from models.query_translator.vocabulary import SPECIAL

SPECIAL_SYMBOLS = ("<pad>", "<unk>", "<s>", "</s>")
"""BART's, in the order of `SPECIAL`."""
DROPPED = {"<mask>"}
FIRST_POSITION = 2
"""BART's tables of positions begin with two rows that are never used."""
WORD_BEGIN_BYTE = "Ġ"


def load_bart(folder: Path, brands: int, dropout: float = 0.1) -> tuple[Translator, list[str]]:
    """The model, and its symbols without brands in the order of their ids.

    The embeddings of copy slots and of the `brands` last symbols are drawn from torch's generator.
    Raises OSError for missing files, ValueError that names what is missing or unsupported.
    """
    found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    old = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    order = symbol_order(old, folder)
    symbols = SPECIAL + [f"[COPY{i}]" for i in range(SLOTS)]
    symbols += [symbol.replace(WORD_BEGIN_BYTE, WORD_BEGIN) for symbol in order[len(SPECIAL) :]]
    model = Translator(_config(found, len(symbols) + brands, dropout, folder))
    stored = _stored(folder)
    state = {name: _take(stored, keys, folder) for name, keys in _names(model.config).items()}
    for side in ("positions", "target_positions"):
        state[side] = state[side][FIRST_POSITION:]
    table = model.embedding.weight.detach() * found.get("init_std", 0.02) * model.config.width**0.5
    rows = state["embedding.weight"][[old[symbol] for symbol in order]]
    table[: len(SPECIAL)] = rows[: len(SPECIAL)]
    table[FIRST_SLOT + SLOTS : len(symbols)] = rows[len(SPECIAL) :]
    table[PADDING] = 0.0
    state["embedding.weight"] = table
    bias = stored.get("final_logits_bias", torch.zeros(1, len(old)))[0]
    kept = bias[[old[symbol] for symbol in order]]
    state["output_bias"] = torch.zeros(len(table))
    state["output_bias"][: len(SPECIAL)] = kept[: len(SPECIAL)]
    state["output_bias"][FIRST_SLOT + SLOTS : len(symbols)] = kept[len(SPECIAL) :]
    model.load_state_dict({name: value.float() for name, value in state.items()})
    return model, symbols


def bart_tokenizer(folder: Path, symbols: list[str]) -> bytes:
    """The `tokenizer.json` of BART's byte pairs, words marked as here. Raises OSError, ValueError.

    Pieces of bytes beyond ASCII are not reachable: such words go through copy slots.
    """
    from tokenizers import Tokenizer
    from tokenizers.models import BPE

    ids = {symbol: number for number, symbol in enumerate(symbols)}
    lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.replace(WORD_BEGIN_BYTE, WORD_BEGIN).split(" ") for line in lines if not line.startswith("#version")]
    merges = [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]
    return Tokenizer(BPE(ids, merges, unk_token=SPECIAL[1])).to_str().encode("utf-8")


def symbol_order(old: dict[str, int], folder: Path) -> list[str]:
    """BART's symbols: the special ones first, then the others by their old ids."""
    missing = [symbol for symbol in SPECIAL_SYMBOLS if symbol not in old]
    if missing:
        raise ValueError(f"{folder / 'vocab.json'} lacks {missing[0]}")
    rest = sorted((n, s) for s, n in old.items() if s not in SPECIAL_SYMBOLS and s not in DROPPED)
    return [*SPECIAL_SYMBOLS, *(symbol for _, symbol in rest)]


def _config(found: dict[str, Any], vocabulary: int, dropout: float, folder: Path) -> ModelConfig:
    pairs = (("encoder_ffn_dim", "decoder_ffn_dim"), ("encoder_attention_heads", "decoder_attention_heads"))
    for one, other in pairs:
        if found[one] != found[other]:
            raise ValueError(f"{folder}: {one} {found[one]} and {other} {found[other]} differ")
    return ModelConfig(
        vocabulary=vocabulary,
        width=found["d_model"],
        heads=found["encoder_attention_heads"],
        hidden=found["encoder_ffn_dim"],
        encoder_layers=found["encoder_layers"],
        decoder_layers=found["decoder_layers"],
        dropout=dropout,
        max_positions=found["max_position_embeddings"],
        norm="post",
        activation=found.get("activation_function", "gelu"),
        learned_positions=True,
        scale_embedding=found.get("scale_embedding", False),
        embedding_norm=True,
        attention_bias=True,
        output_bias=True,
        norm_epsilon=1e-5,
    )


def _names(config: ModelConfig) -> dict[str, list[str]]:
    """Our name of each parameter -> BART's, several where they are stacked."""
    names = {
        "embedding.weight": ["shared.weight"],
        "positions": ["encoder.embed_positions.weight"],
        "target_positions": ["decoder.embed_positions.weight"],
    }
    for kind in ("weight", "bias"):
        names[f"source_norm.{kind}"] = [f"encoder.layernorm_embedding.{kind}"]
        names[f"target_norm.{kind}"] = [f"decoder.layernorm_embedding.{kind}"]
        for i in range(config.encoder_layers):
            theirs = f"encoder.layers.{i}"
            names |= _layer(f"encoder.{i}", theirs, "attention", kind)
            names[f"encoder.{i}.attention_norm.{kind}"] = [f"{theirs}.self_attn_layer_norm.{kind}"]
        for i in range(config.decoder_layers):
            ours, theirs = f"decoder.{i}", f"decoder.layers.{i}"
            names |= _layer(ours, theirs, "self_attention", kind)
            names[f"{ours}.self_norm.{kind}"] = [f"{theirs}.self_attn_layer_norm.{kind}"]
            names[f"{ours}.cross_norm.{kind}"] = [f"{theirs}.encoder_attn_layer_norm.{kind}"]
            for our, their in (("query", "q"), ("output", "out")):
                names[f"{ours}.cross_attention.{our}.{kind}"] = [f"{theirs}.encoder_attn.{their}_proj.{kind}"]
            names[f"{ours}.cross_attention.keys_values.{kind}"] = [
                f"{theirs}.encoder_attn.{part}_proj.{kind}" for part in "kv"
            ]
    return names


def _layer(ours: str, theirs: str, attention: str, kind: str) -> dict[str, list[str]]:
    return {
        f"{ours}.{attention}.qkv.{kind}": [f"{theirs}.self_attn.{part}_proj.{kind}" for part in "qkv"],
        f"{ours}.{attention}.output.{kind}": [f"{theirs}.self_attn.out_proj.{kind}"],
        f"{ours}.feed_forward.inner.{kind}": [f"{theirs}.fc1.{kind}"],
        f"{ours}.feed_forward.outer.{kind}": [f"{theirs}.fc2.{kind}"],
        f"{ours}.feed_forward_norm.{kind}": [f"{theirs}.final_layer_norm.{kind}"],
    }


def _stored(folder: Path) -> dict[str, Tensor]:
    """Weights by their names without the prefix that checkpoints with a head have."""
    path = folder / "model.safetensors"
    if path.exists():
        found = read_safetensors(path)
    else:
        found = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
    return {name.removeprefix("model."): value for name, value in found.items()}


def _take(stored: dict[str, Tensor], keys: list[str], folder: Path) -> Tensor:
    for key in keys:
        if key not in stored:
            raise ValueError(f"{folder}: the weight {key} is missing")
    return torch.cat([stored[key] for key in keys]) if len(keys) > 1 else stored[keys[0]]
