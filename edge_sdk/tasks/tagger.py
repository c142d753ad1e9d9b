"""Intent and slots of an utterance: words -> features -> mixer -> tags -> spans of the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from edge_sdk.errors import BackendError, BundleError, InputError
from edge_sdk.kernels import (
    HashScheme,
    TagDecoder,
    TagPosteriors,
    argmax_tags,
    bio_masks,
    span_scores,
    tag_spans,
)
from edge_sdk.kernels.labels import TagLabels
from edge_sdk.projection import Projection
from edge_sdk.results import Slot, TaggerResult
from edge_sdk.section import Section
from edge_sdk.tasks.base import Task, check_texts
from edge_sdk.text import Word, normalise_word, split_words
from edge_sdk.tokenizer import CONTINUATION, SubwordTokenizer

if TYPE_CHECKING:
    from edge_sdk.backends.base import SessionFactory
    from edge_sdk.bundle import Bundle

BATCH_TOKENS = 128
"""Most tokens, padding included, that `batch` gives to the engine at once: beyond about this many
the activations fall out of the cache, and a batch becomes slower than single calls."""


class Tagger(Task[TaggerResult]):
    """Tags the words of an utterance and names its intent.

    The intent is the most probable one and its score that probability. Tags are decoded with the
    bundle's CRF transitions and the transitions that BIO allows, or token by token where the
    bundle has none. A slot's score is the mean, over its words, of the probability of the word's
    tag: its posterior under the CRF, or its softmax. A text without words has the intent "", score
    0.0 and no slots.
    """

    task = "tagger"

    def __init__(self, bundle: Bundle, sessions: SessionFactory, threads: int = 1) -> None:
        """Read the bundle's pipeline and open its graph.

        Raises BundleError where the manifest, the labels, the transitions and the graph do not
        fit each other, and what the engine raises.
        """
        super().__init__(bundle, sessions, threads)
        pipeline = bundle.manifest.pipeline
        pipeline.only("splitter", "max_tokens", "tokenizer", "projection", "labels", "decoder")
        pipeline.text("splitter", choices=("words-v1",))
        self.max_tokens = pipeline.integer("max_tokens", minimum=1)
        self._project = _projection(bundle, pipeline)
        self.intents, self.labels = _labels(bundle, pipeline.text("labels"))
        self._decode, self._span_scores = _decoder(bundle, pipeline.section("decoder"), self.labels)
        self._session = self.open_session()
        self._check_graph()

    def __call__(self, text: str) -> TaggerResult:
        """Tag one utterance.

        Raises InputError: `input_type` where text is not a str, `input_too_long` where it has
        more than `max_tokens` words.
        """
        self.check_open()
        words = self._split(text, "text")
        if not words:
            return TaggerResult(text, "", 0.0, ())
        features = self._project([word.text for word in words])
        slot_logits, intent_logits = self._run(features[None])
        return self._result(text, words, slot_logits[0], intent_logits[0])

    def batch(self, texts: Sequence[str]) -> list[TaggerResult]:
        """Tag many utterances, texts of about the same length in one call of the engine.

        Raises as a single call, naming the place in the list.
        """
        self.check_open()
        texts = check_texts(texts)
        split = [self._split(text, f"texts[{i}]") for i, text in enumerate(texts)]
        results = [TaggerResult(text, "", 0.0, ()) for text in texts]
        for i, slot_logits, intent_logits in self._run_many(
            [[word.text for word in words] for words in split]
        ):
            results[i] = self._result(texts[i], split[i], slot_logits, intent_logits)
        return results

    def predict_tokens(self, tokens: Sequence[str]) -> tuple[str, list[str]]:
        """Intent and one tag a token, for text that is already split; ("", []) for no tokens.

        Raises InputError: `input_type`, `input_too_long`.
        """
        return self.predict_tokens_batch([tokens])[0]

    def predict_tokens_batch(
        self, utterances: Sequence[Sequence[str]]
    ) -> list[tuple[str, list[str]]]:
        """`predict_tokens` of many utterances. Raises as it does, naming the place in the list."""
        self.check_open()
        words = [self._normalise(tokens, i) for i, tokens in enumerate(utterances)]
        predictions: list[tuple[str, list[str]]] = [("", []) for _ in utterances]
        for i, slot_logits, intent_logits in self._run_many(words):
            intent, _ = self._intent(intent_logits)
            names = self.labels.names
            predictions[i] = intent, [names[tag] for tag in self._decode(slot_logits)]
        return predictions

    def _split(self, text: str, argument: str) -> list[Word]:
        if not isinstance(text, str):
            raise InputError(
                "input_type",
                f"argument {argument} must be a str, found {type(text).__name__}",
                "decode bytes first, and give many texts to batch()",
            )
        words = split_words(text)
        self._check_length(len(words), argument)
        return words

    def _normalise(self, tokens: Sequence[str], i: int) -> list[str]:
        if isinstance(tokens, str) or not all(isinstance(t, str) and t for t in tokens):
            raise InputError(
                "input_type",
                f"utterance {i}: tokens must be a list of non-empty str, found {tokens!r:.80}",
                "split the text first, or call the task on the text itself",
            )
        self._check_length(len(tokens), f"utterances[{i}]")
        return [normalise_word(token) for token in tokens]

    def _check_length(self, n_words: int, argument: str) -> None:
        if n_words > self.max_tokens:
            raise InputError(
                "input_too_long",
                f"argument {argument} has {n_words} words, the model takes {self.max_tokens}",
                "split it into sentences",
            )

    def _run(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs = self._session.run({"features": features})
        return outputs["slot_logits"], outputs["intent_logits"]

    def _run_many(
        self, utterances: Sequence[Sequence[str]]
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """(place, slot logits [tokens, tags], intent logits [intents]) of all but empty ones."""
        for places in _length_groups([len(words) for words in utterances]):
            longest = len(utterances[places[-1]])
            features = np.zeros((len(places), longest, self._project.n_features), np.uint8)
            for row, i in enumerate(places):
                features[row, : len(utterances[i])] = self._project(utterances[i])
            slot_logits, intent_logits = self._run(features)
            for row, i in enumerate(places):
                yield i, slot_logits[row, : len(utterances[i])], intent_logits[row]

    def _result(
        self, text: str, words: list[Word], slot_logits: np.ndarray, intent_logits: np.ndarray
    ) -> TaggerResult:
        intent, score = self._intent(intent_logits)
        tags = self._decode(slot_logits)
        spans = tag_spans(tags, self.labels)
        slots = []
        for (label, first, last), probability in zip(spans, self._span_scores(slot_logits, tags, spans)):
            start, end = words[first].start, words[last - 1].end
            slots.append(Slot(label, text[start:end], start, end, probability))
        return TaggerResult(text, intent, score, tuple(slots))

    def _intent(self, logits: np.ndarray) -> tuple[str, float]:
        best = int(logits.argmax())
        score = 1.0 / float(np.exp(logits - logits[best]).sum())
        if not score > 0.0:  # argmax finds NaN first
            raise BackendError(
                "backend_nan",
                f"{self.bundle.manifest.name} gave a number that is none for the intents",
                "run edge-sdk verify on the bundle",
            )
        return self.intents[best], score

    def _check_graph(self) -> None:
        """The graph's sizes are those of the projection and of the labels."""
        last_axes = {t.name: t.shape[-1] for t in (*self._session.inputs, *self._session.outputs)}
        expected = {
            "features": self._project.n_features,
            "slot_logits": len(self.labels),
            "intent_logits": len(self.intents),
        }
        if last_axes != expected:
            raise BundleError(
                "bundle_graph_mismatch",
                f"the graph's last axes are {last_axes}, the pipeline needs {expected}",
                "export the bundle again: its graph and its pipeline do not fit",
            )


def _length_groups(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of the lengths above 0, short ones first, in groups of at most BATCH_TOKENS padded."""
    group: list[int] = []
    for i in sorted((i for i, n in enumerate(lengths) if n), key=lengths.__getitem__):
        if group and (len(group) + 1) * lengths[i] > BATCH_TOKENS:
            yield group
            group = []
        group.append(i)
    if group:
        yield group


def _projection(bundle: Bundle, pipeline: Section) -> Projection:
    tokenizer = pipeline.section("tokenizer")
    tokenizer.only("file", "continuation")
    tokenizer.text("continuation", choices=(CONTINUATION,))
    section = pipeline.section("projection")
    section.only(
        "kind", "hash", "seed", "n_hashes", "n_features", "ngram_min", "ngram_max", "boundaries",
        "case",
    )  # fmt: skip
    section.text("kind", choices=("minhash",))
    section.text("hash", choices=("xxh64",))
    scheme = HashScheme(
        seed=section.integer("seed", maximum=2**64 - 1),
        n_hashes=section.integer("n_hashes"),
        ngram_min=section.integer("ngram_min"),
        ngram_max=section.integer("ngram_max"),
        boundaries=section.flag("boundaries"),
    )
    subwords = SubwordTokenizer(bundle.read(tokenizer.text("file")))
    n_features = section.integer("n_features", minimum=1, maximum=1 << 24)
    fold_case = section.text("case", choices=("keep", "fold")) == "fold"
    return Projection(subwords, scheme, n_features, fold_case=fold_case)


def _labels(bundle: Bundle, file: str) -> tuple[list[str], TagLabels]:
    section = Section(bundle.read_json(file), file)
    section.only("intents", "tags")
    return section.texts("intents"), TagLabels(section.texts("tags"))


_Decode = Callable[[np.ndarray], np.ndarray]
_SpanScores = Callable[[np.ndarray, np.ndarray, Sequence[tuple[str, int, int]]], Sequence[float]]


def _decoder(bundle: Bundle, section: Section, labels: TagLabels) -> tuple[_Decode, _SpanScores]:
    """Slot logits float32[n, T] to tags int32[n]; these two and spans to a score a span."""
    section.only("kind", "transitions", "scheme")
    if section.text("kind", choices=("crf", "argmax")) == "argmax":
        return argmax_tags, span_scores
    section.text("scheme", choices=("BIO", "BIOES"))
    file = section.text("transitions")
    table = bundle.read_array(file)
    n_tags = len(labels)
    if table.dtype != np.float32 or table.shape != (n_tags + 2, n_tags):
        raise BundleError(
            "bundle_transitions",
            f"{file} is {table.dtype} {table.shape}, expected float32 {(n_tags + 2, n_tags)}",
            "export the bundle again",
        )
    crf = table[:-2], table[-2], table[-1], *bio_masks(labels.names)
    decoder, posteriors = TagDecoder(*crf), TagPosteriors(*crf)

    def scores(
        logits: np.ndarray, tags: np.ndarray, spans: Sequence[tuple[str, int, int]]
    ) -> list[float]:
        if not spans:
            return []
        sure = posteriors(logits, tags).tolist()
        return [sum(sure[first:last]) / (last - first) for _, first, last in spans]

    return lambda emissions: decoder.decode(emissions)[0], scores
