"""Rows as training sees them, and their variations."""

import random
from pathlib import Path

import pytest

from edge_sdk.evaluate.data import read_tsv
from edge_sdk.evaluate.tagger import TaggedRow, read_tagged_rows
from edge_sdk.text import split_words
from models.pnlp_mixer.augment import Augmenter, spans
from models.pnlp_mixer.config import AugmentConfig
from models.pnlp_mixer.data import Labels, find_split, read_training_rows
from models.pnlp_mixer.retokenise import retokenise

MTOP = Path(__file__).parents[3] / "shared" / "data" / "mtop" / "en"


def test_a_row_gets_the_words_that_the_runtime_will_see() -> None:
    row = TaggedRow(["call", "Ann", "'s", "dad"], ["O", "B-WHO", "I-WHO", "I-WHO"], "IN:CALL")
    ours = retokenise(row, "call Ann 's dad")
    assert ours.tokens == ["call", "Ann", "'", "s", "dad"]
    assert ours.tags == ["O", "B-WHO", "I-WHO", "I-WHO", "I-WHO"]
    assert ours.intent == "IN:CALL"


def test_words_that_grow_together_keep_the_tag_of_their_first_part() -> None:
    row = TaggedRow(["at", "7", ".", "30"], ["O", "B-T", "I-T", "I-T"], "IN:X")
    assert retokenise(row, "at 7.30") == TaggedRow(["at", "7.30"], ["O", "B-T"], "IN:X")


def test_a_row_whose_text_says_something_else_stays() -> None:
    row = TaggedRow(["it", "’", "s"], ["O", "O", "O"], "IN:X")
    assert retokenise(row, "it is") is row


@pytest.mark.skipif(not MTOP.exists(), reason="the MTOP data is not beside the project")
def test_repaired_training_rows_are_what_the_splitter_gives() -> None:
    rows = read_training_rows(MTOP)
    raw = read_tagged_rows(find_split(MTOP, "train"))
    assert len(rows) == len(raw) == 15_667
    changed = sum(ours != theirs for ours, theirs in zip(rows, raw, strict=True))
    assert (
        200 <= changed <= 400
    )  # 186 repaired tags and 112 repaired words, some of them in one row
    for row in rows:
        previous = "O"
        for tag in row.tags:
            assert tag[0] != "I" or previous[2:] == tag[2:]
            previous = tag
    texts = [fields["utterance"] for _, fields in read_tsv(find_split(MTOP, "train"))]
    same = sum(
        "".join(word.text for word in split_words(text)) != "".join(row.tokens)
        or [word.text for word in split_words(text)] == row.tokens
        for text, row in zip(texts, rows, strict=True)
    )
    assert same == len(rows)


def test_augmentation_swaps_values_and_keeps_frames() -> None:
    random.seed(0)
    rows = [
        TaggedRow(["call", "Ann"], ["O", "B-WHO"], "IN:CALL"),
        TaggedRow(
            ["call", "my", "big", "boss", "now"], ["O", "B-WHO", "I-WHO", "I-WHO", "O"], "IN:CALL"
        ),
    ]
    augmenter = Augmenter(rows, AugmentConfig(swap=1.0), max_tokens=64)
    seen = {" ".join(augmenter(rows[0]).tokens) for _ in range(50)}
    assert seen == {"call Ann", "call my big boss"}
    varied = augmenter(rows[1])
    assert len(varied.tokens) == len(varied.tags)
    assert [label for label, _, _ in spans(varied.tags)] == ["WHO"]
    assert varied.tags[-1] == "O"


def test_augmentation_does_nothing_when_told_so_and_respects_the_longest_length() -> None:
    row = TaggedRow(["A", "b", "c"], ["O", "B-X", "I-X"], "IN:Y")
    assert Augmenter([row], AugmentConfig(swap=0.0), 64)(row) == row
    assert Augmenter([row], AugmentConfig(swap=0.0, lower=1.0), 2)(row).tokens == ["a", "b"]


def test_labels_hold_both_tags_of_a_slot() -> None:
    labels = Labels.of([TaggedRow(["x", "y"], ["B-b", "B-a"], "IN:Z")])
    assert labels.tags == ("O", "B-a", "I-a", "B-b", "I-b")
    assert labels.intents == ("IN:Z",)
