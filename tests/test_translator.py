"""The translator through its public doors, on a bundle that really translates 60 words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import edge_sdk
from edge_sdk.brands import BrandList
from edge_sdk.bundle import Bundle, write_bundle
from edge_sdk.errors import BundleError, InputError
from edge_sdk.query_tokenizer import BEGIN, END
from edge_sdk.results import Translation
from edge_sdk.tasks.translator import Translator as Task
from export.int8 import to_int8
from models.query_translator.model import Translator as Model
from tests.conftest import json_lines
from tests.data import tiny_translator
from tests.data.tiny_translator import EXAMPLES, MAX_SOURCE

TOLERANCE = 2e-4
"""Of scores in fp32."""


@pytest.fixture(scope="module")
def model() -> Model:
    return tiny_translator.model()


@pytest.fixture(scope="module")
def path(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("translator") / "tiny.edge"
    tiny_translator.build(found, model)
    return found


@pytest.fixture(scope="module")
def task(path: Path) -> Iterator[Task]:
    with edge_sdk.load(path) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def plain(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Task]:
    """Without a shortlist: every step has the whole vocabulary."""
    out = tmp_path_factory.mktemp("plain") / "plain.edge"
    with edge_sdk.load(tiny_translator.repack(path, out, drop=("shortlist",))) as loaded:
        yield loaded


def queries(count: int, seed: int = 3) -> list[str]:
    """Texts like those that the model was trained on, without copy slots."""
    random, words = Random(seed), tiny_translator.tokenizer()
    found: list[str] = []
    while len(found) < count:
        source, _ = tiny_translator.pair(words, random)
        if all(not 4 <= i < 12 for i in source):
            found.append(words.decode(source[:-1]))
    return found


def test_the_four_cases(task: Task) -> None:
    """English copied, brand corrected, Hinglish translated, brand and its product line kept."""
    expected = {
        "cheap oil": "cheap oil",
        "red daber rice": "red dabur rice",
        "lal tel": "red oil",
        "sasta dabur lal tel": "cheap dabur lal oil",
        "Sasta  KWALITY\tWalls tel": "cheap kwality walls oil",
    }
    for beam in (1, 3):
        assert {text: task(text, beam=beam).translation for text in expected} == expected


def test_the_score_is_that_of_a_full_recomputation(task: Task, model: Model) -> None:
    """By the torch model with teacher forcing, over the whole vocabulary."""
    words = tiny_translator.tokenizer()
    for text in (*EXAMPLES, *queries(30)):
        for beam in (1, 4):
            found = task(text, beam=beam)
            source = torch.tensor([[*words.encode(text).ids, END]])
            target = [*words.encode(found.translation).ids, END]
            with torch.no_grad():
                log_p = model(source, torch.tensor([[BEGIN, *target[:-1]]]))[0].log_softmax(-1)
            assert found.score == pytest.approx(float(log_p[range(len(target)), target].sum()), abs=TOLERANCE)
            assert found.text == text


def test_shortlist_and_beam_of_one_change_nothing(task: Task, plain: Task) -> None:
    texts = [*EXAMPLES, *queries(60), "a b c d", "zzz tel qqq", "0 1 2 3 4 5"]
    for text in texts:
        drafted, greedy = task(text), plain(text)
        assert drafted.translation == greedy.translation
        assert drafted.score == pytest.approx(greedy.score, abs=TOLERANCE)


@pytest.mark.parametrize("beam", [1, 3])
def test_a_batch_is_its_single_calls(task: Task, beam: int) -> None:
    """Of lengths from nothing to the longest, so that there is padding."""
    texts = [*queries(40), "", "👍", "tel " * 10, "zzz", *EXAMPLES]
    together = task.batch(texts, beam=beam)
    for text, found in zip(texts, together):
        alone = task(text, beam=beam)
        assert (found.text, found.translation) == (alone.text, alone.translation)
        assert found.score == pytest.approx(alone.score, abs=TOLERANCE)
    assert task.batch([]) == []


def test_the_callers_brands_are_copied(task: Task) -> None:
    """A brand that no training has seen comes through, also misspelled; the bundle's list is gone."""
    brands = BrandList.of(["Zyxxoil Premium", "aashirvaad", "Aashirvaad"])
    assert len(brands) == 2
    assert task("sasta zyxxoil premium tel", brands=brands).translation == "cheap zyxxoil premium oil"
    assert task("lal ashirwad chawal", brands=brands).translation == "red aashirvaad rice"
    assert task.batch(["tel aashirvaad"], brands=brands)[0].translation == "oil aashirvaad"
    assert "dabur" not in task("daber tel", brands=brands).translation
    assert task("sasta dabur tel").translation == "cheap dabur oil"


def test_use_sets_what_calls_do_not_give(path: Path) -> None:
    with edge_sdk.load(path) as task:
        task.use(beam=2, brands=["parachute"])
        assert task("sasta parachute tel").translation == "cheap parachute oil"
        task.use(brands=["dabur"])
        assert task("sasta dabur tel") == task("sasta dabur tel", beam=2)


def test_what_has_nothing_to_translate_is_copied(task: Task) -> None:
    assert task("") == Translation("", "", 0.0)
    assert task(" \x00\n ") == Translation(" \x00\n ", "", 0.0)
    assert task("👍 ❤️") == Translation("👍 ❤️", "👍 ❤️", 0.0)
    assert task("\ud800 Ж").translation == "\ufffd ж"
    assert task("tel 👍 Ж chawal").translation == "oil 👍 ж rice"
    assert task("７").translation == "7"


@settings(max_examples=60)
@given(st.text(max_size=30) | st.text("tel saka0123 daburlwi'-\u0000é👍", max_size=40))
def test_any_text_ends_in_a_translation_or_an_error(task: Task, text: str) -> None:
    try:
        found = task(text)
    except InputError as error:
        assert error.code in ("input_script", "input_too_long")
        return
    assert found.score <= 0 and math.isfinite(found.score)
    again = task.batch([text, text])[1]
    assert again.translation == found.translation


def test_decoding_ends_where_the_manifest_says(path: Path, model: Model, tmp_path: Path) -> None:
    short = {"ratio": 0.0, "extra": 2, "maximum": 40}
    with edge_sdk.load(tiny_translator.repack(path, tmp_path / "short.edge", length=short)) as task:
        for beam in (1, 3):
            found = task("sasta dabur lal tel", beam=beam)
            ids = tiny_translator.tokenizer().encode(found.translation).ids
            assert len(ids) <= 2
            assert found.translation == "cheap dabur" or beam > 1
            assert found == task.batch(["sasta dabur lal tel"], beam=beam)[0] or beam == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "input_type"),
        (b"tel", "input_type"),
        (["tel"], "input_type"),
        ("tel " * 1000, "input_too_long"),
        ("\u091a\u093e\u0935\u0932 tel", "input_script"),
        ("x" * 10**6, "input_too_long"),
    ],
)
def test_wrong_texts_are_named(task: Task, text: Any, code: str) -> None:
    with pytest.raises(InputError) as caught:
        task(text)
    assert caught.value.code == code
    assert "argument text" in caught.value.message
    with pytest.raises(InputError, match=r"argument texts\[1\]"):
        task.batch(["tel", text])


@pytest.mark.parametrize("beam", [0, 17, 1.5, True, "3"])
def test_wrong_beams_are_named(task: Task, beam: Any) -> None:
    with pytest.raises(InputError) as caught:
        task("tel", beam=beam)
    assert caught.value.code == "input_beam"


def test_a_query_of_the_greatest_length(task: Task) -> None:
    assert task("tel " * MAX_SOURCE).score < 0
    with pytest.raises(InputError, match=str(MAX_SOURCE)):
        task("tel " * (MAX_SOURCE + 1))


@pytest.mark.parametrize(
    "change",
    [
        {"beam": 0},
        {"beam": 99},
        {"surprise": 1},
        {"max_source": 0},
        {"length": {"ratio": 1.5, "extra": -1, "maximum": 4}},
        {"shortlist": {"starts": "shortlist_targets.npy", "targets": "shortlist_starts.npy"}},
        {"brands": {"file": "shortlist_starts.npy", "first": 60}},
    ],
)
def test_manifests_that_do_not_fit_are_refused(path: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(BundleError):
        edge_sdk.load(tiny_translator.repack(path, tmp_path / "bad.edge", **change))


def test_the_command_line(path: Path, tmp_path: Path, run_cli: Callable[..., Any]) -> None:
    text = "sasta parachute lal tel"
    brands = tmp_path / "brands.txt"
    brands.write_text("brand\nParachute\n", encoding="utf-8")
    done = run_cli("run", path, text, "--beam", "2", "--brands", brands, "--json")
    [found] = json_lines(done.stdout)
    assert found["text"] == text and found["translation"] == "cheap parachute lal oil"
    assert set(found) == {"text", "translation", "score"}
    data = tmp_path / "data.tsv"
    data.write_text("hinglish\tenglish\tx\nlal tel\tRed oil\ty\nlal chawal\tgreen rice\tz\n", encoding="utf-8")
    [metrics] = json_lines(run_cli("eval", path, "--data", data, "--json").stdout)
    assert (metrics["exact_match"], metrics["rows"]) == (50.0, 2)
    brands.write_bytes(b"ok\n\xff\n")
    failed = run_cli("run", path, text, "--brands", brands)
    assert failed.returncode == 2 and b"error[brands_encoding]" in failed.stderr


def test_int8_translates_alike(model: Model, path: Path, tmp_path: Path, task: Task) -> None:
    """Products in 8 bits do not change what these words become, and rows stay apart in a batch."""
    with Bundle.open(path) as bundle:
        manifest = {k: v for k, v in bundle.manifest.raw.items() if k not in ("files", "format_version")}
        files = {file.name: bytes(bundle.read(file.name)) for file in bundle.manifest.files}
    specs = tiny_translator.spec(model).graphs
    graphs = to_int8({name: onnx.load_from_string(files[f"{name}.onnx"]) for name in specs}, specs)
    files |= {f"{name}.onnx": graph.SerializeToString() for name, graph in graphs.items()}
    write_bundle(tmp_path / "int8.edge", manifest, files)
    texts = [*EXAMPLES, *queries(40)]
    with edge_sdk.load(tmp_path / "int8.edge") as rounded:
        found, exact = rounded.batch(texts), task.batch(texts)
        same = [a.translation == b.translation for a, b in zip(found, exact)]
        assert np.mean(same) >= 0.95
        assert [rounded(text).translation for text in texts] == [one.translation for one in found]


def test_ctranslate2_says_the_same(model: Model, task: Task, tmp_path: Path) -> None:
    """The engine of the paper with the same weights: token for token, and the scores."""
    ctranslate2 = pytest.importorskip("ctranslate2")
    from models.query_translator.to_ctranslate2 import convert

    convert(model, tmp_path / "converted", quantization=None)
    peer = ctranslate2.Translator(str(tmp_path / "converted"), intra_threads=1, inter_threads=1)
    for text in (*EXAMPLES, *queries(100)):
        source = task.encode(text)
        tokens = [str(i) for i in (*source.ids, END)]
        [found] = peer.translate_batch(
            [tokens], beam_size=1, return_scores=True, max_decoding_length=task.limit(len(source.ids))
        )
        ours = task(text)
        assert task.decode(map(int, found.hypotheses[0]), source) == ours.translation
        # CTranslate2 divides by the length, which counts END, whatever the penalty of a greedy search.
        assert found.scores[0] == pytest.approx(ours.score / (len(found.hypotheses[0]) + 1), abs=1e-4)


ZOO = Path(__file__).parent.parent / "zoo" / "hinglish-en.edge"


@pytest.mark.skipif(not ZOO.exists(), reason="no hinglish-en in the zoo")
def test_the_shipped_bundle(tmp_path: Path) -> None:
    """In 8 bits: drafts change nothing, rows of a batch stay apart, brands of a caller are copied."""
    plain_path = tiny_translator.repack(ZOO, tmp_path / "plain.edge", drop=("shortlist",))
    with edge_sdk.load(ZOO) as task, edge_sdk.load(plain_path) as plain:
        assert task("sasta dabur lal tel").translation == "cheap dabur lal oil"
        texts = [*task.bundle.manifest.examples, "zzyzx 500 ml", "mummy ko call karo", "lal mirch powder"]
        for text, together in zip(texts, task.batch(texts)):
            drafted, greedy = task(text), plain(text)
            assert drafted.translation == greedy.translation == together.translation
            assert drafted.score == pytest.approx(greedy.score, abs=0.05)
        assert "zyxxo gold" in task("sasta zyxxo gold tel", brands=["Zyxxo Gold"]).translation
