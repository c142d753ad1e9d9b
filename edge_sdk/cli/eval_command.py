"""`edge-sdk eval`: the metrics of a bundle on a labelled file."""

from __future__ import annotations

from edge_sdk.cli.arguments import Parser
from edge_sdk.cli.output import emit
from edge_sdk.loading import load


def execute(argv: list[str]) -> None:
    """Print the metrics that `edge_sdk.evaluate` has for the bundle's task."""
    parser = Parser("eval")
    parser.add_bundle()
    parser.add_loading()
    parser.add_argument("--data", required=True, metavar="FILE", help="labelled file, or .gz of it")
    options = parser.parse_intermixed_args(argv)
    from edge_sdk.evaluate import evaluate

    with load(options.bundle, backend=options.backend, threads=options.threads) as task:
        name = task.bundle.manifest.name
        emit({"bundle": name, "task": task.task, **evaluate(task, options.data)}, options.json)
