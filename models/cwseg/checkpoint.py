"""The checkpoint folder of a cohort: its configuration, weights and lexicon."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_sdk.files import atomic_write
from models.common.checkpoint import load_json, load_tensors
from models.cwseg.config import MemberConfig
from models.cwseg.data import CRITERIA
from models.cwseg.model import Member, build_member

LEXICON = "lexicon.tsv"
"""The built-in lexicon in the checkpoint folder."""


@dataclass(frozen=True)
class CohortConfig:
    """What `checkpoint.json` holds beside the settings of the loop."""

    members: tuple[MemberConfig, ...]
    names: tuple[str, ...]
    """The character of each identity, "" for classes."""
    criteria: tuple[str, ...]
    """Standards that the training data holds; the input symbol is the index in data.CRITERIA."""
    mimicry: str
    strength: float
    batch: int
    drop: float
    """Share of the lexicon's words that an epoch forgets."""
    bare: float
    """Share of the sentences that see no lexicon."""
    seed: int
    frozen: int = 0
    teacher: str = ""
    cohort: tuple[MemberConfig, ...] = ()
    """All members it was trained with, where `members` is only one of them (see `pick`)."""


def load_members(folder: Path) -> tuple[CohortConfig, list[Member]]:
    """The members of a checkpoint folder, in evaluation mode. Raises OSError, ValueError."""
    stored = load_json(folder / "checkpoint.json")["config"]
    for key in ("members", "cohort"):
        stored[key] = tuple(MemberConfig(**member) for member in stored.get(key, ()))
    for key in ("names", "criteria"):
        stored[key] = tuple(stored[key])
    config = CohortConfig(**stored)
    weights = load_tensors(folder / "model.pt")
    members = []
    for number, size in enumerate(config.members, config.frozen):
        member = build_member(size, config.names, len(CRITERIA), pretrained=False)
        prefix = f"members.{number}."
        member.load_state_dict(
            {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        )
        members.append(member.eval())
    return config, members


def write_lexicon(path: Path, words: dict[str, float]) -> None:
    """Words and weights as a lexicon file, sorted."""
    with atomic_write(path) as file:
        file.writelines(f"{word}\t{words[word]:.3f}\n".encode() for word in sorted(words))
