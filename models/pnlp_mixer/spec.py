"""What a trained tagger hands to `export/`."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from edge_sdk.evaluate.tagger import read_tagged_rows
from edge_sdk.text import normalise_word, split_words
from models.common.checkpoint import load_json
from models.common.export_spec import ExportSpec, GraphSpec, Guard
from models.pnlp_mixer.checkpoint import Checkpoint, make_projection
from models.pnlp_mixer.data import validation_path

CALIBRATION_UTTERANCES = 100
TFLITE_TOKENS = (4, 8, 12, 16, 32)
"""Lengths of TFLite graphs below the longest; half of all utterances have at most 8 words."""
LARGEST_LOSS = 0.5
"""Points of exact match that quantization may cost."""


@dataclass(frozen=True)
class About:
    """What is known of a data set: for the manifest, the model card and the demo."""

    licence: str
    training_data: str
    purpose: str
    examples: tuple[str, ...]


ABOUT = {
    "mtop-en": About(
        licence="Apache-2.0",
        training_data="MTOP English, train split: 15,667 utterances (CC BY-SA 4.0)",
        purpose="English requests to an assistant: alarms, calls, events, messages, music, news, "
        "people, recipes, reminders, timers and weather, with 113 intents and 74 slots.",
        examples=(
            "wake me up at 7 tomorrow and call mom",
            "Set a timer for 20 minutes",
            "Will it rain in Boston this weekend?",
            "play the new album by Taylor Swift on Spotify",
            "remind me to buy milk on Friday at 5pm",
            "Who is calling me right now?",
        ),
    ),
    "snips-en": About(
        licence="Apache-2.0",
        training_data="SNIPS, train split: 13,084 utterances (CC0)",
        purpose="English requests of seven intents: playlists, restaurants, weather, music, book "
        "ratings, creative works and cinema programmes.",
        examples=(
            "add this track to my workout playlist",
            "book a table for four at an italian restaurant in boston",
            "will it snow in denver tomorrow morning",
            "play some jazz on spotify",
        ),
    ),
}
# A user's own data under another configuration's name.
UNKNOWN = About(
    licence="LicenseRef-unstated",
    training_data="not stated",
    purpose="Intent and slots of utterances like those it was trained on.",
    examples=("hello",),
)

# Besides the examples: what a self-test should cover.
HARD_INPUTS = (
    "",
    "7:30am",
    "Señor Núñez's café 🎉 tonight?!",
    "supercalifragilistic zzzz",
    "a " * 40,
)


class _Graph(nn.Module):
    """The mixer alone: the CRF is decoded by a kernel."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.mixer = checkpoint.model

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.mixer(features)


def export_spec(checkpoint_dir: Path, data_dir: Path | None) -> ExportSpec:
    """Read a checkpoint folder, with its teachers' folders, and say how it becomes a bundle.

    `data_dir`, the folder that it was trained from, gives the rows that guard quantization.
    Raises OSError or ValueError where a folder cannot be used.
    """
    checkpoint = Checkpoint.load(checkpoint_dir)
    config = checkpoint.config
    about = ABOUT.get(config.name, UNKNOWN)
    teachers = [
        load_json(path)["training"] for path in sorted(checkpoint_dir.glob("teacher-*/checkpoint.json"))
    ][: config.teachers]
    texts = list(about.examples)
    guard = None
    if data_dir is not None:
        path = validation_path(data_dir)
        rows = read_tagged_rows(path)[:CALIBRATION_UTTERANCES]
        utterances = [row.tokens for row in rows]
        guard = Guard(path, "exact_match", LARGEST_LOSS)
    else:
        utterances = [[word.text for word in split_words(text)] for text in texts]
    return ExportSpec(
        name=config.name,
        version="1.0.0",
        task="tagger",
        language="en",
        licence=about.licence,
        training_data=about.training_data,
        graphs={"model": _graph_spec(checkpoint, utterances)},
        pipeline=_pipeline(checkpoint),
        files=_files(checkpoint),
        selftest_inputs=[*texts, *HARD_INPUTS],
        guard=guard,
        card=_card(checkpoint, about, teachers),
        examples=texts,
        training={
            "parameters": sum(p.numel() for p in checkpoint.model.parameters()),
            "seed": config.seed,
            **checkpoint.training,
            "teachers": teachers,
        },
    )


def _graph_spec(checkpoint: Checkpoint, utterances: list[list[str]]) -> GraphSpec:
    project = make_projection(checkpoint.tokenizer, checkpoint.config.projection)
    limit = checkpoint.config.mixer.max_tokens
    rows = [project([normalise_word(word) for word in words[:limit]]) for words in utterances]
    example = np.zeros((2, max(len(row) for row in rows[:2]), project.n_features), np.uint8)
    for place, row in enumerate(rows[:2]):
        example[place, : len(row)] = row
    return GraphSpec(
        module=_Graph(checkpoint).eval(),
        inputs={"features": torch.from_numpy(example)},
        outputs=("slot_logits", "intent_logits"),
        dynamic_axes={
            "features": {0: "batch", 1: "tokens"},
            "slot_logits": {0: "batch", 1: "tokens"},
            "intent_logits": {0: "batch"},
        },
        calibration=[{"features": row[None]} for row in rows],
        axis_limits={"tokens": limit},
        sizes={"tokens": (*(n for n in TFLITE_TOKENS if n < limit), limit)},
    )


def _pipeline(checkpoint: Checkpoint) -> dict[str, object]:
    projection = checkpoint.config.projection
    return {
        "splitter": "words-v1",
        "max_tokens": checkpoint.config.mixer.max_tokens,
        "tokenizer": {"file": "tokenizer.json", "continuation": "##"},
        "projection": {
            "kind": "minhash",
            "hash": "xxh64",
            "seed": projection.seed,
            "n_hashes": projection.n_hashes,
            "n_features": projection.n_features,
            "ngram_min": projection.ngram_min,
            "ngram_max": projection.ngram_max,
            "boundaries": False,
            "case": projection.case,
        },
        "labels": "labels.json",
        "decoder": {"kind": "crf", "transitions": "transitions.npy", "scheme": "BIO"},
    }


def _files(checkpoint: Checkpoint) -> dict[str, bytes]:
    transitions = io.BytesIO()
    np.save(transitions, checkpoint.model.crf.table().numpy().astype(np.float32))
    labels = {"intents": checkpoint.labels.intents, "tags": checkpoint.labels.tags}
    return {
        "tokenizer.json": checkpoint.tokenizer,
        "labels.json": json.dumps(labels, ensure_ascii=False).encode(),
        "transitions.npy": transitions.getvalue(),
    }


def _card(checkpoint: Checkpoint, about: About, teachers: list[dict[str, Any]]) -> str:
    config, training = checkpoint.config, checkpoint.training
    seconds = training["seconds"] + sum(teacher["seconds"] for teacher in teachers)
    distilled = (
        f"The mixer was distilled from {len(teachers)} bidirectional LSTM-CRF tagger(s) trained on "
        "the same data, whose time is counted in.\n"
        if teachers
        else ""
    )
    return f"""{about.purpose}

A pNLP-Mixer (Fusco et al., 2023): words are hashed, not embedded, so there is no embedding table
and any word has features. Input is text; output is one intent and labelled spans.

## Training

{about.training_data}.
{distilled}Seed {config.seed}, {training["epochs"]} epochs, {seconds / 60:.0f} minutes on one
CPU core; the kept epoch ({training["best_epoch"]}) is the one with the best exact match on the
validation split, which is also the split of the numbers below: expect a little less on new text.

## Limits

It always names one of its intents, also for requests of another kind: read the score. It knows
no names of people, places or songs beyond what their spelling and the words around them tell.
Utterances longer than {config.mixer.max_tokens} words are refused.
"""
