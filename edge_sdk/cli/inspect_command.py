"""`edge-sdk inspect`: what a bundle is and holds. Needs no engine."""

from __future__ import annotations

from typing import Any

from edge_sdk import catalog
from edge_sdk.bundle import Bundle
from edge_sdk.cli.arguments import Parser
from edge_sdk.cli.output import emit, render, table


def execute(argv: list[str]) -> None:
    """Print the manifest, whole as JSON and its main facts as text."""
    parser = Parser("inspect")
    parser.add_bundle()
    options = parser.parse_intermixed_args(argv)
    with Bundle.open(catalog.find(options.bundle)) as bundle:
        if options.json:
            emit({"path": str(bundle.path), "bytes": bundle.size, **bundle.manifest.raw}, True)
        else:
            print(_readable(bundle))


def _readable(bundle: Bundle) -> str:
    manifest = bundle.manifest
    facts = {key: value for key, value in manifest.raw.items() if isinstance(value, (str, int))}
    graphs = [
        {"graph": f"{engine}/{name}", "file": graph.file, "precision": graph.precision,
         "inputs": _tensors(graph.inputs), "outputs": _tensors(graph.outputs)}
        for engine, named in manifest.graphs.items()
        for name, graph in named.items()
    ]  # fmt: skip
    files = [
        {"file": file.name, "bytes": file.size, "sha256": file.sha256[:16]}
        for file in manifest.files
    ]
    parts = [render({"path": str(bundle.path), "bytes": bundle.size, **facts})]
    parts += ["\n".join(table(rows)) for rows in (graphs, files) if rows]
    parts.append(render({"pipeline": manifest.pipeline.values, "metrics": manifest.metrics}))
    return "\n\n".join(parts)


def _tensors(tensors: tuple[Any, ...]) -> str:
    return ", ".join(
        f"{tensor.name} {tensor.dtype}[{','.join(map(str, tensor.shape))}]" for tensor in tensors
    )
