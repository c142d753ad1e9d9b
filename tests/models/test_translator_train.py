"""All stages of the translator's training, on a toy language that a tiny model can learn."""

import gzip
import random
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from models.common.checkpoint import load_json
from models.query_translator import train
from models.query_translator.assess import brand_rates
from models.query_translator.experiments import dropped
from models.query_translator.model import Translator
from models.query_translator.objective import translation_loss
from models.query_translator.queries import Query
from models.query_translator.task import load_model, prepare, read_texts
from models.query_translator.validate import scores, translations

VERBS = {"band": "stop", "shuru": "start", "hatao": "remove", "dikhao": "show"}
THINGS = {"gaana": "song", "alarm": "alarm", "timer": "timer", "sandesh": "message"}
TIMES = {"aaj": "today", "kal": "tomorrow", "abhi": "now"}


def write(path: Path, header: str, rows: list[tuple[str, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [header, *("\t".join(row) for row in rows)]
    text = "\n".join(lines) + "\n"
    if path.suffix == ".gz":
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write(text)
    else:
        path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layout of the data folder, with a grammar of 48 sentences; a few are for validation only."""
    folder = tmp_path_factory.mktemp("data")
    pairs = []
    for hindi_time, time in TIMES.items():
        for hindi, thing in THINGS.items():
            for hindi_verb, verb in VERBS.items():
                pairs.append((
                    f"{hindi_time} {hindi} {hindi_verb} karo", f"{verb} the {thing} {time}", "toy",
                    f"[IN:DO {verb} the [SL:THING {thing} ] [SL:TIME {time} ] ]",
                    f"[IN:DO [SL:TIME {hindi_time} ] [SL:THING {hindi} ] {hindi_verb} karo ]",
                ))  # fmt: skip
    random.Random(0).shuffle(pairs)
    header = "hinglish\tenglish\tdomain\ten_parse\tcs_parse"
    write(folder / "hinglish_top" / "train.tsv.gz", header, pairs[:40])
    write(folder / "hinglish_top" / "validation.tsv.gz", header, pairs[40:])
    english = [
        (f"{verb} the {thing} {time}", "IN:DO", "O O B-THING B-TIME")
        for verb in VERBS.values() for thing in THINGS.values() for time in TIMES.values()
    ]  # fmt: skip
    write(folder / "mtop" / "en" / "train.tsv.gz", "tokens\tintent\tslot_tags", english)
    write(folder / "grocery_in" / "brands.tsv", "brand", [("Amul",), ("Tata Tea",), ("Dabur",), ("Nirma",)])
    products = [("Butter - Salted", "Amul"), ("Washing Powder", "Nirma"), ("Hair Oil", "Other")]
    write(folder / "grocery_in" / "products.tsv.gz", "product\tbrand", products)
    write(folder / "grocery_in" / "slash_aliases.tsv", "aliases\tcount", [("Rice / Akki", "2")])
    return folder


@pytest.fixture(scope="module")
def checkpoint(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command leaves behind."""
    out = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "STEPS", 10)
        patch.setattr(train, "VALIDATION_ROWS", 10)
        sizes = "--pieces 700 --width 64 --hidden 64 --encoder-layers 1 --decoder-layers 2 --dropout 0 --labels 200"
        epochs = "--reverse-epochs 2 --teacher-epochs 2 --student-epochs 2"
        assert train.main(["--data", str(data), "--out", str(out), *sizes.split(), *epochs.split()]) == 0
    return out


def test_a_model_learns_the_toy_language(
    data: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "STEPS", 60)
    monkeypatch.setattr(train, "VALIDATION_ROWS", 8)
    train.seed_everything(1)
    task = prepare(data, checkpoint)
    config = replace(load_model(checkpoint).config, decoder_layers=1)
    mixture = task.mixture(1, brand_errors=0.0, noise="chardrop", groceries=False)
    model = Translator(config)
    train.fit(task, model, mixture, train.schedule(4, 4e-3), tmp_path, sizes=(48, 0, 0))
    found = translations(load_model(tmp_path), task.tokenizer, [p.source for p in task.validation])
    assert scores(found, [p.target for p in task.validation])["bleu"] > 60.0


def test_the_student_is_the_teacher_with_fewer_layers(checkpoint: Path) -> None:
    teacher, student = (load_json(f / "checkpoint.json")["config"] for f in (checkpoint / "teacher", checkpoint))
    assert {**teacher, "decoder_layers": 1} == student and teacher["decoder_layers"] == 2
    copied = train.with_weights_of(load_model(checkpoint).config, load_model(checkpoint / "teacher"))
    wanted = load_model(checkpoint / "teacher").state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in copied.state_dict().items())


def test_labels_and_back_translations_are_pairs(checkpoint: Path) -> None:
    labels = read_texts(checkpoint / "labels.tsv")
    assert len(labels) == 300 and len({source for source, _ in labels[:200]}) == 200
    made = read_texts(checkpoint / "backtranslated.tsv")
    assert all(train.plausible(*pair) for pair in made)


def test_validation_targets_are_in_no_training_sentence(data: Path, checkpoint: Path) -> None:
    task = prepare(data, checkpoint)
    hidden = {pair.target for pair in task.validation}
    assert hidden.isdisjoint(text for text, _, _ in task.english)
    assert hidden.isdisjoint(target for _, target in task.backtranslated)


def test_the_loss_is_the_weighted_sum_of_its_terms(data: Path, checkpoint: Path) -> None:
    task = prepare(data, checkpoint)
    model = load_model(checkpoint)
    batch = next(iter(train.Batches(task.mixture(3, 0.3, "chardrop"), task.tokenizer, (6, 4, 4), 1)()))
    with torch.no_grad():
        parts = [float(translation_loss(model, batch, w)) for w in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
        whole = float(translation_loss(model, batch, (1.0, 0.5, 2.0)))
        rows = [i for i, term in enumerate(batch.term.tolist()) if term == 2]
        logits = model(batch.source[rows], batch.target_in[rows]).log_softmax(2)
    assert whole == pytest.approx(parts[0] + 0.5 * parts[1] + 2.0 * parts[2], rel=1e-5)
    losses = []  # label smoothing 0.1, by its definition
    for row, target in zip(logits, batch.target[rows]):
        for scores_at, token in zip(row, target.tolist()):
            if token:
                losses.append(-(0.9 * scores_at[token] + 0.1 * scores_at.mean()))
    assert parts[2] == pytest.approx(float(sum(losses)) / len(losses), rel=1e-4)


def test_a_second_call_does_nothing_and_other_settings_are_refused(
    data: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "STEPS", 10)
    monkeypatch.setattr(train, "VALIDATION_ROWS", 10)
    before = (checkpoint / "labels.tsv").read_bytes()
    common = ["--data", str(data), "--out", str(checkpoint), "--pieces", "700", "--width", "64", "--hidden", "64", "--encoder-layers", "1"]
    assert train.main([*common, "--reverse-epochs", "2", "--teacher-epochs", "2", "--student-epochs", "2", "--dropout", "0"]) == 0
    assert (checkpoint / "labels.tsv").read_bytes() == before
    with pytest.raises(ValueError, match="other settings"):
        train.main([*common, "--teacher-epochs", "9", "--only", "teacher", "--dropout", "0"])


def test_marks_carry_names_through_a_translation() -> None:
    text, names = train.mark("play jazz by miles davis", ["miles davis", "jazz", "not there"])
    assert names == ["miles davis", "jazz"] and "miles" not in text and "jazz" not in text
    assert train.unmark(text, names) == "play jazz by miles davis"


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("aaj alarm band karo", "stop the alarm today", True),
        ("tak tak tak tak", "stop the alarm today", False),
        ("flannnnnnnn kitni door hai", "how far is it", False),
        ("karo", "stop the alarm today please now", False),
    ],
)
def test_stuttering_sources_are_not_plausible(source: str, target: str, expected: bool) -> None:
    assert train.plausible(source, target) is expected


def test_rates_of_brands() -> None:
    queries = [
        Query("", "dabur oil", 4, "dabur", "dabur"),
        Query("", "dabur tea", 4, "dabur", "dabr"),
        Query("", "amul tea", 4, "amul", "aml"),
        Query("", "tea", 3),
    ]
    found = ["dabur oil", "dabur", "amulet tea", "dabur"]
    assert brand_rates(queries, found) == {"brands_kept": 100.0, "brands_corrected": 50.0}
    assert all(dropped("dabur", random.Random(i)) in {"dbur", "daur", "dabr"} for i in range(20))


def test_the_command_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train.main([])
    assert "--data" in capsys.readouterr().err
