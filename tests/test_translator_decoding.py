"""The searches against brute force, on decoders whose probabilities are a table."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.decoding.beam import beam_search, largest
from edge_sdk.decoding.decoder import Memory
from edge_sdk.decoding.draft import drafted_greedy
from edge_sdk.decoding.greedy import greedy
from edge_sdk.decoding.length_penalty import LengthPenalty
from edge_sdk.decoding.stopping import LengthLimit
from edge_sdk.query_tokenizer import BEGIN, END

VOCABULARY = 6
WORDS = [token for token in range(VOCABULARY) if token != END]


class TableDecoder:
    """Stands in for `Decoder`: probabilities hang on the source and on all tokens decided.

    The cache holds the tokens themselves, so a search that mixes up or cuts caches wrongly finds
    other probabilities; `seed` draws the table, `sharpness` how far it is from uniform.
    """

    def __init__(self, seed: int, sharpness: float) -> None:
        self.seed, self.sharpness = seed, sharpness
        self.calls = 0

    def vectors(self, ids: object) -> np.ndarray:
        return np.eye(VOCABULARY, dtype=np.float32)[np.asarray(ids, np.int64)]

    def encode(self, vectors: np.ndarray, mask: np.ndarray) -> Memory:
        ids = vectors.argmax(axis=2) * (mask[:, 0, 0] == 0)
        return Memory(ids[:, None, :, None].astype(np.float32), mask)

    def encode_batch(self, sources: list[list[int]]) -> Memory:
        longest = max(map(len, sources))
        ids = np.array([source + [0] * (longest - len(source)) for source in sources])
        mask = np.array([[0.0] * len(s) + [-1e4] * (longest - len(s)) for s in sources], np.float32)
        return self.encode(self.vectors(ids), mask[:, None, None])

    def start(self, memory: Memory) -> np.ndarray:
        return memory.keys_values[:, :, :0]

    def step(self, vectors: np.ndarray, past: np.ndarray, memory: Memory) -> tuple[np.ndarray, np.ndarray]:
        self.calls += 1
        assert len(vectors) == len(past) == len(memory.keys_values)
        known = past.shape[2]
        present = np.concatenate((past, vectors.argmax(axis=2)[:, None, :, None]), axis=2)
        hidden = [
            [
                self.log_p_after(tuple(source[source > 0].astype(int)), tuple(tokens[:end].astype(int)))
                for end in range(known + 1, len(tokens) + 1)
            ]
            for source, tokens in zip(memory.keys_values[:, 0, :, 0], present[:, 0, :, 0])
        ]
        return np.array(hidden), present.astype(np.float32)

    def log_p(self, hidden: np.ndarray) -> np.ndarray:
        return hidden.copy()

    def log_p_after(self, source: tuple[int, ...], tokens: tuple[int, ...]) -> np.ndarray:
        """float32 [V]; `tokens` begins with BEGIN."""
        key = [self.seed, len(source), *map(int, source), *map(int, tokens)]
        scores = np.random.default_rng(key).normal(0, self.sharpness, VOCABULARY)
        return (scores - np.log(np.exp(scores).sum())).astype(np.float32)

    def score(self, source: list[int], target: tuple[int, ...]) -> float:
        """The logarithm of the probability of target and END, one token after the other."""
        so_far, total = (BEGIN,), 0.0
        for token in (*target, END):
            total += float(self.log_p_after(tuple(source), so_far)[token])
            so_far += (token,)
        return total


TABLES = st.builds(TableDecoder, st.integers(0, 10**6), st.sampled_from([0.3, 1.5, 4.0]))
SOURCES = st.lists(st.lists(st.integers(4, 5), max_size=3).map(lambda s: [*s, END]), min_size=1, max_size=4)
LIMITS = st.integers(1, 4)
TOKENS = st.integers(0, VOCABULARY - 1)
PENALTIES = st.builds(LengthPenalty, st.sampled_from([0.0, 0.6, 1.0]))


@given(TABLES, SOURCES, LIMITS)
def test_greedy_takes_the_best_token_each_time(table: TableDecoder, sources: list, limit: int) -> None:
    for source, found in zip(sources, greedy(table, sources, [limit] * len(sources))):
        expected: tuple[int, ...] = ()
        while len(expected) < limit:
            token = int(table.log_p_after(tuple(source), (BEGIN, *expected)).argmax())
            if token == END:
                break
            expected += (token,)
        assert found.tokens == expected
        assert found.log_p == pytest.approx(table.score(source, expected), abs=1e-5)


@given(TABLES, SOURCES, st.lists(LIMITS, min_size=4, max_size=4), PENALTIES, st.integers(1, 4))
def test_a_batch_is_its_rows(
    table: TableDecoder, sources: list, limits: list[int], penalty: LengthPenalty, beam: int
) -> None:
    limits = limits[: len(sources)]
    together = greedy(table, sources, limits), beam_search(table, sources, limits, beam, penalty)
    for i, (source, limit) in enumerate(zip(sources, limits)):
        assert greedy(table, [source], [limit]) == [together[0][i]]
        assert beam_search(table, [source], [limit], beam, penalty) == [together[1][i]]


@given(TABLES, SOURCES, LIMITS, PENALTIES)
def test_a_beam_of_one_is_greedy(table: TableDecoder, sources: list, limit: int, penalty: LengthPenalty) -> None:
    limits = [limit] * len(sources)
    found = beam_search(table, sources, limits, 1, penalty)
    for (best,), expected in zip(found, greedy(table, sources, limits)):
        assert best.tokens == expected.tokens
        assert best.log_p == pytest.approx(expected.log_p, abs=1e-5)


@settings(max_examples=30)
@given(TABLES, SOURCES, st.integers(1, 3), PENALTIES)
def test_the_widest_beam_is_brute_force(
    table: TableDecoder, sources: list, limit: int, penalty: LengthPenalty
) -> None:
    source = sources[0]
    targets = [t for n in range(limit + 1) for t in product(WORDS, repeat=n)]
    ranks = {t: penalty(table.score(source, t), len(t) + 1) for t in targets}
    [ranked] = beam_search(table, [source], [limit], len(targets), penalty)
    assert ranks[ranked[0].tokens] == pytest.approx(max(ranks.values()), abs=1e-5)
    assert ranked[0].log_p == pytest.approx(table.score(source, ranked[0].tokens), abs=1e-4)


@given(TABLES, SOURCES, LIMITS, PENALTIES, st.integers(2, 4))
def test_any_beam_is_textbook_beam_search(
    table: TableDecoder, sources: list, limit: int, penalty: LengthPenalty, beam: int
) -> None:
    """Written again without arrays, caches and early stops."""
    source = sources[0]
    alive: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    finished: list[tuple[float, tuple[int, ...]]] = []
    for length in range(limit + 1):
        grown = []
        for log_p, tokens in alive:
            following = table.log_p_after(tuple(source), (BEGIN, *tokens))
            grown += [(log_p + float(following[t]), (*tokens, t)) for t in range(VOCABULARY)]
        if length == limit:
            finished += [(p, t[:-1]) for p, t in grown if t[-1] == END]
            break
        grown.sort(key=lambda pair: -pair[0])
        finished += [(p, t[:-1]) for p, t in grown[:beam] if t[-1] == END]
        if len(finished) >= beam:
            break
        alive = [(p, t) for p, t in grown if t[-1] != END][:beam]
    best = max(penalty(p, len(t) + 1) for p, t in finished)
    [ranked] = beam_search(table, [source], [limit], beam, penalty)
    assert penalty(ranked[0].log_p, len(ranked[0].tokens) + 1) == pytest.approx(best, abs=1e-5)


@given(
    TABLES, SOURCES, st.integers(1, 8), st.lists(TOKENS, max_size=8), st.lists(TOKENS, max_size=10),
    st.integers(0, 10),
)  # fmt: skip
def test_a_draft_changes_nothing(
    table: TableDecoder, sources: list, limit: int, candidates: list[int], guess: list[int], right: int
) -> None:
    """Whatever is guessed (here also the begin of the target itself) and chosen from."""
    chosen = np.array([END, *candidates], np.int32)
    for source, expected in zip(sources, greedy(table, sources, [limit] * len(sources))):
        found = drafted_greedy(table, source, limit, [*expected.tokens[:right], *guess], chosen)
        assert found.tokens == expected.tokens
        assert found.log_p == pytest.approx(expected.log_p, abs=1e-4)


def test_a_right_draft_saves_steps_and_a_wrong_one_costs_little() -> None:
    table = TableDecoder(3, 4.0)
    source, everything = [4, 5, 4, END], np.arange(VOCABULARY, dtype=np.int32)
    [expected] = greedy(table, [source], [12])
    plain = table.calls
    assert plain >= 4  # else there is nothing to save

    def steps(guess: list[int], candidates: np.ndarray) -> int:
        table.calls = 0
        assert drafted_greedy(table, source, 12, guess, candidates).tokens == expected.tokens
        return table.calls

    right, wrong = list(expected.tokens), [(token + 1) % VOCABULARY for token in expected.tokens]
    assert steps(right, everything) == 1
    assert steps(right[:2], everything) == plain - 2
    assert steps([], everything) == plain
    assert steps(wrong, everything) <= plain
    assert steps(wrong, np.array([END], np.int32)) <= 2 * plain + 1


def test_largest_is_a_sort() -> None:
    scores = np.array([[0.5, -1, 0.5, 3], [1, 2, 3, 4]], np.float32)
    assert largest(scores.copy(), 3) == [[(3, 3.0), (0, 0.5), (2, 0.5)], [(3, 4.0), (2, 3.0), (1, 2.0)]]
    assert [len(row) for row in largest(scores.copy(), 9)] == [4, 4]


def test_limits_grow_with_the_source_up_to_the_maximum() -> None:
    limit = LengthLimit(ratio=1.5, extra=4, maximum=20)
    assert [limit(n) for n in (0, 1, 5, 100)] == [4, 5, 11, 20]


@given(st.floats(-50, 0), st.integers(1, 20), st.integers(0, 20), st.floats(-10, 0), PENALTIES)
def test_the_bound_holds(log_p: float, length: int, more: int, gain: float, penalty: LengthPenalty) -> None:
    """No longer hypothesis with a lower probability is ranked above the bound."""
    assert penalty(log_p + gain, length + more) <= penalty.bound(log_p, 40) + 1e-12
