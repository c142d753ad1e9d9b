"""What a trained dual encoder hands to `export/`."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.common.checkpoint import load_json
from models.common.export_spec import ExportSpec, GraphSpec, Guard
from models.conaclip.checkpoint import TOKENIZER, load_model
from models.conaclip.corpus import Corpus, load_corpus
from models.conaclip.exported import exported_image
from models.conaclip.model import DualEncoder
from models.conaclip.tokens import Vocabulary, encode
from models.conaclip.validate import embed_images

CALIBRATION = 100
"""Texts and pictures, of the training split, that set the scales of activations."""
GALLERY = ("Granny Smith", "Red Delicious", "Banana", "Watermelon", "Pineapple", "Carrots", "Cucumber",
           "Red Bell Pepper", "Yellow Bell Pepper", "Bravo Orange Juice", "Oatly Oat Milk", "Garlic")  # fmt: skip
"""Classes of which the bundle carries a picture, where the data has them."""
EXAMPLES = ("green apple", "a photo of Red Bell Pepper", "oat milk", "Banana", "orange juice")
HARD_INPUTS = ("CARROTS!", "jabłko 苹果 🍏", "12345", "x")
GUARDED, LARGEST_LOSS = "map", 1.0
"""Points of mean average precision that quantization may cost: with 60 names in the validation split R@1
moves in steps of 1.7 points."""
DATA = (
    "GroceryStoreDataset (Klasson et al., 2019), MIT: 2,640 photos of 81 classes of grocery products, "
    "class names and shop descriptions"
)


def export_spec(checkpoint_dir: Path, data_dir: Path | None) -> ExportSpec:
    """A dual encoder as the bundle `grocery-clip`.

    `data_dir`, the folder that it was trained from, is needed: scales of activations come from its
    pictures. Raises OSError or ValueError where a folder cannot be used.
    """
    if data_dir is None:
        raise ValueError("quantization needs pictures: give --data, the folder that it was trained from")
    model, vocabulary = load_model(checkpoint_dir)
    corpus = load_corpus(data_dir, "train")
    size = model.config.image.size
    rows = np.random.default_rng(0).permutation(len(corpus.labels))[:CALIBRATION]
    pixels = corpus.whole(size, rows)
    names, pictures = gallery(model, vocabulary, corpus)
    texts = [*EXAMPLES, *corpus.phrases.corpus()]
    texts = [texts[i] for i in np.linspace(0, len(texts) - 1, CALIBRATION).astype(int)]
    tokens = [_tokens(vocabulary, text, model.config.text.length) for text in texts]
    checkpoint = load_json(checkpoint_dir / "checkpoint.json")
    return ExportSpec(
        name="grocery-clip",
        version="1.0.0",
        task="retriever",
        language="en",
        licence="Apache-2.0",
        training_data=DATA,
        graphs={
            "text": GraphSpec(
                module=model.text,
                inputs={"tokens": torch.from_numpy(np.repeat(tokens[0], 2, axis=0))},
                outputs=("vector",),
                dynamic_axes={"tokens": {0: "batch", 1: "length"}},
                calibration=[{"tokens": each} for each in tokens],
                axis_limits={"length": model.config.text.length},
                sizes={"length": (*(n for n in (8, 16) if n < model.config.text.length), model.config.text.length)},
            ),
            "image": GraphSpec(
                module=exported_image(model.image),
                inputs={"pixels": pixels[:2]},
                outputs=("vector",),
                dynamic_axes={"pixels": {0: "batch"}},
                calibration=[{"pixels": each.numpy()} for each in pixels.split(1)],
            ),
        },
        pipeline={
            "dimension": model.config.dimension,
            "text": {
                "tokenizer": TOKENIZER,
                "max_tokens": model.config.text.length,
                "start": [vocabulary.start],
                "end": [vocabulary.end],
            },
            "image": {"height": size, "width": size, "resize": "bicubic", "crop": "center"},
            "gallery": {"file": "gallery.npy", "names": names},
        },
        files={TOKENIZER: vocabulary.json, "gallery.npy": _npy(pictures)},
        selftest_inputs=[*EXAMPLES, *HARD_INPUTS, *(f"bundle:{name}" for name in names)],
        guard=Guard(data_dir / "pairs.tsv", GUARDED, LARGEST_LOSS),
        card=_card(model, checkpoint),
        examples=EXAMPLES,
        training={
            "parameters": sum(p.numel() for p in model.parameters()),
            **checkpoint["config"]["run"],
            **checkpoint["training"],
        },
    )


def gallery(
    model: DualEncoder, vocabulary: Vocabulary, corpus: Corpus
) -> tuple[list[str], np.ndarray]:
    """Names in lower case with hyphens, and a picture for each: uint8 [n, size, size, 3].

    Of each class of GALLERY the picture that is nearest to its name; the first classes where the data
    has none of those.
    """
    names = corpus.phrases.names
    chosen = [name for name in GALLERY if name in names] or names[: len(GALLERY)]
    tokens = encode(vocabulary.reader(), chosen, model.config.text.length)
    with torch.no_grad():
        texts = model.encode_text(tokens)
    best = []
    for name, vector in zip(chosen, texts):
        rows = np.flatnonzero(corpus.labels == names.index(name))
        candidates = embed_images(model, corpus.whole(model.config.image.size, rows))
        best.append(rows[int((candidates @ vector).argmax())])
    pictures = corpus.whole(model.config.image.size, np.array(best)).numpy()
    return [re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") for name in chosen], pictures


def _tokens(vocabulary: Vocabulary, text: str, length: int) -> np.ndarray:
    """int32 [1, n], as the runtime makes them."""
    return encode(vocabulary.reader(), [text], length).numpy().astype(np.int32)


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _card(model: DualEncoder, checkpoint: Mapping[str, Any]) -> str:
    run, config = checkpoint["config"]["run"], model.config
    taught = run["start"] if run["kind"] == "tuned" else run
    how = "Trained from scratch with a contrastive loss over classes."
    if taught["kind"] == "distilled":
        terms = ", ".join(f"{name} x {weight:g}" for name, weight in taught["objective"]["terms"])
        how = (
            "Distilled from a larger dual encoder that was trained from scratch on the same photos, with the "
            f"objective {terms} at temperature {taught['objective']['temperature']:g}."
        )
    if run["kind"] == "tuned":
        how += " Then trained further with a contrastive loss over classes."
    text, image = (sum(p.numel() for p in part.parameters()) / 1e6 for part in (model.text, model.image))
    trained = checkpoint["training"]
    return f"""
## What it is for

Search among photos of groceries by words, and for similar photos by a photo, in a shop's app or on a smart scale: 81
products such as "Granny Smith" or "Oatly Oat Milk". It is an example of the method, not a general CLIP: it knows what its
2,640 training photos show.

## What it is not for

Anything else than these products; people; safety (allergens, ripeness, poisonous plants); texts in other languages than
English; long sentences. A query that no photo fits still gets the nearest photos: the score tells little about whether there
is a right one. About half of the validation photos are given another product's name first: do not let it
decide a price.

## How it was made

Text: a causal Transformer of {config.text.layers} layers x {config.text.width} over {config.text.vocabulary} byte-pair
units ({text:.2f} M parameters). Image: a residual network at {config.image.size} x {config.image.size} pixels
({image:.2f} M). Joint space: {config.dimension} components. {how}
Epoch {trained["best_epoch"]} of {trained["epochs"]}, chosen on the validation photos. These have 60 names as queries, so
that one more or less is 1.7 points of R@1: the mean average precision (map) is the finer measure.
"""
