"""Run a command that prints JSON and keep its result with what made it.

    python -m bench.record bench/results/mtop-en-eval.json -- edge-sdk eval mtop-en --data FILE --json

The file holds the command, the day, the machine and the versions beside the result, so that a figure in the README can
be traced and made again.
"""

from __future__ import annotations

import datetime
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import edge_sdk
from edge_sdk.files import atomic_write
from edge_sdk.machine import condition, machine


def _parse(output: str) -> object:
    """One JSON text, or the list of those that stand one a line."""
    try:
        return json.loads(output)
    except ValueError:
        return [json.loads(line) for line in output.splitlines()]


def main() -> int:
    """Exit status of the command; nothing is written unless it is 0 and its output is JSON."""
    if len(sys.argv) < 4 or sys.argv[2] != "--":
        print(__doc__, file=sys.stderr)
        return 2
    out, command = Path(sys.argv[1]), sys.argv[3:]
    done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8")
    if done.returncode:
        return done.returncode
    doctor = edge_sdk.doctor()
    record = {
        "command": shlex.join(os.path.basename(part) if i == 0 else part for i, part in enumerate(command)),
        "date": datetime.date.today().isoformat(),
        "machine": {**machine(), **condition()},
        "packages": {"edge_sdk": doctor["edge_sdk"], **doctor["packages"]},
        "kernels": doctor["kernels"]["implementation"],
        "result": _parse(done.stdout),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(out) as file:
        file.write(json.dumps(record, indent=2, ensure_ascii=False).encode() + b"\n")
    print(done.stdout, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
