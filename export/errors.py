"""The error of the export side."""

from __future__ import annotations

from edge_sdk.errors import EdgeError


class ExportError(EdgeError):
    """A checkpoint cannot be exported, or its bundle would be worse than allowed."""
