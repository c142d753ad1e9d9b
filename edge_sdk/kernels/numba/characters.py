"""Character inputs: NumPy does them fast enough that compiling loops would not pay."""

from __future__ import annotations

from edge_sdk.kernels.reference.characters import character_inputs, lexicon_features

__all__ = ["character_inputs", "lexicon_features"]
