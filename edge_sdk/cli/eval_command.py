"""`edge-sdk eval`: the metrics of a bundle on a labelled file."""

from __future__ import annotations

from edge_sdk.cli.arguments import Parser, parse_for_task
from edge_sdk.cli.output import emit
from edge_sdk.loading import load


def execute(argv: list[str]) -> None:
    """Print the metrics that `edge_sdk.evaluate` has for the bundle's task."""
    options = parse_for_task("eval", argv, _add_arguments, required=["data"])
    from edge_sdk.evaluate import evaluate

    with load(options.bundle, backend=options.backend, threads=options.threads) as task:
        task.configure(options)
        name = task.bundle.manifest.name
        emit({"bundle": name, "task": task.task, **evaluate(task, options.data)}, options.json)


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("--data", metavar="FILE", help="labelled file, or .gz of it (required)")
