"""Training of WordPiece vocabularies (Schuster and Nakajima 2012; Devlin et al. 2019), cased."""

from __future__ import annotations

from collections.abc import Iterable

from edge_sdk.text import normalise_word
from edge_sdk.tokenizer import CONTINUATION, UNKNOWN, wordpiece_json


def train_wordpiece(words: Iterable[str], vocab_size: int, *, min_frequency: int = 2) -> bytes:
    """Train a vocabulary on words as they occur in a corpus, repetitions included.

    Args:
        words: the corpus word by word, as `edge_sdk.text.split_words` splits it; each is
            normalised here.
        vocab_size: largest number of units, "[UNK]" and single characters included.
        min_frequency: a pair of units that occurs less often is not merged.

    Returns:
        The bytes of a compact `tokenizer.json`; equal words in equal order give equal bytes.
    """
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.trainers import WordPieceTrainer

    tokenizer = Tokenizer(WordPiece(unk_token=UNKNOWN, continuing_subword_prefix=CONTINUATION))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    corpus = [normalise_word(word) for word in words]
    # The trainer would number these in the order of a hash table that differs from run to run,
    # and breaks ties between merges by number. Given as special tokens they keep this order.
    inner = sorted({CONTINUATION + character for word in corpus for character in word[1:]})
    trainer = WordPieceTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=[UNKNOWN, *inner],
        continuing_subword_prefix=CONTINUATION,
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    # Numbered anew in sorted order, "[UNK]" first: the runtime needs no numbers, and sorted
    # units are the easiest to read and to compare.
    units = sorted(tokenizer.get_vocab(), key=lambda unit: (unit != UNKNOWN, unit))
    return wordpiece_json({unit: number for number, unit in enumerate(units)})
