"""What a bundle is worth beyond `edge-sdk eval`: brands, the paper's queries, and its teacher.

    python -m models.query_translator.assess BUNDLE --data DIR --checkpoint DIR

Everything is measured through the runtime; only the teacher runs in PyTorch. One JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import edge_sdk
from edge_sdk.brands import BrandList
from edge_sdk.evaluate.translator import translation_metrics
from models.query_translator.data import read_rows
from models.query_translator.queries import Query
from models.query_translator.task import Task, draw_queries, load_model, prepare
from models.query_translator.validate import translations

if TYPE_CHECKING:
    from edge_sdk.tasks.translator import Translator

PAPER_QUERIES = Path(__file__).with_name("paper_queries.tsv")
"""The 18 queries of the paper's Tables 1 and 4."""


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m models.query_translator.assess",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundle")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True, help="training folder, with the teacher's")
    parser.add_argument("--rows", type=int, default=2000, help="generated queries of each kind")
    options = parser.parse_args(argv)
    task = prepare(options.data, options.checkpoint)
    with edge_sdk.load(options.bundle) as translator:
        result = {
            "paper": paper(translator),
            "heldout": heldout(translator, task, options.rows),
            "student_and_teacher": against_teacher(translator, task, options.checkpoint, options.rows),
        }
    print(json.dumps(result, ensure_ascii=False, indent=1))
    return 0


def paper(translator: Translator) -> dict[str, object]:
    """Exact matches on the paper's queries, their brands being the caller's list."""
    rows = list(read_rows(PAPER_QUERIES))
    brands = BrandList.of([row["brand"] for row in rows if row["brand"]])
    found = [result.translation for result in translator.batch([r["source"] for r in rows], brands=brands)]
    wrong = [(r["source"], text, r["target"]) for r, text in zip(rows, found) if text != r["target"]]
    return {"exact": len(rows) - len(wrong), "rows": len(rows), "wrong": wrong}


def heldout(translator: Translator, task: Task, count: int) -> dict[str, object]:
    """Queries of brands, products and spellings that no training query has.

    The caller's list holds the brands of training as well as these, as a shop's would.
    """
    brands = BrandList.of([*task.world.brands, *task.heldout.brands])
    queries = draw_queries(task.heldout, count, seed=13, brand_errors=0.5)
    found = [r.translation for r in translator.batch([q.source for q in queries], brands=brands)]
    cases = {}
    for case in (1, 2, 3, 4):
        rows = [(text, q.target) for text, q in zip(found, queries) if q.case == case]
        cases[str(case)] = round(translation_metrics(*zip(*rows))["exact_match"], 2)
    metrics = translation_metrics(found, [q.target for q in queries])
    return {**rounded(metrics), **rounded(brand_rates(queries, found)), "exact_match_of_case": cases}


def against_teacher(translator: Translator, task: Task, checkpoint: Path, count: int) -> dict[str, object]:
    """The same rows through the bundle and through the teacher, greedy and with beam 3."""
    queries = task.validation_queries(count)
    sets = {
        "hinglish_top": ([p.source for p in task.validation], [p.target for p in task.validation]),
        "queries": ([q.source for q in queries], [q.target for q in queries]),
    }
    teacher = load_model(checkpoint / "teacher")
    result: dict[str, object] = {}
    for name, (sources, targets) in sets.items():
        for beam in (1, 3):
            student = [r.translation for r in translator.batch(sources, beam=beam)]
            taught = translations(teacher, task.tokenizer, sources, beam)
            result[f"{name}, beam {beam}"] = {
                "student": rounded(translation_metrics(student, targets)),
                "teacher": rounded(translation_metrics(taught, targets)),
            }
    return result


def brand_rates(queries: Sequence[Query], found: Sequence[str]) -> dict[str, float]:
    """Percent of brands that stand in the translation: of those spelled right, and of the others."""
    kept: dict[bool, list[bool]] = {True: [], False: []}
    for query, text in zip(queries, found):
        if query.brand:
            kept[query.brand == query.brand_written].append(f" {query.brand} " in f" {text} ")
    return {
        "brands_kept": 100 * sum(kept[True]) / max(1, len(kept[True])),
        "brands_corrected": 100 * sum(kept[False]) / max(1, len(kept[False])),
    }


def rounded(metrics: dict[str, float]) -> dict[str, float]:
    """Two decimals."""
    return {key: round(value, 2) for key, value in metrics.items()}


if __name__ == "__main__":
    sys.exit(main())
