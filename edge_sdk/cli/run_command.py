"""`edge-sdk run`: texts in, results out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from edge_sdk import zoo
from edge_sdk.bundle import Bundle
from edge_sdk.cli.arguments import Parser
from edge_sdk.cli.output import emit
from edge_sdk.errors import InputError
from edge_sdk.loading import load
from edge_sdk.tasks import task_class


def execute(argv: list[str]) -> None:
    """Print one result a text, or a line of stdin where no text is given."""
    bundle = _parser(add_help=False).parse_known_args(argv)[0].bundle
    parser = _parser(add_help=True)
    if bundle is not None:  # what else `run` takes depends on the task
        with Bundle.open(zoo.find(bundle)) as opened:
            task_class(opened.manifest.task).add_options(parser)
    options = parser.parse_intermixed_args(argv)
    if options.bundle is None:
        parser.error("the following arguments are required: BUNDLE")
    with load(options.bundle, backend=options.backend, threads=options.threads) as task:
        task.configure(options)
        for where, text in _arguments(options.texts) if options.texts else _lines():
            try:
                result = task(text)
            except InputError as error:
                raise InputError(error.code, f"{where}: {error.message}", error.hint) from error
            emit(result.to_dict(), options.json)


def _parser(add_help: bool) -> Parser:
    parser = Parser("run", add_help=add_help)
    parser.add_argument(
        "bundle", metavar="BUNDLE", nargs="?", help="path of an .edge file or zoo name"
    )
    parser.add_argument(
        "texts", metavar="TEXT", nargs="*", help="default: one text a line of standard input"
    )
    parser.add_loading()
    return parser


def _arguments(texts: list[str]) -> Iterator[tuple[str, str]]:
    for i, text in enumerate(texts, 1):
        # Back to the bytes that the shell passed: the locale may not have been UTF-8.
        yield f"TEXT {i}", _decode(os.fsencode(text), f"TEXT {i}")


def _lines() -> Iterator[tuple[str, str]]:
    if sys.stdin.isatty():
        print("reading one text a line from the keyboard; Ctrl-D ends", file=sys.stderr)
    for number, line in enumerate(sys.stdin.buffer, 1):
        where = f"line {number} of standard input"
        yield where, _decode(line.removesuffix(b"\n").removesuffix(b"\r"), where)


def _decode(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            "input_encoding",
            f"{where}: byte {error.start} is not UTF-8",
            "convert the text to UTF-8, for example with iconv",
        ) from error
