"""Argument checks that all faces share, so that they raise the same errors in the same order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_sdk.errors import KernelError
from edge_sdk.kernels.labels import TagLabels
from edge_sdk.kernels.scheme import HashScheme

MAX_FEATURES = 1 << 24
MAX_TAGS = 4096
MAX_SCORE = 1e30  # sums of scores cannot overflow float32, so that no infinity or NaN arises on the way
MAX_NBEST = 1024


def check_scheme(scheme: HashScheme) -> None:
    """Raises KernelError `bad_scheme` for anything but a HashScheme."""
    if not isinstance(scheme, HashScheme):
        raise KernelError("bad_scheme", f"scheme is a {type(scheme).__name__}", "give a HashScheme")


def check_tokens(tokens: Sequence[Sequence[str]]) -> None:
    """Raises KernelError `bad_tokens` or `bad_token`, naming the token."""
    if not isinstance(tokens, (list, tuple)):
        raise KernelError("bad_tokens", f"tokens is a {type(tokens).__name__}", "give a list of lists of str")
    for index, token in enumerate(tokens):
        if not isinstance(token, (list, tuple)) or not all(isinstance(unit, str) for unit in token):
            raise KernelError(
                "bad_token", f"token {index} is not a list of str", "give each token as the list of its subword units"
            )
        try:
            "\0".join(token).encode()
        except UnicodeEncodeError as error:
            raise KernelError(
                "bad_token",
                f"token {index} holds a lone surrogate (U+{ord(error.object[error.start]):04X})",
                "replace lone surrogates, for example text.encode('utf-8', 'replace').decode()",
            ) from None


def check_features(n_features: int) -> None:
    """Raises KernelError `bad_features` for anything but an integer from 1 to 2^24."""
    if not isinstance(n_features, int) or not 1 <= n_features <= MAX_FEATURES:
        raise KernelError("bad_features", f"n_features is {n_features!r}", f"give an integer from 1 to {MAX_FEATURES}")


def check_fingerprints(fingerprints: np.ndarray) -> None:
    """Raises KernelError `bad_fingerprints` for anything but a uint32 matrix."""
    if not isinstance(fingerprints, np.ndarray) or fingerprints.dtype != np.uint32 or fingerprints.ndim != 2:
        raise KernelError("bad_fingerprints", "fingerprints is no uint32 matrix", "give what fingerprints() returned")


def check_out(out: np.ndarray, shape: tuple[int, int]) -> None:
    """Raises KernelError `bad_out` unless `out` is a writable C-contiguous uint8 array of this shape."""
    if not (
        isinstance(out, np.ndarray)
        and out.dtype == np.uint8
        and out.shape == shape
        and out.flags.c_contiguous
        and out.flags.writeable
    ):
        raise KernelError(
            "bad_out", "out does not fit the result", f"give a writable C-contiguous uint8 array of shape {shape}"
        )


def _check_scores(name: str, scores: np.ndarray, shape: tuple[int | None, ...]) -> None:
    """float32 of this shape (None: any size there, but columns at least 1)."""
    fits = isinstance(scores, np.ndarray) and scores.dtype == np.float32 and scores.ndim == len(shape)
    if not fits or any(want not in (None, have) for want, have in zip(shape, scores.shape)):
        expected = ", ".join("n" if size is None else str(size) for size in shape)
        found = f"{scores.dtype}{list(scores.shape)}" if isinstance(scores, np.ndarray) else type(scores).__name__
        raise KernelError("bad_scores", f"{name} is {found}", f"give float32[{expected}]")


def _check_values(name: str, scores: np.ndarray) -> None:
    wrong = ~((np.abs(scores) <= MAX_SCORE) | (scores == -np.inf))
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise KernelError(
            "not_a_number",
            f"{name}{list(place)} is {scores[place]}",
            f"scores are at most {MAX_SCORE:g} in size, or minus infinity",
        )


def check_transitions(
    transitions: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    allowed: np.ndarray | None,
    allowed_start: np.ndarray | None,
    allowed_end: np.ndarray | None,
) -> None:
    """Raises KernelError `bad_scores`, `bad_mask` or `not_a_number`, naming the argument."""
    _check_scores("transitions", transitions, (None, None))
    n_tags = len(transitions)
    if not 1 <= n_tags <= MAX_TAGS:
        raise KernelError("bad_scores", f"transitions has {n_tags} tags", f"give 1 to {MAX_TAGS}")
    _check_scores("transitions", transitions, (n_tags, n_tags))
    _check_scores("start", start, (n_tags,))
    _check_scores("end", end, (n_tags,))
    masks = (("allowed", allowed, (n_tags, n_tags)), ("allowed_start", allowed_start, (n_tags,)))
    for name, mask, shape in (*masks, ("allowed_end", allowed_end, (n_tags,))):
        if mask is not None and not (
            isinstance(mask, np.ndarray) and mask.dtype in (np.uint8, np.bool_) and mask.shape == shape
        ):
            raise KernelError("bad_mask", f"{name} does not fit", f"give bool or uint8{list(shape)}, or None")
    for name, scores in (("transitions", transitions), ("start", start), ("end", end)):
        _check_values(name, scores)


def check_emissions(emissions: np.ndarray, n_tags: int | None) -> None:
    """Raises KernelError `bad_scores` or `not_a_number`; any number of tags from 1 will do if `n_tags` is None."""
    _check_scores("emissions", emissions, (None, n_tags))
    if emissions.shape[1] == 0:
        raise KernelError("bad_scores", "emissions has no tags", "give float32[n, T] with T at least 1")
    _check_values("emissions", emissions)


def check_nbest(n: int) -> None:
    """Raises KernelError `bad_nbest` for anything but an integer from 1 to 1024."""
    if not isinstance(n, int) or not 1 <= n <= MAX_NBEST:
        raise KernelError("bad_nbest", f"n is {n!r}", f"give an integer from 1 to {MAX_NBEST}")


def no_path() -> KernelError:
    """The error of masks and minus infinities that leave no path."""
    return KernelError("no_path", "no tag sequence is allowed", "loosen the masks: each tag needs a way to the end")


def check_labels(labels: TagLabels) -> None:
    """Raises KernelError `bad_labels` for anything but TagLabels."""
    if not isinstance(labels, TagLabels):
        raise KernelError("bad_labels", f"labels is a {type(labels).__name__}", "give TagLabels(names)")


def check_tags(tags: np.ndarray, n_tags: int) -> None:
    """Raises KernelError `bad_tags` (type or shape) or `bad_tag` (not from 0 to `n_tags` - 1), naming the token."""
    if not (isinstance(tags, np.ndarray) and tags.dtype == np.int32 and tags.ndim == 1):
        raise KernelError("bad_tags", "tags is no int32 vector", "give what viterbi() or argmax_tags() returned")
    wrong = np.flatnonzero((tags < 0) | (tags >= n_tags))
    if len(wrong):
        raise KernelError("bad_tag", f"token {wrong[0]} has tag {tags[wrong[0]]}", f"there are {n_tags} tags")


def check_path(emissions: np.ndarray, tags: np.ndarray, n_tags: int | None) -> None:
    """Raises what `check_emissions` and `check_tags` raise, and `bad_tags` unless there is one tag a row."""
    check_emissions(emissions, n_tags)
    check_tags(tags, emissions.shape[1])
    if len(tags) != len(emissions):
        raise KernelError(
            "bad_tags", f"there are {len(tags)} tags for {len(emissions)} rows of emissions", "give one a row"
        )


def check_span_arguments(emissions: np.ndarray, tags: np.ndarray, spans: Sequence[tuple[str, int, int]]) -> None:
    """Raises what the other checks raise, `bad_tags` if emissions and tags differ in length, and `bad_span` for a span
    that is empty or not within the tokens."""
    check_path(emissions, tags, None)
    n_tokens = len(emissions)
    if not isinstance(spans, (list, tuple)):
        raise KernelError("bad_span", f"spans is a {type(spans).__name__}", "give what tag_spans() returned")
    for span in spans:
        fits = type(span) is tuple and len(span) == 3 and type(span[1]) is int and type(span[2]) is int
        if not fits or not 0 <= span[1] < span[2] <= n_tokens:
            raise KernelError(
                "bad_span", f"span {span!r} does not fit {n_tokens} tokens", "give what tag_spans() returned"
            )
