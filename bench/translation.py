"""A translator beside CTranslate2 with the same weights: equal outputs, latency, memory.

    python -m bench.translation CHECKPOINT [BUNDLE] --data DIR [--count 1000] [--runs 5]

Sources are sentences of hinglish_top's validation split and generated grocery queries, half each.
Every engine and beam is measured in fresh processes, in turn, one thread each. Ours is timed from
text to text; CTranslate2 (int8, `pip install ctranslate2`) from ids to ids, our ids, so that only
the engine counts there. `processor` times are those of the process, which a busy machine distorts
less. Memory is the peak beyond what imports (of NumPy, the engine and our modules) took.

    python -m bench.translation CHECKPOINT ... --pad 18000

exports a bundle itself, and before that adds rows of small random numbers to the vocabulary until
it has the paper's size (for both engines; the targets stay what they were).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

ENGINES = ("edge_sdk", "ctranslate2")
BEAMS = (1, 3)
WARM_UP = 50


def texts(data: Path, checkpoint: Path, count: int) -> list[str]:
    """The sources."""
    from models.query_translator.task import prepare

    task = prepare(data, checkpoint)
    real = [pair.source for pair in task.validation[: count // 2]]
    return real + [query.source for query in task.validation_queries(count - len(real))]


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """In a fresh process: outputs, times in milliseconds, memory in 10^6 bytes."""
    import numpy  # noqa: F401

    import edge_sdk

    if job["engine"] == "edge_sdk":
        import tokenizers  # noqa: F401

        import edge_sdk.tasks.translator
        from edge_sdk.backends import onnx

        onnx.engine()
        base = _memory("VmRSS")
        task = edge_sdk.load(job["bundle"])
        arguments: list[Any] = job["texts"]

        def translate(text: Any) -> Any:
            return task(text, beam=job["beam"]).translation
    else:
        import ctranslate2

        base = _memory("VmRSS")
        engine = ctranslate2.Translator(job["folder"], intra_threads=1, inter_threads=1)
        arguments = job["sources"]
        penalty = 1.0 if job["beam"] > 1 else 0.0

        def translate(source: Any) -> Any:
            tokens, limit = source
            found = engine.translate_batch(
                [tokens], beam_size=job["beam"], max_decoding_length=limit, length_penalty=penalty
            )
            return found[0].hypotheses[0]

    for argument in arguments[:WARM_UP]:
        translate(argument)
    outputs, wall, processor = [], [], []
    for argument in arguments:
        start, start_processor = time.perf_counter(), time.process_time()
        outputs.append(translate(argument))
        processor.append((time.process_time() - start_processor) * 1e3)
        wall.append((time.perf_counter() - start) * 1e3)
    return {
        "outputs": outputs,
        "p50_ms": _quantile(wall, 0.5),
        "p95_ms": _quantile(wall, 0.95),
        "processor_p50_ms": _quantile(processor, 0.5),
        "processor_p95_ms": _quantile(processor, 0.95),
        "memory_mb": _memory("VmHWM") - base,
    }


def main() -> int:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m bench.translation", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("bundle", nargs="?", help="of the checkpoint; default: exported on the way")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pad", type=int, default=0, metavar="V")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(compare(options, Path(folder)), indent=1))
    return 0


def compare(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Both engines and beams, in turn; medians over the runs."""
    import edge_sdk
    from models.query_translator.task import load_model
    from models.query_translator.to_ctranslate2 import convert

    model = load_model(options.checkpoint)
    if options.pad:
        model = padded(model, options.pad)
    bundle = options.bundle
    if options.pad or not bundle:
        bundle = folder / "translator.edge"
        pack(model, options.checkpoint, bundle)
    convert(model, folder / "ctranslate2")
    found = texts(options.data, options.checkpoint, options.count)
    with edge_sdk.load(bundle) as task:
        read = [task.encode(text) for text in found]
        sources = [([*map(str, source.ids), "3"], task.limit(len(source.ids))) for source in read]
        runs: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for _ in range(options.runs):
            for engine in ENGINES:
                for beam in BEAMS:
                    job = {"engine": engine, "beam": beam, "bundle": str(bundle), "texts": found,
                           "folder": str(folder / "ctranslate2"), "sources": sources}  # fmt: skip
                    runs.setdefault((engine, beam), []).append(_child(job))
        result: dict[str, Any] = {"queries": len(found), "vocabulary": model.config.vocabulary,
                                  "width": model.config.width, "layers": [model.config.encoder_layers, model.config.decoder_layers],
                                  "tokens": median(len(source.ids) for source in read)}  # fmt: skip
        for beam in BEAMS:
            ours = runs["edge_sdk", beam][0]["outputs"]
            theirs = [
                task.decode(map(int, tokens), source)
                for tokens, source in zip(runs["ctranslate2", beam][0]["outputs"], read)
            ]
            summary = {engine: _summary(runs[engine, beam]) for engine in ENGINES}
            result[f"beam {beam}"] = {
                **summary,
                "equal": sum(a == b for a, b in zip(ours, theirs)),
                "time_ratio": {
                    key: round(summary["edge_sdk"][key]["median"] / summary["ctranslate2"][key]["median"], 3)
                    for key in ("p50_ms", "p95_ms", "processor_p50_ms", "processor_p95_ms")
                },
            }
    return result


def padded(model: Any, vocabulary: int) -> Any:
    """The model with more tokens, which no target ever has: their logits are near 0."""
    from dataclasses import replace

    import torch

    from models.query_translator.model import Translator

    grown = Translator(replace(model.config, vocabulary=vocabulary))
    state = model.state_dict()
    table = state["embedding.weight"]
    torch.manual_seed(0)
    more = torch.randn(vocabulary - len(table), table.shape[1]) * 0.02
    grown.load_state_dict({**state, "embedding.weight": torch.cat((table, more))})
    return grown.eval()


def pack(model: Any, checkpoint: Path, out: Path) -> None:
    """A bundle of the model in 8 bits, through the real export."""
    from dataclasses import replace

    from export.pack import export
    from models.query_translator.examples import encode_pair
    from models.query_translator.graphs import graphs
    from models.query_translator.shortlist import lexical_table
    from models.query_translator.spec import STARTS, TARGETS, export_spec, npy_bytes
    from models.query_translator.task import read_texts, read_vocabulary

    tokenizer, _, _ = read_vocabulary(checkpoint)
    pairs = [p for t in read_texts(checkpoint / "labels.tsv") if (p := encode_pair(tokenizer, *t))]
    starts, targets = lexical_table(pairs, model.config.vocabulary)
    spec = export_spec(checkpoint, None)
    files = {**spec.files, STARTS: npy_bytes(starts), TARGETS: npy_bytes(targets)}
    export(replace(spec, graphs=graphs(model, pairs[:: len(pairs) // 100]), files=files), out)


def _child(job: dict[str, Any]) -> dict[str, Any]:
    code = "import json, sys; from bench.translation import measure; print(json.dumps(measure(json.load(sys.stdin))))"
    # NumPy is imported first here, so that its memory does not count; `edge_sdk.load` would set this.
    single = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(job), stdout=subprocess.PIPE, encoding="utf-8",
        env=single, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    keys = [key for key in runs[0] if key != "outputs"]
    values = {key: [run[key] for run in runs] for key in keys}
    return {
        key: {"median": round(median(v), 4), "min": round(min(v), 4), "max": round(max(v), 4)}
        for key, v in values.items()
    }


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _memory(field: str) -> float:
    """A field of /proc/self/status in 10^6 bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit("this benchmark reads /proc/self/status, which only Linux has")


if __name__ == "__main__":
    sys.exit(main())
