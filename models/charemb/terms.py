"""Multiword terms without supervision: which neighbouring words are one term.

Each pass joins neighbouring tokens whose pair is frequent and holds together, measured by
normalised pointwise mutual information (Bouma, 2009): ln(p(a,b) / p(a)p(b)) / -ln p(a,b), from -1
to 1. A later pass sees the terms of the earlier ones as tokens, so n passes reach 2^n words; terms
longer than `MAX_WORDS` are not made. A term neither begins nor ends with a function word, and
breaks are never crossed. (The paper uses the extractor of Fusco et al., 2022, which is not
public; these are the usual stand-ins, as in Mikolov et al., 2013, section 4.)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from models.charemb.corpus import BREAKS

JOINER = "_"
MAX_WORDS = 4
FUNCTION_WORDS = frozenset(
    """a about above across after again against all almost along already also although always am among an and
    another any are around as at be became because been before being below between both but by can cannot could did
    do does done due during e each either else eg et etc even ever every few for from further furthermore g had has
    have having he hence her here herein hereby him his how however i ie if in into is it its itself just least less
    let many may me might more moreover most much must my near neither no nor not now of off often on once one only
    onto or other others otherwise our out over own per quite rather really said same several shall she should since
    so some still such than that the their them then thence there thereby therefore therein thereof these they this
    those though three through throughout thus to together too toward towards two under until unto up upon us use
    used uses using very via was we well were what when where whereby wherein whether which while who whole whom
    whose why will with within without would yet you your s t vs al""".split()
)


@dataclass(frozen=True)
class TermConfig:
    """What counts as a term. The defaults were chosen on Patent Phrase's validation pairs."""

    passes: int = 2
    min_count: int = 20
    """A pair that occurs less often is no term."""
    min_npmi: float = 0.35


def find_pairs(documents: Iterable[list[str]], config: TermConfig) -> dict[tuple[str, str], float]:
    """One pass over tokens: the pairs to join, with their normalised mutual information."""
    words: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for tokens in documents:
        words.update(tokens)
        pairs.update(zip(tokens, tokens[1:]))
    total = sum(words.values())
    found = {}
    for (a, b), count in pairs.items():
        if count < config.min_count or not _may_join(a, b):
            continue
        joint = count / total
        npmi = math.log(joint * total * total / (words[a] * words[b])) / -math.log(joint)
        if npmi >= config.min_npmi:
            found[a, b] = npmi
    return found


def _may_join(a: str, b: str) -> bool:
    if a in BREAKS or b in BREAKS or a in FUNCTION_WORDS or b in FUNCTION_WORDS:
        return False
    if a.isdecimal() or b.isdecimal() or min(len(a), len(b)) < 2 and len(a) + len(b) < 4:
        return False
    return a.count(JOINER) + b.count(JOINER) + 2 <= MAX_WORDS


def join_pairs(tokens: list[str], pairs: dict[tuple[str, str], float]) -> list[str]:
    """Join the pairs of one document; of two that overlap, the one that holds together better."""
    strengths = [pairs.get(pair, -2.0) for pair in zip(tokens, tokens[1:])] + [-2.0]
    joined: list[str] = []
    place = 0
    while place < len(tokens):
        here = strengths[place]
        if here > -2.0 and here >= strengths[place + 1]:
            joined.append(tokens[place] + JOINER + tokens[place + 1])
            place += 2
        else:
            joined.append(tokens[place])
            place += 1
    return joined


def join_terms(
    documents: Iterable[list[str]], passes: list[dict[tuple[str, str], float]]
) -> Iterator[list[str]]:
    """Documents with their terms joined, pass after pass."""
    for tokens in documents:
        for pairs in passes:
            tokens = join_pairs(tokens, pairs)
        yield tokens
