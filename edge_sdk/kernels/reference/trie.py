"""Lexicon look-up: a static trie over code points, and changes to it while it runs.

The stored form is described in native/include/edge_kernels/trie.h; every face reads and writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from edge_sdk.kernels.lexicon import (
    DTYPES,
    Matches,
    Values,
    bad_trie,
    check_limit,
    check_start,
    check_text,
    check_value,
    check_values,
    check_word,
    check_words,
)
from edge_sdk.kernels.reference import trie_build as stored
from edge_sdk.kernels.reference.fingerprint import xxh64
from edge_sdk.kernels.reference.trie_build import CODE, LEAF, MOVED, PAGE, RARE, UNKNOWN, WORD_HERE, rare_symbols

_NONE = -1


class Trie:
    """A static lexicon: words, each with an int32 or a float32. Immutable, safe to share between threads.

    Example:
        >>> trie = Trie.build(["中国", "国家", "中国人"], [1.5, 2.0, 0.5])
        >>> trie.matches("中国人").ends.tolist()
        [2, 3]
    """

    def __init__(self, data: memoryview, verify: bool) -> None:
        self._data = data
        if len(data) < stored.HEADER.size:
            raise bad_trie("the stored data is damaged")
        magic, checksum, version, kind, size, *sizes, root = stored.HEADER.unpack_from(data)
        n_words, n_slots, n_tails, n_codes, n_index, n_pages, max_length = sizes
        if magic != stored.MAGIC:
            raise bad_trie("the stored data is damaged")
        if version != stored.VERSION:
            raise bad_trie("the stored data has a version or byte order that this build does not read")
        shapes = [(n_slots, 4), (-(-n_slots // 32) * 2, 4), (n_codes, 4), (n_slots, 2), (n_tails, 2), (n_index, 2)]
        shapes.append((n_pages * PAGE, 2))
        plausible = max(n_slots, n_tails, root) < WORD_HERE and max_length <= n_slots + n_tails
        plausible &= n_codes <= stored.DIRECT and kind < len(DTYPES) and n_index <= 0x110000 // PAGE
        if not plausible or not size == len(data) == stored.HEADER.size + sum(n * width for n, width in shapes):
            raise bad_trie("the stored data is damaged")
        at, sections = stored.HEADER.size, []
        for n, width in shapes:
            sections.append(np.frombuffer(data, f"<u{width}", n, at))
            at += n * width
        self._values, tails_of, self._code_points, self._checks, self._tails, self._index, pages = sections
        self._tails_of, self._pages = tails_of.reshape(-1, 2), pages.reshape(-1, PAGE)
        if (self._index >= n_pages).any():
            raise bad_trie("the stored data is damaged")
        if verify and checksum != xxh64(bytes(data[stored.UNHASHED :])):
            raise bad_trie("the stored data is damaged")
        self._root, self._n_words, self._n_codes = root, n_words, n_codes
        self.max_length: int = max_length
        self.dtype: np.dtype[Any] = DTYPES[kind]

    @classmethod
    def build(cls, words: Iterable[str], values: Values | None = None) -> Trie:
        """A trie of `words` in any order, each with its value; of equal words the last one counts.

        Args:
            words: non-empty strings of any characters.
            values: one a word, all int (stored as int32) or float (stored as float32); None numbers the words.

        Raises:
            KernelError: `bad_words`, `bad_word` or `bad_values`, naming the word.
        """
        listed = check_words(words)
        return cls.open(stored.build(listed, check_values(values, len(listed))), verify=False)

    @classmethod
    def open(cls, buffer: Any, *, verify: bool = True) -> Trie:
        """The trie that lies in `buffer` (bytes, memoryview, mmap...), in place.

        Args:
            buffer: what `to_bytes` gave, contiguous; it must not change while the trie is used.
            verify: False skips the checksum, for data that something else has verified. Damage then leads to wrong
                answers, but to no read outside the buffer.

        Raises:
            KernelError: `bad_trie`: not a trie, cut short, damaged, or of another version.
        """
        try:
            data = memoryview(buffer).cast("B")
        except (TypeError, ValueError) as error:
            raise bad_trie(str(error)) from None
        return cls(data, verify)

    def to_bytes(self) -> bytes:
        """The stored form. The same words and values give the same bytes, whatever their order was."""
        return bytes(self._data)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[bytes]]:
        return type(self).open, (self.to_bytes(),)

    def __len__(self) -> int:
        return self._n_words

    def __contains__(self, word: str) -> bool:
        return self.get(word) is not None

    def get(self, word: str, default: Any = None) -> Any:
        """The value of `word`, or `default`. Raises KernelError `bad_text`."""
        check_text(word)
        found = self._matches(word, 1)
        whole = found.ends == len(word)
        return found.values[whole][0].item() if whole.any() else default

    def longest(self, text: str, start: int = 0) -> tuple[int, int | float] | None:
        """(end, value) of the longest word that begins at `start`, or None. Raises `bad_text` or `bad_start`."""
        check_text(text)
        check_start(start, len(text))
        found = self._matches(text[start:], 1)
        return (start + int(found.ends[-1]), found.values[-1].item()) if len(found.ends) else None

    def matches(self, text: str) -> Matches:
        """All words at all positions of `text`. Raises KernelError `bad_text`.

        Time: at each position the length of the longest prefix of a word found there.
        """
        check_text(text)
        return self._matches(text, len(text))

    def prefix(self, prefix: str = "", limit: int | None = None) -> list[tuple[str, int | float]]:
        """The words that begin so with their values, in code point order, `limit` at most.

        Raises:
            KernelError: `bad_text`, `bad_limit`, or `bad_trie` if an unverified trie turns out to be damaged.
        """
        check_text(prefix)
        check_limit(limit)
        return list(islice(self._enumerate(tuple(self._spell(prefix)[0].tolist())), limit))

    def _spell(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """The symbols of a text, and for each the index of its character."""
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)
        known = points // PAGE < len(self._index)
        codes = np.full(len(points), UNKNOWN)
        codes[known] = self._pages[self._index[points[known] // PAGE], points[known] % PAGE]
        rare = codes == RARE
        if not rare.any():
            return codes, np.arange(len(points))
        characters = np.repeat(np.arange(len(points)), np.where(rare, 3, 1))
        symbols = codes[characters]
        symbols[symbols == RARE] = np.stack(rare_symbols(points[rare], self._n_codes), axis=1).ravel()
        return symbols, characters

    def _child(self, base: np.ndarray, symbol: np.ndarray) -> np.ndarray:
        """The slots of the children, -1 where there is none."""
        slot = base + symbol
        result = np.full(len(slot), _NONE)
        (near,) = np.nonzero(slot + 1 < len(self._checks))
        for moved in (MOVED, 0):  # the slot itself goes before the one after it
            there = slot[near] + (moved != 0)
            hit = (self._checks[there] & (CODE | MOVED)) == (symbol[near] | moved)
            result[near[hit]] = there[hit]
        return result

    def _tail_starts(self, slot: np.ndarray) -> np.ndarray:
        """Where the tails of leaves begin, -1 for a leaf without one."""
        first, bits = self._tails_of[slot // 32].astype(np.int64).T
        before = ((bits[:, None] >> np.arange(32)) & 1).cumsum(axis=1)  # up to and with this slot
        rank = np.take_along_axis(before, (slot % 32)[:, None], axis=1)[:, 0] - 1
        ends = np.append(np.flatnonzero(self._tails & LEAF) + 1, len(self._tails))
        skipped = ends[np.minimum(np.searchsorted(ends, first, "right") + rank - 1, len(ends) - 1)]
        tail = np.minimum(np.where(rank > 0, skipped, first), len(self._tails) - 1)
        return np.where(bits >> slot % 32 & 1, tail, _NONE)

    def _matches(self, text: str, n_starts: int) -> Matches:
        """The words at the first `n_starts` positions; all positions take a step of their walk at once."""
        symbols, character = self._spell(text)
        is_last = np.append(character[1:] != character[:-1], True)[: len(symbols)]  # of its character's symbols
        found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint32))]

        def add(start: np.ndarray, at: np.ndarray, slot: np.ndarray) -> None:
            ends_here = (slot != _NONE) & is_last[at]
            start, at, slot = start[ends_here], at[ends_here], slot[ends_here]
            found.append((character[start], character[at] + 1, self._values[slot]))

        (start,) = np.nonzero(np.append(True, character[1:] != character[:-1])[: len(symbols)])
        start = at = start[:n_starts]
        base = np.full(len(start), self._root)
        while len(at):
            slot = self._child(base, symbols[at])
            hit = slot != _NONE
            start, at, slot = start[hit], at[hit], slot[hit]
            leaf = (self._checks[slot] & LEAF) != 0
            tail = self._tail_starts(slot[leaf])
            whole = tail == _NONE
            add(start[leaf][whole], at[leaf][whole], slot[leaf][whole])
            self._follow_tails(symbols, start[leaf][~whole], at[leaf][~whole], slot[leaf][~whole], tail[~whole], add)
            start, at, value = start[~leaf], at[~leaf], self._values[slot[~leaf]].astype(np.int64)
            base, word = value & ~WORD_HERE, (value & WORD_HERE) != 0
            add(start[word], at[word], self._child(base[word], np.zeros(word.sum(), np.int64)))
            more = at + 1 < len(symbols)
            start, at, base = start[more], at[more] + 1, base[more]
        starts, ends, values = (np.concatenate(parts) for parts in zip(*found))
        order = np.lexsort((ends, starts))
        return Matches(starts[order].astype(np.int32), ends[order].astype(np.int32), values[order].view(self.dtype))

    def _follow_tails(
        self,
        symbols: np.ndarray,
        start: np.ndarray,
        at: np.ndarray,
        slot: np.ndarray,
        tail: np.ndarray,
        add: Callable[[np.ndarray, np.ndarray, np.ndarray], None],
    ) -> None:
        while len(at):
            fits = (at + 1 < len(symbols)) & (tail < len(self._tails))
            fits[fits] = (self._tails[tail[fits]] & CODE) == symbols[at[fits] + 1]
            start, at, slot, tail = start[fits], at[fits] + 1, slot[fits], tail[fits]
            last = (self._tails[tail] & LEAF) != 0
            add(start[last], at[last], slot[last])
            start, at, slot, tail = start[~last], at[~last], slot[~last], tail[~last] + 1

    def _enumerate(self, prefix: tuple[int, ...]) -> Iterator[tuple[str, int | float]]:
        """The words whose symbols begin with `prefix`, depth first."""
        stack: list[tuple[int, tuple[int, ...]]] = [(_NONE, ())]  # slots to visit, with the symbols before them
        visited = 0
        while stack:
            slot, path = stack.pop()
            visited += 1
            if visited > len(self._checks) + 1:
                raise bad_trie("its nodes form a cycle")
            base = self._root
            if slot != _NONE:
                symbol = int(self._checks[slot]) & CODE
                path += (symbol,) if symbol else ()
                if self._checks[slot] & LEAF:
                    path += self._tail(slot)
                    if path[: len(prefix)] == prefix:
                        yield self._unspell(path), self._values[slot : slot + 1].view(self.dtype)[0].item()
                    continue
                base = int(self._values[slot]) & ~WORD_HERE
            if len(path) < len(prefix):
                children = self._child(np.array([base]), np.array([prefix[len(path)]]))
                children = children[children != _NONE]
            else:
                near = np.arange(base, min(base + self._n_codes + 1 + 68 + 128 + 128 + 1, len(self._checks)))
                checks = self._checks[near].astype(np.int64)
                children = near[near == base + (checks & CODE) + (checks // MOVED & 1)]
            stack += [(int(child), path) for child in children[::-1]]

    def _tail(self, slot: int) -> tuple[int, ...]:
        start = self._tail_starts(np.array([slot]))[0]
        if start == _NONE:
            return ()
        last = start + int(np.argmax(self._tails[start:] & LEAF != 0))
        return tuple((self._tails[start : last + 1] & CODE).tolist())

    def _unspell(self, symbols: tuple[int, ...]) -> str:
        characters, rare = [], 0
        for symbol in symbols:
            index = symbol - self._n_codes - 1
            if index < 0:
                code_point = int(self._code_points[symbol - 1])
                characters.append(code_point if code_point < 0x110000 else 0xFFFD)  # damaged
            elif index < 68:
                rare = index << 14
            elif index < 68 + 128:
                rare |= (index - 68) << 7
            else:
                characters.append(rare | ((index - 68 - 128) & 127))
        return "".join(map(chr, characters))


class Overlay:
    """A trie with words added, changed or removed while it runs: answers as a rebuilt trie would.

    Meant for what a user adds by hand, up to some ten thousand words. Changes must not happen while another thread
    looks something up.
    """

    def __init__(self, trie: Trie) -> None:
        if not isinstance(trie, Trie):
            raise TypeError("Overlay takes a Trie")
        self._trie = trie
        self._changes: dict[str, int | float | None] = {}  # None: removed
        self._n_words = len(trie)

    def add(self, word: str, value: int | float) -> None:
        """Adds a word, or gives it another value. Raises KernelError `bad_word` or `bad_values`."""
        check_word(word)
        value = check_value(value, self.dtype)
        self._n_words += word not in self
        self._changes[word] = value

    def remove(self, word: str) -> bool:
        """Removes a word; whether it was there. Raises KernelError `bad_word`."""
        check_word(word)
        known = word in self
        if known:
            self._changes[word] = None
            self._n_words -= 1
        return known

    @property
    def dtype(self) -> np.dtype[Any]:
        """What the values are: int32 or float32."""
        return self._trie.dtype

    def __len__(self) -> int:
        return self._n_words

    def __contains__(self, word: str) -> bool:
        return self.get(word) is not None

    def get(self, word: str, default: Any = None) -> Any:
        """As `Trie.get`."""
        check_text(word)
        if word not in self._changes:
            return self._trie.get(word, default)
        return default if self._changes[word] is None else self._changes[word]

    def longest(self, text: str, start: int = 0) -> tuple[int, int | float] | None:
        """As `Trie.longest`."""
        check_text(text)
        check_start(start, len(text))
        found = self._matches(text[start:], 1)
        return (start + int(found.ends[-1]), found.values[-1].item()) if len(found.ends) else None

    def matches(self, text: str) -> Matches:
        """As `Trie.matches`."""
        check_text(text)
        return self._matches(text, len(text))

    def _matches(self, text: str, n_starts: int) -> Matches:
        words = self._trie._matches(text, n_starts)
        rows = [
            (start, end, value)
            for start, end, value in zip(*(column.tolist() for column in words))
            if text[start:end] not in self._changes
        ]
        for length in {len(word) for word, value in self._changes.items() if value is not None}:
            for start in range(min(n_starts, len(text) - length + 1)):
                value = self._changes.get(text[start : start + length])
                if value is not None:
                    rows.append((start, start + length, value))
        starts, ends, values = zip(*sorted(rows)) if rows else ((), (), ())
        return Matches(np.array(starts, np.int32), np.array(ends, np.int32), np.array(values, self.dtype))

    def prefix(self, prefix: str = "", limit: int | None = None) -> list[tuple[str, int | float]]:
        """As `Trie.prefix`."""
        check_limit(limit)
        words = {word: value for word, value in self._trie.prefix(prefix) if word not in self._changes}
        for word, value in self._changes.items():
            if value is not None and word.startswith(prefix):
                words[word] = value
        return sorted(words.items())[:limit]
