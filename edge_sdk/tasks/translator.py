"""Code-mixed queries to English, brand names kept: tokens -> search over the decoder -> text.

docs/translation.md tells how the pieces work together and what they cost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from edge_sdk.brand_spelling import BrandSpelling
from edge_sdk.brands import BrandList, BrandsLike, as_brands
from edge_sdk.decoding.beam import beam_search
from edge_sdk.decoding.decoder import Decoder, Hypothesis
from edge_sdk.decoding.draft import drafted_greedy
from edge_sdk.decoding.greedy import greedy
from edge_sdk.decoding.length_penalty import LengthPenalty
from edge_sdk.decoding.shortlist import Shortlist
from edge_sdk.decoding.stopping import LengthLimit
from edge_sdk.errors import BundleError, InputError
from edge_sdk.query_text import normalise
from edge_sdk.query_tokenizer import END, FIRST_SLOT, SLOTS, QueryTokenizer, Source
from edge_sdk.results import Translation
from edge_sdk.tasks.base import Task, check_texts

if TYPE_CHECKING:
    import argparse

    from edge_sdk.backends.base import Session, SessionFactory
    from edge_sdk.bundle import Bundle

WIDEST_BEAM = 16
BATCH_ROWS = 24
"""Hypotheses that a batch decodes in step; more would fall out of the processor's cache."""
LONGEST_TOKEN = 64
"""Characters of the text for each token that is allowed, white space included."""
_DEVANAGARI = re.compile("[\u0900-\u097f\ua8e0-\ua8ff\u1cd0-\u1cff]")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a query is translated."""

    beam: int
    brands: BrandList


class Translator(Task[Translation]):
    """Translates a query; its score is the logarithm of the probability of the translation.

    A text without words has the translation "" and the score 0.0, and one that holds nothing but
    what is copied (emoji, words in other scripts, the caller's own brands) is its own translation
    with the score 0.0. Devanagari is refused: the models know romanised Hindi only.
    """

    task: ClassVar[str] = "translator"

    def __init__(self, bundle: Bundle, sessions: SessionFactory, threads: int = 1) -> None:
        """Read the bundle's pipeline and open its graphs.

        Raises BundleError where the manifest and its files do not fit, and what the engine raises.
        """
        super().__init__(bundle, sessions, threads)
        pipeline = bundle.manifest.pipeline
        pipeline.only(
            "tokenizer", "brands", "words", "shortlist", "max_source", "length", "length_penalty", "beam"
        )
        brands = pipeline.section("brands")
        brands.only("file", "first", "known")
        names = _lines(bundle, brands.text("file"))
        self._tokenizer = QueryTokenizer(
            bundle.read(pipeline.text("tokenizer")),
            names,
            brands.integer("first", FIRST_SLOT + SLOTS),
            brands.integer("known", 0, len(names), default=len(names)),
        )
        self._words: dict[str, str] | None = None
        """Known words with their most common spelling."""
        if "words" in pipeline.values:
            cells = (line.split("\t") for line in _lines(bundle, pipeline.text("words")))
            self._words = {row[0]: row[-1] for row in cells}
        # A caller's own list is often the same for many calls, and its index takes time to make.
        self._spelling = lru_cache(maxsize=4)(self._make_spelling)
        self._shortlist = None
        if "shortlist" in pipeline.values:
            self._shortlist = Shortlist.read(bundle, pipeline.section("shortlist"))
        self.max_source = pipeline.integer("max_source", 1)
        """Most tokens of a query."""
        length = pipeline.section("length")
        length.only("ratio", "extra", "maximum")
        self.limit = LengthLimit(
            length.number("ratio"), length.integer("extra"), length.integer("maximum", 1)
        )
        """Most tokens of the translation of so many tokens, both without END."""
        self._penalty = LengthPenalty(pipeline.number("length_penalty"))
        self._settings = Settings(pipeline.integer("beam", 1, WIDEST_BEAM), self._tokenizer.brands)
        # The largest first, so that the next ones find room in what loading it took for a while.
        opened = {graph: self._open(graph) for graph in ("encoder", "output", "embedding", "step")}
        self._decoder = Decoder(**opened)

    def __call__(
        self, text: str, *, beam: int | None = None, brands: BrandsLike | None = None
    ) -> Translation:
        """Translate one query; what is not given is as `use` set it.

        Args:
            text: a query of at most `max_source` tokens.
            beam: how many hypotheses the search keeps, from 1 (greedy) to 16.
            brands: stands in for the bundle's brand list: path, names, or `BrandList`. A path or
                names are read anew at each call: make a `BrandList` once for many calls.

        Raises:
            InputError: `input_type`, `input_too_long`, `input_script` or `input_beam`, which name
                the argument, and what `BrandList` raises.
        """
        self.check_open()
        settings = self._with(beam, brands)
        source = self._source(text, "text", settings)
        if not _is_translated(source):
            return self._copied(text, source)
        ids = [*source.ids, END]
        if settings.beam == 1 and self._shortlist is not None:
            guess, candidates = self._shortlist.guess(source.ids), self._shortlist.candidates(ids)
            best = drafted_greedy(self._decoder, ids, self.limit(len(source.ids)), guess, candidates)
        else:
            best = self._search([ids], settings.beam)[0]
        return self._result(text, source, best)

    def batch(
        self, texts: Sequence[str], *, beam: int | None = None, brands: BrandsLike | None = None
    ) -> list[Translation]:
        """Translate many queries, those of about the same length together.

        Raises as a single call, naming the place in the list.
        """
        self.check_open()
        settings = self._with(beam, brands)
        texts = check_texts(texts)
        sources = [self._source(text, f"texts[{i}]", settings) for i, text in enumerate(texts)]
        results = [self._copied(text, source) for text, source in zip(texts, sources)]
        left = [i for i, source in enumerate(sources) if _is_translated(source)]
        left.sort(key=lambda i: len(sources[i].ids))
        size = max(1, BATCH_ROWS // settings.beam)
        for first in range(0, len(left), size):
            group = left[first : first + size]
            found = self._search([[*sources[i].ids, END] for i in group], settings.beam)
            for i, best in zip(group, found):
                results[i] = self._result(texts[i], sources[i], best)
        return results

    def encode(self, text: str, *, brands: BrandsLike | None = None) -> Source:
        """What the model reads of a text, without END. Raises as a call does."""
        return self._source(text, "text", self._with(None, brands))

    def decode(self, ids: Iterable[int], source: Source) -> str:
        """The text of a target; copies come from `source`."""
        return self._tokenizer.decode(ids, source.slots)

    def use(self, *, beam: int | None = None, brands: BrandsLike | None = None) -> None:
        """Set what later calls use by default. Not to be called while other threads translate."""
        self._settings = self._with(beam, brands)

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Options of the command line."""
        parser.add_argument("--beam", type=int, metavar="N", help="hypotheses kept; 1 is greedy")
        parser.add_argument("--brands", metavar="FILE", help="brand names, one a line")

    def configure(self, options: argparse.Namespace) -> None:
        """Take the options of the command line."""
        self.use(beam=options.beam, brands=options.brands)

    def _with(self, beam: int | None, brands: BrandsLike | None) -> Settings:
        """The default settings with what was given in their place."""
        changes: dict[str, Any] = {}
        if beam is not None:
            if not isinstance(beam, int) or isinstance(beam, bool) or not 1 <= beam <= WIDEST_BEAM:
                raise InputError(
                    "input_beam", f"argument beam is {beam!r}", f"give an integer from 1 to {WIDEST_BEAM}"
                )
            changes["beam"] = beam
        if brands is not None:
            changes["brands"] = as_brands(brands)
        return replace(self._settings, **changes) if changes else self._settings

    def _open(self, graph: str) -> Session:
        session = self.open_session(graph)
        self.bundle.release()
        return session

    def _source(self, text: str, argument: str, settings: Settings) -> Source:
        if not isinstance(text, str):
            raise InputError(
                "input_type",
                f"argument {argument} must be a str, found {type(text).__name__}",
                "decode bytes first, and give many texts to batch()",
            )
        if not text.isascii() and _DEVANAGARI.search(text):
            raise InputError(
                "input_script",
                f"argument {argument} has Devanagari letters; this model reads romanised Hindi",
                "write the query in Latin letters, such as chawal for \u091a\u093e\u0935\u0932",
            )
        # No more work than a text of the greatest length takes.
        longest = LONGEST_TOKEN * self.max_source
        cut = self._corrected(normalise(text[:longest]), settings.brands)
        source = self._tokenizer.encode(cut, settings.brands)
        if len(source.ids) > self.max_source or len(text) > longest:
            raise InputError(
                "input_too_long",
                f"argument {argument} has more than {self.max_source} tokens",
                "translate it in parts",
            )
        return source

    def _corrected(self, text: str, brands: BrandList) -> str:
        """The text with misspelled brands and words written right, where the bundle knows words."""
        words = self._words
        if words is None or all(words.get(word) == word for word in text.split(" ")):
            return text
        return self._spelling(brands).correct(text)

    def _make_spelling(self, brands: BrandList) -> BrandSpelling:
        return BrandSpelling(brands, self._words or {})

    def _search(self, sources: list[list[int]], beam: int) -> list[Hypothesis]:
        """The best target of each source, which has END."""
        limits = [self.limit(len(source) - 1) for source in sources]
        if beam == 1:
            return greedy(self._decoder, sources, limits)
        found = beam_search(self._decoder, sources, limits, beam, self._penalty)
        return [ranked[0] for ranked in found]

    def _copied(self, text: str, source: Source) -> Translation:
        return Translation(text, self._tokenizer.decode(source.ids, source.slots), 0.0)

    def _result(self, text: str, source: Source, best: Hypothesis) -> Translation:
        return Translation(text, self._tokenizer.decode(best.tokens, source.slots), best.log_p)


def _lines(bundle: Bundle, name: str) -> list[str]:
    """A text file's lines that are not empty. Raises BundleError (`bundle_schema`)."""
    try:
        text = bytes(bundle.read(name)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BundleError("bundle_schema", f"{name} is not UTF-8: {error}", "export the bundle again") from error
    return [line for line in text.split("\n") if line]


def _is_translated(source: Source) -> bool:
    """Whether there is anything but copies."""
    return any(not FIRST_SLOT <= token < FIRST_SLOT + SLOTS for token in source.ids)
