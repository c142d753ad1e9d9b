"""torch -> TFLite fp32 -> TFLite int8, and bundles with graphs for both engines."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from edge_sdk.bundle import Bundle
from edge_sdk.loading import load, verify
from export.engines import versions
from export.errors import ExportError
from export.pack import export
from export.torch_to_tflite import signatures, to_tflite
from models.common.export_spec import ExportSpec, GraphSpec
from tests.export import operators, standin


def sized(spec: ExportSpec) -> ExportSpec:
    graph = dataclasses.replace(spec.graphs["model"], sizes={"tokens": (4, standin.MAX_TOKENS)})
    return dataclasses.replace(spec, graphs={"model": graph})


def test_signatures_are_all_combinations() -> None:
    graph = dataclasses.replace(
        operators.vectors(operators.Bag(), "ngrams", 9), sizes={"rows": (1, 2), "length": (8, 16)}
    )
    assert signatures(graph) == {
        "rows1_length8": {"rows": 1, "length": 8}, "rows1_length16": {"rows": 1, "length": 16},
        "rows2_length8": {"rows": 2, "length": 8}, "rows2_length16": {"rows": 2, "length": 16},
    }  # fmt: skip
    assert signatures(operators.images(operators.Image())) == {"all": {}}


def test_an_axis_without_sizes_is_an_error(spec: ExportSpec) -> None:
    with pytest.raises(ExportError, match=r"axis 1 \(tokens\) of features has no sizes") as caught:
        versions(spec, "int8", ["litert"], print)
    assert caught.value.code == "export_sizes"


def test_a_missing_converter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "litert_torch", None)
    with pytest.raises(ExportError, match="litert-torch cannot be imported") as caught:
        to_tflite(operators.images(operators.Image()))
    assert caught.value.code == "export_missing" and "train-litert" in caught.value.hint


class TestConverted:
    """Where the converters are installed: Linux x86-64 and macOS arm64."""

    @pytest.fixture(scope="class")
    def both(self, spec: ExportSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
        pytest.importorskip("litert_torch", reason="needs the extra [train-litert]")
        path = tmp_path_factory.mktemp("both") / "standin.edge"
        export(sized(spec), path, engines=["onnx", "litert"])
        return path

    def test_both_engines_pass_the_selftest(self, both: Path) -> None:
        passed = verify(both).selftests
        assert passed["onnx"] == passed["litert"] >= 2

    def test_every_stage_is_measured(self, both: Path) -> None:
        with Bundle.open(both) as bundle:
            report, metrics = bundle.read_json("report.json"), bundle.manifest.metrics
        stages = {stage["stage"]: stage for stage in report["stages"]}
        assert list(stages) == ["torch fp32", "onnx fp32", "onnx int8", "litert fp32", "litert int8"]
        for output in ("model/slot_logits", "model/intent_logits"):
            assert stages["litert fp32"]["drift"][output]["largest_difference"] < 1e-4
            assert stages["litert int8"]["drift"][output]["snr_db"] > 25
        assert metrics["litert-int8"] == stages["litert int8"]["metrics"]
        assert stages["litert int8"]["graph_bytes"] < stages["litert fp32"]["graph_bytes"]

    def test_lengths_between_the_signatures(self, spec: ExportSpec, both: Path) -> None:
        module = spec.graphs["model"].module
        with load(both, backend="litert") as task:
            session = task.open_session()
            for tokens in (1, 3, 4, 5, standin.MAX_TOKENS):
                features = np.zeros((2, tokens, standin.N_FEATURES), np.uint8)
                features[:, :, :7] = np.random.default_rng(tokens).integers(1, 9, (2, tokens, 7))
                with torch.no_grad():
                    slots, intents = (x.numpy() for x in module(torch.from_numpy(features)))
                found = session.run({"features": features})
                for a, b in ((found["slot_logits"], slots), (found["intent_logits"], intents)):
                    assert a.shape == b.shape
                    assert np.abs(a - b).max() < 0.1 * np.abs(b).max()

    def test_nothing_in_the_file_but_the_graph(self, both: Path) -> None:
        from ai_edge_litert import schema_py_generated as schema

        with Bundle.open(both) as bundle:
            data = bytes(bundle.read("model.tflite"))
        assert not re.search(rb"\.py|torch|/[a-z]+/[a-z]+/", data)
        model = schema.Model.GetRootAs(data, 0)
        for i in range(model.BuffersLength()):
            buffer = model.Buffers(i)
            if buffer.DataLength():
                start = buffer.DataAsNumpy().ctypes.data - np.frombuffer(data, np.uint8).ctypes.data
                assert start % 16 == 0 and buffer.Offset() == 0
        int8 = schema.TensorType.INT8
        scales = [
            tensor.quantization.scale
            for graph in schema.ModelT.InitFromObj(model).subgraphs
            for tensor in graph.tensors
            if tensor.type == int8
        ]
        assert scales and all(len(scale) == 1 for scale in scales)  # tflite-runtime: garbage otherwise


OTHERS: dict[str, GraphSpec] = {
    "bag": operators.vectors(operators.Bag(), "ngrams", 900, sizes={"length": (8, 16)}),
    "image": operators.images(operators.Image()),
    "convolutional": operators.images(operators.Convolutional().to(memory_format=torch.channels_last)),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_families(kind: str) -> None:
    pytest.importorskip("litert_torch", reason="needs the extra [train-litert]")
    from ai_edge_litert.interpreter import Interpreter

    from export.tflite_file import to_int8

    spec = OTHERS[kind]
    fp32 = to_tflite(spec)
    int8 = to_int8(fp32)
    assert len(int8) < 0.7 * len(fp32)
    ((name, value),) = spec.calibration[2].items()
    signature = next(n for n, s in signatures(spec).items() if all(value.shape[1] <= x for x in s.values()))
    interpreter = Interpreter(model_content=int8, num_threads=1)
    runner = interpreter.get_signature_runner(signature)
    padded = np.zeros(runner.get_input_details()[name]["shape"], value.dtype)
    padded[tuple(map(slice, value.shape))] = value
    with torch.no_grad():
        expected = spec.module(torch.from_numpy(value)).numpy()[0]
    found = runner(**{name: padded})["vector"][0]
    assert found @ expected > 0.99 * np.linalg.norm(found) * np.linalg.norm(expected)
