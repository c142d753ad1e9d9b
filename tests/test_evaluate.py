"""Metrics, against counts by hand and against the rules of the CoNLL evaluation."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.errors import InputError
from edge_sdk.evaluate import evaluate
from edge_sdk.evaluate.tagger import TaggedRow, read_tagged_rows, tagger_metrics
from edge_sdk.loading import load

TAGS = st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"])
ROWS = st.lists(
    st.integers(1, 8).flatmap(
        lambda n: st.tuples(st.lists(TAGS, min_size=n, max_size=n), st.lists(TAGS, min_size=n, max_size=n))
    ),
    min_size=1,
    max_size=6,
)


def row(tags: list[str], intent: str = "x") -> TaggedRow:
    return TaggedRow(["w"] * len(tags), tags, intent)


def conll_f1(pairs: list[tuple[list[str], list[str]]]) -> float:
    """F1 in percent as conlleval counts: tag by tag, with its startOfChunk and endOfChunk."""

    def ends(before: tuple[str, str], tag: tuple[str, str]) -> bool:
        return before[0] in "BI" and (tag[0] in "BO" or before[1] != tag[1])

    def starts(before: tuple[str, str], tag: tuple[str, str]) -> bool:
        return tag[0] == "B" or (tag[0] == "I" and (before[0] == "O" or before[1] != tag[1]))

    correct = gold_chunks = guessed_chunks = 0
    in_correct = False
    before_gold = before_guess = ("O", "")
    # A sentence ends with a tag "O" on both sides.
    sequence = [pair for gold, guess in pairs for pair in [*zip(gold, guess, strict=True), ("O", "O")]]
    for gold_tag, guess_tag in sequence:
        gold, guess = (gold_tag[0], gold_tag[2:]), (guess_tag[0], guess_tag[2:])
        if in_correct:
            both_end = ends(before_gold, gold) and ends(before_guess, guess)
            if both_end and before_gold[1] == before_guess[1]:
                in_correct = False
                correct += 1
            elif ends(before_gold, gold) != ends(before_guess, guess) or gold[1] != guess[1]:
                in_correct = False
        both_start = starts(before_gold, gold) and starts(before_guess, guess)
        if both_start and gold[1] == guess[1]:
            in_correct = True
        gold_chunks += starts(before_gold, gold)
        guessed_chunks += starts(before_guess, guess)
        before_gold, before_guess = gold, guess
    if not gold_chunks and not guessed_chunks:
        return 100.0
    precision = correct / guessed_chunks if guessed_chunks else 0.0
    recall = correct / gold_chunks if gold_chunks else 0.0
    return 200 * precision * recall / (precision + recall) if correct else 0.0


@given(ROWS)
def test_slot_f1_is_that_of_conlleval(pairs: list[tuple[list[str], list[str]]]) -> None:
    gold = [row(tags) for tags, _ in pairs]
    predicted = [("x", tags) for _, tags in pairs]
    assert tagger_metrics(gold, predicted)["slot_f1"] == pytest.approx(conll_f1(pairs))


def test_counted_by_hand() -> None:
    gold = [
        row(["B-a", "I-a", "O"], "x"),  # all right
        row(["B-a", "I-a", "O"], "x"),  # tags right, intent wrong
        row(["B-a", "I-a", "B-b"], "y"),  # one span too short, one right
        row(["O", "O", "O"], "y"),  # a span too many
        row(["B-b"], "y"),  # refused as too long
    ]
    predicted = [
        ("x", ["B-a", "I-a", "O"]),
        ("y", ["B-a", "I-a", "O"]),
        ("y", ["B-a", "O", "B-b"]),
        ("y", ["O", "B-a", "O"]),
        ("", []),
    ]
    assert tagger_metrics(gold, predicted) == {
        "exact_match": 40.0,
        "intent_accuracy": 60.0,
        "frame_accuracy": 20.0,
        "slot_f1": pytest.approx(200 * 3 / (5 + 5)),  # 3 of 5 found, of 5 expected
        "rows": 5,
    }


MTOP = (
    "id\tintent\ttokens\tslot_tags\n"
    "r1\tCALL\tcall mom\tO B-NAME\n"
    "r2\tSET_ALARM\twake me at 7 am\tO O O B-TIME I-TIME\n"
)
SNIPS = (
    "utterance\tslot_labels\tintent\n"
    "call mom\tO B-NAME\tCALL\n"
    "wake me at 7 am\tO O O B-TIME I-TIME\tOTHER\n"
)


class TestFiles:
    @pytest.mark.parametrize("zipped", [False, True])
    def test_evaluate(self, tmp_path: Path, tiny_path: Path, zipped: bool) -> None:
        path = tmp_path / "data.tsv"
        path.write_bytes(gzip.compress(SNIPS.encode()) if zipped else SNIPS.encode())
        with load(tiny_path) as tagger:
            assert evaluate(tagger, path) == {
                "exact_match": 100.0,
                "intent_accuracy": 50.0,
                "frame_accuracy": 50.0,
                "slot_f1": 100.0,
                "rows": 2,
            }

    def test_utterances_that_the_model_refuses_are_wrong(self, tmp_path: Path, tiny_path: Path) -> None:
        long = f"{'mom ' * 65}".strip(), f"{'B-NAME ' * 65}".strip()
        path = tmp_path / "data.tsv"
        path.write_text(f"{MTOP}r3\tCALL\t{long[0]}\t{long[1]}\n")
        with load(tiny_path) as tagger:
            metrics = evaluate(tagger, path)
        assert metrics["rows"] == 3
        assert metrics["exact_match"] == metrics["intent_accuracy"] == pytest.approx(100 * 2 / 3)
        assert metrics["slot_f1"] == pytest.approx(200 * 2 / (2 + 67))

    @pytest.mark.parametrize("content", [MTOP, MTOP.replace("\n", "\r\n"), "\ufeff" + MTOP, MTOP + "\n"])
    def test_layouts(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "data.tsv"
        path.write_bytes(content.encode())
        assert read_tagged_rows(path) == [
            TaggedRow(["call", "mom"], ["O", "B-NAME"], "CALL"),
            TaggedRow(["wake", "me", "at", "7", "am"], ["O", "O", "O", "B-TIME", "I-TIME"], "SET_ALARM"),
        ]

    def test_nothing_is_quoting_and_only_the_space_separates(self, tmp_path: Path) -> None:
        path = tmp_path / "data.tsv"
        path.write_text('tokens\tslot_tags\tintent\n"a b\u00a0c "\tO O O\tx\n', encoding="utf-8")
        assert read_tagged_rows(path)[0].tokens == ['"a', "b\u00a0c", '"']

    @pytest.mark.parametrize(
        ("content", "where", "problem"),
        [
            (b"", "data.tsv", "no rows"),
            (b"tokens\tslot_tags\tintent\n", "data.tsv", "no rows"),
            (b"tokens\tintent\na\tx\n", "data.tsv:2", "no column slot_tags"),
            (b"tokens\tslot_tags\tintent\na\tO\n", "data.tsv:2", "2 fields"),
            (b"tokens\tslot_tags\tintent\na\tO\tx\na b\tO\tx\n", "data.tsv:3", "2 tokens and 1 tags"),
            (b"tokens\tslot_tags\tintent\na  b\tO O O\tx\n", "data.tsv:2", "empty token"),
            (b"tokens\tslot_tags\tintent\na\tX-y\tx\n", "data.tsv:2", "'X-y'"),
            (b"tokens\tslot_tags\tintent\na\tO\tx\n\xff\tO\tx\n", "data.tsv:3", "UTF-8"),
            (b"tokens\tslot_tags\tintent\n" + b"a" * 200_000 + b"\tO\tx\n", "data.tsv:2", "limit"),
        ],
    )
    def test_malformed(self, tmp_path: Path, content: bytes, where: str, problem: str) -> None:
        path = tmp_path / "data.tsv"
        path.write_bytes(content)
        with pytest.raises(InputError, match=problem) as caught:
            read_tagged_rows(path)
        assert caught.value.code == "data_invalid"
        assert where + ":" in str(caught.value)

    @pytest.mark.parametrize("content", [None, gzip.compress(MTOP.encode())[:-20], b"\x1f\x8b\x08garbage"])
    def test_unreadable(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "data.tsv.gz"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match="data.tsv.gz") as caught:
            read_tagged_rows(path)
        assert caught.value.code == "data_unreadable"


def test_task_without_metrics(tmp_path: Path, tiny_path: Path) -> None:
    with load(tiny_path) as tagger:
        tagger.task = "dreamer"
        with pytest.raises(InputError, match="dreamer") as caught:
            evaluate(tagger, tmp_path)
    assert caught.value.code == "eval_task"
