"""Imports run one way, and `import edge_sdk` stays light."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

# Each row may import itself and the rows below it.
LAYERS = [
    ["edge_sdk.__main__"],
    ["edge_sdk.cli"],
    ["edge_sdk.bench", "edge_sdk.environment", "edge_sdk.evaluate"],
    ["edge_sdk.loading"],
    ["edge_sdk.tasks"],
    ["edge_sdk.selftest"],
    ["edge_sdk.backends"],  # and what prepares inputs: every module that no row names
    ["edge_sdk.kernels"],
    ["edge_sdk.bundle", "edge_sdk.catalog"],
    ["edge_sdk.container", "edge_sdk.manifest", "edge_sdk.section", "edge_sdk.files"],
    ["edge_sdk.errors", "edge_sdk.results"],
    ["edge_sdk"],  # its version; the rest is imported when it is asked for
]
HEAVY = ["numpy", "onnx", "onnxruntime", "tokenizers", "torch", "numba", "argparse", "json"]


def modules(package: str) -> list[str]:
    files = sorted((ROOT / package).rglob("*.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    return [name.removesuffix(".__init__") for name in names]


@cache
def imported(module: str) -> tuple[str, ...]:
    """What a module imports at run time, as full dotted names; typing-only imports are left out."""
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return tuple(_imports(module, ast.parse(file.read_text(encoding="utf-8"))))


def _imports(module: str, tree: ast.AST) -> Iterator[str]:
    for node in _runtime_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute in this project"
            assert node.module is not None
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if _is_module(full) else node.module


def _runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from _runtime_nodes(child)


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file() or path.with_suffix(".pyx").is_file()


def layer(module: str) -> int:
    """Place of a module in LAYERS: of itself, or of the package that it is in."""
    if module == "edge_sdk":
        return len(LAYERS) - 1
    for i, row in enumerate(LAYERS[:-1]):
        if any(module == name or module.startswith(name + ".") for name in row):
            return i
    return next(i for i, row in enumerate(LAYERS) if "edge_sdk.backends" in row)


@pytest.mark.parametrize("module", modules("edge_sdk"))
def test_runtime_imports_point_down(module):
    for other in imported(module):
        if other.split(".")[0] == "edge_sdk":
            assert layer(other) >= layer(module), f"{module} imports {other}, which is above it"


@pytest.mark.parametrize("module", modules("edge_sdk"))
def test_runtime_never_imports_training(module):
    tops = {name.split(".")[0] for name in imported(module)}
    assert not tops & {"models", "export", "bench", "torch", "onnx", "tests"}


@pytest.mark.parametrize("module", modules("models"))
def test_models_never_import_export(module):
    assert "export" not in {name.split(".")[0] for name in imported(module)}


@pytest.mark.parametrize("module", modules("models"))
def test_families_do_not_import_each_other(module):
    family = module.split(".")[1] if "." in module else ""
    for other in imported(module):
        if other.startswith("models."):
            assert other.split(".")[1] in (family, "common"), f"{module} imports {other}"


@pytest.mark.parametrize("module", modules("export"))
def test_export_knows_no_family(module):
    for other in imported(module):
        if other.split(".")[0] == "models":
            assert other.startswith("models.common"), f"{module} imports {other}"


def test_the_reader_of_imports_sees_imports():
    """The tests above would pass on a reader that finds nothing."""
    assert "edge_sdk.bundle" in imported("edge_sdk.loading")
    assert "onnxruntime" in imported("edge_sdk.backends.onnx")
    assert "numpy" in imported("edge_sdk.bundle")
    assert "edge_sdk.tasks.base" not in imported("edge_sdk.loading")  # for typing only


def test_import_is_light(run_python):
    code = f"import edge_sdk, sys; print([m for m in {HEAVY} if m in sys.modules])"
    assert run_python(code).stdout == "[]\n"


def test_errors_and_results_need_no_engine(run_python):
    code = (
        "import sys; from edge_sdk import EdgeError, TaggerResult, BundleError\n"
        "print([m for m in ('numpy', 'onnxruntime', 'tokenizers') if m in sys.modules])"
    )
    assert run_python(code).stdout == "[]\n"


def test_inspect_needs_no_engine(run_python, tiny_path):
    code = (
        "import sys; from edge_sdk.cli import main; main(['inspect', sys.argv[1], '--json'])\n"
        "print([m for m in ('numpy', 'onnxruntime', 'tokenizers') if m in sys.modules])"
    )
    assert run_python(code, tiny_path).stdout.endswith("[]\n")


def test_every_promised_name_is_there():
    import edge_sdk

    for name in edge_sdk.__all__:
        assert getattr(edge_sdk, name) is not None
    assert set(edge_sdk.__all__) <= set(dir(edge_sdk))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        edge_sdk.nothing  # noqa: B018


def test_types_are_shipped():
    spec = importlib.util.find_spec("edge_sdk")
    assert spec is not None and spec.origin is not None
    assert (Path(spec.origin).parent / "py.typed").is_file()
