"""All matches of 157,172 Chinese words over 100,000 characters (300 kB of UTF-8) of news, from Python."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import lexicon
from harness import main

Prepared = Callable[[], object]


def ours(module: str, overlay: bool = False) -> Callable[[], Prepared]:
    def prepare() -> Prepared:
        face = importlib.import_module(f"edge_sdk.kernels.{module}")
        trie = face.Trie.open(lexicon.our_file().read_bytes())
        text = lexicon.news()
        if overlay:
            trie = face.Overlay(trie)
            for number in range(100):
                trie.add(text[10 * number : 10 * number + 3], 1.0)
        return lambda: trie.matches(text)

    return prepare


def by_sentence() -> Prepared:
    from edge_sdk.kernels.native._trie import Trie

    trie = Trie.open(lexicon.our_file().read_bytes())
    sentences = lexicon.news().split("\n")
    return lambda: [trie.matches(sentence) for sentence in sentences]


def marisa() -> Prepared:
    import marisa_trie

    trie, text = marisa_trie.Trie().mmap(str(lexicon.marisa_file())), lexicon.news()
    return lambda: lexicon.scan_marisa(trie, text)


def pyahocorasick() -> Prepared:
    import ahocorasick

    automaton, text = ahocorasick.load(str(lexicon.ahocorasick_file()), int), lexicon.news()
    return lambda: lexicon.scan_ahocorasick(automaton, text)


def jieba() -> Prepared:
    import jieba as package

    text, tokenizer = lexicon.news(), package.Tokenizer(str(lexicon.jieba_file()))
    tokenizer.initialize()
    return lambda: lexicon.scan_jieba(tokenizer, text)


if __name__ == "__main__":
    lexicon.our_file()
    main(
        "trie",
        {
            "native": ours("native._trie"),
            "native, sentence by sentence": by_sentence,
            "native, overlay of 100 words": ours("native._trie", overlay=True),
            "numba": ours("numba.trie"),
            "reference": ours("reference.trie"),
            "jieba, dictionary scan": jieba,
            "marisa-trie": marisa,
            "pyahocorasick": pyahocorasick,
        },
        ("numba", "jieba", "marisa-trie", "pyahocorasick"),
    )
