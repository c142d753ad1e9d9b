"""The hand-written Hindi-English lexicon, `lexicon.txt`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).with_name("lexicon.txt")


@dataclass(frozen=True)
class Entry:
    """An English word or phrase and the ways in which its Hindi is written in Roman letters."""

    kind: str
    """The section of the file: food, household, kept, quality, ..."""
    english: str
    spellings: tuple[str, ...]
    """The most common one first."""

    def without(self, spellings: set[str]) -> Entry:
        """The same entry less some spellings; the first one always stays."""
        rest = tuple(word for word in self.spellings[1:] if word not in spellings)
        return Entry(self.kind, self.english, (self.spellings[0], *rest))


def read_lexicon(path: Path = PATH) -> list[Entry]:
    """Entries in the order of the file. Raises OSError, and ValueError that names the line."""
    entries: list[Entry] = []
    kind = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            kind = line.strip("[]")
            continue
        english, equals, rest = line.partition("=")
        spellings = tuple(dict.fromkeys(word.strip() for word in rest.split(",")))
        if not kind or not equals or not english.strip() or not all(spellings):
            raise ValueError(f"{path}:{number}: expected 'english = spelling, ...' below a [kind]")
        entries.append(Entry(kind, english.strip(), spellings))
    return entries
