"""Train the translator: a reverse model, a teacher, and the student that is shipped.

    python -m models.query_translator.train --data DIR --out DIR

`--data` is the folder that holds `hinglish_top`, `mtop` and `grocery_in`. Stages, each in its
folder under `--out`; a finished stage is not repeated, an interrupted one goes on:

1. `reverse`   English -> Hinglish, from hinglish_top. It makes code-mixed sources for MTOP's
               English sentences: `backtranslated.tsv`.
2. `teacher`   Hinglish -> English, with the augmentation and brand losses. It begins with the
               weights of the reverse model, which knows the words and how to copy.
3. labels      `labels.tsv`: code-mixed sources, translated by the teacher with beam 3, and
               grocery queries.
4. student     in `--out` itself: the teacher's encoder and first decoder layer, trained on the
               labels (sequence-level distillation) and the tagged pairs.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from random import Random

from models.common.seeding import seed_everything
from models.common.trainer import Interrupted, TrainConfig, Trainer, finished_epochs
from models.query_translator.config import ModelConfig
from models.query_translator.examples import PRIVATE, Batches, Mixture, Text
from models.query_translator.lexicon import read_lexicon
from models.query_translator.model import Translator
from models.query_translator.objective import translation_loss
from models.query_translator.recombine import Recombination, WordMixer, tagged_phrases
from models.query_translator.task import (
    PIECES,
    Task,
    draw_queries,
    load_model,
    prepare,
    read_texts,
    write_texts,
)
from models.query_translator.validate import scores, translations

STEPS = 150
"""Batches between validations ("epoch" of the trainer)."""
VALIDATION_ROWS = 400
"""Sentence pairs, and as many generated queries."""
STAGES = ("reverse", "teacher", "labels", "student")
BEAM = 3


def fit(
    task: Task,
    model: Translator,
    mixture: Mixture,
    settings: TrainConfig,
    folder: Path,
    sizes: tuple[int, int, int] = (64, 24, 16),
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
    reverse: bool = False,
) -> dict[str, float]:
    """Train one model in a folder; the metrics of the kept weights.

    Kept are those with the best mean of two BLEU, on validation pairs and on generated queries.
    """
    batches = Batches(mixture, task.tokenizer, sizes, STEPS)
    pairs = [(p.target, p.source) if reverse else p[:2] for p in task.validation[:VALIDATION_ROWS]]
    queries = task.validation_queries(VALIDATION_ROWS)

    def validate(kept: Translator) -> dict[str, float]:
        found = scores(translations(kept, task.tokenizer, [s for s, _ in pairs]), [t for _, t in pairs])
        if not reverse:
            made = scores(translations(kept, task.tokenizer, [q.source for q in queries]), [q.target for q in queries])
            found |= {"queries_bleu": made["bleu"], "queries_exact": made["exact_match"]}
            found["mean"] = (found["bleu"] + made["bleu"]) / 2
        return found

    return Trainer(
        model,
        settings,
        loss=lambda current, batch: translation_loss(current, batch, weights),
        batches=batches,
        validate=validate,
        metric="bleu" if reverse else "mean",
        steps_per_epoch=len(batches),
        folder=folder,
        description={"family": "models.query_translator", "config": asdict(model.config)},
    ).fit()


def schedule(epochs: int, learning_rate: float, weight_decay: float = 0.01) -> TrainConfig:
    """To the end without early stopping; a short run warms up in a fifth of its steps."""
    return TrainConfig(
        epochs=epochs,
        patience=epochs,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        warmup_steps=min(200, epochs * STEPS // 5),
    )


def train_reverse(task: Task, folder: Path, config: ModelConfig, settings: TrainConfig, seed: int) -> dict[str, float]:
    """English -> Hinglish."""
    random = Random(seed)
    mixer = WordMixer(read_lexicon(), random)
    forward = (task.real(random, mixer), task.recombined(random, mixer))
    supervised = [(0.5, lambda draw=draw: draw()[::-1]) for draw in forward]
    mixture = Mixture(random, supervised, task.world.brands)
    return fit(task, Translator(config), mixture, settings, folder, sizes=(64, 0, 0), reverse=True)


def backtranslate(task: Task, model: Translator) -> list[Text]:
    """MTOP's English sentences with the sources that the reverse model gives them.

    Only sentences with an intent that the model was trained on. Names and other phrases that are
    copied go through copy slots. Sources that stutter, a small model's way to fail, are dropped.
    """
    copied = Recombination(task.train, tagged_phrases(task.english), Random(0)).copied
    known = {pair.target_parse.split(" ")[0] for pair in task.train}
    marked: dict[str, list[str]] = {}
    for text, intent, tags in task.english:
        if f"[{intent}" in known and len(text.split(" ")) <= 25:
            phrases = [p for kind, p in tagged_phrases([(text, intent, tags)]) if kind in copied]
            marked.setdefault(*mark(text, phrases))
    made = translations(model, task.tokenizer, list(marked), bfloat16=True)
    pairs = [(unmark(s, names), unmark(t, names)) for s, (t, names) in zip(made, marked.items())]
    return [(s, t) for s, t in pairs if s != t and plausible(s, t)]


def mark(text: str, phrases: Sequence[str]) -> tuple[str, list[str]]:
    """The text with phrases replaced by characters that no vocabulary has, and those phrases."""
    used: list[str] = []
    for phrase in phrases:
        if f" {phrase} " in f" {text} ":
            text = f" {text} ".replace(f" {phrase} ", f" {chr(PRIVATE + len(used))} ", 1).strip()
            used.append(phrase)
    return text, used


def unmark(text: str, phrases: Sequence[str]) -> str:
    """Undo `mark`; also what the model made of it."""
    for number, phrase in enumerate(phrases):
        text = text.replace(chr(PRIVATE + number), phrase)
    return text


def plausible(source: str, target: str) -> bool:
    """Whether a made source neither stutters nor is far shorter or longer than its target."""
    words, wanted = source.split(" "), len(target.split(" "))
    stutters = any(words.count(w) > 2 for w in words if len(w) > 2) or re.search(r"(.{1,4})\1\1", source)
    return not stutters and 0.5 * wanted - 1 <= len(words) <= 1.7 * wanted + 2


def label(task: Task, teacher: Translator, count: int, seed: int) -> list[Text]:
    """Different code-mixed sources, real, recombined and back-translated, with the teacher's
    translations; and half as many generated grocery queries with their own, which are right."""
    mixture = task.mixture(seed, brand_errors=0.3, noise="misspelling", groceries=False)
    sources: set[str] = {pair.source for pair in task.train}
    while len(sources) < count:
        draw = mixture.draw_spelling if mixture.random.random() < 0.1 else mixture.draw_supervised
        sources.add(draw()[0])
    ordered = sorted(sources)
    labels = translations(teacher, task.tokenizer, ordered, beam=BEAM, bfloat16=True)
    queries = draw_queries(task.world, count // 2, seed)
    return [*zip(ordered, labels), *(query[:2] for query in queries)]


def with_weights_of(config: ModelConfig, other: Translator) -> Translator:
    """A new model that begins with the vocabulary matrix and the layers of another of equal width,
    as many as both have."""
    model = Translator(config)
    state = model.state_dict()
    model.load_state_dict(state | {k: v for k, v in other.state_dict().items() if k in state})
    return model


def train_student(
    task: Task, folder: Path, student: Translator, labels: Sequence[Text], settings: TrainConfig, seed: int
) -> dict[str, float]:
    """Sequence-level distillation (paper, section 5), on labels and the tagged set."""
    tagged = task.mixture(seed, brand_errors=0.3, noise="misspelling")
    random = tagged.random
    supervised = [(0.45, lambda: random.choice(labels)), (0.55, tagged.draw_tagged)]
    mixture = replace(tagged, supervised=supervised)
    return fit(task, student, mixture, settings, folder, sizes=(72, 12, 12), weights=(1.0, 0.3, 0.5))


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.query_translator.train", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=STAGES, help="one stage")
    parser.add_argument("--pieces", type=int, default=PIECES, help="subword vocabulary")
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--hidden", type=int, default=768)
    parser.add_argument("--encoder-layers", type=int, default=4)
    parser.add_argument("--decoder-layers", type=int, default=2, help="of the teacher")
    parser.add_argument("--student-layers", type=int, default=1, help="decoder layers of the student")
    parser.add_argument("--dropout", type=float, default=0.1, help="of reverse model and teacher")
    parser.add_argument("--reverse-epochs", type=int, default=5, help=f"of {STEPS} steps each")
    parser.add_argument("--teacher-epochs", type=int, default=10)
    parser.add_argument("--student-epochs", type=int, default=12)
    parser.add_argument("--labels", type=int, default=9000, help="sources that the teacher translates")
    parser.add_argument("--brand-weight", type=float, default=0.5, help="lambda of the brand loss")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    try:
        run(options)
    except Interrupted as stop:
        print(f"\n{stop}", file=sys.stderr)
        return 130
    return 0


def run(options: argparse.Namespace) -> None:
    """The stages that are wanted and not done yet."""
    out: Path = options.out
    wanted = [options.only] if options.only else list(STAGES)
    task = prepare(options.data, out, options.pieces)
    seed_everything(options.seed)
    config = ModelConfig(
        task.vocabulary, options.width, options.width // 64, options.hidden,
        options.encoder_layers, options.decoder_layers, options.dropout,
    )  # fmt: skip
    if "reverse" in wanted and not (out / "backtranslated.tsv").exists():
        smaller = replace(config, encoder_layers=3)
        settings = schedule(options.reverse_epochs, 1.5e-3)
        report("reverse", train_reverse(task, out / "reverse", smaller, settings, options.seed))
        write_texts(out / "backtranslated.tsv", backtranslate(task, load_model(out / "reverse")))
        task = prepare(options.data, out, options.pieces)
    if "teacher" in wanted and finished_epochs(out / "teacher") < options.teacher_epochs:
        seed_everything(options.seed)
        settings = schedule(options.teacher_epochs, 1.2e-3)
        teacher = with_weights_of(config, load_model(out / "reverse"))
        mixture = task.mixture(options.seed, brand_errors=0.3, noise="misspelling")
        weights = (1.0, 0.5, options.brand_weight)
        report("teacher", fit(task, teacher, mixture, settings, out / "teacher", weights=weights))
    if "labels" in wanted and not (out / "labels.tsv").exists():
        write_texts(out / "labels.tsv", label(task, load_model(out / "teacher"), options.labels, options.seed + 1))
    if "student" in wanted:
        seed_everything(options.seed)
        small = replace(config, decoder_layers=options.student_layers, dropout=0.0)
        student = with_weights_of(small, load_model(out / "teacher"))
        settings = schedule(options.student_epochs, 1e-3, weight_decay=0.05)
        labels = read_texts(out / "labels.tsv")
        report("student", train_student(task, out, student, labels, settings, options.seed + 2))


def report(stage: str, found: dict[str, float]) -> None:
    """One line of metrics on stdout."""
    print(stage, "  ".join(f"{key} {value:.2f}" for key, value in found.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
