"""Make a checkpoint folder of one member of a cohort, to export it alone.

    python -m models.cwseg.pick COHORT_DIR --member 1 --out DIR
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from models.common.checkpoint import load_json, load_tensors, save_json, save_tensors
from models.cwseg.checkpoint import LEXICON


def pick(folder: Path, member: int, out: Path) -> None:
    """Copy what belongs to `member` of the cohort in `folder`; `cohort` still names them all.

    Raises OSError, ValueError.
    """
    description = load_json(folder / "checkpoint.json")
    config = description["config"]
    if not 0 <= member < len(config["members"]):
        raise ValueError(f"{folder} has {len(config['members'])} members, counted from 0")
    prefix = f"members.{member + config['frozen']}."
    weights = load_tensors(folder / "model.pt")
    kept = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
    config["cohort"] = config.get("cohort") or config["members"]
    config["members"], config["frozen"] = [config["members"][member]], 0
    out.mkdir(parents=True, exist_ok=True)
    save_tensors(out / "model.pt", {f"members.0.{name}": value for name, value in kept.items()})
    shutil.copyfile(folder / LEXICON, out / LEXICON)
    save_json(out / "checkpoint.json", description)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m models.cwseg.pick",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("cohort", type=Path, metavar="COHORT_DIR")
    parser.add_argument("--member", type=int, required=True, help="counted from 0")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(argv)
    pick(options.cohort, options.member, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
