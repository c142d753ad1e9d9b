"""Sizes and variants of the translator."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelConfig:
    """An encoder-decoder Transformer. Widths count vector components.

    The defaults are those of the models trained here (pre-norm, ReLU, no attention biases, as
    MobileNMT, appendix A). The other variants exist so that BART and OpenNMT-py checkpoints load.
    """

    vocabulary: int
    width: int = 256
    heads: int = 4
    hidden: int = 768
    """Inner width of the feed-forward networks."""
    encoder_layers: int = 6
    decoder_layers: int = 1
    dropout: float = 0.0
    max_positions: int = 128
    norm: str = "pre"
    """"pre": x + f(norm(x)), and a norm after the last layer; "post": norm(x + f(x))."""
    activation: str = "relu"
    """"relu" or "gelu"."""
    learned_positions: bool = False
    """A trained table of positions instead of sinusoids."""
    scale_embedding: bool = True
    """Embeddings times sqrt(width)."""
    embedding_norm: bool = False
    """A norm over the sum of embedding and position."""
    attention_bias: bool = False
    output_bias: bool = False
    norm_epsilon: float = 1e-6

    def __post_init__(self) -> None:
        for name, allowed in (("norm", ("pre", "post")), ("activation", ("relu", "gelu"))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected one of {allowed}")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is no multiple of heads {self.heads}")


PAPER = ModelConfig(vocabulary=18000, width=384, heads=6, hidden=1536, encoder_layers=1, decoder_layers=1)
"""The paper's student: one layer, 18 k symbols, width 384. The paper's ~23 M parameters are those
of three separate vocabulary matrices; with one shared matrix it has 11 M."""
MOBILE_10MB = ModelConfig(vocabulary=8000, width=256, heads=4, hidden=512, encoder_layers=12, decoder_layers=2)
MOBILE_20MB = ModelConfig(vocabulary=8000, width=384, heads=6, hidden=768, encoder_layers=12, decoder_layers=2)
"""MobileNMT, Table 3."""
