"""Texts to numbers of units, for models that have a table of embeddings."""

from __future__ import annotations

from collections.abc import Sequence

from edge_sdk.errors import BundleError


class TokenIds:
    """A whole `tokenizer.json` (normaliser, splitting, units), and the marks around a text.

    Its own rules for marks, padding and truncation are not used. Safe to share between threads.
    """

    def __init__(
        self, data: bytes | memoryview, start: Sequence[int] = (), end: Sequence[int] = ()
    ) -> None:
        """Read the bytes of a `tokenizer.json`. Raises BundleError (`tokenizer_invalid`)."""
        import edge_sdk.tokenizer  # noqa: F401  turns the library's thread pool off
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_buffer(bytes(data))
        except Exception as error:  # the library raises bare Exception
            raise BundleError(
                "tokenizer_invalid",
                f"tokenizer.json cannot be read: {error}",
                "export the bundle again",
            ) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._start, self._end = list(start), list(end)

    def __call__(self, text: str) -> list[int]:
        """Numbers of the units of a text, marks included. Lone surrogates become U+FFFD."""
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        units = self._tokenizer.encode(text, add_special_tokens=False).ids
        return [*self._start, *units, *self._end]
