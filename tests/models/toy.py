"""A toy corpus in MTOP's layout: a grammar that a tiny tagger can learn in seconds."""

import random
from pathlib import Path

NAMES = ["mom", "Dad", "Ann", "Bob Smith", "my boss", "Zoë"]
TIMES = ["at 7", "at 8 am", "tomorrow", "on Monday", "in ten minutes", "tonight"]
THINGS = ["milk", "the green tea", "two apples", "bread and butter"]
PATTERNS = [
    ("IN:CALL", "call {CONTACT}"),
    ("IN:CALL", "please call {CONTACT} {TIME}"),
    ("IN:ALARM", "wake me up {TIME}"),
    ("IN:ALARM", "set an alarm {TIME}"),
    ("IN:REMIND", "remind me to buy {ITEM} {TIME}"),
    ("IN:REMIND", "remind {CONTACT} to buy {ITEM}"),
]
VALUES = {"CONTACT": NAMES, "TIME": TIMES, "ITEM": THINGS}


def write(folder: Path, rows: int = 400, seed: int = 0) -> Path:
    """``train.tsv`` and ``eval.tsv`` in a folder."""
    generator = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in (("train", rows), ("eval", rows // 4)):
        lines = ["tokens\tslot_tags\tintent"]
        for _ in range(count):
            intent, pattern = generator.choice(PATTERNS)
            tokens: list[str] = []
            tags: list[str] = []
            for piece in pattern.split(" "):
                if piece.startswith("{"):
                    value = generator.choice(VALUES[piece[1:-1]]).split(" ")
                    tokens += value
                    tags += [f"B-{piece[1:-1]}"] + [f"I-{piece[1:-1]}"] * (len(value) - 1)
                else:
                    tokens.append(piece)
                    tags.append("O")
            lines.append("\t".join((" ".join(tokens), " ".join(tags), intent)))
        (folder / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
