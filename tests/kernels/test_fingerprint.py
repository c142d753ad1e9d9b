"""Fingerprints and Bloom features: published vectors, an independent XXH64, a naive oracle, and every face."""

from __future__ import annotations

import importlib
import threading

import numpy as np
import pytest
import xxhash
from faces import outcome
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.errors import KernelError
from edge_sdk.kernels import HashScheme
from edge_sdk.kernels.reference.fingerprint import xxh64
from edge_sdk.kernels.scheme import splitmix64

reference = importlib.import_module("edge_sdk.kernels.reference.fingerprint")

# Units with what the kernels treat apart: "##", both boundary marks, NUL, one to four byte code points.
UNITS = st.text(
    st.one_of(st.sampled_from("ab##\x00\x02\x03é漢😀"), st.characters(exclude_categories=["Cs"])), max_size=12
)
TOKENS = st.lists(st.lists(st.one_of(UNITS, UNITS.map("##{}".format)), max_size=4), max_size=5)
SCHEMES = st.builds(
    lambda seed, n_hashes, low, more, boundaries: HashScheme(seed, n_hashes, low, min(low + more, 16), boundaries),
    st.integers(0, 2**64 - 1),
    st.integers(1, 140),
    st.integers(1, 16),
    st.integers(0, 4),
    st.booleans(),
)


def naive_fingerprint(token: list[str], scheme: HashScheme) -> list[int]:
    """The definition, with an independent XXH64 and Python's integers."""
    strings = []
    for index, unit in enumerate(token):
        if index and unit[:2] == "##":
            strings.append(unit)
        elif unit:
            text = "\x02" + unit + "\x03" if scheme.boundaries else unit
            lengths = range(scheme.ngram_min, scheme.ngram_max + 1)
            grams = [text[i : i + n] for n in lengths for i in range(len(text)) if i + n <= len(text)]
            strings += grams or [text]
    values = []
    for r in splitmix64(scheme.seed, scheme.n_hashes):
        low = 2**32 - 1
        for string in strings:
            h = xxhash.xxh64_intdigest(string.encode(), scheme.seed)
            v = ((h ^ h >> 32) % 2**32 ^ r % 2**32) * (r >> 32 | 1) % 2**32
            low = min(low, v ^ v >> 16)
        values.append(low)
    return values


def test_xxh64_published_vectors():
    """XSUM_XXH64_testdata of the xxHash repository: prefixes of its generated buffer, two seeds."""
    prime32, prime64 = 2654435761, 11400714785074694797
    generator, buffer = prime32, bytearray()
    for _ in range(222):
        buffer.append(generator >> 56)
        generator = generator * prime64 % 2**64
    vectors = {
        (0, 0): 0xEF46DB3751D8E999,
        (0, prime32): 0xAC75FDA2929B17EF,
        (1, 0): 0xE934A84ADB052768,
        (1, prime32): 0x5014607643A9B4C3,
        (4, 0): 0x9136A0DCA57457EE,
        (14, 0): 0x8282DCC4994E35C8,
        (14, prime32): 0xC3BD6BF63DEB6DF0,
        (222, 0): 0xB641AE8CB691C174,
        (222, prime32): 0x20CB8AB7AE10C14A,
    }
    for (size, seed), expected in vectors.items():
        assert xxh64(bytes(buffer[:size]), seed) == expected


@given(st.binary(max_size=200), st.integers(0, 2**64 - 1))
def test_xxh64_equals_the_independent_package(data, seed):
    assert xxh64(data, seed) == xxhash.xxh64_intdigest(data, seed)


def test_splitmix64_published_vectors():
    """The stream from seed 1234567 that Rosetta Code publishes, and from 0 as in the xoshiro authors' tests."""
    assert splitmix64(1234567, 3) == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert splitmix64(0, 2) == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]


@pytest.mark.parametrize("size", [1, 3, 4, 7, 8, 12, 31, 32, 33, 64, 100, 1000])
def test_string_hash_of_every_face_is_xxh64(face, size):
    """One string's values can be inverted to its hash: v ^ v >> 16 is its own inverse, a is odd."""
    scheme = HashScheme(seed=12345, n_hashes=3, ngram_min=16, ngram_max=16)
    text = "##" + "x" * (size - 2) if size > 2 else "x" * size
    h = xxhash.xxh64_intdigest(text.encode(), scheme.seed)
    values = face("fingerprint").fingerprints([["", text]], scheme)[0]
    for value, r in zip(values.tolist(), splitmix64(scheme.seed, 3)):
        assert (value ^ value >> 16) * pow(r >> 32 | 1, -1, 2**32) % 2**32 ^ r % 2**32 == (h ^ h >> 32) % 2**32


@given(tokens=TOKENS, scheme=SCHEMES)
def test_fingerprints_equal_the_naive_oracle(face, tokens, scheme):
    result = face("fingerprint").fingerprints(tokens, scheme)
    assert result.dtype == np.uint32
    assert result.shape == (len(tokens), scheme.n_hashes)
    assert result.tolist() == [naive_fingerprint(token, scheme) for token in tokens]


@given(tokens=TOKENS, scheme=SCHEMES, n_features=st.one_of(st.sampled_from([1, 64, 512]), st.integers(1, 600)))
def test_features_equal_the_naive_oracle(face, tokens, scheme, n_features):
    expected = np.zeros((len(tokens), n_features), int)
    for row, token in zip(expected, tokens):
        if any(token):
            for value in naive_fingerprint(token, scheme):
                row[value % n_features] = min(row[value % n_features] + 1, 255)
    kernels = face("fingerprint")
    features = kernels.project(tokens, scheme, n_features)
    assert features.dtype == np.uint8
    assert np.array_equal(features, expected)
    assert np.array_equal(features, kernels.bloom_counts(kernels.fingerprints(tokens, scheme), n_features))


def test_the_papers_examples(face):
    """F^Bring is the minimum over its trigrams; F^Bringing the minimum of F^Bring and F^##ing (section 3.1)."""
    scheme = HashScheme()
    kernels = face("fingerprint")
    bri, rin, ing, bring, bringing, rest = kernels.fingerprints(
        [["Bri"], ["rin"], ["ing"], ["Bring"], ["Bring", "##ing"], ["", "##ing"]], scheme
    )
    assert np.array_equal(bring, np.minimum(np.minimum(bri, rin), ing))
    assert np.array_equal(bringing, np.minimum(bring, rest))
    assert kernels.project([["Bring", "##ing"]], scheme, 512).sum() == 256


def test_bigger_fingerprints_match_in_the_jaccard_share(face):
    """MinHash: two strings' values agree in about the Jaccard similarity of their n-gram sets (Broder 1997)."""
    scheme = HashScheme(n_hashes=8192)
    a, b = face("fingerprint").fingerprints([["abcdefgh"], ["abcdefxy"]], scheme)
    assert abs((a == b).mean() - 4 / 8) < 0.03  # five standard deviations


def test_counts_stop_at_255(face):
    kernels = face("fingerprint")
    for n_hashes in (254, 255, 256, 300):
        assert kernels.project([["word"]], HashScheme(n_hashes=n_hashes), 1).tolist() == [[min(n_hashes, 255)]]


def test_tokens_without_strings_are_padding(face):
    kernels = face("fingerprint")
    tokens = [[], [""], ["", ""], ("a",)]
    assert (kernels.fingerprints(tokens, HashScheme())[:3] == 0xFFFFFFFF).all()
    assert kernels.project(tokens, HashScheme(), 512).any(axis=1).tolist() == [False, False, False, True]
    assert kernels.project([], HashScheme(), 512).shape == (0, 512)


def test_results_are_written_in_place(face):
    memory = np.full((4, 512), 7, np.uint8)
    out = memory[1:3]
    tokens = [["wake"], []]
    assert face("fingerprint").project(tokens, HashScheme(), 512, out) is out
    assert np.array_equal(out, reference.project(tokens, HashScheme(), 512))
    assert (memory[[0, 3]] == 7).all()


def test_many_and_long_tokens(face):
    """Beyond every buffer that is on the stack: 10,000 tokens, a unit of 100,000 code points, 2,000 hashes."""
    kernels, scheme = face("fingerprint"), HashScheme(n_hashes=16, ngram_min=2, ngram_max=4, boundaries=True)
    tokens = [[f"w{i % 50}", "##é"] for i in range(10_000)]
    features = kernels.project(tokens, scheme, 32)
    assert np.array_equal(features[:50], reference.project(tokens[:50], scheme, 32))
    assert np.array_equal(features, np.tile(features[:50], (200, 1)))
    long = [["ab漢" * 33_333]]
    wide = HashScheme(n_hashes=2000)
    assert np.array_equal(kernels.project(long, scheme, 64), reference.project(long, scheme, 64))
    assert np.array_equal(kernels.project([["ab"]], wide, 64), reference.project([["ab"]], wide, 64))


def locked(array):
    array.flags.writeable = False
    return array


SCHEME = HashScheme()
WRONG = {
    "tokens": (("ab", SCHEME, 8), "bad_tokens"),
    "token is a str": (([["a"], "ab"], SCHEME, 8), "bad_token"),
    "unit is bytes": (([["a"], ["b", b"c"]], SCHEME, 8), "bad_token"),
    "unit is None": (([["a", None]], SCHEME, 8), "bad_token"),
    "lone surrogate": (([["a"], ["b", "c\ud800"]], SCHEME, 8), "bad_token"),
    "surrogates that look like a pair": (([["\ud83d", "\ude00"]], SCHEME, 8), "bad_token"),
    "no features": (([["a"]], SCHEME, 0), "bad_features"),
    "features too many": (([["a"]], SCHEME, 2**24 + 1), "bad_features"),
    "features a float": (([["a"]], SCHEME, 8.0), "bad_features"),
    "features huge": (([["a"]], SCHEME, 2**70), "bad_features"),
    "scheme": (([["a"]], {"seed": 0}, 8), "bad_scheme"),
    "out of another shape": (([["a"]], SCHEME, 8, np.zeros((2, 8), np.uint8)), "bad_out"),
    "out of another rank": (([["a"]], SCHEME, 8, np.zeros(8, np.uint8)), "bad_out"),
    "out of int8": (([["a"]], SCHEME, 8, np.zeros((1, 8), np.int8)), "bad_out"),
    "out of bool": (([["a"]], SCHEME, 8, np.zeros((1, 8), bool)), "bad_out"),
    "out of a list": (([["a"]], SCHEME, 8, [[0] * 8]), "bad_out"),
    "out of bytes": (([["a"]], SCHEME, 8, bytearray(8)), "bad_out"),
    "out in columns": (([["a"], ["b"]], SCHEME, 8, np.zeros((2, 8), np.uint8, order="F")), "bad_out"),
    "out read-only": (([["a"]], SCHEME, 8, locked(np.zeros((1, 8), np.uint8))), "bad_out"),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_name_the_argument_in_every_face(face, case):
    arguments, code = WRONG[case]
    result = outcome(face("fingerprint").project, *arguments)
    assert result[0] == code
    assert result == outcome(reference.project, *arguments)


def test_the_error_says_which_token(face):
    with pytest.raises(KernelError, match=r"token 1 .*U\+D800"):
        face("fingerprint").fingerprints([["a"], ["b", "c\ud800"]], SCHEME)


@pytest.mark.parametrize("values", [np.zeros((1, 2), np.int32), np.zeros(2, np.uint32), [[1]]])
def test_bloom_counts_refuses_what_is_no_fingerprint(face, values):
    with pytest.raises(KernelError, match="fingerprints"):
        face("fingerprint").bloom_counts(values, 8)


@pytest.mark.parametrize(
    "field",
    [{"seed": -1}, {"seed": 2**64}, {"seed": "0"}, {"n_hashes": 0}, {"ngram_min": 0}, {"ngram_max": 17}, {"ngram_max": 2}],
)
def test_a_scheme_out_of_range_is_refused(field):
    with pytest.raises(KernelError, match=next(iter(field))):
        HashScheme(**field)


def test_threads_may_share_everything_and_change_their_lists(face):
    """The native face lets go of the interpreter's lock: units must stay alive although their lists are emptied."""
    kernels, tokens = face("fingerprint"), [[f"wörd-{i}", f"##{i}"] for i in range(400)]
    expected = reference.project(tokens, SCHEME, 128)
    results = []

    def work():
        mine = [[unit + "" for unit in token] for token in tokens]
        for _ in range(5):
            results.append(kernels.project(mine, SCHEME, 128))
        shared[:] = []

    shared = [["x" * 50 + str(i)] for i in range(1000)]
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while shared:
        kernels.project(list(shared), SCHEME, 128)
    for thread in threads:
        thread.join()
    assert len(results) == 20
    assert all(np.array_equal(result, expected) for result in results)
