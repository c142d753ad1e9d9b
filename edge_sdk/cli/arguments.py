"""Parsing arguments, with errors in the form of all others."""

from __future__ import annotations

import argparse
from typing import NoReturn

from edge_sdk.cli import COMMANDS
from edge_sdk.errors import EdgeError


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises EdgeError (`usage`)."""

    def __init__(self, command: str, add_help: bool = True) -> None:
        what = COMMANDS[command]
        super().__init__(
            prog=f"edge-sdk {command}", description=what, add_help=add_help, allow_abbrev=False
        )
        self.add_argument("--json", action="store_true", help="print JSON objects, one a line")

    def error(self, message: str) -> NoReturn:
        raise EdgeError("usage", message, f"{self.prog} --help shows the arguments")

    def add_bundle(self) -> None:
        self.add_argument("bundle", metavar="BUNDLE", help="path of an .edge file or zoo name")

    def add_loading(self) -> None:
        """The options of `edge_sdk.load`."""
        self.add_argument("--backend", default="auto", help="engine: auto (default) or onnx")
        self.add_argument("--threads", type=int, default=1, metavar="N", help="default 1")
