"""What a trained phrase encoder hands to `export/`."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edge_sdk.evaluate.data import read_tsv
from edge_sdk.phrase import NORMALISATION, normalise_phrase
from edge_sdk.phrase_input import CharacterInput, NgramInput, PhraseInput
from models.charemb.checkpoint import Checkpoint
from models.charemb.config import BagConfig
from models.charemb.model import megabytes
from models.common.export_spec import ExportSpec, GraphSpec, Guard

PAIRS = Path("patent_phrase") / "validation.tsv.gz"
"""Scored phrase pairs below the data folder: they guard quantization."""
LARGEST_LOSS = 0.3
"""Points of Pearson correlation that quantization may cost."""
CALIBRATION_PHRASES = 300
KNOWN = "known.npy"
EXAMPLES = (
    "lithium ion battery",
    "Lithium-ion batteries",
    "rechargeable energy storage cell",
    "convolutional neural network",
    "image classification",
    "hydraulic pressure valve",
)
HARD_INPUTS = ("", " \t\n", "x", "λ-phage", "бумага", "電池", "lithum ion batery", "𝔄" * 3, "a-" * 400)
TFLITE_NGRAMS = (32, 64, 128, 256, 1024)
"""Lengths of TFLite graphs; the longest phrase has fewer n-grams than the last."""
DATA = (
    "titles and abstracts of arXiv, 180,000 papers (metadata, CC0 1.0), and of US patents, 10,000 "
    "abstracts (public text; collection OGL v3)"
)


def export_spec(checkpoint_dir: Path, data_dir: Path | None) -> ExportSpec:
    """Read a checkpoint folder and say how it becomes the bundle `phrase-en`.

    `data_dir` is the folder with `PAIRS`. Raises OSError or ValueError where a folder cannot be used.
    """
    checkpoint = Checkpoint.load(checkpoint_dir)
    texts, guard = list(EXAMPLES), None
    if data_dir is not None:
        path = data_dir / PAIRS
        texts = sorted({row[side] for _, row in read_tsv(path) for side in ("anchor", "target")})
        texts = [texts[i] for i in np.linspace(0, len(texts) - 1, CALIBRATION_PHRASES).astype(int)]
        guard = Guard(path, "pearson", LARGEST_LOSS)
    config = checkpoint.config
    encode, axis = _input(checkpoint)
    limit = config.model.max_characters
    # The extremes too: quantization clips what lies outside of what it was shown.
    extremes = ["a", "of", "x" * limit, ("electromagnetic " * limit)[:limit].rstrip()]
    phrases = [normalise_phrase(text)[:limit] for text in [*texts, *EXAMPLES]] + extremes
    feeds = [{encode.name: encode(phrase)[None]} for phrase in phrases if phrase]
    example = np.repeat(max(feeds[:20], key=lambda feed: feed[encode.name].size)[encode.name], 2, axis=0)
    files, described = _described(checkpoint)
    return ExportSpec(
        name="phrase-en" if isinstance(config.model, BagConfig) else f"phrase-en-{config.name}",
        version="1.0.0",
        task="embedder",
        language="en",
        licence="Apache-2.0",
        training_data=DATA,
        graphs={
            "model": GraphSpec(
                module=checkpoint.model,
                inputs={encode.name: torch.from_numpy(example)},
                outputs=("vector",),
                dynamic_axes={encode.name: {0: "batch", 1: axis}, "vector": {0: "batch"}},
                calibration=feeds,
                axis_limits={axis: limit} if axis == "length" else {},
                # Padding changes what a character encoder says; a bag takes any number of zeros.
                sizes={} if axis == "length" else {axis: TFLITE_NGRAMS},
            )
        },
        pipeline={
            "dimension": config.dimension,
            "max_characters": limit,
            "normalisation": NORMALISATION,
            "input": described,
        },
        files=files,
        selftest_inputs=[*EXAMPLES, *HARD_INPUTS],
        guard=guard,
        card=_card(checkpoint),
        examples=EXAMPLES,
        training={
            "model": config.name,
            "parameters": sum(p.numel() for p in checkpoint.model.parameters()),
            "fp32_megabytes": round(megabytes(checkpoint.model), 2),
            "seed": config.seed,
            "matrix": config.matrix,
            **checkpoint.training,
        },
    )


def _input(checkpoint: Checkpoint) -> tuple[PhraseInput, str]:
    """How the runtime reads a phrase, and the name of the graph's dynamic axis."""
    model = checkpoint.config.model
    if isinstance(model, BagConfig):
        return NgramInput(model.scheme, checkpoint.config.bags.known), "ngrams"
    return CharacterInput(checkpoint.config.characters), "length"


def _described(checkpoint: Checkpoint) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Other files of the bundle, and the manifest's `pipeline.input`."""
    model = checkpoint.config.model
    if isinstance(model, BagConfig):
        keys = ("ngram_min", "ngram_max", "word_max", "ngram_buckets", "word_buckets")
        known = io.BytesIO()
        np.save(known, checkpoint.config.bags.known)
        described = {"kind": "ngrams", **{key: getattr(model, key) for key in keys}, "known": KNOWN}
        return {KNOWN: known.getvalue()}, described
    characters = json.dumps(list(checkpoint.config.characters), ensure_ascii=False)
    return {"characters.json": characters.encode()}, {"kind": "characters", "file": "characters.json"}


def _card(checkpoint: Checkpoint) -> str:
    config, training = checkpoint.config, checkpoint.training
    reads = (
        f"{len(config.words):,} words and hashed windows of letters, summed, then a small MLP"
        if isinstance(config.model, BagConfig)
        else f"characters, through the encoder {config.name}"
    )
    matrix = config.matrix
    return f"""A vector of {config.dimension} numbers for any English phrase of a few words; the cosine of two
vectors says how related the phrases are. For terms of science and technology.

The encoder reads {reads}. It was trained to give back the vectors of an embedding matrix (as
CharEmb; Fusco and Antognini, 2023), so it needs no vocabulary: a misspelt or unseen word has a
vector too.

## Training

Text: {DATA}. No labelled pair was used for training. The matrix: {matrix.get("vocabulary", 0):,} words and
phrases, of which {sum(int(n) for size, n in matrix.get("by_words", {}).items() if size != "1"):,} have several words.
Seed {config.seed}, {training["epochs"]} epochs, {training["seconds"] / 60:.0f} minutes on one CPU core.
Constants were chosen on the validation pairs of the Patent Phrase Similarity data, which are also
those of the numbers below: expect a little less on new pairs.

## Limits

Phrases, not sentences: word order counts little beyond which word is last, and negation not at all.
It knows what 31 million words of abstracts say, mostly physics, computing and engineering; words of
other fields are placed by their spelling. Longer text than {config.model.max_characters} characters is cut.
"""
