"""The translator: an encoder-decoder Transformer (Vaswani et al., 2017) with one vocabulary matrix.

Source embedding, target embedding and output projection are the same matrix, which MobileNMT's
parameter counts imply. Pre-norm by default (MobileNMT, appendix A).

Shapes: b batch, s source length, t target length, d width, h heads, V vocabulary. Biases added to
attention scores are 0 where a key may be seen and very negative where not.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_sdk.query_tokenizer import PADDING
from models.common.dropout import ByteDropout
from models.query_translator.config import ModelConfig

HIDDEN_SCORE = -1e4
"""Added to the score of a key that must not be seen; finite, so that no softmax divides 0 by 0."""

KeysValues = tuple[Tensor, Tensor]
"""Keys and values of one attention, both [b, h, length, d / h]."""


class Translator(nn.Module):
    """Source tokens to target tokens.

    `forward` scores a whole target (teacher forcing). For decoding token by token: `encode`,
    `cross`, then `step` for each token; its scores equal those of `forward`.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width, padding_idx=PADDING)
        nn.init.normal_(self.embedding.weight, std=config.width**-0.5)
        with torch.no_grad():
            self.embedding.weight[PADDING] = 0.0
        if config.learned_positions:
            self.positions = nn.Parameter(torch.randn(config.max_positions, config.width) * 0.02)
            # BART has one table a side; sinusoids serve both sides.
            self.target_positions = nn.Parameter(self.positions.detach().clone())
        else:
            self.register_buffer("positions", sinusoids(config.max_positions, config.width))
        if config.embedding_norm:
            self.source_norm, self.target_norm = _norm(config), _norm(config)
        self.dropout = ByteDropout(config.dropout)
        self.encoder = nn.ModuleList(EncoderLayer(config) for _ in range(config.encoder_layers))
        self.decoder = nn.ModuleList(DecoderLayer(config) for _ in range(config.decoder_layers))
        if config.norm == "pre":
            self.encoder_norm, self.decoder_norm = _norm(config), _norm(config)
        self.output_bias = nn.Parameter(torch.zeros(config.vocabulary)) if config.output_bias else None

    def forward(self, source: Tensor, target_in: Tensor) -> Tensor:
        """source int64 [b, s], target_in int64 [b, t] (BEGIN first) -> logits [b, t, V]."""
        return self.logits(self.hidden(source, target_in))

    def hidden(self, source: Tensor, target_in: Tensor) -> Tensor:
        """As `forward`, before the projection to the vocabulary: [b, t, d]."""
        cross = self.cross(self.encode(source))
        length = target_in.shape[1]
        future = torch.full((length, length), HIDDEN_SCORE, device=source.device).triu(1)
        x = self._embed_target(target_in, 0)
        for layer, keys_values in zip(self.decoder, cross):
            x, _ = layer(x, future, keys_values, source_bias(source))
        return self.decoder_norm(x) if self.config.norm == "pre" else x

    def encode(self, source: Tensor) -> Tensor:
        """source int64 [b, s] -> [b, s, d]. Padded positions hold nothing of use."""
        bias = source_bias(source)
        x = self._embed(source) + self.positions[: source.shape[1]]
        if self.config.embedding_norm:
            x = self.source_norm(x)
        x = self.dropout(x)
        for layer in self.encoder:
            x = layer(x, bias)
        return self.encoder_norm(x) if self.config.norm == "pre" else x

    def cross(self, memory: Tensor) -> list[KeysValues]:
        """What each decoder layer attends to in the source; computed once a sentence."""
        return [layer.cross_attention.keys_and_values(memory) for layer in self.decoder]

    def step(
        self, token: Tensor, past: list[KeysValues], cross: list[KeysValues], bias: Tensor
    ) -> tuple[Tensor, list[KeysValues]]:
        """Scores of the token after `token`.

        Args:
            token: int64 [b], the last token decided.
            past: keys and values of the tokens before it, one pair a layer; [] at the first step.
            cross: from `cross`.
            bias: `source_bias` of the source.
        Returns:
            logits [b, V], and `past` with this token added.
        """
        x = self._embed_target(token[:, None], past[0][0].shape[2] if past else 0)
        now = []
        for number, layer in enumerate(self.decoder):
            x, kept = layer(x, None, cross[number], bias, past[number] if past else None)
            now.append(kept)
        x = self.decoder_norm(x) if self.config.norm == "pre" else x
        return self.logits(x[:, 0]), now

    def logits(self, hidden: Tensor) -> Tensor:
        """[..., d] -> [..., V]."""
        return functional.linear(hidden, self.embedding.weight, self.output_bias)

    def _embed(self, tokens: Tensor) -> Tensor:
        scale = math.sqrt(self.config.width) if self.config.scale_embedding else 1.0
        return functional.embedding(tokens, self.embedding.weight) * scale

    def _embed_target(self, tokens: Tensor, first: int) -> Tensor:
        positions = self.target_positions if self.config.learned_positions else self.positions
        x = self._embed(tokens) + positions[first : first + tokens.shape[1]]
        return self.dropout(self.target_norm(x) if self.config.embedding_norm else x)


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward network, each with its residual."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.pre = config.norm == "pre"
        self.attention_norm = _norm(config)
        self.attention = SelfAttention(config)
        self.feed_forward_norm = _norm(config)
        self.feed_forward = FeedForward(config)
        self.dropout = ByteDropout(config.dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """[b, s, d]; bias broadcasts to [b, h, s, s]."""
        if self.pre:
            x = x + self.dropout(self.attention(self.attention_norm(x), bias)[0])
            return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        x = self.attention_norm(x + self.dropout(self.attention(x, bias)[0]))
        return self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))


class DecoderLayer(nn.Module):
    """Self-attention to the past, attention to the source, feed-forward network."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.pre = config.norm == "pre"
        self.self_norm = _norm(config)
        self.self_attention = SelfAttention(config)
        self.cross_norm = _norm(config)
        self.cross_attention = CrossAttention(config)
        self.feed_forward_norm = _norm(config)
        self.feed_forward = FeedForward(config)
        self.dropout = ByteDropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        future: Tensor | None,
        cross: KeysValues,
        bias: Tensor,
        past: KeysValues | None = None,
    ) -> tuple[Tensor, KeysValues]:
        """x [b, t, d] -> the same, and keys and values of past and x.

        `future` [t, t] hides later tokens; None where x is a single token.
        """
        if self.pre:
            mixed, kept = self.self_attention(self.self_norm(x), future, past)
            x = x + self.dropout(mixed)
            x = x + self.dropout(self.cross_attention(self.cross_norm(x), cross, bias))
            return x + self.dropout(self.feed_forward(self.feed_forward_norm(x))), kept
        mixed, kept = self.self_attention(x, future, past)
        x = self.self_norm(x + self.dropout(mixed))
        x = self.cross_norm(x + self.dropout(self.cross_attention(x, cross, bias)))
        return self.feed_forward_norm(x + self.dropout(self.feed_forward(x))), kept


class SelfAttention(nn.Module):
    """Multi-head attention of a sequence to itself and to what is cached of it."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = _projection(config.width, 3 * config.width, config.attention_bias)
        self.output = _projection(config.width, config.width, config.attention_bias)

    def forward(
        self, x: Tensor, bias: Tensor | None, past: KeysValues | None = None
    ) -> tuple[Tensor, KeysValues]:
        """[b, n, d]; bias broadcasts to the scores; `past` comes before x."""
        query, key, value = (split_heads(part, self.heads) for part in self.qkv(x).chunk(3, dim=2))
        if past is not None:
            key, value = torch.cat((past[0], key), 2), torch.cat((past[1], value), 2)
        return self.output(attend(query, key, value, bias)), (key, value)


class CrossAttention(nn.Module):
    """Multi-head attention to the encoder's output."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.query = _projection(config.width, config.width, config.attention_bias)
        self.keys_values = _projection(config.width, 2 * config.width, config.attention_bias)
        self.output = _projection(config.width, config.width, config.attention_bias)

    def keys_and_values(self, memory: Tensor) -> KeysValues:
        """memory [b, s, d] -> keys and values."""
        key, value = self.keys_values(memory).chunk(2, dim=2)
        return split_heads(key, self.heads), split_heads(value, self.heads)

    def forward(self, x: Tensor, cross: KeysValues, bias: Tensor) -> Tensor:
        """x [b, t, d]; bias [b, 1, 1, s]."""
        return self.output(attend(split_heads(self.query(x), self.heads), *cross, bias))


class FeedForward(nn.Module):
    """Two dense layers with an activation between them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.inner = nn.Linear(config.width, config.hidden)
        self.outer = nn.Linear(config.hidden, config.width)
        self.activation = functional.relu if config.activation == "relu" else functional.gelu
        self.dropout = ByteDropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[..., d] -> [..., d]."""
        return self.outer(self.dropout(self.activation(self.inner(x))))


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    """Scaled dot-product attention of [b, h, n, d / h] -> [b, n, d]."""
    scores = query @ key.transpose(2, 3) * query.shape[3] ** -0.5
    if bias is not None:
        scores = scores + bias
    mixed = scores.softmax(3).to(value.dtype) @ value
    return mixed.transpose(1, 2).flatten(2)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """[b, n, d] -> [b, h, n, d / h]."""
    return x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


def source_bias(source: Tensor) -> Tensor:
    """Hides padding: int64 [b, s] -> float [b, 1, 1, s]."""
    return (source == PADDING)[:, None, None].float() * HIDDEN_SCORE


def sinusoids(length: int, width: int) -> Tensor:
    """Positions of Vaswani et al. (2017), section 3.5; sine and cosine alternate. [length, width]."""
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angles = torch.arange(length)[:, None] * rates
    return torch.stack((angles.sin(), angles.cos()), 2).view(length, width)


def _norm(config: ModelConfig) -> nn.LayerNorm:
    return nn.LayerNorm(config.width, eps=config.norm_epsilon)


def _projection(inputs: int, outputs: int, bias: bool) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=bias)
    nn.init.xavier_uniform_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
