"""The manifest of a bundle: all that the runtime needs to know, checked by hand-written code."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_sdk.errors import BundleError
from edge_sdk.section import Section

FORMAT_VERSION = 1
"""The newest bundle format that this runtime reads; it reads all older ones too."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_VERSION = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DTYPES = ("bool", "uint8", "int8", "int32", "int64", "float16", "float32")
_PRECISIONS = ("int8", "fp16", "fp32")


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or output of a graph: `shape` holds sizes, and names for dynamic axes."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class GraphSpec:
    """One graph of one engine. `opset` and `ir_version` are 0 where the engine has none.

    `signatures` are the entry points of a graph whose shapes are fixed: by name, the sizes of named
    axes. Empty where one entry point takes every size.
    """

    file: str
    precision: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    opset: int
    ir_version: int
    signatures: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A member of the bundle: size in bytes, sha256 in lower-case hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`manifest.json`, typed. `pipeline` is the task's own section, which the task checks."""

    format_version: int
    min_runtime: str
    name: str
    version: str
    task: str
    language: str
    licence: str
    training_data: str
    pipeline: Section
    graphs: Mapping[str, Mapping[str, GraphSpec]]
    files: tuple[FileSpec, ...]
    metrics: Mapping[str, Any]
    examples: tuple[str, ...]
    raw: Mapping[str, Any]
    """The JSON object itself."""


def parse_version(text: str) -> tuple[int, ...]:
    """`"1.20.3"` -> (1, 20, 3). Raises BundleError (`bundle_schema`)."""
    if not _VERSION.fullmatch(text):
        raise BundleError(
            "bundle_schema",
            f"version {text!r} is not of the form 1.2.3",
            "write it as three numbers with dots",
        )
    return tuple(int(part) for part in text.split("."))


def parse_manifest(data: bytes, runtime: str) -> Manifest:
    """Check and type the bytes of `manifest.json`.

    `runtime` is the version of this runtime. The versions are checked before the rest,
    so that a newer bundle is called newer and not wrong.
    Raises BundleError: `bundle_manifest_json`, `bundle_format_version`,
    `bundle_min_runtime`, `bundle_schema`.
    """
    root = Section(_parse_json(data), "manifest")
    version = root.integer("format_version", minimum=1)
    if version > FORMAT_VERSION:
        raise BundleError(
            "bundle_format_version",
            f"manifest.format_version is {version}, this runtime reads up to {FORMAT_VERSION}",
            "update edge-sdk",
        )
    min_runtime = _match(root, "min_runtime", _VERSION)
    if parse_version(min_runtime) > parse_version(runtime):
        raise BundleError(
            "bundle_min_runtime",
            f"the bundle needs edge-sdk {min_runtime} or newer, this is {runtime}",
            "update edge-sdk",
        )
    root.only(
        "format_version", "min_runtime", "name", "version", "task", "language", "licence",
        "training_data", "pipeline", "graphs", "files", "metrics", "examples",
    )  # fmt: skip
    files = tuple(_file(item) for item in root.sections("files"))
    return Manifest(
        format_version=version,
        min_runtime=min_runtime,
        name=_match(root, "name", _NAME),
        version=_match(root, "version", _VERSION),
        task=root.text("task"),
        language=root.text("language"),
        licence=root.text("licence"),
        training_data=root.text("training_data"),
        pipeline=root.section("pipeline"),
        graphs=_graphs(root.section("graphs"), {file.name for file in files}),
        files=files,
        metrics=root.section("metrics").values,
        examples=tuple(root.texts("examples", default=[])),
        raw=root.values,
    )


def _graphs(engines: Section, files: set[str]) -> dict[str, dict[str, GraphSpec]]:
    graphs: dict[str, dict[str, GraphSpec]] = {}
    for engine in engines.values:
        named = engines.section(engine)
        graphs[engine] = {name: _graph(named.section(name)) for name in named.values}
        for name, graph in graphs[engine].items():
            if graph.file not in files:
                raise BundleError(
                    "bundle_schema",
                    f"{named.path}.{name}.file: {graph.file!r} is not among manifest.files",
                    "export the bundle again",
                )
    return graphs


def _graph(section: Section) -> GraphSpec:
    section.only("file", "precision", "inputs", "outputs", "opset", "ir_version", "signatures")
    signatures = section.section("signatures", default={})
    sizes = {name: signatures.section(name) for name in signatures.values}
    return GraphSpec(
        file=section.text("file"),
        precision=section.text("precision", choices=_PRECISIONS),
        inputs=tuple(_tensor(item) for item in section.sections("inputs")),
        outputs=tuple(_tensor(item) for item in section.sections("outputs")),
        opset=section.integer("opset", default=0),
        ir_version=section.integer("ir_version", default=0),
        signatures={
            name: {axis: given.integer(axis, minimum=1) for axis in given.values} for name, given in sizes.items()
        },
    )


def _tensor(section: Section) -> TensorSpec:
    section.only("name", "dtype", "shape")
    shape = section.items("shape")
    for size in shape:
        whole = isinstance(size, int) and not isinstance(size, bool) and size >= 0
        if not whole and not (isinstance(size, str) and size):
            raise BundleError(
                "bundle_schema",
                f"{section.path}.shape: found {size!r:.80}, "
                "expected sizes, and names for dynamic axes",
                "export the bundle again",
            )
    return TensorSpec(section.text("name"), section.text("dtype", choices=_DTYPES), tuple(shape))


def _file(section: Section) -> FileSpec:
    section.only("name", "size", "sha256")
    return FileSpec(
        name=_match(section, "name", _FILE),
        size=section.integer("size"),
        sha256=_match(section, "sha256", _SHA256),
    )


def _match(section: Section, key: str, pattern: re.Pattern[str]) -> str:
    value = section.text(key)
    if not pattern.fullmatch(value):
        raise BundleError(
            "bundle_schema",
            f"{section.path}.{key}: found {value!r:.80}, expected the form {pattern.pattern}",
            "export the bundle again",
        )
    return value


def _parse_json(data: bytes) -> object:
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:  # wrong UTF-8 and wrong JSON are ValueErrors
        raise BundleError(
            "bundle_manifest_json",
            f"manifest.json is not valid JSON: {error}",
            "export the bundle again",
        ) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key given twice: readers differ in which of the two they take."""
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("an object has a key twice")
    return values


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
