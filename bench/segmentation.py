"""Speed of the segmenter: `python bench/segmentation.py --data FILE [--bundle zh-seg] [--sentences 1000]`.

FILE holds segmented sentences. Texts are segmented one by one and in a batch; jieba, rjieba and pkuseg are
timed in the same run where they are installed. Each time is the best of several rounds, in one thread: what
the machine can do, without the noise of its other work. `decoding` is what follows the model:
lexicon matches, lattice and Viterbi for mode coarse.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import importlib.util
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

ROUNDS = 7
Cut = Callable[[str], "list[str]"]


def _jieba(module: ModuleType) -> Cut:
    module.setLogLevel(logging.ERROR)
    module.initialize()
    return module.lcut


PEERS = {"jieba": _jieba, "rjieba": lambda module: module.cut, "pkuseg": lambda module: module.pkuseg().cut}
"""Other segmenters: from the module, its dictionary or model loaded, to a function of one text."""


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of some rounds; one more round warms up."""
    work()
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--bundle", default="zh-seg")
    parser.add_argument("--sentences", type=int, default=1000)
    options = parser.parse_args()
    opener = gzip.open if options.data.suffix == ".gz" else open
    with opener(options.data, "rt", encoding="utf-8") as file:
        texts = ["".join(line.split()) for line in file][: options.sentences]
    started = time.perf_counter()
    import edge_sdk

    task = edge_sdk.load(options.bundle)
    task(texts[0])
    found = {"sentences": len(texts), "characters": sum(map(len, texts)), "cold_start_s": time.perf_counter() - started}
    for mode in ("normal", "fine", "coarse", "index"):
        found[f"one_by_one_{mode}_s"] = best(lambda: [task(text, mode=mode).texts for text in texts])
    found["batch_s"] = best(lambda: [result.texts for result in task.batch(texts)])
    found["decoding_us_a_sentence"] = decoding(task, texts) / len(texts) * 1e6
    for name, prepare in PEERS.items():
        if importlib.util.find_spec(name) is None:
            print(f"{name} is not installed: not compared", file=sys.stderr)
            continue
        cut = prepare(importlib.import_module(name))
        found[f"{name}_s"] = best(lambda cut=cut: [cut(text) for text in texts])
    print(json.dumps({key: round(value, 5) for key, value in found.items()}))
    return 0


def decoding(task: object, texts: list[str]) -> float:
    """Seconds for matches, lattice and Viterbi of all texts, given the words of mode normal."""
    import numpy as np

    from edge_sdk.kernels import segment

    results = [task(text) for text in texts]
    words = [(np.array(r.starts, np.int32), np.array(r.ends, np.int32)) for r in results]

    def work() -> None:
        for text, (starts, ends) in zip(texts, words):
            matches = task.lexicon.find(text)
            segment("coarse", len(text), starts, ends, matches.starts, matches.ends)

    return best(work)


if __name__ == "__main__":
    sys.exit(main())
