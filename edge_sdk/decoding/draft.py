"""Greedy search for one source by guessing, drafting and checking: the same result, sooner.

Most of a step's time goes into reading weights and into calling the engine, however many tokens
the step has. So the target is built from cheap parts that are often right, in two layers:

- A *guess* is what a lexicon gives word by word. One step runs over the last token and several
  guesses at once; as far as the guesses are what the model says, they are tokens of the draft.
- The *draft* is greedy search among a few hundred candidates that the source suggests, instead of
  the whole vocabulary, whose matrix is most of the weights.
- The *check* is one product of all the draft's hidden states with the whole matrix. Up to the
  first token that another one beats, the draft is what plain greedy search finds; that token is
  corrected, and drafting goes on behind it.

This is speculative decoding (Leviathan et al., 2023), where the model itself with a smaller
vocabulary makes the draft, so that its hidden states and cache need no second computation; the
guesses are those of aggressive decoding (Sun et al., 2021).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_sdk.decoding.decoder import Decoder, Hypothesis
from edge_sdk.query_tokenizer import BEGIN, END


def drafted_greedy(
    decoder: Decoder, source: Sequence[int], limit: int, guess: Sequence[int], candidates: np.ndarray
) -> Hypothesis:
    """The greedy target of a source, as `greedy` finds it.

    Args:
        source: ids with END.
        limit: most tokens of the target.
        guess: ids of a likely target.
        candidates: int32 [c], ids that the draft chooses from, END among them. Guess and
            candidates decide how fast the result is found, not which.
    """
    n, m, guess = len(source), len(guess), list(guess)
    vectors = decoder.vectors(np.concatenate((source, (BEGIN,), guess, candidates)))
    memory = decoder.encode(vectors[None, :n], np.zeros((1, 1, 1, n), np.float32))
    guessed = vectors[n + 1 : n + 1 + m]
    # The candidates' rows of the vocabulary matrix, up to a factor: the matrix is the embedding.
    drafter = vectors[n + 1 + m :].T
    last, past = vectors[n : n + 1], decoder.start(memory)
    tokens: list[int] = []
    log_p, checked = 0.0, 0
    hidden: list[np.ndarray] = []
    place, trust = 0, m  # in the guess: what comes next, and how much of it to try at once
    block = limit + 1  # tokens to draft before a check
    while True:
        ahead = guess[place : place + min(trust, limit - len(tokens))]
        states, past = decoder.step(
            np.concatenate((last, guessed[place : place + len(ahead)]))[None], past, memory
        )
        best = (states[0] @ drafter).argmax(axis=1)
        found = candidates[best].tolist()
        right = 0
        while right < len(ahead) and found[right] == ahead[right] != END:
            right += 1
        new = found[: right + 1]
        if len(tokens) + len(new) > limit:
            new[limit - len(tokens)] = END
        hidden.append(states[0, : len(new)])
        tokens += new
        if tokens[-1] != END and len(tokens) - checked < block:
            past = _cut(past, len(tokens))
            last = drafter[:, best[right]][None]
            place = _align(guess, place + right, tokens[-1])
            trust = max(2, 2 * right)
            continue
        scores = decoder.log_p(np.concatenate(hidden))
        wanted = scores.argmax(axis=1)
        if len(tokens) > limit:
            wanted[-1] = END
        wrong = np.flatnonzero(wanted != tokens[checked:])
        kept = wanted[: wrong[0] + 1 if len(wrong) else len(wanted)].tolist()
        log_p += float(scores[np.arange(len(kept)), kept].sum())
        behind = [token for token in tokens[checked + len(kept) :] if token != END]
        tokens[checked:] = kept
        if tokens[-1] == END:
            return Hypothesis(tuple(tokens[:-1]), log_p)
        # A draft that was soon wrong cost more than it won: draft less before the next check.
        block = 2 * len(kept) if not len(wrong) else max(1, 2 * (len(kept) - 1))
        checked = len(tokens)
        hidden = []
        past = _cut(past, checked)
        fresh = decoder.vectors([tokens[-1], *behind])
        last, place = fresh[:1], _align(guess, place, tokens[-1])
        if behind:  # what was drafted behind a wrong token is often right behind the right one
            guess, guessed, place, trust = behind, fresh[1:], 0, len(behind)


def _cut(past: np.ndarray, length: int) -> np.ndarray:
    """The cache of the first `length` tokens."""
    return past if past.shape[2] == length else np.ascontiguousarray(past[:, :, :length])


def _align(guess: list[int], place: int, token: int) -> int:
    """Where the guess goes on after a token: behind it, as the languages' orders differ; if it is
    not there, one further."""
    if token not in guess:
        return place + 1
    return guess.index(token, place if token in guess[place:] else 0) + 1
