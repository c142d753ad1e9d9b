"""The command line, `edge-sdk`: exit status 0, or 2 with `error[CODE]: ...` on stderr.

`edge-sdk bench compare` alone also ends with 1, when something got worse.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module

from edge_sdk.errors import EdgeError

COMMANDS = {
    "demo": "run every bundle of the zoo on its own examples, with latency",
    "run": "run a bundle on texts",
    "index": "build an index of a folder of pictures, or of a file of phrases",
    "search": "find the entries of an index nearest to a text or a picture",
    "eval": "score a bundle on a labelled file",
    "bench": "measure start, latency, throughput and memory in fresh processes",
    "inspect": "show what a bundle is and holds",
    "verify": "check all bytes of a bundle and run its self-test",
    "doctor": "show versions, engines, kernels and paths",
}
"""Each command is a module of this package, imported only when it is asked for."""

INTERRUPTED = 130  # what a shell reports for a process that Ctrl-C ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # Whatever the locale says: JSON is UTF-8, and no character may stop the output.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    # Pillow warns of odd pictures; where that matters there is an error.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        status = _dispatch(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return status
    except EdgeError as error:
        _complain(error)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has enough. Python flushes stdout once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        _complain(
            EdgeError(
                "dependency_missing",
                f"the Python package {error.name} is not installed here",
                "install edge-sdk again with pip: it brings what it needs",
            )
        )
        return 2
    except OSError as error:
        _complain(EdgeError("io", str(error), "check the path, its permissions and the free space"))
        return 2


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(_usage())
        return 0
    if argv[0] == "--version":
        from edge_sdk import __version__

        print(__version__)
        return 0
    name, *arguments = argv
    if name not in COMMANDS:
        raise EdgeError(
            "usage",
            f"unknown command {name!r}, expected one of {', '.join(COMMANDS)}",
            "edge-sdk --help lists what each does",
        )
    return import_module(f"edge_sdk.cli.{name}_command").execute(arguments) or 0


def _usage() -> str:
    lines = [f"  {name:<9}{what}" for name, what in COMMANDS.items()]
    return "\n".join(
        ["usage: edge-sdk COMMAND ...", "", *lines, "", "edge-sdk COMMAND --help shows the rest"]
    )


def _complain(error: EdgeError) -> None:
    print(" ".join(str(error).splitlines()), file=sys.stderr)
    if error.hint:
        print(f"hint: {error.hint}", file=sys.stderr)
