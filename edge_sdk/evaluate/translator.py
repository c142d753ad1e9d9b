"""Metrics of translation: corpus BLEU and exact match."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_sdk.evaluate.data import invalid, read_tsv

if TYPE_CHECKING:
    from edge_sdk.tasks.translator import Translator

LONGEST_NGRAM = 4
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_SPACED = (  # the rules of NIST's mteval-v13a for Western languages, in their order
    (re.compile(r"([{-~[-` -&(-+:-@/])"), r" \1 "),  # ASCII symbols but . , ' -
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)


def evaluate(translator: Translator, path: Path) -> dict[str, float]:
    """`translation_metrics` of a TSV file whose first two columns are source and target."""
    rows = []
    for where, fields in read_tsv(path):
        if len(fields) < 2:
            raise invalid(where, "one column, expected source and target")
        rows.append(tuple(fields.values())[:2])
    if not rows:
        raise invalid(str(path), "no rows")
    results = translator.batch([source for source, _ in rows])
    return translation_metrics(
        [result.translation for result in results], [target for _, target in rows]
    )


def translation_metrics(found: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
    """`bleu` and `exact_match` in percent, and `rows`.

    Both look at lower-cased 13a tokens: for an exact match they are equal.
    """
    pairs = [(tokens_13a(a.lower()), tokens_13a(b.lower())) for a, b in zip(found, expected, strict=True)]
    return {
        "bleu": corpus_bleu([a for a, _ in pairs], [b for _, b in pairs]),
        "exact_match": 100.0 * sum(a == b for a, b in pairs) / len(pairs),
        "rows": len(pairs),
    }


def tokens_13a(line: str) -> list[str]:
    """The tokens of sacrebleu's default tokenizer, "13a"."""
    line = line.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES:
        line = line.replace(entity, character)
    line = f" {line} "
    for pattern, spaced in _SPACED:
        line = pattern.sub(spaced, line)
    return line.split()


def corpus_bleu(found: Sequence[Sequence[str]], expected: Sequence[Sequence[str]]) -> float:
    """BLEU of tokenized lines with one reference each, 0 to 100 (Papineni et al., 2002).

    An order without any match counts as 1 / 2, then 1 / 4, ... matches (sacrebleu's smoothing
    "exp"). 0 where no word matches, or no line is long enough for the longest n-gram.
    """
    matches, totals = [0] * LONGEST_NGRAM, [0] * LONGEST_NGRAM
    for ours, theirs in zip(found, expected, strict=True):
        for i in range(LONGEST_NGRAM):
            grams = Counter(zip(*(ours[k:] for k in range(i + 1))))
            wanted = Counter(zip(*(theirs[k:] for k in range(i + 1))))
            matches[i] += (grams & wanted).total()
            totals[i] += grams.total()
    if not matches[0] or not totals[-1]:
        return 0.0
    smoothed, logarithms = 1.0, 0.0
    for match, total in zip(matches, totals):
        if not match:
            smoothed /= 2.0
        logarithms += math.log((match or smoothed) / total)
    length, wanted_length = (sum(map(len, side)) for side in (found, expected))
    brevity = min(0.0, 1.0 - wanted_length / length)
    return 100.0 * math.exp(brevity + logarithms / LONGEST_NGRAM)
