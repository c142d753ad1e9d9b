"""`edge-sdk run`: texts in, results out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from edge_sdk.cli.arguments import Parser, parse_for_task
from edge_sdk.cli.output import emit
from edge_sdk.errors import InputError
from edge_sdk.loading import load


def execute(argv: list[str]) -> None:
    """Print one result a text, or a line of stdin where no text is given."""
    options = parse_for_task("run", argv, _add_arguments)
    with load(options.bundle, backend=options.backend, threads=options.threads) as task:
        task.configure(options)
        for where, text in _texts(options.texts) if options.texts else _lines():
            try:
                result = task(text)
            except InputError as error:
                raise InputError(error.code, f"{where}: {error.message}", error.hint) from error
            emit(result.to_dict(), options.json)


def _add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "texts", metavar="TEXT", nargs="*", help="default: one text a line of standard input"
    )


def _texts(texts: list[str]) -> Iterator[tuple[str, str]]:
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
