"""Words to features: subword units, MinHash fingerprints, counting Bloom filter, with a cache.

The paper's projection layer (pNLP-Mixer, section 3.1) with its optional cache.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from weakref import WeakValueDictionary

import numpy as np

from edge_sdk.kernels import HashScheme, project
from edge_sdk.tokenizer import SubwordTokenizer

CACHED_WORDS = 4096
"""Most words that one cache holds."""
CACHED_LENGTH = 64
"""Longer words, in code points, are not kept: they do not come back, and would not be bounded."""


class Projection:
    """From words to the features that a mixer reads. Safe to share between threads.

    Real text repeats its words, so each word's features are kept. Projections with the same
    tokenizer, hash scheme and number of features share one cache, which is freed with the last
    of them. It holds at most 4,096 words at about n_features + 150 bytes each, so 4.8 MB for
    1,024 features once that many different words were seen, and less before.
    """

    def __init__(
        self,
        tokenizer: SubwordTokenizer,
        scheme: HashScheme,
        n_features: int,
        *,
        fold_case: bool = False,
    ) -> None:
        """`fold_case`: words are read as `SubwordTokenizer.folded_units` says."""
        self.tokenizer = tokenizer
        self.scheme = scheme
        self.n_features = n_features
        self.fold_case = fold_case
        self.cache = _shared_cache((tokenizer.sha256, scheme, n_features, fold_case))

    def __call__(self, words: Sequence[str]) -> np.ndarray:
        """Features of words.

        Args:
            words: normalised words (`edge_sdk.text`), none of them empty.

        Returns:
            uint8[len(words), n_features], read-only: counts of the word's fingerprint values by
            residue, capped at 255. No row is all zero.
        """
        try:
            rows = b"".join(map(self.cache.recent.__getitem__, words))
        except KeyError:
            rows = b"".join(self._rows(words))
        return np.frombuffer(rows, np.uint8).reshape(len(words), self.n_features)

    def _rows(self, words: Sequence[str]) -> list[bytes]:
        rows: dict[str, bytes] = {}
        missing = []
        for word in dict.fromkeys(words):
            row = self.cache.get(word)
            if row is None:
                missing.append(word)
            else:
                rows[word] = row
        if missing:
            read = self.tokenizer.folded_units if self.fold_case else self.tokenizer.units
            units = read(missing)
            features = project(units, self.scheme, self.n_features)
            rows.update((word, row.tobytes()) for word, row in zip(missing, features, strict=True))
        self.cache.keep(rows)
        return [rows[word] for word in words]


class FeatureCache:
    """Feature rows by word, bounded: two generations, of which the older is dropped as a whole.

    That forgets words by about their last use without any bookkeeping on a hit. The rows are
    immutable, so a reader never sees one change under it.
    """

    def __init__(self, capacity: int = CACHED_WORDS) -> None:
        self.recent: dict[str, bytes] = {}
        self._older: dict[str, bytes] = {}
        self._half = capacity // 2
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.recent.keys() | self._older.keys())

    def get(self, word: str) -> bytes | None:
        return self.recent.get(word) or self._older.get(word)

    def keep(self, rows: dict[str, bytes]) -> None:
        """Take rows in, as the most recent ones."""
        with self._lock:
            for word, row in rows.items():
                if len(word) > CACHED_LENGTH:
                    continue
                if len(self.recent) >= self._half and word not in self.recent:
                    self._older, self.recent = self.recent, {}
                self.recent[word] = row


_CacheKey = tuple[str, HashScheme, int, bool]
_CACHES: WeakValueDictionary[_CacheKey, FeatureCache] = WeakValueDictionary()
_CACHES_LOCK = threading.Lock()


def _shared_cache(key: _CacheKey) -> FeatureCache:
    with _CACHES_LOCK:
        cache = _CACHES.get(key)
        if cache is None:
            _CACHES[key] = cache = FeatureCache()
        return cache
