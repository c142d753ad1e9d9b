"""What becomes of a matrix when its own encoder replaces it.

    python -m models.charemb.compress --matrix MATRIX --checkpoint DIR [--bundle FILE.edge] --pairs FILE.tsv

Every text of the matrix is predicted anew ("reconstructed", Table 2 of the paper). The report, JSON
on stdout, has the sizes, how near the predictions are to what the encoder was to learn, and the
correlations with people's scores of phrase pairs for: the matrix, its reconstruction (both as static
vectors: a phrase is the mean of its words' unit vectors, as the paper has it), and the encoder run
on the phrases themselves. With `--bundle` the shipped int8 model predicts, else the fp32 checkpoint.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import edge_sdk
from edge_sdk.errors import EdgeError
from edge_sdk.evaluate.embedder import correlations, read_pairs
from edge_sdk.phrase import normalise_phrase
from models.charemb.checkpoint import Checkpoint
from models.charemb.model import megabytes
from models.charemb.targets import Targets, unit
from models.charemb.vectors import Matrix, read_matrix

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts -> unit rows, float32 [texts, dimension]."""


def static(matrix: Matrix) -> Embed:
    """Phrases as means of their words' unit vectors; unknown words count nothing."""
    rows = {text: row for row, text in enumerate(matrix.texts)}
    vectors = unit(matrix.vectors)

    def embed(texts: Sequence[str]) -> np.ndarray:
        out = np.zeros((len(texts), matrix.dimension), np.float32)
        for i, text in enumerate(texts):
            known = [rows[word] for word in normalise_phrase(text).split() if word in rows]
            out[i] = vectors[known].sum(0)
        return unit(out)

    return embed


def score(embed: Embed, pairs: list[tuple[str, str, float]]) -> dict[str, float]:
    """Pearson's and Spearman's correlation in percent, and the number of rows."""
    texts = list(dict.fromkeys(text for anchor, target, _ in pairs for text in (anchor, target)))
    vectors = dict(zip(texts, embed(texts).astype(np.float64)))
    cosines = np.array([vectors[anchor] @ vectors[target] for anchor, target, _ in pairs])
    return correlations(cosines, np.array([score for _, _, score in pairs]))


def compress(matrix: Matrix, checkpoint: Checkpoint, bundle: Path | None, pairs: Path) -> dict[str, Any]:
    """The report. Raises EdgeError where a file cannot be used."""
    rows = read_pairs(pairs)
    if bundle is None:
        embed, size = checkpoint.embed, megabytes(checkpoint.model)
    else:
        embed, size = edge_sdk.load(bundle).vectors, bundle.stat().st_size / 1e6
    predicted = embed(matrix.texts)
    learnt = Targets(matrix, checkpoint.config.targets)(matrix.texts)
    has = learnt.any(1)
    reconstructed = Matrix(matrix.texts, predicted, matrix.counts)
    original = matrix.vectors.nbytes / 1e6
    return {
        "vocabulary": len(matrix.texts),
        "matrix_megabytes": round(original, 1),
        "model_megabytes": round(size, 2),
        "ratio": round(original / size, 1),
        "cosine_with_targets": round(float((predicted[has] * learnt[has]).sum(1).mean()), 4),
        "original": score(static(matrix), rows),
        "reconstructed": score(static(reconstructed), rows),
        "predicted": score(embed, rows),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.charemb.compress", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--matrix", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--pairs", type=Path, required=True, help="TSV with anchor, target, score")
    options = parser.parse_args(argv)
    try:
        checkpoint = Checkpoint.load(options.checkpoint)
        found = compress(read_matrix(options.matrix), checkpoint, options.bundle, options.pairs)
    except (EdgeError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
