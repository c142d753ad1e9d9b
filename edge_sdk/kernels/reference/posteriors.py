"""Posterior probabilities of tags under a linear-chain CRF, by the forward-backward algorithm."""

from __future__ import annotations

import numpy as np

from edge_sdk.kernels.checks import check_path, check_transitions, no_path

_NEVER = -np.inf


class TagPosteriors:
    """How sure a CRF is of each tag of a path, whatever the other tags are. Safe to share between threads.

    Args and errors as `TagDecoder`: transitions, start, end, and the masks of what is allowed.
    """

    def __init__(
        self,
        transitions: np.ndarray,
        start: np.ndarray,
        end: np.ndarray,
        allowed: np.ndarray | None = None,
        allowed_start: np.ndarray | None = None,
        allowed_end: np.ndarray | None = None,
    ) -> None:
        check_transitions(transitions, start, end, allowed, allowed_start, allowed_end)
        self.n_tags = len(start)
        self._transitions = _masked(transitions, allowed)
        self._start = _masked(start, allowed_start)
        self._end = _masked(end, allowed_end)

    def __call__(self, emissions: np.ndarray, tags: np.ndarray) -> np.ndarray:
        """The probability of each given tag at its token.

        Args:
            emissions: float32[n, T], one row a token.
            tags: int32[n], such as `TagDecoder.decode` gives.

        Returns:
            float64[n], 0 to 1. The faces agree to 1e-5.

        Raises:
            KernelError: `bad_scores`, `not_a_number`, `bad_tags`, `bad_tag`, or `no_path` if the masks leave none.
        """
        check_path(emissions, tags, self.n_tags)
        n_tokens = len(emissions)
        if n_tokens == 0:
            return np.empty(0)
        scores = emissions.astype(np.float64)
        before = np.empty(scores.shape)  # log of the summed weights of all ways to a tag, its own score included
        before[0] = self._start + scores[0]
        for token in range(1, n_tokens):
            before[token] = np.logaddexp.reduce(before[token - 1][:, None] + self._transitions, axis=0) + scores[token]
        after = np.empty(scores.shape)  # likewise of all ways from a tag to the end
        after[-1] = self._end
        for token in range(n_tokens - 1, 0, -1):
            after[token - 1] = np.logaddexp.reduce(self._transitions + scores[token] + after[token], axis=1)
        total = np.logaddexp.reduce(before[-1] + after[-1])
        if total == _NEVER:
            raise no_path()
        places = np.arange(n_tokens), tags
        return np.minimum(np.exp(before[places] + after[places] - total), 1.0)


def _masked(scores: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    wide = scores.astype(np.float64)
    return wide if mask is None else np.where(np.asarray(mask, bool), wide, _NEVER)
