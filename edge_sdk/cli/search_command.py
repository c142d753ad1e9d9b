"""`edge-sdk search`: the entries of an index nearest to a query."""

from __future__ import annotations

from edge_sdk.cli.arguments import Parser
from edge_sdk.cli.output import emit
from edge_sdk.errors import InputError
from edge_sdk.loading import load


def execute(argv: list[str]) -> None:
    """Print the query and its hits, and write them as a page where that is asked for."""
    parser = Parser("search")
    parser.add_argument("index", metavar="FILE", help="an index that `edge-sdk index` wrote")
    parser.add_argument("query", metavar="QUERY", help="a text, or the path of a picture")
    parser.add_argument("--bundle", required=True, help="path or name of the bundle that made the index")
    parser.add_argument("--top", type=int, default=10, metavar="K", help="how many hits, default 10")
    parser.add_argument("--html", metavar="OUT", help="write a page with pictures and scores to OUT")
    parser.add_loading()
    options = parser.parse_intermixed_args(argv)
    if options.top < 1:
        raise InputError("input_top", f"--top is {options.top}, expected 1 or more", "leave it out for 10")
    with load(options.bundle, backend=options.backend, threads=options.threads) as task:
        from edge_sdk.index import VectorIndex

        with VectorIndex.open(options.index, task.bundle) as index:
            hits = [hit.to_dict() for hit in task.search_index(index, options.query, options.top)]
            entries = len(index)
        maker = f"{task.bundle.manifest.name} {task.bundle.manifest.version}"
    if options.html is not None:
        from edge_sdk.page import write_page

        write_page(options.html, options.query, hits, f"The {len(hits)} nearest of {entries:,}, by {maker}")
    emit({"query": options.query, "hits": hits}, options.json)
