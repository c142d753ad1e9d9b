"""What commands print: JSON for programs, aligned plain text for people."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any


def emit(result: Mapping[str, Any], as_json: bool) -> None:
    """Print one result: as one line of JSON, or readably with an empty line after it."""
    if as_json:
        # ASCII, so that lone surrogates and odd line separators cannot break a line.
        print(json.dumps(result), flush=True)
    else:
        print(render(result), end="\n\n", flush=True)


def render(result: Mapping[str, Any]) -> str:
    """Aligned `key  value` lines; a list of objects becomes a table under its key."""
    width = max(map(_width, result), default=0)
    lines: list[str] = []
    for key, value in result.items():
        if isinstance(value, Mapping):
            lines.append(key)
            lines += ["  " + line for line in render(value).splitlines()]
        elif isinstance(value, Sequence) and value and isinstance(value[0], Mapping):
            lines.append(key)
            lines += ["  " + line for line in table(value)]
        else:
            lines.append(f"{_pad(key, width)}  {_show(value)}")
    return "\n".join(lines)


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A header and one line a row, columns aligned."""
    columns = list(rows[0])
    cells = [columns, *([_show(row[column]) for column in columns] for row in rows)]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(columns))]
    return [
        "  ".join(_pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _show(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, Sequence):
        shown = ", ".join(map(_show, value[:8]))
        return f"{shown}, ... ({len(value)})" if len(value) > 8 else shown
    return str(value)


def safe(text: str) -> str:
    """Control characters escaped: a text must not move the cursor or break the line."""
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in ("Cc", "Cs") else c
        for c in text
    )


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
