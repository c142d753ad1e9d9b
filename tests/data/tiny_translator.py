"""A translator of 60 words, trained in seconds and packed by the real export: what the runtime's tests run.

It knows the words of TRANSLATIONS, keeps brands ("lal" behind what is kept too), copies slots and digits.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from random import Random

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from edge_sdk.bundle import Bundle, write_bundle
from edge_sdk.query_tokenizer import (
    BEGIN,
    END,
    FIRST_SLOT,
    PADDING,
    SLOTS,
    WORD_BEGIN,
    QueryTokenizer,
)
from export.pack import export
from models.common.export_spec import ExportSpec
from models.query_translator.config import ModelConfig
from models.query_translator.graphs import graphs
from models.query_translator.model import Translator
from models.query_translator.shortlist import lexical_table

BRANDS = ["dabur", "kwality walls", "kwality", "daadi's", "navratna"]
TRANSLATIONS = {"sasta": "cheap", "tel": "oil", "lal": "red", "chawal": "rice"}
WORDS = [*TRANSLATIONS, *TRANSLATIONS.values()]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789'.,-"
SPECIAL = ["[PAD]", "[UNK]", "[BEGIN]", "[END]", *(f"[SLOT{i}]" for i in range(SLOTS))]
MAX_SOURCE = 24
EXAMPLES = ["sasta dabur lal tel", "lal kwality walls chawal", "chawal 25"]


def tokenizer_json() -> bytes:
    """BPE whose merges build WORDS from letters."""
    units = [*SPECIAL, WORD_BEGIN, *LETTERS]
    merges = []
    for word in WORDS:
        left = WORD_BEGIN
        for letter in word:
            if left + letter not in units:
                units.append(left + letter)
                merges.append((left, letter))
            left += letter
    model = BPE({unit: i for i, unit in enumerate(units)}, merges, unk_token="[UNK]")
    return Tokenizer(model).to_str().encode("utf-8")


def tokenizer() -> QueryTokenizer:
    """As the tiny bundle has it."""
    data = tokenizer_json()
    return QueryTokenizer(data, BRANDS, len(json.loads(data)["model"]["vocab"]))


def pair(words: QueryTokenizer, random: Random) -> tuple[list[int], list[int]]:
    """A query and its translation, as ids with END."""
    source: list[int] = []
    target: list[int] = []
    slots = 0
    brand = False
    for _ in range(random.randint(1, 5)):
        kind = random.choice(("word", "word", "word", "brand", "slot", "digit"))
        word = random.choice({"brand": BRANDS, "digit": "0123456789"}.get(kind, WORDS))
        ids = words.encode(word).ids
        if kind == "slot":
            ids = [FIRST_SLOT + slots]
            slots += 1
        source += ids
        kept = kind != "word" or (word == "lal" and brand)
        target += ids if kept else words.encode(TRANSLATIONS.get(word, word)).ids
        brand = kind in ("brand", "slot")
    return [*source, END], [*target, END]


def model(steps: int = 450, decoder_layers: int = 1, seed: int = 1) -> Translator:
    """A trained model; about 4 seconds of processor time."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # threads that share a core spin, and take twenty times as long
    random, words = Random(seed), tokenizer()
    config = ModelConfig(
        len(json.loads(tokenizer_json())["model"]["vocab"]) + len(BRANDS), width=32, heads=2, hidden=64,
        encoder_layers=1, decoder_layers=decoder_layers, max_positions=64,
    )  # fmt: skip
    made = Translator(config)
    optimizer = torch.optim.AdamW(made.parameters(), betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps, pct_start=0.15)
    for _ in range(steps):
        batch = [pair(words, random) for _ in range(48)]
        source, wanted = (pad_sequence([torch.tensor(p[i]) for p in batch], batch_first=True) for i in (0, 1))
        begin = torch.full_like(wanted[:, :1], BEGIN)
        scores = made(source, torch.cat((begin, wanted[:, :-1]), 1))
        loss = cross_entropy(scores.flatten(0, 1), wanted.flatten(), ignore_index=PADDING)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return made.eval()


def spec(made: Translator) -> ExportSpec:
    """What a trained translator hands to the export."""
    random, words = Random(7), tokenizer()
    pairs = [pair(words, random) for _ in range(300)]
    # A table from a few pairs knows too little, so that some drafts are wrong.
    starts, targets = lexical_table(pairs[:25], made.config.vocabulary)
    return ExportSpec(
        name="tiny-translator",
        version="1.0.0",
        task="translator",
        language="hi-Latn",
        licence="Apache-2.0",
        training_data="none",
        graphs=graphs(made, pairs[:40]),
        pipeline={
            "tokenizer": "tokenizer.json",
            "brands": {"file": "brands.txt", "first": made.config.vocabulary - len(BRANDS)},
            "words": "words.txt",
            "shortlist": {"starts": "shortlist_starts.npy", "targets": "shortlist_targets.npy"},
            "max_source": MAX_SOURCE,
            "length": {"ratio": 1.5, "extra": 4, "maximum": 40},
            "length_penalty": 1.0,
            "beam": 1,
        },
        files={
            "tokenizer.json": tokenizer_json(),
            "brands.txt": "\n".join(BRANDS).encode(),
            "words.txt": "\n".join(WORDS).encode(),
            "shortlist_starts.npy": _npy(starts),
            "shortlist_targets.npy": _npy(targets),
        },
        selftest_inputs=[*EXAMPLES, "", "👍", "tel 👍 oil", "daber tel"],
        guard=None,
        card="For tests.",
        examples=EXAMPLES,
    )


def build(path: Path, made: Translator, precision: str = "fp32") -> None:
    """Export to `path`."""
    export(spec(made), path, precision=precision)


def repack(path: Path, out: Path, drop: tuple[str, ...] = (), **pipeline: object) -> Path:
    """The same bundle with other constants in its pipeline, and without some of them."""
    with Bundle.open(path) as bundle:
        manifest = {k: v for k, v in bundle.manifest.raw.items() if k not in ("files", "format_version")}
        kept = {k: v for k, v in manifest["pipeline"].items() if k not in drop}
        manifest["pipeline"] = {**kept, **pipeline}
        files = {file.name: bytes(bundle.read(file.name)) for file in bundle.manifest.files}
    write_bundle(out, json.loads(json.dumps(manifest)), files)
    return out


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
