"""`edge-sdk index`: build an index, or bring it up to date."""

from __future__ import annotations

import sys

from edge_sdk.cli.arguments import Parser
from edge_sdk.cli.output import emit, safe
from edge_sdk.cli.progress import Progress
from edge_sdk.loading import load


def execute(argv: list[str]) -> None:
    """Print what was done; files that were skipped go to stderr, one a line."""
    parser = Parser("index")
    parser.add_argument("source", metavar="SOURCE", help="folder of pictures, or file of phrases, one a line")
    parser.add_argument("--bundle", required=True, help="path of an .edge file or zoo name")
    parser.add_argument("--out", required=True, metavar="FILE", help="the index; one that is there is updated")
    parser.add_loading()
    options = parser.parse_intermixed_args(argv)
    # Several inputs at once gain more than several threads on one.
    with load(options.bundle, backend=options.backend) as task:
        progress = Progress()
        try:
            report = task.build_index(
                options.source, options.out, threads=options.threads, progress=progress
            )
        finally:
            progress.close()
    problems = report.get("problems", [])
    for problem in problems:
        print(f"skipped: {safe(problem['message'])}", file=sys.stderr)
    if not options.json:
        report = {key: value for key, value in report.items() if key != "problems"}
    emit(report, options.json)
