"""`python -m export`: a checkpoint folder becomes an `.edge` file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge_sdk.errors import EdgeError

ENGINES = ("onnx", "litert")


def main(arguments: list[str] | None = None) -> int:
    """0 when written, 2 on an error, 130 on Ctrl-C; an old file at --out is whole unless 0."""
    parser = argparse.ArgumentParser(prog="python -m export", description=__doc__)
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT_DIR", help="--out of a training run")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.edge", help="where to write")
    parser.add_argument(
        "--engines", default="onnx", help=f"separated by commas, of {', '.join(ENGINES)}; default onnx"
    )
    parser.add_argument("--precision", choices=("int8", "fp32"), default="int8")
    parser.add_argument(
        "--data", type=Path, metavar="DIR",
        help="labelled data that the model was trained from: guards the loss from quantization",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    engines = options.engines.split(",")
    if not set(engines) <= set(ENGINES) or len(set(engines)) < len(engines):
        parser.error(f"--engines {options.engines}: expected some of {', '.join(ENGINES)}")
    try:
        from export.family import load_spec
        from export.pack import export

        spec = load_spec(options.checkpoint, options.data)
        report = export(spec, options.out, precision=options.precision, engines=engines, progress=show)
    except EdgeError as error:
        print(f"{error}\nhint: {error.hint}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nstopped; {options.out} was not touched", file=sys.stderr)
        return 130
    if report["guard"] is None:
        show("no --data: nothing guarded the loss from quantization")
    show(f"wrote {options.out}, {options.out.stat().st_size:,} bytes")
    return 0


def show(message: str) -> None:
    """A line of progress."""
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
