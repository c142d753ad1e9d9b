"""The hash scheme: every constant that decides a fingerprint, shared by training, runtime and all faces."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property

from edge_sdk.errors import KernelError

MAX_NGRAM = 16
MAX_HASHES = 65536
_MASK64 = (1 << 64) - 1


def splitmix64(state: int, count: int) -> list[int]:
    """The first `count` outputs of SplitMix64 (Steele, Lea and Flood 2014) started at `state`."""
    outputs = []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & _MASK64
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK64
        outputs.append(z ^ (z >> 31))
    return outputs


@dataclass(frozen=True)
class HashScheme:
    """How a token becomes a MinHash fingerprint (pNLP-Mixer, section 3.1; the paper leaves the hashes open).

    A string's hash is XXH64 of its UTF-8 bytes with `seed`, folded to 32 bits: x = (h ^ h >> 32) mod 2^32.
    Hash function i of n maps it to v ^ (v >> 16), v = (x ^ s_i) * a_i mod 2^32, where s_i is the low half of
    the i-th output of SplitMix64 started at `seed` and a_i its high half, made odd.

    Attributes:
        seed: 0 to 2^64 - 1, of the string hash and of the constants.
        n_hashes: values in a fingerprint, 1 to 65536.
        ngram_min, ngram_max: lengths of the n-grams in code points, 1 to 16. A unit shorter than `ngram_min`
            is its own single n-gram.
        boundaries: wrap a unit that is no continuation in U+0002 and U+0003 before its n-grams are taken, so
            that those at its ends differ from the same letters in its middle.

    Raises:
        KernelError: `bad_scheme`, naming the field out of range.
    """

    seed: int = 0
    n_hashes: int = 256
    ngram_min: int = 3
    ngram_max: int = 3
    boundaries: bool = False

    def __post_init__(self) -> None:
        for name, low, high in (
            ("seed", 0, _MASK64),
            ("n_hashes", 1, MAX_HASHES),
            ("ngram_min", 1, MAX_NGRAM),
            ("ngram_max", self.ngram_min, MAX_NGRAM),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= high:
                raise KernelError(
                    "bad_scheme",
                    f"hash scheme: {name} is {value!r}",
                    f"give an integer from {low} to {high}",
                )

    @cached_property
    def constants(self) -> bytes:
        """uint32[2, n_hashes] in native byte order: row 0 holds the seeds s_i, row 1 the multipliers a_i."""
        stream = splitmix64(self.seed, self.n_hashes)
        seeds = [r & 0xFFFFFFFF for r in stream]
        multipliers = [(r >> 32) | 1 for r in stream]
        return struct.pack(f"={2 * self.n_hashes}I", *seeds, *multipliers)
