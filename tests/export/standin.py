"""A family of its own for the tests of `export/`: a small mixer that learns a toy language."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from edge_sdk.kernels import HashScheme
from edge_sdk.projection import Projection
from edge_sdk.tokenizer import SubwordTokenizer, wordpiece_json
from models.common.export_spec import ExportSpec, GraphSpec, Guard

SCHEME = HashScheme(seed=1, n_hashes=64, ngram_min=2, ngram_max=3)
N_FEATURES, HIDDEN, MAX_TOKENS = 64, 48, 16
INTENTS = ["CALL", "ALARM"]
TAGS = ["O", "B-NAME", "I-NAME", "B-TIME"]
TOKENIZER = wordpiece_json({unit: i for i, unit in enumerate(["[UNK]", "a", "##a"])})
NAMES = ["mom", "dad", "ann", "bob"]
TIMES = ["7", "9", "noon", "dawn"]


class Mixer(nn.Module):
    """One block of what a real mixer has: weights cut to the length, a mask, a pooled head."""

    def __init__(self) -> None:
        super().__init__()
        self.bottleneck = nn.Linear(N_FEATURES, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN)
        self.up = nn.Parameter(torch.randn(MAX_TOKENS, 64) / 3)
        self.down = nn.Parameter(torch.randn(MAX_TOKENS, 64) / 8)
        self.activation = nn.LeakyReLU(0.01)
        self.slots = nn.Linear(HIDDEN, len(TAGS))
        self.intents = nn.Linear(HIDDEN, len(INTENTS))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        tokens = features.shape[1]
        counts = features.float()
        mask = (counts.amax(-1, keepdim=True) > 0).float()
        x = self.activation(self.bottleneck(counts)) * mask
        mixed = self.down[:tokens] @ self.activation(self.up[:tokens].t() @ x)
        x = self.norm(x + mixed)
        return self.slots(x), self.intents((x - 1e4 * (1 - mask)).amax(1))


def projection() -> Projection:
    return Projection(SubwordTokenizer(TOKENIZER), SCHEME, N_FEATURES)


def sentences(seed: int, count: int) -> list[tuple[list[str], list[str], str]]:
    """(tokens, tags, intent): "call mom smith", "wake ann at 7"; "at" may come before a name too,
    so that tags depend on the other words."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        name = [rng.choice(NAMES), *(["smith"] if rng.random() < 0.5 else [])]
        tags = ["B-NAME", "I-NAME"][: len(name)]
        if rng.random() < 0.5:
            rows.append((["call", *name], ["O", *tags], "CALL"))
        else:
            rows.append((["wake", *name, "at", rng.choice(TIMES)], ["O", *tags, "O", "B-TIME"], "ALARM"))
    return rows


def features(rows: list[tuple[list[str], list[str], str]]) -> np.ndarray:
    project = projection()
    longest = max(len(tokens) for tokens, _, _ in rows)
    batch = np.zeros((len(rows), longest, N_FEATURES), np.uint8)
    for row, (tokens, _, _) in zip(batch, rows):
        row[: len(tokens)] = project(tokens)
    return batch


def trained() -> Mixer:
    """Learns its language in a second or two."""
    torch.manual_seed(0)
    model, rows = Mixer(), sentences(0, 64)
    inputs = torch.from_numpy(features(rows))
    tags = torch.full(inputs.shape[:2], -100)
    for row, (_, names, _) in zip(tags, rows):
        row[: len(names)] = torch.tensor([TAGS.index(name) for name in names])
    intents = torch.tensor([INTENTS.index(intent) for _, _, intent in rows])
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    loss = nn.CrossEntropyLoss()
    for _ in range(120):
        slot_logits, intent_logits = model(inputs)
        total = loss(slot_logits.flatten(0, 1), tags.flatten()) + loss(intent_logits, intents)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    return model.eval()


def spec(model: Mixer, data: Path | None) -> ExportSpec:
    calibration = [{"features": features([row])} for row in sentences(1, 30)]
    return ExportSpec(
        name="standin",
        version="1.2.3",
        task="tagger",
        language="en",
        licence="Apache-2.0",
        training_data="a toy language",
        graphs={
            "model": GraphSpec(
                module=model,
                inputs={"features": torch.from_numpy(features(sentences(2, 2)))},
                outputs=("slot_logits", "intent_logits"),
                dynamic_axes={
                    "features": {0: "batch", 1: "tokens"},
                    "slot_logits": {0: "batch", 1: "tokens"},
                    "intent_logits": {0: "batch"},
                },
                calibration=calibration,
                axis_limits={"tokens": MAX_TOKENS},
            )
        },
        pipeline={
            "splitter": "words-v1",
            "max_tokens": MAX_TOKENS,
            "tokenizer": {"file": "tokenizer.json", "continuation": "##"},
            "projection": {
                "kind": "minhash", "hash": "xxh64", "seed": SCHEME.seed,
                "n_hashes": SCHEME.n_hashes, "n_features": N_FEATURES,
                "ngram_min": SCHEME.ngram_min, "ngram_max": SCHEME.ngram_max,
                "boundaries": False, "case": "keep",
            },
            "labels": "labels.json",
            "decoder": {"kind": "crf", "transitions": "transitions.npy", "scheme": "BIO"},
        },
        files={
            "tokenizer.json": TOKENIZER,
            "labels.json": json.dumps({"intents": INTENTS, "tags": TAGS}).encode(),
            "transitions.npy": _npy(np.zeros((len(TAGS) + 2, len(TAGS)), np.float32)),
        },
        selftest_inputs=["call mom smith", "wake bob at noon", "", "Ünknown 👍"],
        guard=Guard(data, "exact_match", 0.5) if data else None,
        card="A toy.",
        examples=["call mom"],
        training={"seed": 0},
    )  # fmt: skip


def write_rows(path: Path, rows: list[tuple[list[str], list[str], str]]) -> Path:
    lines = [f"{' '.join(tokens)}\t{' '.join(tags)}\t{intent}\n" for tokens, tags, intent in rows]
    path.write_text("tokens\tslot_tags\tintent\n" + "".join(lines))
    return path


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
