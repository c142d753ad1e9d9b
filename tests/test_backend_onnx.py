"""onnxruntime behind the Session protocol."""

from __future__ import annotations

import copy
import threading

import numpy as np
import pytest

from edge_sdk.backends import session_factory
from edge_sdk.backends.onnx import OnnxSession
from edge_sdk.bundle import Bundle, write_bundle
from edge_sdk.errors import BackendError
from tests.data import tiny_tagger


@pytest.fixture
def bundle(tiny_path):
    with Bundle.open(tiny_path) as opened:
        yield opened


@pytest.fixture
def changed(tmp_path):
    """A function that writes and opens the tiny bundle with another graph section or model."""

    def change(edit=lambda graphs: None, model: bytes | None = None) -> Bundle:
        manifest = copy.deepcopy(tiny_tagger.manifest())
        edit(manifest["graphs"])
        files = tiny_tagger.files(tiny_tagger.tokenizer_json())
        if model is not None:
            files["model.onnx"] = model
        write_bundle(tmp_path / "changed.edge", manifest, files)
        return Bundle.open(tmp_path / "changed.edge")

    return change


def features(batch: int, tokens: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.integers(0, 5, (batch, tokens, tiny_tagger.N_FEATURES), dtype=np.uint8)


@pytest.mark.parametrize(("batch", "tokens"), [(1, 1), (1, 9), (4, 3), (2, 64)])
def test_run_is_the_graph(bundle, batch, tokens):
    """Against the same sums in NumPy, with the weights out of the model file."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(bytes(bundle.read("model.onnx")))
    weights = {w.name: numpy_helper.to_array(w) for w in model.graph.initializer}
    x = features(batch, tokens)
    found = OnnxSession(bundle).run({"features": x})
    assert list(found) == ["slot_logits", "intent_logits"]
    slots = x.astype(np.float32) @ weights["tag_weights"]
    intents = np.maximum(x.astype(np.float32) @ weights["intent_weights"], 0).max(axis=1)
    np.testing.assert_allclose(found["slot_logits"], slots, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found["intent_logits"], intents, rtol=1e-4, atol=1e-3)


def test_declared_inputs_and_outputs(bundle):
    session = OnnxSession(bundle)
    assert session.engine == "onnx"
    assert [(t.name, t.dtype, t.shape[-1]) for t in session.inputs] == [("features", "uint8", 64)]
    assert [t.name for t in session.outputs] == ["slot_logits", "intent_logits"]


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"other": features(1, 2)},
        {"features": features(1, 2).astype(np.float32)},
        {"features": features(1, 2)[0]},
        {"features": features(1, 2)[:, :, :60]},
        {"features": None},
    ],
)
def test_what_the_engine_refuses_is_our_error(bundle, inputs):
    with pytest.raises(BackendError, match=r"error\[backend_run\]: .*tiny/model.onnx") as caught:
        OnnxSession(bundle).run(inputs)
    assert "\n" not in caught.value.message
    assert caught.value.__cause__ is not None


def test_closed(bundle):
    session = OnnxSession(bundle)
    session.close()
    session.close()
    with pytest.raises(BackendError, match="backend_closed"):
        session.run({"features": features(1, 1)})


def edit_tensor(place, i, **changes):
    def edit(graphs):
        graphs["onnx"]["model"][place][i].update(changes)

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (edit_tensor("inputs", 0, name="tokens"), "input of tiny/model.onnx: names"),
        (edit_tensor("inputs", 0, dtype="float32"), "features: dtype uint8, .* says float32"),
        (edit_tensor("inputs", 0, shape=["batch", 64]), "features: shape"),
        (edit_tensor("inputs", 0, shape=["batch", "tokens", 32]), "features: shape"),
        (edit_tensor("inputs", 0, shape=["batch", "tokens", "any"]), "features: shape"),
        (edit_tensor("outputs", 1, name="intents"), "output of tiny/model.onnx: names"),
        (edit_tensor("outputs", 1, dtype="int8"), "intent_logits: dtype float32"),
        (edit_tensor("outputs", 0, shape=["batch", "tokens", 6]), "slot_logits: shape"),
        (lambda g: g["onnx"]["model"]["outputs"].pop(), "output of tiny/model.onnx: names"),
    ],
)
def test_a_model_that_does_not_fit_the_manifest(changed, edit, message):
    with changed(edit) as bundle, pytest.raises(BackendError, match=message) as caught:
        OnnxSession(bundle)
    assert caught.value.code == "backend_mismatch"


@pytest.mark.parametrize("model", [b"", b"not a model", b"\x08\x08" * 100])
def test_a_model_that_is_none(changed, model):
    with changed(model=model) as bundle, pytest.raises(BackendError, match="model.onnx") as caught:
        OnnxSession(bundle)
    assert caught.value.code in ("backend_load", "backend_mismatch")


def test_choice_of_engine(bundle, changed):
    assert session_factory(bundle, "auto", 1)("model").engine == "onnx"
    assert session_factory(bundle, "onnx", 2)("model").engine == "onnx"
    with pytest.raises(BackendError, match="no graph 'decoder' for onnx, it has model"):
        session_factory(bundle, "onnx", 1)("decoder")
    with changed(lambda graphs: graphs.update(other=graphs.pop("onnx"))) as foreign:
        for backend in ("onnx", "auto", "litert", "", None):
            with pytest.raises(BackendError, match="has no graph for .* one for other") as caught:
                session_factory(foreign, backend, 1)
            assert caught.value.code == "backend_no_graph"
        with pytest.raises(BackendError, match="no engine 'other', it has onnx") as caught:
            session_factory(foreign, "other", 1)
        assert caught.value.code == "backend_unknown"


def test_missing_engine_says_how_to_install_it(run_python, tiny_path):
    code = """
import sys
sys.modules["onnxruntime"] = None  # makes the import fail as if it were not installed
import edge_sdk
try:
    edge_sdk.load(sys.argv[1])
except edge_sdk.BackendError as error:
    print(error.code, error.hint)
"""
    assert run_python(code, tiny_path).stdout == "backend_missing pip install onnxruntime\n"


def test_no_thread_is_started_for_one(run_python, tiny_path):
    """`threads=1` computes in the caller's thread; nothing waits or spins beside it."""
    code = """
import os, sys
import edge_sdk
task = edge_sdk.load(sys.argv[1])
task("wake me up")
print(len(os.listdir("/proc/self/task")))
"""
    found = run_python(code, tiny_path)
    assert found.stdout == "1\n", found.stderr


def test_many_threads_get_the_same_answers(bundle):
    session = OnnxSession(bundle)
    inputs = [features(1, 1 + seed % 20, seed) for seed in range(40)]
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
