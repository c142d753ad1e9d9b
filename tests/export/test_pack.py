"""From a spec to a bundle: what is in it, and when nothing is written."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from edge_sdk.bundle import Bundle
from edge_sdk.errors import EdgeError
from edge_sdk.evaluate import evaluate
from edge_sdk.loading import load, verify
from export import __main__ as command
from export.errors import ExportError
from export.family import load_spec
from export.pack import export
from models.common.export_spec import ExportSpec
from tests.export import standin


class TestBundle:
    def test_verifies(self, spec: ExportSpec, exported: Path) -> None:
        assert verify(exported).selftests == {"onnx": len(spec.selftest_inputs)}

    def test_does_what_it_learned(self, spec: ExportSpec, exported: Path) -> None:
        with load(exported) as tagger:
            assert evaluate(tagger, spec.guard.data)["exact_match"] > 95
            result = tagger("wake mom smith at noon")
        assert result.intent == "ALARM"
        assert [(s.label, s.text) for s in result.slots] == [("NAME", "mom smith"), ("TIME", "noon")]

    def test_a_batch_equals_single_calls(self, exported: Path) -> None:
        """Bit for bit: in 8 bits no scale depends on the batch."""
        texts = [" ".join(tokens) for tokens, _, _ in standin.sentences(7, 60)]
        with load(exported) as tagger:
            assert tagger.batch(texts) == [tagger(text) for text in texts]

    def test_manifest_says_what_the_spec_said(self, spec: ExportSpec, exported: Path) -> None:
        with Bundle.open(exported) as bundle:
            raw = bundle.manifest.raw
            for field in ("name", "version", "task", "language", "licence", "training_data", "pipeline"):
                assert raw[field] == getattr(spec, field)
            assert raw["examples"] == list(spec.examples)
            graph = raw["graphs"]["onnx"]["model"]
            assert (graph["file"], graph["precision"]) == ("model.onnx", "int8")
            assert bytes(bundle.read("labels.json")) == spec.files["labels.json"]

    def test_report_compares_each_stage_with_torch(self, spec: ExportSpec, exported: Path) -> None:
        with Bundle.open(exported) as bundle:
            report = bundle.read_json("report.json")
            metrics = bundle.manifest.metrics
        torch_, fp32, int8 = report["stages"]
        names = [stage["stage"] for stage in report["stages"]]
        assert names == ["torch fp32", "onnx fp32", "onnx int8"]
        outputs = {"model/slot_logits", "model/intent_logits"}
        for stage in report["stages"]:
            assert stage["drift"].keys() == outputs
            assert stage["metrics"]["rows"] == 50
        for output in outputs:
            assert torch_["drift"][output] == {
                "largest_difference": 0.0, "snr_db": None, "lowest_cosine": None
            }  # fmt: skip
            assert fp32["drift"][output]["largest_difference"] < 1e-4
            assert 25 < int8["drift"][output]["snr_db"] < fp32["drift"][output]["snr_db"]
            assert 0.99 < int8["drift"][output]["lowest_cosine"] < 1
        assert int8["graph_bytes"] < fp32["graph_bytes"] / 2
        assert report["guard"]["data"]["file"] == spec.guard.data.name
        assert metrics["int8"] == int8["metrics"]
        assert metrics["fp32"] == fp32["metrics"]

    def test_card_holds_what_was_measured(self, spec: ExportSpec, exported: Path) -> None:
        with Bundle.open(exported) as bundle:
            card = bytes(bundle.read("MODEL_CARD.md")).decode()
            exact = bundle.manifest.metrics["int8"]["exact_match"]
        for text in (spec.card, spec.licence, spec.training_data, f"{exact:.2f}", "50 rows"):
            assert text in card

    def test_fp32_on_request_and_without_a_guard(self, spec: ExportSpec, tmp_path: Path) -> None:
        path = tmp_path / "fp32.edge"
        report = export(dataclasses.replace(spec, guard=None), path, precision="fp32")
        assert [stage["stage"] for stage in report["stages"]] == ["torch fp32", "onnx fp32"]
        with Bundle.open(path) as bundle:
            assert bundle.manifest.graphs["onnx"]["model"].precision == "fp32"
            assert bundle.manifest.metrics == {}
            assert "nothing guarded" in bytes(bundle.read("MODEL_CARD.md")).decode()
        verify(path)


class Rotten(standin.Mixer):
    """A copy of a mixer whose slot head cannot be told in 8 bits: one huge weight that meets only
    zeros makes the scale of each column so coarse that all others become 0."""

    def __init__(self, sound: standin.Mixer) -> None:
        super().__init__()
        self.load_state_dict(sound.state_dict())
        self.wide = torch.nn.Linear(standin.HIDDEN + 1, len(standin.TAGS))
        with torch.no_grad():
            self.wide.weight[:, :-1] = sound.slots.weight
            self.wide.weight[:, -1] = 1e6
            self.wide.bias[:] = sound.slots.bias
        self.slots = torch.nn.Sequential(torch.nn.ZeroPad1d((0, 1)), self.wide)
        self.eval()


class TestNothingIsWritten:
    @pytest.fixture
    def old(self, tmp_path: Path) -> Path:
        path = tmp_path / "out" / "model.edge"
        path.parent.mkdir()
        path.write_bytes(b"the old file")
        return path

    def check_old(self, path: Path) -> None:
        assert path.read_bytes() == b"the old file"
        assert list(path.parent.iterdir()) == [path]  # no temporary file is left either

    def test_where_int8_loses_too_much(self, spec: ExportSpec, old: Path) -> None:
        graph = dataclasses.replace(spec.graphs["model"], module=Rotten(spec.graphs["model"].module))
        with pytest.raises(ExportError, match="exact_match falls from") as caught:
            export(dataclasses.replace(spec, graphs={"model": graph}), old)
        assert caught.value.code == "export_guard"
        self.check_old(old)

    def test_where_a_stage_computes_something_else(self, spec: ExportSpec, old: Path) -> None:
        """Without labelled data, too: the first stage and output that drift are named."""
        graph = dataclasses.replace(spec.graphs["model"], module=Rotten(spec.graphs["model"].module))
        with pytest.raises(ExportError, match="onnx int8: model/slot_logits has a signal") as caught:
            export(dataclasses.replace(spec, graphs={"model": graph}, guard=None), old)
        assert caught.value.code == "export_drift"
        self.check_old(old)

    def test_on_ctrl_c_at_any_time(
        self, spec: ExportSpec, old: Path, monkeypatch: pytest.MonkeyPatch, fp32: object, int8: object
    ) -> None:
        monkeypatch.setattr("export.engines.to_onnx", lambda graph: fp32)  # once is slow enough
        monkeypatch.setattr("export.engines.int8.to_int8", lambda *_: {"model": int8})
        seen: list[str] = []
        export(spec, old.parent.parent / "other.edge", progress=seen.append)
        for stop in range(len(seen)):
            left = iter(range(stop))

            def interrupt(message: str, left: Iterator[int] = left) -> None:
                if next(left, None) is None:
                    raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                export(spec, old, progress=interrupt)
            self.check_old(old)

    def test_when_the_disk_is_full(
        self, spec: ExportSpec, old: Path, monkeypatch: pytest.MonkeyPatch, fp32: object, int8: object
    ) -> None:
        import os

        monkeypatch.setattr("export.engines.to_onnx", lambda graph: fp32)
        monkeypatch.setattr("export.engines.int8.to_int8", lambda *_: {"model": int8})
        sync = os.fsync

        def full(descriptor: int) -> None:
            if Path(os.readlink(f"/proc/self/fd/{descriptor}")).parent == old.parent:
                raise OSError(28, "No space left on device")
            sync(descriptor)

        if not Path("/proc/self/fd").exists():
            pytest.skip("needs /proc to tell files apart")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(EdgeError, match="No space left") as caught:
            export(spec, old)
        assert caught.value.code == "bundle_write"
        self.check_old(old)


class TestCommand:
    @pytest.fixture
    def checkpoint(
        self, tmp_path: Path, spec: ExportSpec, monkeypatch: pytest.MonkeyPatch
    ) -> Path:
        """A checkpoint folder of a family that no file in the project names."""
        family = ModuleType("models.standin")
        family.export_spec = lambda folder, data: dataclasses.replace(
            spec, guard=spec.guard if data else None
        )
        monkeypatch.setitem(sys.modules, "models.standin", family)
        folder = tmp_path / "checkpoint"
        folder.mkdir()
        (folder / "checkpoint.json").write_text(json.dumps({"family": "models.standin"}))
        return folder

    def test_writes(self, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "new.edge"
        assert command.main([str(checkpoint), "--out", str(out), "--data", str(tmp_path)]) == 0
        shown = capsys.readouterr()
        assert shown.out == ""
        assert f"{out.stat().st_size:,} bytes" in shown.err
        verify(out)

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (None, "export_checkpoint"),
            ("{", "export_checkpoint"),
            ("{}", "export_checkpoint"),
            ('{"family": "os"}', "export_family"),
            ('{"family": "models.nowhere"}', "export_family"),
        ],
    )
    def test_what_is_no_checkpoint(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, code: str
    ) -> None:
        if content is not None:
            (tmp_path / "checkpoint.json").write_text(content)
        assert command.main([str(tmp_path), "--out", str(tmp_path / "new.edge")]) == 2
        first, second = capsys.readouterr().err.splitlines()
        assert first.startswith(f"error[{code}]: ") and second.startswith("hint: ")
        assert not (tmp_path / "new.edge").exists()

    def test_ctrl_c(
        self, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        def interrupt(graph: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("export.engines.to_onnx", interrupt)
        assert command.main([str(checkpoint), "--out", str(tmp_path / "new.edge")]) == 130
        assert "was not touched" in capsys.readouterr().err

    def test_errors_of_the_family(self, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(folder: Path, data: Path | None) -> None:
            raise ValueError("weights are missing")

        monkeypatch.setattr(sys.modules["models.standin"], "export_spec", fail)
        with pytest.raises(ExportError, match="weights are missing"):
            load_spec(checkpoint, None)


def test_scores_are_stable_to_the_stated_tolerance(spec: ExportSpec, exported: Path) -> None:
    """Int8 against torch on the self-test's own inputs: the drift is within what verify allows."""
    with Bundle.open(exported) as bundle:
        selftest = bundle.read_json("selftest.json")
    limit = selftest["tolerance"]["onnx"]["score"]
    module = spec.graphs["model"].module
    for text, output in zip(selftest["inputs"], selftest["outputs"], strict=True):
        if text not in ("call mom smith", "wake bob at noon"):
            continue
        features = standin.projection()(text.split(" "))[None]
        with torch.no_grad():
            probabilities = module(torch.from_numpy(features.copy()))[1].softmax(-1)
        assert output["score"] == pytest.approx(float(np.max(probabilities.numpy())), abs=limit)
