"""Parsing arguments, with errors in the form of all others."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import NoReturn

from edge_sdk import catalog
from edge_sdk.backends import ENGINES
from edge_sdk.bundle import Bundle
from edge_sdk.cli import COMMANDS
from edge_sdk.errors import EdgeError
from edge_sdk.tasks import task_class

_ENGINE_HELP = f"auto (default) or {', '.join(ENGINES)}"


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
        self.add_argument("--backend", default="auto", metavar="NAME", help=_ENGINE_HELP)
        self.add_argument("--threads", type=int, default=1, metavar="N", help="default 1")


def parse_for_task(
    command: str,
    argv: Sequence[str],
    add_arguments: Callable[[Parser], None],
    required: Sequence[str] = (),
) -> argparse.Namespace:
    """Parse `BUNDLE ...`, where the task of the bundle adds options of its own.

    Two passes: the first only finds BUNDLE, which so has to stand before the task's options.
    `add_arguments` adds what the command takes besides BUNDLE; the options in `required`
    must have no default there, and are asked for here.
    """
    first, parser = Parser(command, add_help=False), Parser(command)
    for each in (first, parser):
        each.add_argument(
            "bundle", metavar="BUNDLE", nargs="?", help="path of an .edge file or zoo name"
        )
        each.add_loading()
        add_arguments(each)
    bundle = first.parse_known_args(argv)[0].bundle
    if bundle is not None:
        with Bundle.open(catalog.find(bundle)) as opened:
            task_class(opened.manifest.task).add_options(parser)
    options = parser.parse_intermixed_args(argv)
    for name in ("bundle", *required):
        if getattr(options, name) is None:
            shown = f"--{name}" if name in required else name.upper()
            parser.error(f"the following arguments are required: {shown}")
    return options
