"""`edge-sdk doctor`: what there is on this machine."""

from __future__ import annotations

from edge_sdk.cli.arguments import Parser
from edge_sdk.cli.output import emit
from edge_sdk.environment import doctor


def execute(argv: list[str]) -> None:
    """Print what `edge_sdk.doctor()` finds."""
    options = Parser("doctor").parse_args(argv)
    emit(doctor(), options.json)
