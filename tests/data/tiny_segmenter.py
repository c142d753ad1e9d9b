"""A segmenter of random weights, packed by the real export: what the runtime's tests run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch

from edge_sdk.bundle import Bundle, write_bundle
from edge_sdk.characters import vocabulary
from export.pack import export
from models.common.checkpoint import save_json, save_tensors
from models.cwseg.checkpoint import LEXICON, CohortConfig, write_lexicon
from models.cwseg.cohort import Cohort
from models.cwseg.config import MemberConfig
from models.cwseg.data import CRITERIA
from models.cwseg.model import build_member
from models.cwseg.spec import export_spec

KNOWN = "的一是在不了有和人这中大为上个国我以要他时来用们新冠状病毒型科学技术位于合肥，。"
WORDS = {"中国": 1.0, "大学": 1.0, "人们": 1.0, "中国人": 1.0, "用来": 1.0, "中国科学技术大学": 1.0}
SIZES = MemberConfig(
    layers=2, width=16, span=1, character_width=8, bigram_width=6, bigram_buckets=256, lexicon_width=4
)


def checkpoint(folder: Path, sizes: tuple[MemberConfig, ...] = (SIZES,), seed: int = 3) -> Path:
    """Write a checkpoint folder of untrained members whose tags vary from character to character."""
    torch.manual_seed(seed)
    names = vocabulary(KNOWN)
    cohort = Cohort([build_member(size, names, len(CRITERIA)) for size in sizes])
    for member in cohort.members:
        member.head.weight.data *= 15
        torch.nn.init.normal_(member.criterion.weight)
        for scores in (member.crf.transitions, member.crf.start, member.crf.end):
            torch.nn.init.normal_(scores, std=0.3)
    config = CohortConfig(sizes, tuple(names), CRITERIA, "wasserstein", 0.5, 1, 0.0, 0.0, seed)
    training = {"best_epoch": 1, "epochs": 1, "seconds": 0.0, "validation": {"mean": 0.0}}
    folder.mkdir(parents=True, exist_ok=True)
    save_json(
        folder / "checkpoint.json",
        {"family": "models.cwseg", "config": asdict(config), "training": training},
    )
    save_tensors(folder / "model.pt", cohort.state_dict())
    write_lexicon(folder / LEXICON, WORDS)
    return folder


def build(path: Path) -> None:
    """Export the tiny segmenter to `path`."""
    export(export_spec(checkpoint(path.parent / "checkpoint"), None), path)


def repack(path: Path, out: Path, **pipeline: object) -> Path:
    """The same bundle with other constants in its pipeline."""
    with Bundle.open(path) as bundle:
        manifest = {k: v for k, v in bundle.manifest.raw.items() if k not in ("files", "format_version")}
        manifest["pipeline"] = {**manifest["pipeline"], **pipeline}
        files = {file.name: bytes(bundle.read(file.name)) for file in bundle.manifest.files}
    write_bundle(out, json.loads(json.dumps(manifest)), files)
    return out
