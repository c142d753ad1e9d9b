"""The built-in lexicon: which words a segmenter knows, and their weights."""

from __future__ import annotations

import gzip
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_sdk.characters import plain_text
from models.cwseg.data import Sentence

EXAMPLES = (
    "新型冠状病毒", "冠状病毒", "上海中心", "中心大厦", "上海中心大厦", "欧洲联盟", "中国科学技术大学",
)  # fmt: skip
"""Words of the CWSeg paper's examples (its Table 3), some of which no dictionary here has."""
_LEADING_DIGITS = re.compile(r"\d*")


def external_words(folder: Path, jieba_minimum: int = 2, thuocl_minimum: int = 100) -> dict[str, float]:
    """Words of the jieba dictionary and of THUOCL that are counted often enough there.

    `folder` holds `lexicons_zh`. Weights are 1 + log10 of the count. One-character words are left
    out.
    """
    words: dict[str, float] = {}
    for name, minimum in (("thuocl", thuocl_minimum), ("jieba_dict", jieba_minimum)):
        with gzip.open(folder / "lexicons_zh" / f"{name}.tsv.gz", "rt", encoding="utf-8") as file:
            next(file)
            for line in file:
                word, count = line.split("\t")[:2]
                found = int(_LEADING_DIGITS.match(count)[0] or 0)  # some counts end in rubbish
                if found >= minimum and len(word) > 1 and " " not in word:
                    words[plain_text(word)] = 1 + math.log10(max(1, found))
    return words


def corpus_words(sentences: Sequence[Sentence]) -> Counter[str]:
    """How often each word of two or more characters occurs, in plain form."""
    return Counter(
        plain_text(word) for row in sentences for word in row.words if 1 < len(word) <= 16
    )


def builtin_words(external: Mapping[str, float], counts: Counter[str]) -> dict[str, float]:
    """The lexicon of a bundle: `external`, the training corpora's words seen twice, EXAMPLES."""
    words = {word: 1 + math.log10(count) for word, count in counts.items() if count > 1}
    return {**dict.fromkeys(EXAMPLES, 1.0), **words, **external}
