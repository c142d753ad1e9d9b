"""More code-mixed pairs from parsed ones: phrases exchanged between sentences, words between languages.

Both sides of a hinglish_top row have a parse with the same slots. A slot's phrase in the source
and its phrase in the target translate one another, and can be put wherever a slot of that kind
stands (data recombination, Jia and Liang, 2016, section 4, with slots for synchronous rules).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from random import Random
from typing import NamedTuple

from edge_sdk.query_text import normalise
from models.query_translator.data import Pair
from models.query_translator.lexicon import Entry

COPIED_SHARE = 0.4
"""A kind of slot takes English phrases on both sides if so many of its phrases are copied."""
FIXED = {"SL:PERSON_REMINDED", "SL:METHOD_RETRIEVAL_REMINDER"}
"""Kinds whose phrases agree with the words around them ("my" and "me"): never exchanged."""


class Template(NamedTuple):
    """A sentence pair with holes: a str is text, an int the number of a slot."""

    source: tuple[str | int, ...]
    target: tuple[str | int, ...]
    slots: tuple[tuple[str, str, str], ...]
    """Kind, phrase in the source, phrase in the target."""


def slots_of(parse: str) -> list[str | tuple[str, str]]:
    """The words of a parse, with each outermost slot as (kind, its words)."""
    parts: list[str | tuple[str, str]] = []
    depth, kind, words = 0, "", []
    for token in parse.split():
        if token.startswith("["):
            depth += 1
            if depth == 2:
                kind, words = token[1:], []
        elif token == "]":
            depth -= 1
            if depth == 1:
                parts.append((kind, normalise(" ".join(words))))
        elif depth == 1:
            parts.append(normalise(token))
        else:
            words.append(token)
    return parts


def template(pair: Pair) -> Template | None:
    """The pair with its slots taken out; None where they do not correspond one to one."""
    source, target = slots_of(pair.source_parse), slots_of(pair.target_parse)
    found = {part[0]: part[1] for part in target if isinstance(part, tuple)}
    kinds = [part[0] for part in source if isinstance(part, tuple)]
    if sorted(kinds) != sorted(p[0] for p in target if isinstance(p, tuple)) or len(set(kinds)) < len(kinds):
        return None
    number = {kind: i for i, kind in enumerate(kinds)}
    slots = tuple((p[0], p[1], found[p[0]]) for p in source if isinstance(p, tuple))
    return Template(
        tuple(number[p[0]] if isinstance(p, tuple) else p for p in source),
        tuple(number[p[0]] if isinstance(p, tuple) else p for p in target),
        slots,
    )


class Recombination:
    """Draws new pairs from templates and the phrases of all of them.

    Args:
        pairs: parsed pairs.
        phrases: more English phrases, (kind, phrase), for kinds that are mostly copied.
    """

    def __init__(self, pairs: Iterable[Pair], phrases: Iterable[tuple[str, str]], random: Random) -> None:
        self.random = random
        self.templates = [t for t in map(template, pairs) if t and any(s[0] not in FIXED for s in t.slots)]
        self.pool: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for found in self.templates:
            for kind, source, target in found.slots:
                self.pool[kind].append((source, target))
        self.copied: dict[str, list[str]] = defaultdict(list)
        for kind, phrase in phrases:
            pool = self.pool.get(kind, ())
            if len(pool) > 4 and sum(s == t for s, t in pool) > COPIED_SHARE * len(pool):
                self.copied[kind].append(phrase)

    def draw(self) -> tuple[str, str]:
        """A (source, target) with at least one phrase exchanged."""
        found = self.random.choice(self.templates)
        free = [i for i, slot in enumerate(found.slots) if slot[0] not in FIXED]
        sure = self.random.choice(free)
        phrases = []
        for i, (kind, source, target) in enumerate(found.slots):
            if i == sure or (i in free and self.random.random() < 0.6):
                source, target = self._phrase(kind, copied=source == target)
            phrases.append((source, target))
        return (
            " ".join(phrases[p][0] if isinstance(p, int) else p for p in found.source),
            " ".join(phrases[p][1] if isinstance(p, int) else p for p in found.target),
        )

    def _phrase(self, kind: str, copied: bool) -> tuple[str, str]:
        if copied and self.copied[kind] and self.random.random() < 0.7:
            phrase = self.random.choice(self.copied[kind])
            return phrase, phrase
        return self.random.choice(self.pool[kind])


def tagged_phrases(sentences: Iterable[tuple[str, str, Sequence[str]]]) -> list[tuple[str, str]]:
    """(kind, phrase) of BIO-tagged sentences; kinds bear the prefix that parses have."""
    found: list[tuple[str, list[str]]] = []
    for text, _, tags in sentences:
        words = text.split(" ")
        if len(words) != len(tags):
            continue
        for word, tag in zip(words, tags):
            if tag.startswith("B-"):
                found.append((f"SL:{tag[2:]}", [word]))
            elif tag.startswith("I-"):
                found[-1][1].append(word)
    return [(kind, " ".join(words)) for kind, words in found]


class WordMixer:
    """Rewrites the source of a pair: English words in Hindi, Hindi words in another spelling."""

    def __init__(self, entries: Iterable[Entry], random: Random) -> None:
        self.random = random
        self.hindi: dict[str, list[str]] = defaultdict(list)
        self.variants: dict[str, tuple[str, ...]] = {}
        for entry in entries:
            if entry.kind != "function":
                self.hindi[entry.english] += entry.spellings
            for spelling in entry.spellings:
                self.variants.setdefault(spelling, entry.spellings)

    def mix(self, source: str, target: str, hindi: float = 0.25, variant: float = 0.15) -> str:
        """The source with about these shares of its known words rewritten.

        A word becomes Hindi only if the target has it too: it was left in English.
        """
        words, kept = source.split(" "), set(target.split(" "))
        out: list[str] = []
        at = 0
        while at < len(words):
            for size in (3, 2, 1):
                phrase = " ".join(words[at : at + size])
                if size == 1 and phrase in kept and phrase in self.hindi:
                    if self.random.random() < hindi:
                        phrase = self.random.choice(self.hindi[phrase])
                    break
                if phrase in self.variants and phrase not in kept:
                    if self.random.random() < variant:
                        phrase = self.random.choice(self.variants[phrase])
                    break
            out.append(phrase)
            at += size
        return " ".join(out)
