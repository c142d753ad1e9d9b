"""Reading labelled files: UTF-8, plain or gzipped; every fault names the file and the line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from edge_sdk import files
from edge_sdk.errors import InputError


def read_tsv(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Lines of a TSV file with a header line and no quoting: (file and line, value by column).

    UTF-8, gzipped or plain. Raises InputError: `data_unreadable`, `data_invalid`.
    """
    reader = csv.reader(
        io.StringIO(read_text(path), newline=""), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    try:
        header = next(reader, [])
        for fields in reader:
            where = f"{path}:{reader.line_num}"
            if fields and len(fields) != len(header):
                raise invalid(where, f"{len(fields)} fields, the header has {len(header)}")
            if fields:
                yield where, dict(zip(header, fields, strict=True))
    except csv.Error as error:
        raise invalid(f"{path}:{reader.line_num}", str(error)) from error


def read_text(path: Path) -> str:
    """A whole file. Raises InputError: `data_unreadable`, `data_invalid` naming the line."""
    return files.read_text(path, unreadable="data_unreadable", encoding="data_invalid")


def invalid(where: str, problem: str) -> InputError:
    """The error of a labelled file; `where` is the file, and the line where there is one."""
    return InputError(
        "data_invalid", f"{where}: {problem}", "see the documentation of edge-sdk eval for the columns"
    )
