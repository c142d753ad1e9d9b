"""What a lexicon brings on a corpus that a segmenter was not trained on.

    python bench/segmentation_domain.py --bundle FILE.edge --gold DEV --words TRAIN [--criterion NAME]

The lexicon is the list of words of TRAIN, without weights, as word lists of corpora are. F1 on DEV
without it, and with it at several strengths, beside the bundle's lexicon and in its place.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path

import edge_sdk
from edge_sdk.evaluate import evaluate
from edge_sdk.lexicon import Lexicon

STRENGTHS = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 15.0, 30.0)


def main() -> int:
    """The command: a Markdown table on stdout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--gold", type=Path, required=True)
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--criterion")
    options = parser.parse_args()
    with gzip.open(options.words, "rt", encoding="utf-8") as file:
        lexicon = Lexicon.of({word for line in file for word in line.split() if len(word) <= 64})
    with edge_sdk.load(options.bundle) as task:
        task.use(criterion=options.criterion)
        plain = evaluate(task, options.gold)["f1"]
        print(f"{len(lexicon)} words; F1 without them {plain:.2f}\n")
        print("| strength | beside the built-in lexicon | in its place |\n|---|---|---|")
        for strength in STRENGTHS:
            found = []
            for builtin in (True, False):
                task.use(lexicon=lexicon, domain=strength, builtin=builtin)
                found.append(evaluate(task, options.gold)["f1"])
            print(f"| {strength} | {found[0]:.2f} | {found[1]:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
