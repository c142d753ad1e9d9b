"""LiteRT behind the Session protocol, and the choice between two engines."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edge_sdk.backends import session_factory
from edge_sdk.bundle import Bundle, write_bundle
from edge_sdk.errors import BackendError
from edge_sdk.loading import load, verify
from tests import test_offline
from tests.data import tiny_tagger, tiny_tflite

pytest.importorskip("ai_edge_litert", reason="needs the extra [litert]")

from edge_sdk.backends.litert import LitertSession


def weights() -> tuple[np.ndarray, np.ndarray]:
    """Tag and intent weights of the tiny tagger."""
    graph = onnx.load_from_string(tiny_tagger.files(tiny_tagger.tokenizer_json())["model.onnx"]).graph
    found = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
    return found["tag_weights"], found["intent_weights"]


def manifest(*engines: str) -> dict[str, Any]:
    made = tiny_tagger.manifest()
    graph = made["graphs"]["onnx"]["model"]
    signatures = {f"tokens{n}": {"tokens": n} for n in tiny_tflite.SIZES}
    made["graphs"]["litert"] = {
        "model": {
            "file": "model.tflite", "precision": "fp32", "signatures": signatures,
            "inputs": copy.deepcopy(graph["inputs"]), "outputs": copy.deepcopy(graph["outputs"]),
        }
    }  # fmt: skip
    made["pipeline"]["max_tokens"] = tiny_tflite.SIZES[-1]
    made["graphs"] = {engine: made["graphs"][engine] for engine in engines}
    return made


@pytest.fixture(scope="session")
def model() -> bytes:
    return tiny_tflite.model(*weights())


Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, model: bytes, tiny_path: Path) -> Make:
    """A function that writes the tiny bundle for some engines, changed."""

    def write(
        *engines: str,
        edit: Callable[[dict[str, Any]], object] = lambda graph: None,
        data: bytes = model,
        milliseconds: tuple[float, float] | None = None,
    ) -> Path:
        made = manifest(*engines)
        if "litert" in engines:
            edit(made["graphs"]["litert"]["model"])
        files = {**tiny_tagger.files(tiny_tagger.tokenizer_json()), "model.tflite": data}
        with Bundle.open(tiny_path) as bundle:
            recorded = bundle.read_json("selftest.json")
        recorded["tolerance"]["litert"] = {"score": 1e-4}
        files["selftest.json"] = json.dumps(recorded).encode()
        if milliseconds is not None:
            names = ("onnx int8", "litert int8")
            stages = [{"stage": s, "p50_ms": {"model": ms}} for s, ms in zip(names, milliseconds)]
            files["report.json"] = json.dumps({"stages": stages}).encode()
        path = tmp_path / "both.edge"
        write_bundle(path, made, files)
        return path

    return write


@pytest.fixture
def session(make: Make) -> Iterator[LitertSession]:
    with Bundle.open(make("litert")) as bundle:
        yield LitertSession(bundle)


def features(batch: int, tokens: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.integers(0, 5, (batch, tokens, tiny_tagger.N_FEATURES), dtype=np.uint8)


@pytest.mark.parametrize(("batch", "tokens"), [(1, 1), (1, 4), (1, 5), (3, 3), (2, 16)])
def test_run_is_the_graph(session: LitertSession, batch: int, tokens: int) -> None:
    """Against the same sums in NumPy, at, below and above the lengths that the graph has."""
    x = features(batch, tokens)
    found = session.run({"features": x})
    assert list(found) == ["slot_logits", "intent_logits"]
    tag_weights, intent_weights = weights()
    slots = x.astype(np.float32) @ tag_weights
    intents = np.maximum(x.astype(np.float32) @ intent_weights, 0).max(axis=1)
    np.testing.assert_allclose(found["slot_logits"], slots, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found["intent_logits"], intents, rtol=1e-4, atol=1e-3)
    for value in found.values():
        assert value.flags.c_contiguous and value.flags.writeable


def test_results_outlive_later_calls_and_the_session(session: LitertSession) -> None:
    first = session.run({"features": features(1, 4, seed=1)})
    before = {name: value.copy() for name, value in first.items()}
    session.run({"features": features(1, 4, seed=2)})
    session.close()
    for name, value in first.items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"other": features(1, 2)},
        {"features": features(1, 2).astype(np.float32)},
        {"features": features(1, 2)[0]},
        {"features": features(1, 2)[:, :, :60]},
        {"features": features(1, 17)},
        {"features": features(1, 2)[:0]},
        {"features": None},
    ],
)
def test_what_the_graph_does_not_take_is_our_error(session: LitertSession, inputs: Any) -> None:
    with pytest.raises(BackendError, match=r"error\[backend_run\]: .*tiny/model.tflite") as caught:
        session.run(inputs)
    assert "\n" not in caught.value.message


def test_closed(session: LitertSession) -> None:
    session.close()
    session.close()
    with pytest.raises(BackendError, match="backend_closed"):
        session.run({"features": features(1, 1)})


def tensor(place: str, i: int, **changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda graph: graph[place][i].update(changes)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (tensor("inputs", 0, name="tokens"), "inputs of tokens4"),
        (tensor("inputs", 0, dtype="float32"), "input features of tokens4"),
        (tensor("inputs", 0, shape=["batch", 64]), "input features of tokens4"),
        (tensor("inputs", 0, shape=["batch", "tokens", 32]), "input features of tokens4"),
        (tensor("inputs", 0, shape=["batch", "other", 64]), "input features of tokens4"),
        (tensor("outputs", 1, name="intents"), "outputs of tokens4"),
        (tensor("outputs", 1, dtype="int8"), "output intent_logits of tokens4"),
        (tensor("outputs", 0, shape=["batch", "tokens", 6]), "output slot_logits of tokens4"),
        (lambda graph: graph.pop("signatures"), "signatures of"),
        (lambda graph: graph["signatures"].pop("tokens8"), "signatures of"),
        (lambda graph: graph["signatures"].update(tokens32={"tokens": 32}), "signatures of"),
        (lambda graph: graph["signatures"].update(tokens8={"tokens": 9}), "input features of tokens8"),
        (lambda graph: graph["signatures"]["tokens8"].update(other=9), "axes of tokens4"),
        (lambda graph: [s.update(other=9) for s in graph["signatures"].values()], "axes of the inputs"),
    ],
)
def test_a_model_that_does_not_fit_the_manifest(make: Make, edit: Any, message: str) -> None:
    with Bundle.open(make("litert", edit=edit)) as bundle, pytest.raises(BackendError, match=message) as caught:
        LitertSession(bundle)
    assert caught.value.code == "backend_mismatch"


@pytest.mark.parametrize("data", [b"", b"not a model", b"\0\0\0\0TFL3" + b"\xff" * 64])
def test_a_model_that_is_none(make: Make, data: bytes) -> None:
    with Bundle.open(make("litert", data=data)) as bundle, pytest.raises(BackendError) as caught:
        LitertSession(bundle)
    assert "cannot load tiny/model.tflite" in caught.value.message
    assert caught.value.code == "backend_load"


class TestTwoEngines:
    def test_both_pass_the_same_selftest(self, make: Make) -> None:
        assert set(verify(make("onnx", "litert")).selftests) == {"onnx", "litert"}

    def test_they_say_the_same(self, make: Make) -> None:
        path = make("onnx", "litert")
        with load(path, backend="onnx") as first, load(path, backend="litert") as second:
            assert (first.engine, second.engine) == ("onnx", "litert")
            texts = ["wake me up at 7 am", "call mom smith and dad", "hello", "", "ring dad at noon"]
            for a, b in zip(first.batch(texts), second.batch(texts), strict=True):
                assert (a.intent, [(s.label, s.text) for s in a.slots]) == (
                    b.intent, [(s.label, s.text) for s in b.slots]
                )  # fmt: skip
                assert a.score == pytest.approx(b.score, abs=1e-4)

    @pytest.mark.parametrize(
        ("milliseconds", "expected"), [((2.0, 1.0), "litert"), ((1.0, 2.0), "onnx"), (None, "onnx")]
    )
    def test_auto_is_what_was_measured_as_faster(
        self, make: Make, milliseconds: tuple[float, float] | None, expected: str
    ) -> None:
        with Bundle.open(make("onnx", "litert", milliseconds=milliseconds)) as bundle:
            assert session_factory(bundle, "auto", 1)("model").engine == expected

    @pytest.mark.parametrize(
        ("missing", "expected"),
        [("onnxruntime", "litert"), ("ai_edge_litert", "onnx")],
    )
    def test_auto_is_what_is_installed(
        self, make: Make, run_python: Any, missing: str, expected: str
    ) -> None:
        slower_first = (1.0, 2.0) if missing == "onnxruntime" else (2.0, 1.0)
        path = make("onnx", "litert", milliseconds=slower_first)
        code = """
import sys
sys.modules[sys.argv[2]] = None  # makes the import fail as if it were not installed
import edge_sdk
task = edge_sdk.load(sys.argv[1])
print(task.engine, task("call mom").intent, list(edge_sdk.verify(sys.argv[1]).selftests))
"""
        found = run_python(code, path, missing)
        assert found.stdout == f"{expected} CALL ['{expected}']\n", found.stderr

    def test_a_missing_engine_says_how_to_install_it(self, make: Make, run_python: Any) -> None:
        code = """
import sys
sys.modules["ai_edge_litert"] = sys.modules["tflite_runtime"] = None
import edge_sdk
try:
    edge_sdk.load(sys.argv[1])
except edge_sdk.BackendError as error:
    print(error.code, error.hint)
"""
        found = run_python(code, make("litert"))
        assert found.stdout == "backend_missing pip install ai-edge-litert\n", found.stderr


class TestRecordedSelftest:
    """What the export records where a bundle has graphs for both engines."""

    TEXTS = ("call mom smith and dad", "hello", "", "wake me up at 7 am")

    def recorded(self, make: Make, tmp_path: Path, **litert: Any) -> dict[str, Any]:
        pytest.importorskip("torch", reason="needs the extra [train]")
        from export.selftest import record_selftest

        bundles = {}
        for engine, options in (("onnx", {}), ("litert", litert)):
            bundles[engine] = make(engine, **options).rename(tmp_path / f"{engine}.edge")
        return json.loads(record_selftest(bundles, self.TEXTS, "int8"))

    def test_all_inputs_where_engines_agree(self, make: Make, tmp_path: Path) -> None:
        found = self.recorded(make, tmp_path)
        assert found["inputs"] == list(self.TEXTS)
        assert found["tolerance"]["onnx"].keys() == found["tolerance"]["litert"].keys()

    def test_only_those_on_which_they_do(self, make: Make, tmp_path: Path) -> None:
        """An engine that knows no names still agrees on texts without them."""
        tags, intents = weights()
        tags = tags.copy()
        first, rest = (tiny_tagger.TAGS.index(tag) for tag in ("B-NAME", "I-NAME"))
        tags[:, first] = tags[:, rest]
        found = self.recorded(make, tmp_path, data=tiny_tflite.model(tags, intents))
        assert found["inputs"] == list(self.TEXTS[1:])

    def test_engines_that_agree_on_nothing(self, make: Make, tmp_path: Path) -> None:
        from export.errors import ExportError

        tags, intents = weights()
        with pytest.raises(ExportError, match="onnx and litert agree on 1 of 4") as caught:
            self.recorded(make, tmp_path, data=tiny_tflite.model(-tags, -intents))
        assert caught.value.code == "export_selftest"


FALLBACK = """
import sys, types
from ai_edge_litert.interpreter import Interpreter

class Runner:
    def __init__(self, runner): self.runner = runner
    def __getattr__(self, name): return getattr(self.runner, name)
    def __call__(self, **inputs):
        return {name: value * float(sys.argv[2]) for name, value in self.runner(**inputs).items()}

class Fallback(Interpreter):
    def get_signature_runner(self, name): return Runner(super().get_signature_runner(name))

sys.modules["tflite_runtime"] = types.ModuleType("tflite_runtime")
sys.modules["tflite_runtime.interpreter"] = types.ModuleType("tflite_runtime.interpreter")
sys.modules["tflite_runtime.interpreter"].Interpreter = Fallback
for name in [name for name in sys.modules if name.startswith("ai_edge_litert")]:
    sys.modules[name] = None
import edge_sdk
try:
    print(edge_sdk.load(sys.argv[1], backend="litert").engine)
except edge_sdk.EdgeError as error:
    print(error.code)
"""


@pytest.mark.parametrize(("factor", "expected"), [("1", "litert"), ("-1", "selftest_failed")])
def test_tflite_runtime_has_to_prove_itself(
    make: Make, run_python: Any, factor: str, expected: str
) -> None:
    """A stand-in for that package, which cannot be installed beside this NumPy: once right, once
    wrong, as the real one is with some graphs."""
    found = run_python(FALLBACK, make("litert"), factor)
    assert found.stdout == f"{expected}\n", found.stderr


class TestOffline:
    """As tests/test_offline.py has it for onnxruntime."""

    def run(self, tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
        environment = test_offline.environment(tmp_path / "home")
        return subprocess.run(
            command, check=False, cwd=test_offline.ROOT, env=environment, capture_output=True, text=True,
            timeout=300,
        )  # fmt: skip

    @pytest.mark.skipif(not test_offline.strace_works(), reason="strace is not there or not permitted")
    def test_no_system_call_opens_a_socket_or_writes(self, make: Make, tmp_path: Path) -> None:
        path, log = make("litert"), tmp_path / "log"
        watch = [*test_offline.WATCH, "-o", str(log), sys.executable, "-c", test_offline.PREDICT, str(path)]
        found = self.run(tmp_path, *watch)
        assert found.stdout == "CALL\n", found.stderr
        calls = log.read_text().splitlines()
        assert any(path.name in call for call in calls), "the trace shows nothing"
        assert [call for call in calls if "socket(" in call or "connect(" in call] == []
        writing = ("O_WRONLY", "O_RDWR", "O_CREAT", "mkdir", "rename", "unlink")
        written = [call for call in calls if any(word in call for word in writing)]
        assert [call for call in written if "/dev/null" not in call] == []

    def test_no_python_code_opens_sockets_or_unpickles(self, make: Make, tmp_path: Path) -> None:
        code = test_offline.AUDIT + test_offline.PREDICT + "print(seen)"
        found = self.run(tmp_path, sys.executable, "-c", code, str(make("litert")))
        assert found.stdout == "CALL\n[]\n", found.stderr
        assert test_offline.files_under(tmp_path / "home") == []


def test_no_thread_is_started_for_one(make: Make, run_python: Any) -> None:
    code = """
import os, sys
import edge_sdk
task = edge_sdk.load(sys.argv[1])
task("wake me up")
print(len(os.listdir("/proc/self/task")))
"""
    found = run_python(code, make("litert"))
    assert found.stdout == "1\n", found.stderr


def test_many_threads_get_the_same_answers(session: LitertSession) -> None:
    inputs = [features(1, 1 + seed % 16, seed) for seed in range(40)]
    expected = [session.run({"features": x})["slot_logits"] for x in inputs]
    wrong: list[int] = []

    def work(offset: int) -> None:
        for k in range(200):
            i = (offset + k) % len(inputs)
            if not np.array_equal(session.run({"features": inputs[i]})["slot_logits"], expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(7 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
