"""Exact search among up to millions of vectors, in one file: docs/vector-index.md."""

from edge_sdk.index.file import is_index
from edge_sdk.index.index import Match, VectorIndex
from edge_sdk.index.origin import Origin

__all__ = ["Match", "Origin", "VectorIndex", "is_index"]
