"""word2vec CBOW vectors (Mikolov et al., 2013) with gensim, an epoch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_sdk.errors import EdgeError
from models.charemb.corpus import Corpus
from models.charemb.terms import JOINER
from models.charemb.vectors import Matrix
from models.common.checkpoint import load_json, save_json


@dataclass(frozen=True)
class CbowConfig:
    """Window and dimension are the paper's; it trained 25 epochs of 1.9 G tokens."""

    window: int = 8
    dimension: int = 200
    epochs: int = 5
    negative: int = 5
    min_count: int = 5
    subsample: float = 1e-4
    learning_rate: float = 0.05
    seed: int = 1


class _Sentences:
    """A corpus that gensim can read once an epoch."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def __iter__(self) -> Iterator[list[str]]:
        return self._corpus.sentences()


def cbow_matrix(corpus: Corpus, config: CbowConfig, folder: Path) -> Matrix:
    """Train, and return words and terms with their vectors.

    `folder` keeps the model of the last finished epoch: the same call goes on from there.
    Deterministic: one thread. Raises EdgeError `dependency_missing` without gensim, ValueError if
    the folder holds a run with other settings.
    """
    try:
        from gensim.models import Word2Vec
    except ImportError as error:
        raise EdgeError(
            "dependency_missing", f"CBOW needs gensim: {error}", "pip install 'edge-sdk[train]'"
        ) from None
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "cbow.json"
    sentences = _Sentences(corpus)
    if state.exists():
        progress = load_json(state)
        if progress["config"] != asdict(config):
            raise ValueError(f"{folder} holds CBOW with other settings; give another folder, or remove it")
        model, done = Word2Vec.load(str(folder / progress["model"])), progress["epochs"]
    else:
        model = Word2Vec(
            vector_size=config.dimension, window=config.window, sg=0, negative=config.negative,
            min_count=config.min_count, sample=config.subsample, seed=config.seed, workers=1,
        )  # fmt: skip
        model.build_vocab(sentences)
        done = 0
    for epoch in range(done, config.epochs):
        # The rate falls in a straight line over all epochs, as in one uninterrupted run.
        rates = [config.learning_rate * (1 - e / config.epochs) for e in (epoch, epoch + 1)]
        model.train(
            sentences,
            total_examples=model.corpus_count,
            epochs=1,
            start_alpha=rates[0],
            end_alpha=max(rates[1], 1e-4),
        )
        name = f"cbow-{epoch + 1}.model"
        model.save(str(folder / name))
        save_json(state, {"config": asdict(config), "epochs": epoch + 1, "model": name})
        for old in folder.glob(f"cbow-{epoch}.model*"):
            old.unlink()
    found = model.wv
    counts = [found.get_vecattr(word, "count") for word in found.index_to_key]
    return Matrix.of([word.replace(JOINER, " ") for word in found.index_to_key], found.vectors, counts)
