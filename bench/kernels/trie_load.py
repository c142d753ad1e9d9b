"""Loading the stored lexicon of 157,172 words: time, bytes a word, and the memory that loading and a scan add."""

from __future__ import annotations

import json
import mmap
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lexicon
from harness import RESULTS, main


def map_file(path: Path) -> mmap.mmap:
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def load_ours(verify: bool = True) -> object:
    from edge_sdk.kernels.native._trie import Trie

    return Trie.open(map_file(lexicon.CACHE / "thuocl.trie"), verify=verify)


def load_marisa() -> object:
    import marisa_trie

    return marisa_trie.Trie().mmap(str(lexicon.CACHE / "thuocl.marisa"))


def load_ahocorasick() -> object:
    import ahocorasick

    return ahocorasick.load(str(lexicon.CACHE / "thuocl.aho"), int)


def load_jieba() -> object:
    import tempfile

    import jieba

    tokenizer = jieba.Tokenizer(str(lexicon.CACHE / "thuocl.jieba"))
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.tmp_dir = folder  # no cache from an earlier run
        tokenizer.initialize()
    return tokenizer


LOADERS: dict[str, tuple[Callable[[], object], Callable[[object, str], object], Callable[[], Path]]] = {
    "native": (load_ours, lambda trie, text: trie.matches(text), lexicon.our_file),
    "marisa-trie, mapped": (load_marisa, lexicon.scan_marisa, lexicon.marisa_file),
    "pyahocorasick": (load_ahocorasick, lexicon.scan_ahocorasick, lexicon.ahocorasick_file),
    "jieba": (load_jieba, lexicon.scan_jieba, lexicon.jieba_file),
}


def resident() -> int:
    """Bytes of memory of this process, shared file pages included."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * mmap.PAGESIZE


def measure_memory(name: str) -> int:
    """Bytes that loading and scanning add, after the library and the text are in memory."""
    load, scan, _ = LOADERS[name]
    text = lexicon.news()
    warm = load()
    scan(warm, text[:1000])  # code, caches and the allocator's first pages
    del warm
    before = resident()
    loaded = load()
    scan(loaded, text[:20_000])
    return resident() - before


if __name__ == "__main__":
    if "--memory" in sys.argv:
        print(measure_memory(sys.argv[sys.argv.index("--memory") + 1]))
        sys.exit()
    n_words = len(lexicon.words())
    for _, _, make in LOADERS.values() if "--only" not in sys.argv else ():
        try:
            make()
        except ImportError as error:
            print(error, file=sys.stderr)
    contenders = {name: (lambda load: lambda: load)(load) for name, (load, _, _) in LOADERS.items()}
    contenders["native, checksum skipped"] = lambda: lambda: load_ours(verify=False)
    main("trie_load", contenders, ("jieba", "marisa-trie", "pyahocorasick"))
    if "--only" not in sys.argv:
        path = RESULTS / "trie_load.json"
        result = json.loads(path.read_text())
        for name, (_, _, make) in LOADERS.items():
            if name not in result["results"]:
                continue
            child = subprocess.run(
                [sys.executable, __file__, "--memory", name], capture_output=True, text=True, check=True
            )
            row = result["results"][name]
            row["memory_kb"] = round(int(child.stdout.split()[-1]) / 1000)
            row["bytes_a_word"] = round(make().stat().st_size / n_words, 2)
            print(f"{name:44}{row['memory_kb']:9} kB added {row['bytes_a_word']:9} bytes a word stored")
        path.write_text(json.dumps(result, indent=1) + "\n")
