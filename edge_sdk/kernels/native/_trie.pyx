"""Converts arguments for native/include/edge_kernels/{trie,overlay}.h; the contract is in the reference."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

import numpy as np

from edge_sdk.kernels.lexicon import (
    DTYPES, Matches, bad_trie, check_limit, check_start, check_text, check_value, check_values, check_word, check_words,
)

cdef extern from "edge_kernels/overlay.h" nogil:
    ctypedef int ek_status
    ek_status EK_OK, EK_TOO_SMALL, EK_UNSUPPORTED
    const char *ek_status_message(ek_status)
    ctypedef struct ek_ucs:
        const void *data
        size_t length
        uint32_t width
    ctypedef struct ek_trie:
        uint32_t n_words, max_length, value_kind
    ctypedef struct ek_matches:
        int32_t *starts
        int32_t *ends
        uint32_t *values
        size_t capacity, count
    ctypedef struct ek_trie_walk:
        pass
    ctypedef struct ek_trie_words:
        const uint32_t *text
        const size_t *ends
        const uint32_t *values
        size_t count
        int value_kind
    ctypedef struct ek_overlay:
        uint32_t n_nodes, capacity
    uint32_t EK_TRIE_SKIP_CHECKSUM
    ek_status ek_trie_open(ek_trie *, const void *, size_t, uint32_t)
    ek_status ek_trie_get(const ek_trie *, ek_ucs, uint32_t *, int *)
    ek_status ek_trie_longest(const ek_trie *, ek_ucs, size_t, size_t *, uint32_t *)
    ek_status ek_trie_matches(const ek_trie *, ek_ucs, size_t *, ek_matches *)
    ek_status ek_trie_walk_begin(ek_trie_walk *, const ek_trie *, ek_ucs, uint32_t *, uint32_t *)
    ek_status ek_trie_walk_next(ek_trie_walk *, size_t *, uint32_t *, int *)
    void ek_trie_build_sizes(size_t, size_t, size_t *, size_t *)
    ek_status ek_trie_build(const ek_trie_words *, void *, size_t, void *, size_t, size_t *)
    size_t ek_overlay_size(uint32_t)
    ek_status ek_overlay_init(ek_overlay *, void *, uint32_t)
    ek_status ek_overlay_copy(ek_overlay *, const ek_overlay *)
    ek_status ek_overlay_put(ek_overlay *, ek_ucs, uint32_t, int)
    ek_status ek_overlay_get(const ek_trie *, const ek_overlay *, ek_ucs, uint32_t *, int *)
    ek_status ek_overlay_longest(const ek_trie *, const ek_overlay *, ek_ucs, size_t, size_t *, uint32_t *)
    ek_status ek_overlay_matches(const ek_trie *, const ek_overlay *, ek_ucs, size_t *, ek_matches *)

cdef extern from "Python.h":
    int PyUnicode_KIND(object)
    void *PyUnicode_DATA(object)
    uint32_t PyUnicode_READ(int, void *, Py_ssize_t)
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    object PyUnicode_FromKindAndData(int, const void *, Py_ssize_t)
    bint PyUnicode_Check(object)

cdef enum:
    N_MATCHES = 256  # results up to this size need no buffer from the heap


cdef ek_ucs view(object text):
    """The characters of a str where they lie; the str must outlive the view."""
    cdef ek_ucs result
    result.data = PyUnicode_DATA(text)
    result.length = PyUnicode_GET_LENGTH(text)
    result.width = PyUnicode_KIND(text)
    return result


cdef object number(uint32_t bits, uint32_t kind):
    cdef int32_t integer
    cdef float real
    if kind == 0:
        memcpy(&integer, &bits, 4)
        return integer
    memcpy(&real, &bits, 4)
    return real


cdef uint32_t bits_of(object value, uint32_t kind):
    cdef int32_t integer
    cdef float real
    cdef uint32_t bits
    if kind == 0:
        integer = value
        memcpy(&bits, &integer, 4)
    else:
        real = value
        memcpy(&bits, &real, 4)
    return bits


cdef object vector(const void *data, size_t count, object dtype):
    result = np.empty(count, dtype)
    cdef uint32_t[::1] target
    if count > 0:
        target = result.view(np.uint32)
        memcpy(&target[0], data, count * 4)
    return result


cdef ek_status find(const ek_trie *trie, const ek_overlay *overlay, ek_ucs text, ek_matches *found, void **heap) noexcept nogil:
    """All matches; the arrays of `found` move to *heap, four times as large, whenever they are full."""
    cdef size_t position = 0, capacity
    cdef void *larger
    cdef ek_status status
    while True:
        if overlay == NULL:
            status = ek_trie_matches(trie, text, &position, found)
        else:
            status = ek_overlay_matches(trie, overlay, text, &position, found)
        if (status != EK_OK and status != EK_TOO_SMALL) or position == text.length:
            return status
        capacity = 4 * found.capacity
        larger = malloc(12 * capacity)
        if larger == NULL:
            return EK_TOO_SMALL
        memcpy(larger, found.starts, 4 * found.count)
        memcpy(<char *>larger + 4 * capacity, found.ends, 4 * found.count)
        memcpy(<char *>larger + 8 * capacity, found.values, 4 * found.count)
        found.starts = <int32_t *>larger
        found.ends = <int32_t *>larger + capacity
        found.values = <uint32_t *>larger + 2 * capacity
        found.capacity = capacity
        free(heap[0])
        heap[0] = larger


cdef object matches_of(const ek_trie *trie, const ek_overlay *overlay, object text):
    if not PyUnicode_Check(text) or PyUnicode_GET_LENGTH(text) >= 1 << 31:
        check_text(text)
    cdef ek_ucs characters = view(text)
    cdef int32_t starts[N_MATCHES]
    cdef int32_t ends[N_MATCHES]
    cdef uint32_t values[N_MATCHES]
    cdef void *heap = NULL
    cdef ek_status status
    cdef ek_matches found
    found.starts, found.ends, found.values, found.capacity, found.count = starts, ends, values, N_MATCHES, 0
    if overlay == NULL:
        with nogil:
            status = find(trie, NULL, characters, &found, &heap)
    else:  # the GIL keeps other threads from changing the overlay meanwhile
        status = find(trie, overlay, characters, &found, &heap)
    try:
        if status != EK_OK:
            raise MemoryError
        return Matches(
            vector(found.starts, found.count, np.int32),
            vector(found.ends, found.count, np.int32),
            vector(found.values, found.count, DTYPES[trie.value_kind]),
        )
    finally:
        free(heap)


cdef object value_of(const ek_trie *trie, const ek_overlay *overlay, object word, object default):
    cdef uint32_t bits
    cdef int found
    check_text(word)
    if overlay == NULL:
        ek_trie_get(trie, view(word), &bits, &found)
    else:
        ek_overlay_get(trie, overlay, view(word), &bits, &found)
    return number(bits, trie.value_kind) if found else default


cdef object longest_of(const ek_trie *trie, const ek_overlay *overlay, object text, object start):
    cdef uint32_t bits
    cdef size_t end, begin
    check_text(text)
    check_start(start, len(text))
    begin = start
    if overlay == NULL:
        ek_trie_longest(trie, view(text), begin, &end, &bits)
    else:
        ek_overlay_longest(trie, overlay, view(text), begin, &end, &bits)
    return (end, number(bits, trie.value_kind)) if end > begin else None


cdef bytes build(list words, object values):
    cdef size_t n_words = len(words), length = 0, i = 0, at = 0, scratch_size, capacity, size
    cdef Py_ssize_t j
    cdef int kind
    cdef void *data
    cdef void *scratch
    cdef void *output
    cdef uint32_t *text = NULL
    cdef size_t *ends = NULL
    cdef const uint32_t[::1] bits
    cdef ek_trie_words source
    cdef ek_status status
    for word in words:
        length += PyUnicode_GET_LENGTH(word)
    if length >= (1u << 31) // 3:
        raise MemoryError("the words have more characters than a trie can hold")
    try:
        text = <uint32_t *>malloc(4 * length + 4)
        ends = <size_t *>malloc(sizeof(size_t) * (n_words + 1))
        if text == NULL or ends == NULL:
            raise MemoryError
        for word in words:
            kind, data = PyUnicode_KIND(word), PyUnicode_DATA(word)
            for j in range(PyUnicode_GET_LENGTH(word)):
                text[at] = PyUnicode_READ(kind, data, j)
                at += 1
            ends[i] = at
            i += 1
        source.text, source.ends, source.values, source.count = text, ends, NULL, n_words
        source.value_kind = DTYPES.index(values.dtype)
        if n_words > 0:
            bits = values.view(np.uint32)
            source.values = &bits[0]
        ek_trie_build_sizes(n_words, length, &scratch_size, &capacity)
        while True:
            scratch, output = malloc(scratch_size), malloc(capacity)
            try:
                if scratch == NULL or output == NULL:
                    raise MemoryError
                with nogil:
                    status = ek_trie_build(&source, scratch, scratch_size, output, capacity, &size)
                if status == EK_OK:
                    return (<char *>output)[:size]
            finally:
                free(scratch)
                free(output)
            if status != EK_TOO_SMALL:
                raise AssertionError(ek_status_message(status).decode())
            scratch_size, capacity = 2 * scratch_size, 2 * capacity
    finally:
        free(text)
        free(ends)


cdef class Trie:
    """A static lexicon; see edge_sdk.kernels.reference.trie.Trie. Safe to share between threads."""

    cdef ek_trie trie
    cdef Py_buffer buffer
    cdef bint opened

    def __init__(self):
        raise TypeError("use Trie.build or Trie.open")

    @staticmethod
    def build(words, values=None):
        """A trie of `words`, each with its value."""
        listed = check_words(words)
        return Trie.open(build(listed, check_values(values, len(listed))), verify=False)

    @staticmethod
    def open(buffer, *, verify=True):
        """The trie that lies in `buffer`, which is not copied."""
        cdef Trie self = Trie.__new__(Trie)
        cdef ek_status status
        cdef uint32_t flags = 0 if verify else EK_TRIE_SKIP_CHECKSUM
        try:
            PyObject_GetBuffer(memoryview(buffer).cast("B"), &self.buffer, PyBUF_SIMPLE)
        except (TypeError, ValueError, BufferError) as error:
            raise bad_trie(str(error)) from None
        self.opened = True
        with nogil:
            status = ek_trie_open(&self.trie, self.buffer.buf, self.buffer.len, flags)
        if status != EK_OK:
            raise bad_trie(ek_status_message(status).decode())
        return self

    def __dealloc__(self):
        if self.opened:
            PyBuffer_Release(&self.buffer)

    def __reduce__(self):
        return Trie.open, (self.to_bytes(),)

    def to_bytes(self):
        """The stored form."""
        return (<char *>self.buffer.buf)[:self.buffer.len]

    @property
    def dtype(self):
        """What the values are: int32 or float32."""
        return DTYPES[self.trie.value_kind]

    @property
    def max_length(self):
        """Characters of the longest word."""
        return self.trie.max_length

    def __len__(self):
        return self.trie.n_words

    def __contains__(self, word):
        return self.get(word) is not None

    def get(self, word, default=None):
        """The value of `word`, or `default`."""
        return value_of(&self.trie, NULL, word, default)

    def longest(self, text, start=0):
        """(end, value) of the longest word at `start`, or None."""
        return longest_of(&self.trie, NULL, text, start)

    def matches(self, text):
        """All words at all positions."""
        return matches_of(&self.trie, NULL, text)

    def prefix(self, prefix="", limit=None):
        """[(word, value)] of the words that begin so, in code point order, `limit` at most."""
        cdef ek_trie_walk walk
        cdef uint32_t bits
        cdef size_t length
        cdef int found = 1
        check_text(prefix)
        check_limit(limit)
        cdef size_t n_path = 2 * (3 * <size_t>self.trie.max_length + 1)
        cdef uint32_t *path = <uint32_t *>malloc(4 * (n_path + len(prefix) + self.trie.max_length + 3))
        if path == NULL:
            raise MemoryError
        words = []
        try:
            ek_trie_walk_begin(&walk, &self.trie, view(prefix), path, path + n_path)
            while limit is None or len(words) < limit:
                if ek_trie_walk_next(&walk, &length, &bits, &found) != EK_OK:
                    raise bad_trie("its nodes form a cycle")
                if not found:
                    break
                word = PyUnicode_FromKindAndData(4, path + n_path, length)
                words.append((word, number(bits, self.trie.value_kind)))
            return words
        finally:
            free(path)


cdef class Overlay:
    """A trie with changes; see edge_sdk.kernels.reference.trie.Overlay."""

    cdef Trie base
    cdef ek_overlay overlay
    cdef void *memory
    cdef dict changed
    cdef Py_ssize_t n_words

    def __cinit__(self, trie):
        if not isinstance(trie, Trie):
            raise TypeError("Overlay takes a Trie")
        self.base, self.changed, self.n_words = trie, {}, len(trie)
        self.memory = malloc(ek_overlay_size(64))
        if self.memory == NULL:
            raise MemoryError
        ek_overlay_init(&self.overlay, self.memory, 64)

    def __dealloc__(self):
        free(self.memory)

    cdef int put(self, word, object value) except -1:
        """Adds `word`, or removes it if `value` is None; the overlay moves to more memory when it is full."""
        cdef uint32_t bits = 0 if value is None else bits_of(value, self.base.trie.value_kind)
        cdef ek_overlay larger
        cdef uint32_t capacity
        cdef void *memory
        while ek_overlay_put(&self.overlay, view(word), bits, value is None) == EK_TOO_SMALL:
            capacity = 2 * self.overlay.capacity + <uint32_t>len(word)
            memory = malloc(ek_overlay_size(capacity))
            if memory == NULL or ek_overlay_init(&larger, memory, capacity) != EK_OK:
                free(memory)
                raise MemoryError
            ek_overlay_copy(&larger, &self.overlay)
            free(self.memory)
            self.memory, self.overlay = memory, larger
        self.changed[word] = value
        return 0

    def add(self, word, value):
        """Adds a word, or gives it another value."""
        check_word(word)
        value = check_value(value, self.base.dtype)
        known = word in self
        self.put(word, value)
        self.n_words += not known

    def remove(self, word):
        """Removes a word; whether it was there."""
        check_word(word)
        known = word in self
        if known:
            self.put(word, None)
            self.n_words -= 1
        return known

    @property
    def dtype(self):
        """What the values are: int32 or float32."""
        return self.base.dtype

    def __len__(self):
        return self.n_words

    def __contains__(self, word):
        return self.get(word) is not None

    def get(self, word, default=None):
        """The value of `word`, or `default`."""
        return value_of(&self.base.trie, &self.overlay, word, default)

    def longest(self, text, start=0):
        """(end, value) of the longest word at `start`, or None."""
        return longest_of(&self.base.trie, &self.overlay, text, start)

    def matches(self, text):
        """All words at all positions."""
        return matches_of(&self.base.trie, &self.overlay, text)

    def prefix(self, prefix="", limit=None):
        """[(word, value)] of the words that begin so, in code point order, `limit` at most."""
        check_limit(limit)
        words = dict(self.base.prefix(prefix))
        words.update((word, value) for word, value in self.changed.items() if word.startswith(prefix))
        return sorted((word, value) for word, value in words.items() if value is not None)[:limit]
