"""Which face runs, and how it is said: in child processes, since the choice is made once at import."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import pytest
from faces import MODULES

REPORT = """
import json, sys, warnings
from edge_sdk.errors import KernelError
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        from edge_sdk import kernels
        face = kernels.implementation()
        modules = {name: getattr(kernels, name).__module__ for name in ("project", "TagDecoder", "tag_spans")}
        counts = kernels.project([["word"]], kernels.HashScheme(), 16).tolist()
    except KernelError as error:
        face, modules, counts = [error.code, error.message, error.hint], {}, None
print(json.dumps({
    "face": face, "modules": modules, "counts": counts, "warnings": [str(w.message) for w in caught],
    "loaded": [name for name in ("numba", "torch", "onnx", "onnxruntime") if name in sys.modules],
}))
"""
# An import that fails as it does where the module was not built or installed.
WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.startswith({0!r}):
            raise ModuleNotFoundError("No module named " + repr(name))
sys.meta_path.insert(0, Missing())
"""


def report(choice=None, without=None):
    environment = {key: value for key, value in os.environ.items() if key != "EDGE_SDK_KERNELS"}
    if choice is not None:
        environment["EDGE_SDK_KERNELS"] = choice
    script = (WITHOUT.format(without) if without else "") + REPORT
    child = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return json.loads(child.stdout)


@pytest.mark.parametrize("face", MODULES)
def test_a_forced_face_runs(face):
    if face == "numba" and importlib.util.find_spec("numba") is None and "CI" not in os.environ:
        pytest.skip("Numba is not installed; it has no wheel for every machine that runs these tests")
    result = report(face)
    assert result["face"] == [face, "forced by EDGE_SDK_KERNELS"]
    for concept, name in (("fingerprint", "project"), ("tags", "TagDecoder"), ("spans", "tag_spans")):
        assert result["modules"][name] == MODULES[face].format(concept)
    assert sum(result["counts"][0]) == 256
    assert result["warnings"] == []
    assert result["loaded"] == (["numba"] if face == "numba" else [])


def test_the_native_face_is_the_default():
    result = report()
    assert result["face"][0] == "native"
    assert result["warnings"] == []
    assert result["loaded"] == []
    assert report("")["face"] == result["face"]


def test_a_missing_extension_is_said_aloud():
    result = report(without=MODULES["native"].format(""))
    assert result["face"][0] == "reference"
    assert "missing" in result["face"][1]
    assert len(result["warnings"]) == 1
    assert "install a C compiler" in result["warnings"][0]
    assert result["counts"] == report("reference")["counts"]


@pytest.mark.parametrize(
    ("face", "without", "hint"),
    [("native", MODULES["native"].format(""), "C compiler"), ("numba", "numba", "edge-sdk[numba]")],
)
def test_a_forced_face_that_is_missing_is_an_error(face, without, hint):
    code, message, said = report(face, without)["face"]
    assert code == "kernels_missing"
    assert f"EDGE_SDK_KERNELS={face}" in message
    assert hint in said


def test_an_unknown_face_is_an_error():
    code, message, hint = report("fast")["face"]
    assert code == "unknown_kernels"
    assert "'fast'" in message
    assert "native, numba, reference" in hint


def test_every_name_is_there_and_no_other():
    from edge_sdk import kernels

    for name in kernels.__all__:
        assert getattr(kernels, name) is not None
    assert set(kernels.__all__) <= set(dir(kernels))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = kernels.nothing
