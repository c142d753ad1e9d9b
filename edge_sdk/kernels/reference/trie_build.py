"""Building the stored trie in plain Python: the same bytes as native/src/trie_build.c.

The format is described in native/include/edge_kernels/trie.h.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from edge_sdk.kernels.lexicon import DTYPES
from edge_sdk.kernels.reference.fingerprint import xxh64

MAGIC, VERSION = b"EKTRIE01", 1
HEADER = struct.Struct("<8sQIIQ8I")
UNHASHED = 16  # bytes before those that the checksum covers
DIRECT = 16000  # characters with a code of their own; those with higher code points take three symbols
EMPTY = RARE = 0x3FFE
UNKNOWN = CODE = 0x3FFF
MOVED, LEAF = 0x4000, 0x8000
WORD_HERE = 0x80000000
PAGE = 256


class _Node:
    """An inner node. An edge is a symbol and what it leads to: an inner node or, as the index of its word, a leaf."""

    def __init__(self, low: int, high: int, depth: int) -> None:
        self.low, self.high, self.depth = low, high, depth
        self.edges: list[tuple[int, _Node | int]] = []
        self.slots: list[int] = []
        self.base = 0


def rare_symbols(code_point: int, n_codes: int) -> tuple[int, int, int]:
    """The three symbols of a character that has no code of its own."""
    first = n_codes + 1
    return first + (code_point >> 14), first + 68 + (code_point >> 7 & 127), first + 196 + (code_point & 127)


def _find_nodes(words: list[list[int]]) -> list[_Node]:
    """The root and the prefixes that two words share, breadth first. `words` are symbols, distinct and sorted."""
    nodes = [_Node(0, len(words), 0)]
    for node in nodes:  # the list grows on the way
        low = node.low
        while low < node.high:
            symbol = words[low][node.depth] if node.depth < len(words[low]) else 0
            high = low + 1
            while symbol and high < node.high and words[high][node.depth] == symbol:
                high += 1
            if high - low > 1:
                nodes.append(_Node(low, high, node.depth + 1))
            node.edges.append((symbol, low if high - low == 1 else nodes[-1]))
            low = high
    return nodes


def _slots_at(node: _Node, base: int, taken: int) -> list[int] | None:
    """Slots for the children under this base: each takes base + symbol or, if that is taken, the slot after it."""
    slots: list[int] = []
    for symbol, _ in node.edges:
        after = slots[-1] if slots else -1
        choices = (base + symbol, base + symbol + 1)
        slot = next((s for s in choices if s > after and not taken >> s & 1), None)
        if slot is None:
            return None
        slots.append(slot)
    return slots


def _place(nodes: list[_Node]) -> None:
    """First fit, nodes with many children first. Sets of slots and bases are integers, one bit each."""
    taken = full = bases = 0  # full: this slot and the next are taken
    start = n_children = 0
    for node in sorted(nodes, key=lambda n: -len(n.edges)):
        if len(node.edges) != n_children:
            start, n_children = 0, len(node.edges)
        bad = bases | ((1 << start) - 1)
        for symbol, _ in node.edges:
            bad |= full >> symbol
        while True:
            lowest = ~bad & (bad + 1)  # the first base that is not known to be bad
            node.base = lowest.bit_length() - 1
            slots = _slots_at(node, node.base, taken)
            if slots is not None:
                break
            bad |= lowest
        node.slots = slots
        if node.edges:
            bases |= lowest
        for slot in slots:
            taken |= 1 << slot
        for slot in slots:
            full |= (taken >> slot + 1 & 1) << slot
            if slot > 0:
                full |= (taken >> slot - 1 & 1) << slot - 1
        start = node.base // 64 * 64


def _pages(alphabet: Sequence[int]) -> tuple[list[int], np.ndarray]:
    """Page index and pages: the code of each character; page 0 is for characters that are in no word."""
    index = [0] * (alphabet[-1] // PAGE + 1 if alphabet else 0)
    used = sorted({code_point // PAGE for code_point in alphabet})
    for number, page in enumerate(used, start=1):
        index[page] = number
    pages = np.full((len(used) + 1, PAGE), UNKNOWN, "<u2")
    for code, code_point in enumerate(alphabet, start=1):
        pages[index[code_point // PAGE], code_point % PAGE] = code if code <= DIRECT else RARE
    return index, pages


def build(words: Sequence[str], values: np.ndarray) -> bytes:
    """The stored trie of checked words and values (int32 or float32); of equal words the last one counts."""
    distinct = dict(zip(words, values.view(np.uint32).tolist()))
    ordered = sorted(distinct)
    alphabet = sorted({ord(character) for word in ordered for character in word})
    n_codes = min(len(alphabet), DIRECT)
    symbols = {chr(c): (i + 1,) if i < DIRECT else rare_symbols(c, n_codes) for i, c in enumerate(alphabet)}
    spelled = [[symbol for character in word for symbol in symbols[character]] for word in ordered]
    nodes = _find_nodes(spelled)
    _place(nodes)

    n_slots = max((node.slots[-1] for node in nodes if node.slots), default=-2) + 2
    slot_values, checks = np.zeros(n_slots, "<u4"), np.full(n_slots, EMPTY, "<u2")
    tail_of: dict[int, list[int]] = {}
    for node in nodes:
        for (symbol, target), slot in zip(node.edges, node.slots):
            checks[slot] = symbol | (MOVED if slot != node.base + symbol else 0)
            if isinstance(target, _Node):
                slot_values[slot] = target.base | (WORD_HERE if target.edges[0][0] == 0 else 0)
                continue
            checks[slot] |= LEAF
            slot_values[slot] = distinct[ordered[target]]
            tail_of[slot] = spelled[target][node.depth + (symbol != 0) :]

    tails: list[int] = []
    tails_of = np.zeros((-(-n_slots // 32), 2), "<u4")
    for slot in range(n_slots):
        if slot % 32 == 0:
            tails_of[slot // 32, 0] = len(tails)
        if tail_of.get(slot):
            tails_of[slot // 32, 1] |= np.uint32(1 << slot % 32)
            tails += tail_of[slot][:-1] + [tail_of[slot][-1] | LEAF]

    index, pages = _pages(alphabet)
    sections = [
        slot_values,
        tails_of,
        np.array(alphabet[:n_codes], "<u4"),
        checks,
        np.array(tails, "<u2"),
        np.array(index, "<u2"),
        pages,
    ]
    body = b"".join(section.tobytes() for section in sections)
    sizes = len(ordered), n_slots, len(tails), n_codes, len(index), len(pages), max(map(len, ordered), default=0)
    fields = VERSION, DTYPES.index(values.dtype), HEADER.size + len(body), *sizes, nodes[0].base
    unhashed = HEADER.pack(MAGIC, 0, *fields)
    return HEADER.pack(MAGIC, xxh64(unhashed[UNHASHED:] + body), *fields) + body
