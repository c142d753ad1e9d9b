"""From raw text to an embedding matrix, in two commands that go on where they were stopped.

    python -m models.charemb.matrix corpus --data DIR [DIR ...] --out CORPUS
    python -m models.charemb.matrix vectors --corpus CORPUS --out MATRIX [--method cbow]

The first tokenises and joins terms; the second makes the vectors, by counting (`ppmi`) or with
gensim's CBOW (`cbow`), and reports vocabulary and coverage in ``report.json``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.errors import EdgeError
from models.charemb.cbow import CbowConfig, cbow_matrix
from models.charemb.cooccurrence import CountConfig, count_vectors
from models.charemb.corpus import BREAKS, NAMES, Corpus, encode
from models.charemb.spans import frequent_spans
from models.charemb.terms import JOINER, TermConfig, join_terms
from models.charemb.vectors import Matrix
from models.common.checkpoint import load_json, save_json

REPORT = "report.json"
TERMS = "terms"


def build_corpus(folders: Sequence[Path], out: Path, share: float, terms: TermConfig) -> dict[str, Any]:
    """Tokenise into `out`, join terms into ``out/terms``; what was found.

    A stage whose result is there is not done again, if folders and settings are the same; else
    ValueError. Raises InputError as `models.charemb.corpus.documents`.
    """
    wanted = {"data": [folder.name for folder in folders], "share": share, "terms": asdict(terms)}
    (out / TERMS).mkdir(parents=True, exist_ok=True)
    report = load_json(out / REPORT) if (out / REPORT).exists() else {"settings": wanted}
    if report["settings"] != wanted:
        raise ValueError(f"{out} holds a corpus with other settings; give another folder, or remove it")
    if "words" not in report:
        report |= encode(folders, out, share)
        save_json(out / REPORT, report)
    if not (out / TERMS / NAMES).exists():
        join_terms(Corpus.open(out), terms, out / TERMS)
    if "terms" not in report:
        corpus = Corpus.open(out / TERMS)
        counts = corpus.counts()
        joined = np.array([JOINER in name for name in corpus.names]) & (counts > 0)
        report["terms"] = int(joined.sum())
        report["tokens_with_terms"] = int(counts[len(BREAKS) :].sum())
        save_json(out / REPORT, report)
    return report


def build_vectors(
    corpus: Path, out: Path, config: CountConfig | CbowConfig, min_count: int
) -> dict[str, Any]:
    """Make a matrix in `out`, unless it is there; its report."""
    wanted = {"method": type(config).__name__, "min_count": min_count, **asdict(config)}
    if (out / REPORT).exists():
        report = load_json(out / REPORT)
        if report["settings"] != wanted:
            raise ValueError(f"{out} holds a matrix with other settings; give another folder, or remove it")
        return report
    started = time.perf_counter()
    words = Corpus.open(corpus)
    if isinstance(config, CbowConfig):
        matrix = cbow_matrix(Corpus.open(corpus / TERMS), config, out)
    else:
        spans = frequent_spans(words, min_count)
        vectors = count_vectors(words, spans, config)
        met = np.flatnonzero(vectors.any(1))  # a phrase may never have a context word beside it
        matrix = Matrix.of([spans.texts[row] for row in met], vectors[met], spans.counts[met])
    matrix.save(out)
    report = {"settings": wanted, **coverage(matrix, words), "seconds": time.perf_counter() - started}
    save_json(out / REPORT, report)
    return report


def coverage(matrix: Matrix, corpus: Corpus) -> dict[str, Any]:
    """Sizes of the vocabulary, and which share of the corpus' words it has, in percent."""
    lengths = np.array([text.count(" ") + 1 for text in matrix.texts])
    known = {text for text in matrix.texts if " " not in text}
    counts = corpus.counts()[len(BREAKS) :]
    has = np.array([name in known for name in corpus.names[len(BREAKS) :]], bool)
    return {
        "vocabulary": len(matrix.texts),
        "by_words": {str(n): int((lengths == n).sum()) for n in range(1, int(lengths.max()) + 1)},
        "dimension": matrix.dimension,
        "megabytes": round(matrix.vectors.nbytes / 1e6, 1),
        "token_coverage": round(100 * float(counts[has].sum() / counts.sum()), 2),
        "type_coverage": round(100 * float(has.mean()), 2),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.charemb.matrix", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    stages = parser.add_subparsers(dest="stage", required=True)
    text = stages.add_parser("corpus", help="tokenise text and join terms")
    text.add_argument("--data", type=Path, nargs="+", required=True, help="folders of .txt or .tsv, plain, .gz or .xz")  # fmt: skip
    text.add_argument("--share", type=float, default=1.0, help="part of the documents to take")
    text.add_argument("--term-count", type=int, default=TermConfig.min_count)
    text.add_argument("--term-npmi", type=float, default=TermConfig.min_npmi)
    vectors = stages.add_parser("vectors", help="make the matrix")
    vectors.add_argument("--corpus", type=Path, required=True)
    vectors.add_argument("--method", choices=("ppmi", "cbow"), default="ppmi")
    vectors.add_argument("--min-count", type=int, default=5)
    vectors.add_argument("--dimension", type=int, default=200)
    vectors.add_argument("--window", type=int, default=8)
    vectors.add_argument("--epochs", type=int, default=CbowConfig.epochs, help="of cbow")
    for stage in (text, vectors):
        stage.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(argv)
    try:
        if options.stage == "corpus":
            terms = TermConfig(min_count=options.term_count, min_npmi=options.term_npmi)
            report = build_corpus(options.data, options.out, options.share, terms)
        else:
            shape = {"window": options.window, "dimension": options.dimension}
            config = (
                CbowConfig(**shape, epochs=options.epochs, min_count=options.min_count)
                if options.method == "cbow"
                else CountConfig(**shape)
            )
            report = build_vectors(options.corpus, options.out, config, options.min_count)
    except (EdgeError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from the last finished stage", file=sys.stderr)
        return 130
    for key, value in report.items():
        print(f"{key}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
