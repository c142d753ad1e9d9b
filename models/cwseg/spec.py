"""What a trained segmenter hands to `export/`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edge_sdk.characters import identity_table, plain_text, prepare
from edge_sdk.kernels import lexicon_features
from edge_sdk.lexicon import Lexicon
from models.common.checkpoint import load_json
from models.common.export_spec import ExportSpec, GraphSpec, Guard
from models.cwseg.checkpoint import LEXICON, CohortConfig, load_members
from models.cwseg.data import CRITERIA, FOLDERS, read_corpus
from models.cwseg.model import ExportedSegmenter

WINDOW = 512
"""Characters that one run of the graph takes; longer texts are cut, with overlap."""
TFLITE_CHARACTERS = (16, 32, 64, 128, 256)
"""Lengths of TFLite graphs below a whole window, edges included."""
DOMAIN = 8.0
"""Default strength of a caller's lexicon; docs/segmentation.md has the measurements."""
CALIBRATION_SENTENCES = 100
LARGE = 128
"""Members at least so wide become the bundle `zh-seg-large`."""
LARGEST_LOSS = 0.3
"""Points of F1 that quantization may cost."""
EXAMPLES = (
    "中国科学技术大学位于合肥",
    "新型冠状病毒的传播速度超出预期",
    "他今天在北京参加了人工智能大会，并发表了演讲。",
    "iPhone15的价格是5999元，你买不买？",
)
HARD_INPUTS = ("", "好", "hello world", "ＡＢＣ１２３，全角", "看 https://example.org/a?b=1 吧👨‍👩‍👧🇨🇳", "\U00020000a")
DATA = (
    "segmented sentences of NLPCC 2016 Weibo (20,135) and SXU (17,115 less every 20th), for "
    "research; of Universal Dependencies Chinese, simplified (3,997), CC BY-SA 4.0. Lexicon: "
    "jieba dictionary and THUOCL (both MIT), words of the sentences, seven words of the CWSeg paper's examples"
)


def export_spec(checkpoint_dir: Path, data_dir: Path | None) -> ExportSpec:
    """The first learning member of a cohort as the bundle `zh-seg` or `zh-seg-large`.

    `data_dir`, the folder that it was trained from, gives the sentences that guard quantization.
    Raises OSError or ValueError where a folder cannot be used.
    """
    config, members = load_members(checkpoint_dir)
    member = members[0]
    lexicon = Lexicon.load(checkpoint_dir / LEXICON)
    table = identity_table(config.names)
    texts = list(EXAMPLES)
    guard = None
    if data_dir is not None:
        texts = [row.text for row in read_corpus(data_dir, "dev", CRITERIA[0])[:CALIBRATION_SENTENCES]]
        path = data_dir / "cws" / FOLDERS[CRITERIA[0]] / "dev.txt.gz"
        guard = Guard(path, "f1", LARGEST_LOSS)
    graph = ExportedSegmenter(member)
    feeds = [
        _feed(text, table, member.config.bigram_buckets, lexicon, graph.reach) for text in texts
    ]
    example = {
        name: torch.from_numpy(np.repeat(value, 2, axis=0)) for name, value in feeds[0].items()
    }
    axes = {name: {0: "batch", 1: "characters"} for name in ("characters", "bigrams", "hints")}
    training = load_json(checkpoint_dir / "checkpoint.json")["training"]
    return ExportSpec(
        name="zh-seg-large" if member.config.width >= LARGE else "zh-seg",
        version="1.0.0",
        task="segmenter",
        language="zh",
        licence="Apache-2.0",
        training_data=DATA,
        graphs={
            "model": GraphSpec(
                module=graph,
                inputs=example,
                outputs=("emissions",),
                dynamic_axes=axes,
                calibration=feeds,
                axis_limits={"characters": 1 << 16},
                sizes={"characters": (*TFLITE_CHARACTERS, WINDOW + 2 * graph.reach)},
            )
        },
        pipeline={
            "characters": "characters.npy",
            "bigram_buckets": member.config.bigram_buckets,
            "lexicon": "lexicon.trie",
            "transitions": "transitions.npy",
            "criteria": list(CRITERIA),
            "domain": DOMAIN,
            "reach": graph.reach,
            "window": WINDOW,
        },
        files={
            "characters.npy": _npy(table),
            "transitions.npy": _npy(member.crf.table().float().numpy()),
            "lexicon.trie": lexicon.to_bytes(),
        },
        selftest_inputs=[*EXAMPLES, *HARD_INPUTS],
        guard=guard,
        card=_card(config, training, len(lexicon)),
        examples=EXAMPLES,
        training={
            "member": member.config.name,
            "cohort": [m.name for m in config.cohort or config.members],
            "parameters": sum(p.numel() for p in member.parameters()),
            "seed": config.seed,
            **training,
        },
    )


def _feed(
    text: str, table: np.ndarray, buckets: int, lexicon: Lexicon, reach: int
) -> dict[str, np.ndarray]:
    """Inputs of the graph for one text, as the runtime makes them."""
    text = "\n" * reach + text + "\n" * reach
    characters, bigrams, _ = prepare(text, table, buckets)
    found = lexicon.find(plain_text(text))
    hints = lexicon_features(len(text), found.starts, found.ends)
    return {"characters": characters[None], "bigrams": bigrams[None], "hints": hints[None]}


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _card(config: CohortConfig, training: dict[str, Any], words: int) -> str:
    cohort = config.cohort or config.members
    members = ", ".join(member.name for member in cohort)
    together = (
        f"The member {config.members[0].name} of a cohort ({members}) whose members learnt from "
        f"one another ({config.mimicry}, strength {config.strength})."
        if len(cohort) > 1
        else f"Member {members}, trained alone."
    )
    return f"""Words of Chinese text: a tagger of characters (B, I, O) with a CRF, which sees
characters, pairs of characters and what a lexicon of {words:,} words says about them. The lexicon
can be extended or replaced at run time. Decoding gives four granularities.

## Training

{together} {training["epochs"]} epochs, {training["seconds"] / 60:.0f} minutes on one
core of an x86-64 server that other jobs shared, seed {config.seed}. The kept epoch ({training["best_epoch"]}) has the best mean F1 on the
development sentences of the three corpora; the numbers below are from one of them, so expect less
on other text.

## Standards

Corpora disagree about what a word is. The input symbol `criterion` says which standard to follow:
{", ".join(CRITERIA)}; the first is the default.

## Limits

Trained on microblogs, news and encyclopaedia text in simplified characters; traditional characters
are mostly unknown to it. Names and terms that are in no lexicon are often cut wrongly: give a
lexicon. The weibo and sxu sentences were released for research.
"""
