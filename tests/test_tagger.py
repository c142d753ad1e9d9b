"""The tagger: from text to intent and slots in the caller's own string."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.backends import graph_spec
from edge_sdk.bundle import Bundle, write_bundle
from edge_sdk.errors import BackendError, BundleError, EdgeError, InputError
from edge_sdk.loading import load
from edge_sdk.results import Slot, TaggerResult
from edge_sdk.tasks.tagger import BATCH_TOKENS, Tagger
from tests.data import tiny_tagger

TEXTS = ["wake me up at 7 am", "", "call mom", "ring dad smith and mom at noon", "  ", "hello"]


@pytest.fixture(scope="module")
def tagger(tiny_path: Path) -> Tagger:
    return load(tiny_path)


class Canned:
    """A session that gives the same logits whatever comes in."""

    engine = "onnx"

    def __init__(self, bundle: Bundle, slots: np.ndarray, intents: np.ndarray) -> None:
        declared = graph_spec(bundle, "onnx", "model")
        self.inputs, self.outputs = declared.inputs, declared.outputs
        self._slots, self._intents = slots.astype(np.float32), intents.astype(np.float32)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        batch, tokens, _ = inputs["features"].shape
        return {
            "slot_logits": np.broadcast_to(self._slots, (batch, *self._slots.shape))[:, :tokens].copy(),
            "intent_logits": np.broadcast_to(self._intents, (batch, *self._intents.shape)).copy(),
        }

    def close(self) -> None: ...


def with_logits(path: Path, slots: np.ndarray, intents: np.ndarray) -> Tagger:
    bundle = Bundle.open(path)
    return Tagger(bundle, lambda graph: Canned(bundle, slots, intents))


def changed(path: Path, pipeline: Mapping[str, Any] = {}, **files: bytes) -> Path:
    """The tiny bundle at `path` with other pipeline entries and members."""
    manifest = tiny_tagger.manifest()
    manifest["pipeline"].update(pipeline)
    members = tiny_tagger.files(tiny_tagger.tokenizer_json())
    members.update({name.replace("_", "."): data for name, data in files.items()})
    write_bundle(path, manifest, members)
    return path


class TestResults:
    def test_intent_and_slots(self, tagger: Tagger) -> None:
        result = tagger("wake me up at 7 am")
        assert (result.intent, result.text) == ("SET_ALARM", "wake me up at 7 am")
        assert [(s.label, s.text, s.start, s.end) for s in result.slots] == [("TIME", "7 am", 14, 18)]
        assert all(0.9 < score <= 1 for score in (result.score, result.slots[0].score))

    def test_spans_are_of_the_callers_string(self, tiny_path: Path) -> None:
        text = "🎉 call  Ｍom’s, ring Re\u0301ne\u0301 smith\n"
        names = ["O", "O", "B-NAME", "O", "O", "O", "B-NAME", "I-NAME"]
        logits = 9 * np.eye(5)[[tiny_tagger.TAGS.index(name) for name in names]]
        slots = with_logits(tiny_path, logits, np.zeros(3))(text).slots
        assert [(slot.text, slot.start, slot.end) for slot in slots] == [
            ("Ｍom", 8, 11),
            ("Re\u0301ne\u0301 smith", 20, 32),
        ]
        assert all(slot.text == text[slot.start : slot.end] for slot in slots)

    @pytest.mark.parametrize("text", ["", " ", "\0\t\u3000", "\u00a0\n"])
    def test_text_without_words(self, tagger: Tagger, text: str) -> None:
        nothing = TaggerResult(text, "", 0.0, ())
        assert tagger(text) == nothing
        assert tagger.batch([text, text]) == [nothing, nothing]

    def test_score_of_the_intent_is_its_softmax(self, tiny_path: Path) -> None:
        logits = np.log([0.2, 0.5, 0.3]) + 40
        result = with_logits(tiny_path, np.zeros((2, 5)), logits)("a b")
        assert result.intent == "CALL"
        assert result.score == pytest.approx(0.5, abs=1e-6)

    def test_score_of_a_slot_without_transitions_is_the_mean_softmax(self, tmp_path: Path) -> None:
        path = changed(tmp_path / "argmax.edge", {"decoder": {"kind": "argmax"}})
        probabilities = np.array([[0.1, 0.6, 0.1, 0.1, 0.1], [0.05, 0.05, 0.8, 0.05, 0.05]])
        result = with_logits(path, np.log(probabilities), np.zeros(3))("a b")
        assert result.slots == (Slot("TIME", "a b", 0, 3, pytest.approx(0.7, abs=1e-6)),)

    @pytest.mark.parametrize("seed", range(12))
    def test_tags_and_scores_against_all_sequences(self, tmp_path: Path, seed: int) -> None:
        """Of four words: the best that BIO allows, and how much of the weight agrees with it."""
        rng = np.random.default_rng(seed)
        n_tags = len(tiny_tagger.TAGS)
        table = rng.normal(size=(n_tags + 2, n_tags)).astype(np.float32)
        emissions = rng.normal(size=(4, n_tags)).astype(np.float32)

        def score(tags: tuple[int, ...]) -> float:
            names = ["O", *(tiny_tagger.TAGS[tag] for tag in tags)]
            for before, tag in itertools.pairwise(names):
                if tag.startswith("I-") and before[2:] != tag[2:]:
                    return -np.inf
            steps = sum(table[a, b] for a, b in itertools.pairwise(tags))
            emitted = sum(emissions[i, tag] for i, tag in enumerate(tags))
            return table[-2, tags[0]] + steps + table[-1, tags[-1]] + emitted

        sequences = list(itertools.product(range(n_tags), repeat=4))
        weights = np.exp([score(tags) for tags in sequences])
        best = sequences[weights.argmax()]
        sure = [
            sum(w for w, tags in zip(weights, sequences, strict=True) if tags[i] == best[i]) / weights.sum()
            for i in range(4)
        ]
        path = changed(tmp_path / "crf.edge", transitions_npy=tiny_tagger._npy(table))
        with with_logits(path, emissions, np.zeros(3)) as tagger:
            assert tagger.predict_tokens(list("abcd"))[1] == [tiny_tagger.TAGS[tag] for tag in best]
            for slot in tagger("a b c d").slots:
                words = range(slot.start // 2, (slot.end + 1) // 2)
                assert slot.score == pytest.approx(np.mean([sure[i] for i in words]), abs=1e-5)

    def test_without_transitions_each_word_has_its_best_tag(self, tmp_path: Path) -> None:
        path = changed(tmp_path / "argmax.edge", {"decoder": {"kind": "argmax"}})
        slots = np.eye(5)[[2, 4, 0]]
        tagger = with_logits(path, slots, np.zeros(3))
        assert tagger.predict_tokens(["a", "b", "c"]) == ("SET_ALARM", ["I-TIME", "I-NAME", "O"])
        # A lone I-x begins a span.
        assert [(slot.label, slot.text) for slot in tagger("a b c").slots] == [("TIME", "a"), ("NAME", "b")]


class TestBatch:
    def test_equal_to_single_calls(self, tagger: Tagger) -> None:
        texts = [f"{a} {b}".strip() for a in TEXTS for b in TEXTS]
        for one, many in zip(map(tagger, texts), tagger.batch(texts), strict=True):
            assert_close(one, many)

    def test_more_than_one_group(self, tagger: Tagger) -> None:
        texts = [" ".join(["mom"] * (1 + i % 60)) for i in range(2 * BATCH_TOKENS // 30)]
        for one, many in zip(map(tagger, texts), tagger.batch(texts), strict=True):
            assert_close(one, many)

    def test_nothing(self, tagger: Tagger) -> None:
        assert tagger.batch([]) == []

    def test_tokens(self, tagger: Tagger) -> None:
        batch = tagger.predict_tokens_batch([["call", "mom"], [], ["wake", "me", "at", "9", "am"]])
        assert batch == [
            ("CALL", ["O", "B-NAME"]),
            ("", []),
            ("SET_ALARM", ["O", "O", "O", "B-TIME", "I-TIME"]),
        ]

    def test_tokens_are_normalised_as_words_are(self, tagger: Tagger) -> None:
        assert tagger.predict_tokens(["ｃａｌｌ", "ｍｏｍ"]) == tagger.predict_tokens(["call", "mom"])


def assert_close(one: TaggerResult, many: TaggerResult) -> None:
    """Equal but for the rounding of sums that an engine may take in another order."""
    a, b = one.to_dict(), many.to_dict()
    for x, y in zip([a, *a.pop("slots")], [b, *b.pop("slots")], strict=True):
        assert x.pop("score") == pytest.approx(y.pop("score"), abs=1e-5)
        assert x == y


class TestInput:
    @pytest.mark.parametrize("text", [None, b"call mom", 7, ["call mom"], ("a",)])
    def test_not_a_str(self, tagger: Tagger, text: object) -> None:
        with pytest.raises(InputError, match="argument text ") as caught:
            tagger(text)
        assert caught.value.code == "input_type"
        with pytest.raises(InputError, match=r"texts\[1\]"):
            tagger.batch(["call mom", text])

    @pytest.mark.parametrize("texts", ["call mom", b"call mom", None, 7])
    def test_batch_of_no_list(self, tagger: Tagger, texts: object) -> None:
        with pytest.raises(InputError, match="argument texts"):
            tagger.batch(texts)

    def test_as_long_as_the_model_takes_and_longer(self, tagger: Tagger) -> None:
        tagger("mom " * 64)
        for call in (
            lambda: tagger("mom " * 65),
            lambda: tagger("a" * 50_000 + " " + "b " * 25_000),
            lambda: tagger.batch(["mom", "mom " * 65]),
            lambda: tagger.predict_tokens(["mom"] * 65),
        ):
            with pytest.raises(InputError, match="the model takes 64") as caught:
                call()
            assert caught.value.code == "input_too_long"

    def test_one_very_long_word(self, tagger: Tagger) -> None:
        assert tagger("a" * 100_000).text == "a" * 100_000

    @pytest.mark.parametrize("tokens", ["call", [""], ["call", None], [b"call"]])
    def test_tokens_that_are_none(self, tagger: Tagger, tokens: object) -> None:
        with pytest.raises(InputError, match="utterance 0: tokens"):
            tagger.predict_tokens(tokens)

    @given(text=st.text(st.characters(categories=None), max_size=80))
    def test_any_text_has_a_result(self, tagger: Tagger, text: str) -> None:
        try:
            result = tagger(text)
        except InputError as error:
            assert error.code == "input_too_long"
            return
        json.dumps(result.to_dict())
        end = 0
        for slot in result.slots:
            assert end <= slot.start < slot.end
            assert slot.text == text[slot.start : slot.end]
            assert 0 <= slot.score <= 1 + 1e-6
            end = slot.end

    def test_numbers_that_are_none(self, tiny_path: Path) -> None:
        broken, sound = np.full((4, 5), np.nan), np.zeros((4, 5))
        with pytest.raises(BackendError, match="tiny"):
            with_logits(tiny_path, sound, np.array([0, np.nan, 0]))("call mom")
        with pytest.raises(EdgeError, match="not_a_number"):
            with_logits(tiny_path, broken, np.zeros(3))("call mom")

    def test_closed(self, tiny_path: Path) -> None:
        with load(tiny_path) as tagger:
            tagger("call mom")
        for call in (lambda: tagger("a"), lambda: tagger.batch(["a"]), lambda: tagger.predict_tokens(["a"])):
            with pytest.raises(EdgeError, match="task_closed"):
                call()


class TestBundle:
    """Members and manifest that do not fit each other."""

    @pytest.mark.parametrize(
        ("pipeline", "files", "message"),
        [
            ({"splitter": "words-v9"}, {}, r"pipeline\.splitter"),
            ({"max_tokens": 0}, {}, r"pipeline\.max_tokens"),
            ({"surprise": 1}, {}, "surprise"),
            ({"labels": "other.json"}, {}, "other.json"),
            ({"tokenizer": {"file": "tokenizer.json", "continuation": "@@"}}, {}, "continuation"),
            ({"decoder": {"kind": "beam"}}, {}, r"decoder\.kind"),
            ({}, {"labels_json": b'{"intents": ["a"], "tags": ["O"]}'}, "transitions.npy"),
            ({}, {"labels_json": json.dumps({"intents": ["a"], "tags": tiny_tagger.TAGS}).encode()}, "last axes"),
            ({}, {"labels_json": b'{"intents": [1], "tags": ["O"]}'}, r"intents\[0\]"),
            ({}, {"tokenizer_json": b"{}"}, "tokenizer.json"),
            ({}, {"transitions_npy": tiny_tagger._npy(np.zeros((7, 5)))}, "float64"),
            ({}, {"transitions_npy": b"no array"}, "transitions.npy"),
        ],
    )
    def test_refused(self, tmp_path: Path, pipeline: dict, files: dict, message: str) -> None:
        path = changed(tmp_path / "changed.edge", pipeline, **files)
        with pytest.raises(BundleError, match=message):
            load(path)

    def test_another_number_of_features(self, tmp_path: Path) -> None:
        projection = {**tiny_tagger.manifest()["pipeline"]["projection"], "n_features": 65}
        path = changed(tmp_path / "changed.edge", {"projection": projection})
        with pytest.raises(BundleError, match="last axes"):
            load(path)


def test_threads_share_a_tagger(tagger: Tagger) -> None:
    expected = [tagger(text) for text in TEXTS]
    wrong: list[object] = []

    def work() -> None:
        try:
            for _ in range(50):
                wrong.extend(r for r, e in zip(map(tagger, TEXTS), expected, strict=True) if r != e)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_every_face_of_the_kernels_gives_the_same(tiny_path: Path, tagger: Tagger, run_python: Any) -> None:
    code = """
import json, sys
from edge_sdk import load
from edge_sdk.kernels import implementation
tagger = load(sys.argv[1])
print(json.dumps([implementation()[0], [tagger(text).to_dict() for text in json.loads(sys.argv[2])]]))
"""
    done = run_python(code, tiny_path, json.dumps(TEXTS), env={"EDGE_SDK_KERNELS": "reference"})
    assert done.returncode == 0, done.stderr
    face, results = json.loads(done.stdout)
    assert face == "reference"
    for result, text in zip(results, TEXTS, strict=True):
        slots = tuple(Slot(**{**slot, "score": pytest.approx(slot["score"], abs=1e-5)}) for slot in result["slots"])
        assert tagger(text).slots == slots
        assert tagger(text).intent == result["intent"]
