"""Does memory grow, or does a call slow down, when a bundle answers for a long time?

    python -m bench.soak mtop-en --minutes 10

Inputs are the bundle's examples (or `--inputs FILE`, one a line), cut and joined at random, so that lengths keep changing;
calls come one by one and in batches, from `--callers` threads. Prints JSON: memory and the median time of a call in each
tenth of the time. Ends with status 1 where the least memory of the last three tenths is more than 2 MB above that of the third to
fifth: what an allocator holds goes up and down, a leak only goes up.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from pathlib import Path
from statistics import median

import edge_sdk
from edge_sdk.bench.child import rss_mb

LEAST_GROWTH_MB = 2.0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--callers", type=int, default=2, help="threads that call, default 2")
    parser.add_argument("--inputs", type=Path, metavar="FILE")
    parser.add_argument("--backend", default="auto")
    options = parser.parse_args()
    with edge_sdk.load(options.bundle, backend=options.backend) as task:
        texts = options.inputs.read_text(encoding="utf-8").splitlines() if options.inputs else task.bundle.manifest.examples
        tenths = []
        for tenth in range(10):
            times: list[float] = []
            end = time.monotonic() + options.minutes * 6
            callers = [
                threading.Thread(target=_call, args=(task, texts, end, random.Random(10 * tenth + i), times))
                for i in range(options.callers)
            ]
            for caller in callers:
                caller.start()
            for caller in callers:
                caller.join()
            tenths.append({"calls": len(times), "p50_ms": round(median(times) * 1e3, 4), "rss_mb": rss_mb("VmRSS")})
    memory = [tenth["rss_mb"] or 0.0 for tenth in tenths]
    growth = min(memory[7:]) - min(memory[2:5])
    print(json.dumps({"bundle": options.bundle, "minutes": options.minutes, "callers": options.callers, "tenths": tenths, "growth_mb": round(growth, 2)}))
    return int(growth > LEAST_GROWTH_MB)


def _call(task: object, texts: list[str], end: float, chance: random.Random, times: list[float]) -> None:
    """Calls until `end`; one in twenty is a batch."""
    while time.monotonic() < end:
        text = _vary(chance, texts)
        start = time.perf_counter()
        try:
            if chance.random() < 0.05:
                task.batch([_vary(chance, texts) for _ in range(chance.randrange(1, 20))])
            else:
                task(text)
                times.append(time.perf_counter() - start)
        except edge_sdk.InputError:
            pass  # joined texts may be longer than the model takes: memory must survive that, too


def _vary(chance: random.Random, texts: list[str]) -> str:
    """Some of a text, or several joined."""
    text = " ".join(chance.choices(texts, k=chance.choice((1, 1, 1, 2, 4))))
    begin = chance.randrange(len(text))
    return text[begin:] if chance.random() < 0.3 else text


if __name__ == "__main__":
    sys.exit(main())
