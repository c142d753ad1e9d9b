"""How a phrase becomes numbers: every constant that decides them, shared by training, runtime and all faces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge_sdk.errors import KernelError

MAX_NGRAM = 16
MAX_WORDS = 8
MAX_BUCKETS = 1 << 24


@dataclass(frozen=True)
class PhraseScheme:
    """Hashed character n-grams and runs of words of a phrase.

    Words are what stands between spaces (U+0020). The features of a phrase are, in this order:

    1. for n from `ngram_min` to `ngram_max` every window of n code points of the phrase with a space
       before it and U+0003 after it (they cross words): group n;
    2. for k from 1 to `word_max` every run of k neighbouring words with the spaces around and between
       them: group 64 + k;
    3. unless `word_max` is 0, the last word once more with a space on either side, since the last word
       of an English term is its head: group 64.

    A feature's hash is 32-bit FNV-1a over its group and then its code points, each taken as one unit,
    followed by the finaliser of MurmurHash3. Scaled to the buckets of its kind by multiply-shift, it is a
    number from 1 to `ngram_buckets` for a window, and one of the `word_buckets` numbers after that for
    words. 0 is no feature's number.

    Raises:
        KernelError: `bad_scheme`, naming the field out of range.
    """

    ngram_min: int = 3
    ngram_max: int = 5
    word_max: int = 2
    ngram_buckets: int = 1 << 16
    word_buckets: int = 1 << 16

    def __post_init__(self) -> None:
        for name, low, high in (
            ("ngram_min", 1, MAX_NGRAM),
            ("ngram_max", self.ngram_min, MAX_NGRAM),
            ("word_max", 0, MAX_WORDS),
            ("ngram_buckets", 1, MAX_BUCKETS),
            ("word_buckets", 1, MAX_BUCKETS),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= high:
                raise KernelError(
                    "bad_scheme", f"phrase scheme: {name} is {value!r}", f"give an integer from {low} to {high}"
                )


def check_phrases(texts: object, scheme: object) -> None:
    """Raises KernelError `bad_scheme` or `bad_text`, naming the text; all faces use it."""
    if not isinstance(scheme, PhraseScheme):
        raise KernelError("bad_scheme", f"scheme is a {type(scheme).__name__}", "give a PhraseScheme")
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise KernelError("bad_text", f"texts is a {type(texts).__name__}", "give a list of str")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise KernelError("bad_text", f"text {i} is a {type(text).__name__}", "give a str")
