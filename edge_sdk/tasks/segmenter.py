"""Chinese word segmentation: characters -> emissions of tags -> words, at four granularities.

docs/segmentation.md describes modes, lexicons, standards and the strength of a lexicon.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from edge_sdk.characters import plain_text, prepare
from edge_sdk.errors import BundleError, InputError
from edge_sdk.kernels import lexicon_features, segment
from edge_sdk.kernels.identities import EDGE, LEXICON_FEATURES, TABLE_SIZE
from edge_sdk.lexicon import Lexicon, LexiconLike, as_lexicon
from edge_sdk.tasks.base import Task, check_texts
from edge_sdk.tasks.border_decoder import INSIDE_ONLY, NEVER, BorderDecoder, I, nudge
from edge_sdk.unbreakable import unbreakable

if TYPE_CHECKING:
    import argparse

    from edge_sdk.backends.base import SessionFactory
    from edge_sdk.bundle import Bundle
    from edge_sdk.kernels.lexicon import Matches

MODES = ("normal", "fine", "coarse", "index")
BATCH_CHARACTERS = 2048
"""Texts are joined up to this size for one run of the engine."""


class Word(NamedTuple):
    """A word: `text == source[start:end]`, counted in code points of the caller's string."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SegmenterResult:
    """The words of a text, without white space.

    In the modes normal, fine and coarse they are in order and do not overlap. Mode index gives all
    words of the three, and all lexicon words found, by start, then by end.
    """

    text: str
    mode: str
    starts: list[int]
    ends: list[int]

    @property
    def words(self) -> list[Word]:
        """The words with their places."""
        return list(map(Word, self.texts, self.starts, self.ends))

    @property
    def texts(self) -> list[str]:
        """Only the words themselves."""
        text = self.text
        return [text[start:end] for start, end in zip(self.starts, self.ends)]

    def to_dict(self) -> dict[str, Any]:
        """Keys `text`, `mode` and `words`, a list of objects with `text`, `start`, `end`."""
        return {"text": self.text, "mode": self.mode, "words": [w._asdict() for w in self.words]}


@dataclass(frozen=True)
class Settings:
    """How a text is segmented."""

    mode: str
    criterion: int
    domain: float
    lexicon: Lexicon | None
    """The caller's own."""
    builtin: bool
    """Whether the bundle's lexicon is used as well."""


class Segmenter(Task[SegmenterResult]):
    """Words of Chinese texts, of any length and mixed with anything else."""

    task: ClassVar[str] = "segmenter"

    def __init__(self, bundle: Bundle, sessions: SessionFactory, threads: int = 1) -> None:
        super().__init__(bundle, sessions, threads)
        pipeline = bundle.manifest.pipeline
        pipeline.only(
            "characters", "bigram_buckets", "lexicon", "transitions",
            "criteria", "domain", "reach", "window",
        )  # fmt: skip
        self._table = bundle.read_array(pipeline.text("characters"))
        if self._table.dtype != np.uint16 or self._table.shape != (TABLE_SIZE,):
            raise _wrong("characters", f"uint16 [{TABLE_SIZE}]", f"{self._table.dtype} {self._table.shape}")
        self._buckets = pipeline.integer("bigram_buckets", minimum=2, maximum=1 << 24)
        if self._buckets & (self._buckets - 1):
            raise _wrong("bigram_buckets", "a power of two", str(self._buckets))
        self.criteria = tuple(pipeline.texts("criteria"))
        """The segmentation standards that the model knows; the first is the default."""
        if not self.criteria:
            raise _wrong("criteria", "at least one name", "none")
        self._reach = pipeline.integer("reach", maximum=1 << 16)
        self._window = pipeline.integer("window", minimum=1, maximum=1 << 20)
        table = bundle.read_array(pipeline.text("transitions"))
        if table.shape != (5, 3) or table.dtype != np.float32:
            raise _wrong("transitions", "float32 [5, 3]", f"{table.dtype} {table.shape}")
        self._decoder = BorderDecoder(table)
        self.lexicon = Lexicon.open(bundle.read(pipeline.text("lexicon")))
        """The bundle's own."""
        self._session = self.open_session()
        self._settings = Settings("normal", 0, pipeline.number("domain"), None, True)

    def __call__(
        self,
        text: str,
        *,
        mode: str | None = None,
        lexicon: LexiconLike | None = None,
        builtin: bool | None = None,
        criterion: str | None = None,
        domain: float | None = None,
    ) -> SegmenterResult:
        """Segment one text; what is not given is as `use` set it.

        Args:
            text: any str, of any length.
            mode: "normal", "fine", "coarse" or "index".
            lexicon: the caller's words: path, dict of words and weights, or `Lexicon`. A path or
                a dict is read anew at each call: make a `Lexicon` once for many calls.
            builtin: whether the bundle's lexicon is used beside it (default), or not.
            criterion: segmentation standard, one of `criteria`.
            domain: how strongly the caller's words pull in mode normal and all that follows from
                it: 0 not at all; see docs/segmentation.md.

        Raises:
            InputError: naming the argument.
        """
        self.check_open()
        settings = self._with(mode, lexicon, builtin, criterion, domain)
        if not isinstance(text, str):
            raise _not_text("text", text)
        starts, ends = self._segment(text, settings)
        return SegmenterResult(text, settings.mode, starts, ends)

    def batch(self, texts: Sequence[str], **settings: Any) -> list[SegmenterResult]:
        """Segment many texts with the same settings, as one call each would, but faster."""
        return list(self.stream(check_texts(texts), **settings))

    def stream(
        self,
        texts: Iterable[str],
        *,
        mode: str | None = None,
        lexicon: LexiconLike | None = None,
        builtin: bool | None = None,
        criterion: str | None = None,
        domain: float | None = None,
    ) -> Iterator[SegmenterResult]:
        """Segment texts as they come, such as the lines of a file, in bounded memory.

        Takes a few texts (BATCH_CHARACTERS characters) before it gives the first result.
        """
        self.check_open()
        settings = self._with(mode, lexicon, builtin, criterion, domain)
        return self._stream(texts, settings)

    def use(
        self,
        *,
        mode: str | None = None,
        lexicon: LexiconLike | None = None,
        builtin: bool | None = None,
        criterion: str | None = None,
        domain: float | None = None,
    ) -> None:
        """Set what later calls use by default. Not to be called while other threads segment."""
        self._settings = self._with(mode, lexicon, builtin, criterion, domain)

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Options of the command line."""
        parser.add_argument("--mode", choices=MODES, default="normal", help="default normal")
        parser.add_argument("--lexicon", metavar="FILE", help="lines of word[TAB]weight")
        parser.add_argument(
            "--no-builtin", action="store_true", help="leave the bundle's own lexicon out"
        )
        parser.add_argument("--criterion", metavar="NAME", help="segmentation standard")
        parser.add_argument(
            "--domain", type=float, metavar="X", help="how strongly FILE's words pull, from 0"
        )

    def configure(self, options: argparse.Namespace) -> None:
        """Take the options of the command line."""
        self.use(
            mode=options.mode,
            lexicon=options.lexicon,
            builtin=not options.no_builtin,
            criterion=options.criterion,
            domain=options.domain,
        )

    def _with(
        self,
        mode: str | None,
        lexicon: LexiconLike | None,
        builtin: bool | None,
        criterion: str | None,
        domain: float | None,
    ) -> Settings:
        """The default settings with what was given in their place."""
        changes: dict[str, Any] = {}
        if mode is not None:
            changes["mode"] = _choice("mode", mode, MODES)
        if lexicon is not None:
            changes["lexicon"] = as_lexicon(lexicon)
        if builtin is not None:
            changes["builtin"] = bool(builtin)
        if criterion is not None:
            changes["criterion"] = self.criteria.index(_choice("criterion", criterion, self.criteria))
        if domain is not None:
            if not isinstance(domain, (int, float)) or not 0 <= domain <= 100:
                raise InputError(
                    "input_domain", f"argument domain is {domain!r}", "give a number from 0 to 100"
                )
            changes["domain"] = float(domain)
        return replace(self._settings, **changes) if changes else self._settings

    def _stream(self, texts: Iterable[str], settings: Settings) -> Iterator[SegmenterResult]:
        waiting: list[str] = []
        size = 0
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise _not_text(f"texts[{number}]", text)
            waiting.append(text)
            size += len(text)
            if size >= BATCH_CHARACTERS:
                yield from self._together(waiting, settings)
                waiting, size = [], 0
        yield from self._together(waiting, settings)

    def _together(self, texts: list[str], settings: Settings) -> Iterator[SegmenterResult]:
        """Segment texts as one, with so many line feeds between that no context passes them."""
        gap = max(1, self._reach)
        starts, ends = self._segment(("\n" * gap).join(texts), settings)
        first = offset = 0
        for text in texts:
            last = first
            stop = offset + len(text)
            while last < len(ends) and starts[last] < stop:
                last += 1
            yield SegmenterResult(
                text,
                settings.mode,
                [start - offset for start in starts[first:last]],
                [end - offset for end in ends[first:last]],
            )
            first, offset = last, stop + gap

    def _segment(self, text: str, settings: Settings) -> tuple[list[int], list[int]]:
        """Starts and ends of the words of a text of any length."""
        if not text:
            return [], []
        size, reach = len(text), self._reach
        edges = "\n" * reach  # the graph wants to see edges before and after a text
        padded = f"{edges}{text}{edges}"
        identities, pairs, inside = prepare(padded, self._table, self._buckets)
        own, matches = self._find(padded, settings)
        hints = lexicon_features(len(padded), matches.starts, matches.ends)
        if settings.criterion:
            hints += LEXICON_FEATURES * settings.criterion
        emissions = self._emissions(size, characters=identities, bigrams=pairs, hints=hints)
        identities = identities[reach : reach + size]
        if settings.domain and own is not None:
            pulls = settings.domain * 2 * own.values / (1 + own.values)
            nudge(emissions, own.starts - reach, own.ends - reach, pulls)
        if inside is not None:
            inside = inside[reach : reach + size]
            emissions[inside] += INSIDE_ONLY
        for start, end in unbreakable(text):
            emissions[start, I] += NEVER
            emissions[start + 1 : end] += INSIDE_ONLY
            emissions[end : end + 1, I] += NEVER
            inside = np.zeros(len(text), bool) if inside is None else inside
            inside[start + 1 : end] = True
        if settings.mode != "normal" and inside is not None:
            # No match may cut in two what is one word.
            open_end = np.append(inside, False)[matches.ends - reach]
            matches = _only(matches, ~(inside[matches.starts - reach] | open_end))
        starts: list[int] = []
        ends: list[int] = []
        for first, last in _pieces(identities):
            bounds = self._decoder.borders(emissions[first:last])
            if settings.mode != "normal":
                low, high = np.searchsorted(matches.starts, (first + reach, last + reach))
                found = segment(
                    settings.mode,
                    last - first,
                    bounds,
                    np.append(bounds[1:], np.int32(last - first)),
                    matches.starts[low:high] - np.int32(first + reach),
                    matches.ends[low:high] - np.int32(first + reach),
                )
                starts += (found[0] + first).tolist()
                ends += (found[1] + first).tolist()
            else:
                places = (bounds + first if first else bounds).tolist()
                starts += places
                ends += places[1:]
                ends.append(last)
        return starts, ends

    def _find(self, text: str, settings: Settings) -> tuple[Matches | None, Matches]:
        """Matches of the caller's lexicon, and of all lexicons in use, by start, then by end.

        Without those words that the caller's lexicon removes by a weight below 0.
        """
        text = plain_text(text)
        if settings.lexicon is None:
            return None, self.lexicon.find(text if settings.builtin else "")
        own = settings.lexicon.find(text)
        found = own
        if settings.builtin:
            both = [np.concatenate(pair) for pair in zip(own, self.lexicon.find(text))]
            order = np.lexsort((both[1], both[0]))  # stable: of equal places the caller's come first
            found = type(own)(*(column[order] for column in both))
            new = np.ones(len(order), bool)
            new[1:] = (np.diff(found.starts) != 0) | (np.diff(found.ends) != 0)
            found = _only(found, new)
        return _only(own, own.values >= 0), _only(found, found.values >= 0)

    def _emissions(self, size: int, **inputs: np.ndarray) -> np.ndarray:
        """float32 [size, 3]: the graph's output for int32 [size + 2 reach], window by window.

        Windows overlap by all that the graph can see.
        """
        emissions = []
        for first in range(0, size, self._window):
            last = min(size, first + self._window) + 2 * self._reach
            feed = {name: values[None, first:last] for name, values in inputs.items()}
            emissions.append(self._session.run(feed)["emissions"][0])
        return emissions[0] if len(emissions) == 1 else np.concatenate(emissions)


def _only(matches: Matches, kept: np.ndarray) -> Matches:
    """The matches for which `kept`, bool [matches], holds."""
    return type(matches)(*(column[kept] for column in matches))


def _pieces(identities: np.ndarray) -> list[tuple[int, int]]:
    """(first, last) of each stretch without edges."""
    if np.count_nonzero(identities) == len(identities):  # EDGE is 0
        return [(0, len(identities))]
    edges = np.concatenate([[-1], np.flatnonzero(identities == EDGE), [len(identities)]]).tolist()
    return [(a + 1, b) for a, b in zip(edges, edges[1:]) if b > a + 1]


def _choice(argument: str, value: object, choices: Sequence[str]) -> str:
    if value not in choices:
        raise InputError(
            f"input_{argument}",
            f"argument {argument} is {value!r}",
            f"give one of {', '.join(choices)}",
        )
    return str(value)


def _not_text(argument: str, value: object) -> InputError:
    return InputError(
        "input_type", f"argument {argument} is a {type(value).__name__}, expected str", "give a str"
    )


def _wrong(key: str, expected: str, found: str) -> BundleError:
    return BundleError(
        "bundle_schema",
        f"manifest.pipeline.{key}: found {found}, expected {expected}",
        "export the bundle again",
    )
