"""Kernels: what no inference engine does for a phone, in three faces with the same functions and results.

`native` is the C core behind Cython, `numba` compiles the same loops at run time (extra `[numba]`), `reference`
is readable NumPy and plain Python: the oracle of the tests and the fallback. One face is picked when this package
is imported; EDGE_SDK_KERNELS=native|numba|reference forces one. A function is imported when it is first asked for.
"""

from __future__ import annotations

import importlib
import os
import warnings
from typing import Any

from edge_sdk.errors import KernelError
from edge_sdk.kernels.labels import TagLabels
from edge_sdk.kernels.phrase_scheme import PhraseScheme
from edge_sdk.kernels.scheme import HashScheme

# concept (one module in every face) -> the names it gives
_MODULES = {
    "fingerprint": ("fingerprints", "bloom_counts", "project"),
    "tags": ("TagDecoder", "viterbi", "viterbi_nbest", "argmax_tags", "bio_masks"),
    "posteriors": ("TagPosteriors",),
    "spans": ("tag_spans", "span_scores"),
    "trie": ("Trie", "Overlay"),
    "characters": ("character_inputs", "lexicon_features"),
    "lattice": ("best_path", "extract_borders", "cut_borders", "link_borders", "segment"),
    "vectors": ("nearest",),
    "ngrams": ("phrase_ngrams", "phrase_ngrams_many"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}
_FACES = {  # how a face names its module of a concept
    "native": "edge_sdk.kernels.native._{}",
    "numba": "edge_sdk.kernels.numba.{}",
    "reference": "edge_sdk.kernels.reference.{}",
}

__all__ = ["HashScheme", "PhraseScheme", "TagLabels", "implementation", *_MODULE_OF]

_HOW_TO_BUILD = "install a C compiler and the Python headers, then install edge-sdk again"


def _importable(face: str) -> str | None:
    """None if the face can run here, else why not."""
    try:
        if face == "numba":
            importlib.import_module("numba")
        elif face == "native":
            importlib.import_module(_FACES["native"].format("fingerprint"))
    except ImportError as error:
        return str(error)
    return None


def _pick() -> tuple[str, str]:
    forced = os.environ.get("EDGE_SDK_KERNELS", "")
    if forced:
        if forced not in _FACES:
            raise KernelError(
                "unknown_kernels",
                f"EDGE_SDK_KERNELS is {forced!r}",
                f"set it to one of {', '.join(_FACES)}, or unset it",
            )
        missing = _importable(forced)
        if missing is not None:
            hint = "pip install 'edge-sdk[numba]'" if forced == "numba" else _HOW_TO_BUILD
            raise KernelError("kernels_missing", f"EDGE_SDK_KERNELS={forced}, but: {missing}", hint)
        return forced, "forced by EDGE_SDK_KERNELS"
    missing = _importable("native")
    if missing is None:
        return "native", "the compiled extension is installed"
    warnings.warn(
        f"edge_sdk runs on its slow reference kernels: {missing}. {_HOW_TO_BUILD}", RuntimeWarning, stacklevel=2
    )
    return "reference", f"the compiled extension is missing: {missing}"


_NAME, _REASON = _pick()


def implementation() -> tuple[str, str]:
    """The face in use ("native", "numba" or "reference") and why it was picked."""
    return _NAME, _REASON


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_FACES[_NAME].format(_MODULE_OF[name])), name)
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
