"""Intent and slots: ours against fastText, and against logistic regression with a CRF.

    python -m bench.peers.tagging --data DIR --out bench/results/peers-tagging.json --plot docs/img/peers-tagging.svg

DIR holds the training and evaluation files of MTOP (`train.tsv.gz`, `eval.tsv.gz`). All train on the same rows; fastText has no
slots. The texts are the evaluation rows' own tokens, so that tags can be compared.
"""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import Any

from bench.peers.harness import Job, Peer

PEERS = [
    Peer("edge_sdk mtop-en", "ours", job={"bundle": "mtop-en"}),
    Peer("fastText, words and bigrams", "fasttext", "tagging.txt"),
    Peer("TF-IDF logistic regression + CRF", "classic", "tagging.txt"),
]


def ours(job: Job) -> tuple[Any, int]:
    """The bundle, through the runtime."""
    import edge_sdk
    from edge_sdk.catalog import find

    tagger = edge_sdk.load(job["bundle"])
    return lambda text: tagger.predict_tokens(text.split(" ")), find(job["bundle"]).stat().st_size


def fasttext(job: Job) -> tuple[Any, int]:
    """Supervised fastText with its own quantization of the trained model left out: the plain model is the more accurate."""
    import fasttext as library

    model = library.load_model(job["models"] + "/fasttext.bin")
    size = Path(job["models"], "fasttext.bin").stat().st_size
    return lambda text: (model.predict(text)[0][0].removeprefix("__label__"), []), size


def classic(job: Job) -> tuple[Any, int]:
    """scikit-learn's logistic regression on TF-IDF of words and bigrams; CRFsuite on words, shapes and neighbours."""
    path = Path(job["models"], "classic.pickle")
    with open(path, "rb") as file:
        intents, tags = pickle.load(file)

    def call(text: str) -> tuple[str, list[str]]:
        tokens = text.split(" ")
        return str(intents.predict([text])[0]), list(map(str, tags.predict_single(features(tokens))))

    return call, path.stat().st_size


def features(tokens: list[str]) -> list[dict[str, Any]]:
    """The usual features of a token for a CRF: itself, its ends and shape, and its neighbours."""
    rows = []
    for token in tokens:
        low = token.lower()
        rows.append({"w": low, "s3": low[-3:], "s2": low[-2:], "p3": low[:3], "title": token.istitle(), "digit": token.isdigit()})
    for i in range(len(rows)):
        for step in (-2, -1, 1, 2):
            if 0 <= i + step < len(tokens):
                rows[i][f"w{step}"] = tokens[i + step].lower()
            else:
                rows[i][f"edge{step}"] = True
    return rows


def train(data: str, models: str) -> None:
    """Both peers, on the training rows; runs in their environment."""
    import fasttext as library
    import sklearn_crfsuite
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from edge_sdk.evaluate.tagger import read_tagged_rows

    rows = read_tagged_rows(Path(data))
    texts = [" ".join(row.tokens) for row in rows]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.writelines(f"__label__{row.intent} {text}\n" for row, text in zip(rows, texts, strict=True))
        file.flush()
        model = library.train_supervised(file.name, epoch=25, lr=0.5, wordNgrams=2, dim=100, thread=1, seed=0, verbose=0)
    model.save_model(models + "/fasttext.bin")
    intents = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=20, max_iter=300))
    intents.fit(texts, [row.intent for row in rows])
    tags = sklearn_crfsuite.CRF(algorithm="lbfgs", c1=0.1, c2=0.01, max_iterations=60, all_possible_transitions=False)
    tags.fit([features(row.tokens) for row in rows], [row.tags for row in rows])
    with open(models + "/classic.pickle", "wb") as file:
        pickle.dump((intents, tags), file)


def main() -> None:
    """The command."""
    from bench.peers.report import arguments, finish
    from edge_sdk.evaluate.tagger import read_tagged_rows, tagger_metrics

    options = arguments(__doc__)
    rows = read_tagged_rows(options.data / "eval.tsv.gz")
    job = {"texts": [" ".join(row.tokens) for row in rows], "models": str(options.build / "tagging-models")}

    def score(answers: list[Any]) -> dict[str, float]:
        found = tagger_metrics(rows, [(intent, tags or ["O"] * len(row.tokens)) for row, (intent, tags) in zip(rows, answers, strict=True)])
        return {name: found[name] for name in ("intent_accuracy", "exact_match", "slot_f1")}

    finish(
        options, __name__, PEERS, job, score, "intent_accuracy",
        train=("tagging.txt", f"train({str(options.data / 'train.tsv.gz')!r}, {job['models']!r})", Path(job["models"])),
    )  # fmt: skip


if __name__ == "__main__":
    from bench.peers.tagging import main as run  # so that the module has its real name in the children

    run()
