"""Everything that training takes from the data folder, worked out once, and its vocabulary."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from edge_sdk.files import atomic_write
from edge_sdk.query_tokenizer import QueryTokenizer
from models.common.checkpoint import load_json, load_tensors, save_json
from models.query_translator.config import ModelConfig
from models.query_translator.data import Pair, read_english, read_pairs, read_world
from models.query_translator.examples import Mixture, Text
from models.query_translator.lexicon import Entry, read_lexicon
from models.query_translator.model import Translator
from models.query_translator.queries import Generator, Query, World, heldout_split
from models.query_translator.recombine import Recombination, WordMixer, tagged_phrases
from models.query_translator.vocabulary import train_tokenizer

PIECES = 3600
HELDOUT = 0.1
"""Share of the brands and product names that no training query has."""
TOKENIZER, BRANDS, WORDS, VOCABULARY = "tokenizer.json", "brands.txt", "words.txt", "vocabulary.json"
OTHER_BRANDS = "other-brands.txt"
"""Brands that training does not see: the held-out test's."""


@dataclass(frozen=True)
class Task:
    """Data of the three kinds (hinglish_top, MTOP's English, groceries) and the vocabulary."""

    train: list[Pair]
    validation: list[Pair]
    english: list[tuple[str, str, list[str]]]
    """MTOP's English training sentences with intent and slot tags; none of validation's targets."""
    world: World
    """What training queries are made of."""
    heldout: World
    """Brands, products and spellings that no training query has."""
    tokenizer: QueryTokenizer
    vocabulary: int
    """Pieces and brands together."""
    backtranslated: list[Text] = field(default_factory=list)
    """English sentences with code-mixed sources that a model made."""

    def validation_queries(self, count: int, seed: int = 11) -> list[Query]:
        """Generated queries of known words and brands that are in no training run: another seed."""
        return draw_queries(self.world, count, seed)

    def heldout_queries(self, count: int, seed: int = 12) -> list[Query]:
        """Generated queries of brands, products and spellings that no training query has."""
        return draw_queries(self.heldout, count, seed)

    def real(self, random: Random, mixer: WordMixer) -> Callable[[], Text]:
        """Draws pairs of hinglish_top, rewritten half of the time."""

        def draw() -> Text:
            pair = random.choice(self.train)
            source = mixer.mix(pair.source, pair.target) if random.random() < 0.6 else pair.source
            return source, pair.target

        return draw

    def recombined(self, random: Random, mixer: WordMixer) -> Callable[[], Text]:
        """Draws recombined pairs of hinglish_top, rewritten half of the time."""
        source_of = Recombination(self.train, tagged_phrases(self.english), random)

        def draw() -> Text:
            source, target = source_of.draw()
            return (mixer.mix(source, target) if random.random() < 0.6 else source), target

        return draw

    def mixture(self, seed: int, brand_errors: float, noise: str, groceries: bool = True) -> Mixture:
        """The training mixture. `brand_errors`: share of misspelled brands in grocery queries."""
        random = Random(seed)
        mixer = WordMixer(read_lexicon(), random)
        supervised = [(0.25, self.real(random, mixer)), (0.18, self.recombined(random, mixer))]
        if self.backtranslated:

            def backtranslated() -> Text:
                source, target = random.choice(self.backtranslated)
                return mixer.mix(source, target), target

            supervised.append((0.2, backtranslated))
        if groceries:
            generator = Generator(self.world, random, brand_errors=brand_errors)
            supervised.append((0.37, lambda: generator.draw()[:2]))
        return Mixture(random, supervised, self.world.brands, noise=noise)


def draw_queries(world: World, count: int, seed: int, brand_errors: float = 0.3) -> list[Query]:
    """Different queries of a world."""
    generator = Generator(world, Random(seed), brand_errors=brand_errors)
    found: dict[str, Query] = {}
    while len(found) < count:
        query = generator.draw()
        found.setdefault(query.source, query)
    return list(found.values())


def prepare(data: Path, folder: Path, pieces: int = PIECES) -> Task:
    """Read the data; train the vocabulary in `folder`, or read the one that is there.

    Raises OSError where data is missing.
    """
    train, validation = read_pairs(data, "train"), read_pairs(data, "validation")
    english = read_english(data, [pair.target for pair in validation])
    everyday = [text for text, _, _ in english] + [pair.source for pair in train]
    world, heldout = heldout_split(read_world(data, everyday), HELDOUT, Random(7))
    if not (folder / VOCABULARY).exists():
        _write_vocabulary(folder, train, english, world, pieces)
        write_lines(folder / OTHER_BRANDS, heldout.brands)
    tokenizer, first, brands = read_vocabulary(folder)
    made = folder / "backtranslated.tsv"
    return Task(train, validation, english, world, heldout, tokenizer, first + len(brands), read_texts(made) if made.exists() else [])


def read_vocabulary(folder: Path) -> tuple[QueryTokenizer, int, list[str]]:
    """The tokenizer in a folder, the id of the first brand, and the brands. Raises OSError."""
    first = load_json(folder / VOCABULARY)["first_brand"]
    brands = (folder / BRANDS).read_text(encoding="utf-8").splitlines()
    return QueryTokenizer((folder / TOKENIZER).read_bytes(), brands, first), first, brands


def load_model(folder: Path) -> Translator:
    """The kept weights of a training folder. Raises OSError."""
    model = Translator(ModelConfig(**load_json(folder / "checkpoint.json")["config"]))
    model.load_state_dict(load_tensors(folder / "model.pt"))
    return model.eval()


def read_texts(path: Path) -> list[Text]:
    """Pairs that `write_texts` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(row[0], row[1]) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)][1:]


def write_texts(path: Path, pairs: Sequence[Text]) -> None:
    """A TSV with a header line."""
    write_lines(path, ["source\ttarget", *(f"{source}\t{target}" for source, target in pairs)])


def write_lines(path: Path, lines: Sequence[str]) -> None:
    """Whole or not at all."""
    with atomic_write(path) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())


def variants(entries: Sequence[Entry], everyday: Collection[str]) -> dict[str, str]:
    """Single words of the lexicon's grocery sections -> their most common spelling, where that is another.

    A word that also stands in everyday sentences, in another entry or in a phrase, is left as it is.
    """
    uses = Counter(word for e in entries for text in {e.english, *e.spellings} for word in text.split(" "))
    found: dict[str, str] = {}
    for entry in entries:
        if entry.kind in ("general", "function"):
            continue
        best = entry.english if entry.kind in ("kept", "english") else entry.spellings[0]
        for word in entry.spellings:
            alone = uses[word] == 1 and word not in everyday and len(word) > 2
            if alone and word != best and " " not in word + best:
                found[word] = best
    return found


def _write_vocabulary(
    folder: Path, train: list[Pair], english: list[tuple[str, str, list[str]]], world: World, pieces: int
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    sentences = [text for pair in train for text in pair[:2]]
    queries = draw_queries(World(world.entries, world.brands, world.products), 6000, 5)
    words = [word for e in world.entries for word in (e.english, *e.spellings)]
    texts = 2 * sentences + [text for text, _, _ in english] + 2 * words
    texts += [text for query in queries for text in query[:2]] + [name for _, name in world.products]
    everyday_words = {word for text in sentences + [t for t, _, _ in english] for word in text.split(" ")}
    known = set(everyday_words)
    known.update(word for _, name in world.products for word in name.split(" "))
    known.update(w for e in read_lexicon() for text in (e.english, *e.spellings) for w in text.split(" "))
    with atomic_write(folder / TOKENIZER) as file:
        file.write(train_tokenizer(texts, pieces))
    write_lines(folder / BRANDS, world.brands)
    better = variants(read_lexicon(), everyday_words)
    write_lines(folder / WORDS, [f"{w}\t{better[w]}" if w in better else w for w in sorted(known)])
    save_json(folder / VOCABULARY, {"first_brand": pieces})
