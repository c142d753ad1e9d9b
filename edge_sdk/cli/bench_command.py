"""`edge-sdk bench`: measurements in fresh processes; `edge-sdk bench compare A.json B.json`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from edge_sdk.bench import bench
from edge_sdk.cli.arguments import Parser
from edge_sdk.cli.output import emit, render, table
from edge_sdk.errors import InputError

REGRESSION = 1
"""Exit status of `bench compare` when something got worse."""


def execute(argv: list[str]) -> int:
    """Print what `edge_sdk.bench.bench` measures, or compare two files of such results."""
    if argv[:1] == ["compare"]:
        return _compare(argv[1:])
    parser = Parser("bench")
    parser.add_argument("bundles", metavar="BUNDLE", nargs="+", help="path of an .edge file or zoo name")
    parser.add_loading()
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="processes, default 5")
    parser.add_argument(
        "--batches", default="1,8,32", metavar="N,N", help="texts in a batch, default 1,8,32"
    )
    parser.add_argument(
        "--seconds", type=float, default=1.0, metavar="S", help="length of a timed loop, default 1"
    )
    parser.add_argument(
        "--inputs", metavar="FILE", help="one text a line; default: the bundle's examples"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the results: .png, .svg or .pdf")
    options = parser.parse_intermixed_args(argv)
    if options.plot is not None:
        from edge_sdk.bench.plot import check_suffix

        check_suffix(options.plot)
    try:
        batches = [int(size) for size in options.batches.split(",")]
    except ValueError:
        parser.error(f"--batches {options.batches}: expected whole numbers and commas")
    inputs = None if options.inputs is None else _lines(options.inputs)
    results = []
    for name in options.bundles:
        found = bench(
            name,
            runs=options.runs,
            backend=options.backend,
            threads=options.threads,
            batches=batches,
            seconds=options.seconds,
            inputs=inputs,
        )
        results.append(found)
        if options.json:
            emit(found, True)
        else:
            _show(found)
    if options.plot is not None:
        from edge_sdk.bench.plot import plot

        plot(results, options.plot)
        print(f"wrote {options.plot}", file=sys.stderr)
    return 0


def _show(found: Mapping[str, object]) -> None:
    """A table of the measurements, under the few facts that they depend on."""
    rows = [
        {"measured": key, **{name: value[name] for name in ("median", "min", "max")}}
        for key, value in found.items()
        if isinstance(value, Mapping) and "values" in value
    ]
    facts = ("bundle", "version", "engine", "threads", "runs", "texts", "file_bytes", "install_mb")
    also = {key: found[key] for key in (*facts, "kernels", "machine", "before", "after")}
    print(render(also))
    print("\n".join(["", *table(rows), ""]))


def _compare(argv: list[str]) -> int:
    from edge_sdk.bench.compare import caveats, compare

    parser = Parser("bench")
    parser.prog += " compare"
    parser.description = "tell real changes from noise; exit status 1 when something got worse"
    parser.add_argument("before", metavar="A.json", help="what edge-sdk bench --json printed")
    parser.add_argument("after", metavar="B.json", help="the same, later")
    options = parser.parse_args(argv)
    changes = [change.to_dict() for change in compare(options.before, options.after)]
    for caveat in caveats(options.before, options.after):
        print(caveat, file=sys.stderr)
    if options.json:
        for change in changes:
            emit(change, True)
    else:
        print("\n".join(table(changes)))
    return REGRESSION if any(change["verdict"] == "worse" for change in changes) else 0


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(
            "input_encoding", f"{path}: byte {error.start} is not UTF-8", "convert it to UTF-8"
        ) from error
