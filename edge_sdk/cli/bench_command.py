"""`edge-sdk bench`: measurements in fresh processes."""

from __future__ import annotations

from pathlib import Path

from edge_sdk.bench import bench
from edge_sdk.cli.arguments import Parser
from edge_sdk.cli.output import emit, render, table
from edge_sdk.errors import InputError


def execute(argv: list[str]) -> None:
    """Print what `edge_sdk.bench.bench` measures."""
    parser = Parser("bench")
    parser.add_bundle()
    parser.add_loading()
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="processes, default 5")
    parser.add_argument(
        "--inputs", metavar="FILE", help="one text a line; default: the bundle's examples"
    )
    options = parser.parse_intermixed_args(argv)
    found = bench(
        options.bundle,
        runs=options.runs,
        backend=options.backend,
        threads=options.threads,
        inputs=None if options.inputs is None else _lines(options.inputs),
    )
    if options.json:
        emit(found, True)
        return
    rows = [{"measured": k, **v} for k, v in found.items() if isinstance(v, dict)]
    print(render({k: v for k, v in found.items() if not isinstance(v, dict)}))
    print("\n".join(["", *table(rows)]))


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(
            "input_encoding", f"{path}: byte {error.start} is not UTF-8", "convert it to UTF-8"
        ) from error
