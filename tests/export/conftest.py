"""One trained stand-in and its exports, made once."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

pytest.importorskip("torch", reason="needs the extra [train]")

from export.int8 import to_int8
from export.pack import export
from export.torch_to_onnx import to_onnx
from models.common.export_spec import ExportSpec
from tests.export import standin


@pytest.fixture(scope="session")
def spec(tmp_path_factory: pytest.TempPathFactory) -> ExportSpec:
    data = standin.write_rows(tmp_path_factory.mktemp("data") / "eval.tsv", standin.sentences(3, 50))
    return standin.spec(standin.trained(), data)


@pytest.fixture(scope="session")
def fp32(spec: ExportSpec) -> onnx.ModelProto:
    return to_onnx(spec.graphs["model"])


@pytest.fixture(scope="session")
def int8(spec: ExportSpec, fp32: onnx.ModelProto) -> onnx.ModelProto:
    return to_int8({"model": fp32}, spec.graphs)["model"]


@pytest.fixture(scope="session")
def exported(spec: ExportSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "standin.edge"
    export(spec, path)
    return path
