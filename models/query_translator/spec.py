"""What a trained translator hands to `export/`."""

from __future__ import annotations

import io
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from edge_sdk.query_tokenizer import QueryTokenizer
from models.common.checkpoint import load_json
from models.common.export_spec import ExportSpec, Guard
from models.query_translator.config import ModelConfig
from models.query_translator.data import read_pairs
from models.query_translator.examples import Text, encode_pair
from models.query_translator.graphs import graphs
from models.query_translator.search import EXTRA, RATIO
from models.query_translator.shortlist import lexical_table
from models.query_translator.task import (
    BRANDS,
    OTHER_BRANDS,
    TOKENIZER,
    WORDS,
    load_model,
    read_texts,
    read_vocabulary,
)

STARTS, TARGETS = "shortlist_starts.npy", "shortlist_targets.npy"
CALIBRATION_PAIRS = 100
LARGEST_LOSS = 0.5
"""Points of BLEU that quantization may cost."""
BEAM = 3
"""Of a call that names none: a point of BLEU better than greedy, at about twice its time."""
LONGEST_SOURCE = 96
"""Pieces of a query; longer ones are refused."""
EXAMPLES = (
    "sasta dabur lal tel",
    "kal subah 7 baje ka alarm set karo",
    "ashirwad ata 5 kilo",
    "bachche ke liye bina cheeni wala biscuit",
    "kya aaj mumbai me barish hogi ?",
    "colgate charcol toothpaste",
    "fresh milk",
)
HARD_INPUTS = ("", "2 kg", "🍅 tamatar", "zzyzx qwrtp", "AAJ ka MAUSAM", "a " * 40)
DATA = (
    "hinglish_top (2,993 pairs, Apache-2.0); English sentences of MTOP's training split (CC BY-SA 4.0) "
    "with machine-made Hinglish; generated grocery queries from product and brand names (facts) and a "
    "lexicon written for this project"
)


def export_spec(checkpoint_dir: Path, data_dir: Path | None) -> ExportSpec:
    """The student of a training folder as the bundle `hinglish-en`.

    `data_dir`, the folder that it was trained from, gives the pairs that guard quantization.
    Raises OSError or ValueError where a folder cannot be used.
    """
    found = load_json(checkpoint_dir / "checkpoint.json")
    model = load_model(checkpoint_dir)
    tokenizer, first_brand, brands = read_vocabulary(checkpoint_dir)
    # Brands kept from training for the held-out test are as good as any: they ship as copy slots.
    others = (checkpoint_dir / OTHER_BRANDS).read_text(encoding="utf-8").splitlines()
    labels = read_texts(checkpoint_dir / "labels.tsv")
    pairs = [example for pair in labels if (example := encode_pair(tokenizer, *pair))]
    starts, targets = lexical_table(pairs, model.config.vocabulary)
    guard = None
    if data_dir is not None:
        guard = Guard(data_dir / "hinglish_top" / "validation.tsv.gz", "bleu", LARGEST_LOSS)
    return ExportSpec(
        name="hinglish-en",
        version="1.0.0",
        task="translator",
        language="hi-Latn",
        licence="Apache-2.0",
        training_data=DATA,
        graphs=graphs(model, _calibration(labels, data_dir, tokenizer)),
        pipeline={
            "tokenizer": TOKENIZER,
            "brands": {"file": BRANDS, "first": first_brand, "known": len(brands)},
            "words": WORDS,
            "shortlist": {"starts": STARTS, "targets": TARGETS},
            "max_source": LONGEST_SOURCE,
            "length": {"ratio": RATIO, "extra": EXTRA, "maximum": model.config.max_positions - 1},
            "length_penalty": 1.0,
            "beam": BEAM,
        },
        files={
            TOKENIZER: (checkpoint_dir / TOKENIZER).read_bytes(),
            BRANDS: "".join(f"{name}\n" for name in (*brands, *others)).encode(),
            WORDS: (checkpoint_dir / WORDS).read_bytes(),
            STARTS: npy_bytes(starts),
            TARGETS: npy_bytes(targets),
        },
        selftest_inputs=[*EXAMPLES, *HARD_INPUTS],
        guard=guard,
        card=_card(model.config, found["training"], len(brands)),
        examples=EXAMPLES,
        training={"parameters": sum(p.numel() for p in model.parameters()), **found["training"]},
    )


def _calibration(labels: list[Text], data: Path | None, tokenizer: QueryTokenizer) -> list[Any]:
    """Real sentences and generated queries, half each where there are both."""
    pairs = Random(0).sample(labels, min(len(labels), CALIBRATION_PAIRS))
    if data is not None:
        real = [pair[:2] for pair in read_pairs(data, "train")]
        pairs = pairs[: len(pairs) // 2] + Random(0).sample(real, min(len(real), CALIBRATION_PAIRS // 2))
    return [example for pair in pairs if (example := encode_pair(tokenizer, *pair))]


def npy_bytes(array: np.ndarray) -> bytes:
    """An array as a file of NumPy's format."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _card(config: ModelConfig, training: dict[str, Any], brands: int) -> str:
    return f"""Code-mixed Hindi-English queries in Roman letters to English, with brand names kept or corrected.
English queries stay as they are but for spelling mistakes. Made for two kinds of text: grocery
searches and requests to an assistant.

A Transformer with {config.encoder_layers} encoder layers and {config.decoder_layers} decoder layer, width {config.width}, one shared
vocabulary of {config.vocabulary:,} symbols, {brands:,} of them brand names.

## Training

Data: {DATA}. A teacher with more decoder layers was trained with a brand loss (denoising of brand
names with dropped characters); the student learnt from its translations. {training["epochs"]} rounds,
{training["seconds"] / 60:.0f} minutes of one CPU core for the student.

The English sentences of hinglish_top come from the same collection as MTOP's. The targets of its
validation split were removed from MTOP's sentences before training; those of its test split,
which were not at hand, were not: about a sixth may be among the English sides of back-translation.

## Limits

Little data: 2,993 real sentence pairs, about weather, alarms, reminders, music, events, travel and
messages. The grocery queries are generated, not users'. Unusual Hindi words are copied or guessed.
Devanagari is refused. Names that look like Hindi words may be translated.
"""
