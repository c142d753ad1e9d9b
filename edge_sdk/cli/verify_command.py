"""`edge-sdk verify`: every byte, then the self-test on each installed engine."""

from __future__ import annotations

from edge_sdk.cli.arguments import Parser
from edge_sdk.cli.output import emit
from edge_sdk.loading import verify


def execute(argv: list[str]) -> None:
    """Print what was checked; anything wrong is an error."""
    parser = Parser("verify")
    parser.add_bundle()
    options = parser.parse_intermixed_args(argv)
    found = verify(options.bundle)
    if options.json:
        emit(found.to_dict(), True)
        return
    runs = ", ".join(f"{n} inputs on {engine}" for engine, n in found.selftests.items())
    print(f"ok: {found.bundle} {found.version}: {found.files} files; self-test: {runs}")
