"""`edge-sdk eval`: the metrics of a bundle on a labelled file."""

from __future__ import annotations

from edge_sdk import zoo
from edge_sdk.bundle import Bundle
from edge_sdk.cli.arguments import Parser
from edge_sdk.cli.output import emit
from edge_sdk.loading import load
from edge_sdk.tasks import task_class


def execute(argv: list[str]) -> None:
    """Print the metrics that `edge_sdk.evaluate` has for the bundle's task."""
    bundle = _parser(add_help=False).parse_known_args(argv)[0].bundle
    parser = _parser(add_help=True)
    if bundle is not None:  # what else `eval` takes depends on the task
        with Bundle.open(zoo.find(bundle)) as opened:
            task_class(opened.manifest.task).add_options(parser)
    options = parser.parse_intermixed_args(argv)
    for name, flag in (("bundle", "BUNDLE"), ("data", "--data")):
        if getattr(options, name) is None:
            parser.error(f"the following arguments are required: {flag}")
    from edge_sdk.evaluate import evaluate

    with load(options.bundle, backend=options.backend, threads=options.threads) as task:
        task.configure(options)
        name = task.bundle.manifest.name
        emit({"bundle": name, "task": task.task, **evaluate(task, options.data)}, options.json)


def _parser(add_help: bool) -> Parser:
    parser = Parser("eval", add_help=add_help)
    parser.add_argument(
        "bundle", metavar="BUNDLE", nargs="?", help="path of an .edge file or zoo name"
    )
    parser.add_loading()
    parser.add_argument("--data", metavar="FILE", help="labelled file, or .gz of it")
    return parser
