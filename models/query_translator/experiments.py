"""What the brand loss is worth: the paper's Tables 3 and 5 on generated queries.

    python -m models.query_translator.experiments --data DIR --out DIR --variant none|data|loss

Three teachers with the same sizes, steps and supervised rows a step differ in what they learn
about brand names: nothing beyond the tagged queries (`none`), misspelled brands among the tagged
queries, 50 for each brand (`data`), or the brand loss (`loss`). The tagged queries are a fixed
set, 50 for each brand as well, as in the paper (111 k for 2,226 brands).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

from models.common.checkpoint import save_json
from models.common.seeding import seed_everything
from models.common.trainer import TrainConfig
from models.query_translator.assess import brand_rates
from models.query_translator.config import ModelConfig
from models.query_translator.examples import Mixture
from models.query_translator.misspell import char_drop
from models.query_translator.model import Translator
from models.query_translator.queries import Generator
from models.query_translator.task import Task, draw_queries, load_model, prepare
from models.query_translator.train import fit
from models.query_translator.validate import scores, translations

VARIANTS = ("none", "data", "loss")
COPIES = 50
"""Augmentations a brand in the variant `data` (paper, Table 5), and tagged queries a brand."""
BRAND_ERRORS = 0.1
"""Share of misspelled brands in the tagged queries; the test has half of them misspelled."""
TEST_ERRORS = 0.5


def mixture(task: Task, variant: str, seed: int) -> Mixture:
    """Tagged queries, and what the variant adds to them."""
    random = Random(seed)
    generator = Generator(task.world, random, brand_errors=BRAND_ERRORS)
    brands = task.world.brands
    tagged = [generator.draw()[:2] for _ in range(COPIES * len(brands))]
    if variant == "data":
        tagged += [(dropped(brand, random), brand) for brand in brands for _ in range(COPIES)]
    return Mixture(random, [(1.0, lambda: random.choice(tagged))], brands, slot_share=0.0)


def dropped(brand: str, random: Random) -> str:
    """A brand with CharDrop in 30 to 50 % of its words, in one at least."""
    words = brand.split(" ")
    sure = random.randrange(len(words))
    share = random.uniform(0.3, 0.5)
    return " ".join(
        char_drop(w, random) if i == sure or random.random() < share else w for i, w in enumerate(words)
    )


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m models.query_translator.experiments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--variant", choices=VARIANTS, required=True)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1000, help="test queries")
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    task = prepare(options.data, options.out)
    seed_everything(options.seed)
    config = ModelConfig(task.vocabulary, options.width, options.width // 64, 3 * options.width, 2, 1, 0.1)
    settings = TrainConfig(epochs=options.epochs, patience=99, learning_rate=2e-3)
    sizes = (64, 24, 16 if options.variant == "loss" else 0)
    folder = options.out / options.variant
    drawn = mixture(task, options.variant, options.seed)
    fit(task, Translator(config), drawn, settings, folder, sizes=sizes)
    world = task.world
    queries = draw_queries(world, options.rows, seed=13, brand_errors=TEST_ERRORS)
    found = translations(load_model(folder), task.tokenizer, [q.source for q in queries], beam=3)
    result = {"variant": options.variant, "rows": len(queries)}
    result |= scores(found, [q.target for q in queries]) | brand_rates(queries, found)
    save_json(folder / "result.json", result)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
