"""BERT (Devlin et al., 2019) with the parameter names of the Hugging Face layout.

Only what a tagger needs: embeddings and encoder layers. A checkpoint folder holds `config.json`,
`vocab.txt` and `model.safetensors` or `pytorch_model.bin`; `load_bert` reads the first k layers,
as the members BERT-k of the CWSeg paper do. Nothing in a checkpoint is executed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.common.dropout import ByteDropout
from models.common.safetensors import read_safetensors


@dataclass(frozen=True)
class BertConfig:
    """The keys of `config.json` that are used, by their names there; `dropout` is ours."""

    vocab_size: int = 0
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    hidden_act: str = "gelu"
    dropout: float = 0.1


class BertLayer(nn.Module):
    """Self-attention and a feed-forward network, each followed by addition and normalisation."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width, inner = config.hidden_size, config.intermediate_size
        self.heads = config.num_attention_heads
        self.attention = nn.ModuleDict(
            {
                "self": nn.ModuleDict({n: nn.Linear(width, width) for n in ("query", "key", "value")}),
                "output": _Output(width, width, config.layer_norm_eps),
            }
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, inner)})
        self.output = _Output(inner, width, config.layer_norm_eps)
        self.dropout = ByteDropout(config.dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """x [batch, n, width]; bias [batch, 1, 1, n] is added to the attention scores."""
        batch, length, width = x.shape
        query, key, value = (
            self.attention["self"][name](x).view(batch, length, self.heads, -1).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(2, 3) * (width // self.heads) ** -0.5 + bias
        mixed = self.dropout(scores.softmax(3)) @ value
        x = self.attention["output"](self.dropout(mixed.transpose(1, 2).reshape(x.shape)), x)
        return self.output(self.dropout(functional.gelu(self.intermediate["dense"](x))), x)


class _Output(nn.Module):
    """LayerNorm(input + dense(x))."""

    def __init__(self, width_in: int, width: int, eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width_in, width)
        self.LayerNorm = nn.LayerNorm(width, eps=eps)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        return self.LayerNorm(self.dense(x) + residual)


class BertEncoder(nn.Module):
    """The stack of layers."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(BertLayer(config) for _ in range(config.num_hidden_layers))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x [batch, n, hidden], mask [batch, n] with 0 for what nobody attends to."""
        bias = (mask[:, None, None, :] - 1.0) * 1e4
        for layer in self.layer:
            x = layer(x, bias)
        return x


class BertEmbeddings(nn.Module):
    """Word, position and segment embeddings, summed and normalised."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=0)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens int64 [batch, n] -> [batch, n, hidden]."""
        positions = self.position_embeddings.weight[: tokens.shape[1]]
        return self.LayerNorm(
            self.word_embeddings(tokens) + positions + self.token_type_embeddings.weight[0]
        )


class Bert(nn.Module):
    """Embeddings and encoder."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = BertEmbeddings(config)
        self.encoder = BertEncoder(config)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens int64 [batch, n], mask float32 [batch, n] -> [batch, n, hidden]."""
        return self.encoder(self.embeddings(tokens), mask)


def read_config(folder: Path, layers: int | None = None) -> BertConfig:
    """`config.json`, with only the first `layers` layers. Raises OSError, ValueError."""
    found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    known = {field.name for field in fields(BertConfig)}
    config = BertConfig(**{key: value for key, value in found.items() if key in known})
    if config.hidden_act != "gelu":
        raise ValueError(f"{folder}: hidden_act {config.hidden_act!r} is not supported, only gelu")
    if layers is None:
        return config
    if not 1 <= layers <= config.num_hidden_layers:
        raise ValueError(f"{folder} has {config.num_hidden_layers} layers, {layers} were asked for")
    return BertConfig(**{**config.__dict__, "num_hidden_layers": layers})


def read_vocabulary(folder: Path) -> dict[str, int]:
    """`vocab.txt`: one token a line, numbered from 0."""
    lines = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    return {token.rstrip("\r"): number for number, token in enumerate(lines)}


def load_bert(folder: Path, layers: int | None = None) -> Bert:
    """The first `layers` layers of a checkpoint, all by default.

    Raises OSError for missing files; ValueError that names the weights that are missing or of
    another shape.
    """
    bert = Bert(read_config(folder, layers))
    stored = _read_weights(folder)
    weights = {}
    for name, parameter in bert.state_dict().items():
        # Checkpoints of bare encoders have no prefix; old ones say gamma and beta.
        old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        choices = [prefix + form for prefix in ("bert.", "") for form in (name, old)]
        value = next((stored[key] for key in choices if key in stored), None)
        if value is None or value.shape != parameter.shape:
            found = "missing" if value is None else f"of shape {list(value.shape)}"
            raise ValueError(f"{folder}: {name} is {found}, expected {list(parameter.shape)}")
        weights[name] = value.float()
    bert.load_state_dict(weights)
    return bert


def _read_weights(folder: Path) -> dict[str, Tensor]:
    path = folder / "model.safetensors"
    if path.exists():
        return read_safetensors(path)
    return torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
