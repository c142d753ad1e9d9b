"""What the trie's benchmarks share: the lexicon, the text, and the peers' ways of finding all words in it."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path

DATA = Path(__file__).parents[3] / "shared" / "data"
CACHE = Path(tempfile.gettempdir()) / "edge-sdk-bench"  # stored tries, so that a process can load without building


def words() -> list[str]:
    """THUOCL's 157,172 words."""
    with gzip.open(DATA / "lexicons_zh" / "thuocl.tsv.gz", "rt", encoding="utf-8", newline="\n") as file:
        return [line.split("\t")[0] for line in file.read().split("\n")[1:] if line]


def news(n_characters: int = 100_000) -> str:
    """Chinese news: the SXU corpus without its spaces."""
    with gzip.open(DATA / "cws" / "sxu" / "train.txt.gz", "rt", encoding="utf-8") as file:
        return file.read(2 * n_characters).replace(" ", "")[:n_characters]


def stored(name: str, write: Callable[[Path], None]) -> Path:
    """The file of a stored trie, written when it is first asked for."""
    CACHE.mkdir(exist_ok=True)
    path = CACHE / name
    if not path.exists():
        write(path)
    return path


def our_file() -> Path:
    """Our trie with a float32 a word."""
    from edge_sdk.kernels.native._trie import Trie

    listed = words()
    return stored("thuocl.trie", lambda path: path.write_bytes(Trie.build(listed, [0.5] * len(listed)).to_bytes()))


def marisa_file() -> Path:
    """marisa-trie without weights."""
    import marisa_trie

    return stored("thuocl.marisa", lambda path: marisa_trie.Trie(words()).save(str(path)))


def ahocorasick_file() -> Path:
    """pyahocorasick with each word's index and length."""
    import ahocorasick

    def write(path: Path) -> None:
        automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        for word in words():
            automaton.add_word(word, len(word))
        automaton.make_automaton()
        automaton.save(str(path))

    return stored("thuocl.aho", write)


def jieba_file() -> Path:
    """A dictionary for jieba: word and count."""
    return stored("thuocl.jieba", lambda path: path.write_text("".join(f"{w} 5\n" for w in words() if " " not in w)))


def scan_marisa(trie: object, text: str, longest: int = 29) -> int:
    """Number of matches: the words that begin at each position."""
    return sum(len(trie.prefixes(text[i : i + longest])) for i in range(len(text)))  # type: ignore[attr-defined]


def scan_ahocorasick(automaton: object, text: str) -> int:
    """Number of matches in one pass."""
    return sum(1 for _ in automaton.iter(text))  # type: ignore[attr-defined]


def scan_jieba(tokenizer: object, text: str) -> int:
    """Its dictionary scan: for each position the ends of the words there (the position itself if there is none)."""
    return sum(map(len, tokenizer.get_DAG(text).values()))  # type: ignore[attr-defined]
