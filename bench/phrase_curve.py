"""What more text gives: matrix and student from parts of a corpus.

    python -m bench.phrase_curve --corpus CORPUS --pairs FILE.tsv --shares 0.125 0.25 0.5 1 

`CORPUS` is what `models.charemb.matrix corpus` made. For each share of its documents (each within
the next): the counted matrix as static vectors, its targets, and a student trained on them for
`--epochs` short epochs, each scored on the pairs (fp32).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from edge_sdk.evaluate.embedder import read_pairs
from models.charemb.checkpoint import Checkpoint, RunConfig
from models.charemb.compress import score, static
from models.charemb.config import MODELS
from models.charemb.cooccurrence import CountConfig, count_vectors
from models.charemb.corpus import BREAKS, DOCUMENT, Corpus
from models.charemb.spans import frequent_spans
from models.charemb.targets import TargetConfig, Targets
from models.charemb.train import known_words, train
from models.charemb.vectors import Matrix
from models.common.trainer import TrainConfig

BASIS = 30_000
"""Rows that are factorised, the same for every share."""


def part(corpus: Corpus, share: float, seed: int = 1) -> Corpus:
    """A random share of the documents, in memory."""
    ends = np.flatnonzero(np.asarray(corpus.ids) == DOCUMENT)
    kept = np.random.default_rng(seed).random(len(ends)) < share
    lengths = np.diff(ends, prepend=-1)
    return Corpus(np.asarray(corpus.ids)[np.repeat(kept, lengths)], corpus.names)


def measure(corpus: Corpus, pairs: list[tuple[str, str, float]], epochs: int) -> dict[str, object]:
    """One row of the curve."""
    started = time.process_time()
    spans = frequent_spans(corpus, 5)
    vectors = count_vectors(corpus, spans, CountConfig(basis=BASIS))
    met = np.flatnonzero(vectors.any(1))
    matrix = Matrix.of([spans.texts[row] for row in met], vectors[met], spans.counts[met])
    targets, model = TargetConfig(), MODELS["student"]
    config = RunConfig(
        name="student",
        model=model,
        targets=targets,
        dimension=matrix.dimension + targets.spelling_dimension,
        words=known_words(matrix, model),
        batch=1024,
        held_out=0.02,
        frequency_power=0.0,
        noise=0.1,
        drop=0.1,
    )
    settings = TrainConfig(epochs=epochs, learning_rate=3e-3, weight_decay=1e-8, bfloat16=False)
    with tempfile.TemporaryDirectory() as folder:
        train(matrix, config, settings, Path(folder))
        student = score(Checkpoint.load(Path(folder)).embed, pairs)
    return {
        "words": int(corpus.counts()[len(BREAKS) :].sum()),
        "vocabulary": len(matrix.texts),
        "single_words": sum(" " not in text for text in matrix.texts),
        "matrix": score(static(matrix), pairs),
        "targets": score(Targets(matrix, targets), pairs),
        "student": student,
        "cpu_seconds": round(time.process_time() - started, 1),
    }


def main() -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.phrase_curve", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.125, 0.25, 0.5, 1.0])
    parser.add_argument("--epochs", type=int, default=1)
    options = parser.parse_args()
    corpus, pairs = Corpus.open(options.corpus), read_pairs(options.pairs)
    for share in options.shares:
        row = {"share": share, **measure(part(corpus, share), pairs, options.epochs)}
        print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
