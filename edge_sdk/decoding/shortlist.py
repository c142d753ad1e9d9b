"""Likely targets of each source token: what a draft is guessed from and chooses from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from edge_sdk.errors import BundleError
from edge_sdk.query_tokenizer import END

if TYPE_CHECKING:
    from edge_sdk.bundle import Bundle
    from edge_sdk.section import Section


class Shortlist:
    """A lexical table in rows of different lengths. END, which every source has, stands for what
    any source may give, such as function words."""

    def __init__(self, starts: np.ndarray, targets: np.ndarray) -> None:
        """Source token i may give targets[starts[i]:starts[i + 1]], the likeliest first; END there
        means nothing.

        Integers [V + 1] and [n].
        """
        self._starts = starts.tolist()
        self._targets = targets.astype(np.int32)
        filled = np.minimum(starts[:-1], max(0, len(targets) - 1))
        first = self._targets[filled] if len(targets) else np.zeros(len(filled), np.int32)
        own = np.arange(len(filled), dtype=np.int32)
        self._likeliest = np.where(np.diff(starts) > 0, first, own).tolist()

    @classmethod
    def read(cls, bundle: Bundle, section: Section) -> Shortlist:
        """Read the files that a pipeline names. Raises BundleError where they contradict each other."""
        section.only("starts", "targets")
        starts = bundle.read_array(section.text("starts"))
        targets = bundle.read_array(section.text("targets"))
        plain = all(array.ndim == 1 and array.dtype.kind in "iu" for array in (starts, targets))
        if not plain or len(starts) <= END + 1 or starts[0] != 0 or starts[-1] != len(targets):
            raise _wrong("starts do not cut targets")
        if (np.diff(starts.astype(np.int64)) < 0).any():
            raise _wrong("starts fall")
        if targets.size and not 0 <= targets.min() <= targets.max() < len(starts) - 1:
            raise _wrong("a target is no token")
        return cls(starts, targets)

    def guess(self, source: Sequence[int]) -> list[int]:
        """The likeliest target of each token of a source; its own id where none is known."""
        return [target for i in source if (target := self._likeliest[i]) != END]

    def candidates(self, source: Sequence[int]) -> np.ndarray:
        """int32 [c]: END, the source's own tokens and what they may give; some several times."""
        rows = [self._targets[self._starts[i] : self._starts[i + 1]] for i in source]
        return np.concatenate((np.array(source, np.int32), [np.int32(END)], *rows))


def _wrong(what: str) -> BundleError:
    return BundleError("bundle_schema", f"the shortlist's {what}", "export the bundle again")
