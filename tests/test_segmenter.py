"""The segmenter through its public doors, on an untrained model: what holds for any weights."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import edge_sdk
from edge_sdk import InputError
from edge_sdk.evaluate.segmenter import segmentation_metrics
from edge_sdk.lexicon import Lexicon
from edge_sdk.tasks import border_decoder
from edge_sdk.tasks.segmenter import MODES, Segmenter
from tests.conftest import child_environment
from tests.data.tiny_segmenter import KNOWN, WORDS, build, repack

pytest.importorskip("torch")

TEXTS = st.text(
    st.one_of(st.sampled_from(KNOWN), st.sampled_from("abc 1２Ａ\n\t😀👍🏽\u200d\ud800é́한"), st.characters()),
    max_size=40,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("segmenter") / "tiny.edge"
    build(path)
    return path


@pytest.fixture(scope="module")
def segmenter(path: Path) -> Segmenter:
    return edge_sdk.load(path)


def chinese(length: int, seed: int) -> str:
    return "".join(random.Random(seed).choices(KNOWN, k=length))


# Table 3 of the CWSeg paper. Words with weight 1 pull mode normal to the row's first column;
# words of weight 0 are only known.
TABLE_3 = [
    ("新型冠状病毒", ["新型", "冠状", "病毒"], ["新型冠状病毒", "冠状病毒"],
     "新型/冠状/病毒", "新型冠状病毒", "新型/冠状/病毒/新型冠状病毒/冠状病毒"),
    ("上海中心大厦", ["上海", "中心", "大厦"], ["上海中心", "中心大厦", "上海中心大厦"],
     "上海/中心/大厦", "上海中心大厦", "上海/中心/大厦/上海中心/中心大厦/上海中心大厦"),
    ("欧洲联盟", ["欧洲", "联盟"], ["欧洲联盟"], "欧洲/联盟", "欧洲联盟", "欧洲/联盟/欧洲联盟"),
    ("中国科学技术大学", ["中国", "科学技术", "大学"], ["科学", "技术", "中国科学技术大学"],
     "中国/科学/技术/大学", "中国科学技术大学", "中国/科学技术/大学/科学/技术/中国科学技术大学"),
]  # fmt: skip


@pytest.mark.parametrize("text,words,known,fine,coarse,index", TABLE_3)
def test_table_3(
    segmenter: Segmenter, text: str, words: list[str], known: list[str], fine: str, coarse: str, index: str
) -> None:
    lexicon = Lexicon.of({**dict.fromkeys(known, 0.0), **dict.fromkeys(words, 1.0)})
    found = {
        mode: segmenter(text, mode=mode, lexicon=lexicon, builtin=False, domain=100).texts
        for mode in MODES
    }
    assert found["normal"] == words
    assert found["fine"] == fine.split("/")
    assert found["coarse"] == coarse.split("/")
    assert sorted(found["index"]) == sorted(index.split("/"))


@pytest.mark.parametrize("bundle", sorted((Path(__file__).parents[1] / "zoo").glob("zh-seg*.edge")), ids=lambda p: p.stem)
def test_table_3_with_the_bundles_and_their_lexicon(bundle: Path) -> None:
    """The training corpora write 科学 技术 as two words; 海中 is a word of the built-in lexicon only."""
    own = {"科学技术": 2.0, "海中": -1.0}
    with edge_sdk.load(bundle) as shipped:
        for text, words, _, fine, coarse, index in TABLE_3:
            found = {mode: shipped(text, mode=mode, lexicon=own).texts for mode in MODES}
            assert (found["normal"], found["coarse"]) == (words, coarse.split("/"))
            assert found["fine"] == fine.split("/")
            assert sorted(found["index"]) == sorted(index.split("/"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
def test_words_tile_the_text_and_modes_are_ordered(segmenter: Segmenter, text: str) -> None:
    found = {mode: segmenter(text, mode=mode) for mode in MODES}
    for result in found.values():
        assert all(word.text == text[word.start : word.end] for word in result.words)
    for mode in ("normal", "fine", "coarse"):
        words = found[mode].words
        assert all(a.end <= b.start for a, b in zip(words, words[1:]))
        covered = {i for word in words for i in range(word.start, word.end)}
        left = [c for i, c in enumerate(text) if i not in covered]
        assert all(c.isspace() or ord(c) < 32 or 127 <= ord(c) < 160 for c in left)
    sizes = {mode: len(result.starts) for mode, result in found.items()}
    assert sizes["coarse"] <= sizes["normal"] <= sizes["fine"]
    union = {word for mode in ("normal", "fine", "coarse") for word in found[mode].words}
    assert union <= set(found["index"].words)
    assert len(set(found["index"].words)) == sizes["index"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TEXTS, max_size=6), st.sampled_from(MODES))
def test_a_batch_gives_what_single_calls_give(segmenter: Segmenter, texts: list[str], mode: str) -> None:
    alone = [segmenter(text, mode=mode).to_dict() for text in texts]
    assert [result.to_dict() for result in segmenter.batch(texts, mode=mode)] == alone
    assert [result.to_dict() for result in segmenter.stream(iter(texts), mode=mode)] == alone


@pytest.mark.parametrize("window", [1, 7, 100])
def test_windows_leave_no_seams(path: Path, tmp_path: Path, window: int) -> None:
    text = chinese(700, seed=window)
    with edge_sdk.load(repack(path, tmp_path / "whole.edge", window=4096)) as whole:
        expected = whole(text)
    with edge_sdk.load(repack(path, tmp_path / "cut.edge", window=window)) as cut:
        assert cut(text) == expected


@pytest.mark.parametrize("seed", range(5))
def test_decoding_in_blocks_leaves_no_seams(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Scores as sure as a trained model's: what is far away does not matter."""
    draw = np.random.default_rng(seed)
    decoder = border_decoder.BorderDecoder(draw.normal(size=(5, 3)).astype(np.float32))
    emissions = draw.normal(scale=3, size=(2000, 3)).astype(np.float32)
    expected = decoder.borders(emissions)
    monkeypatch.setattr(border_decoder, "BLOCK", 100)
    assert decoder.borders(emissions).tolist() == expected.tolist()


def test_a_word_longer_than_a_block_is_no_trouble(segmenter: Segmenter) -> None:
    text = "a" * 5000 + "，" + "7" * 5000
    assert [w for w in "".join(segmenter(text).texts)] == list(text)


@pytest.mark.parametrize(
    "text,word",
    [
        ("看https://example.org/a?b=1&c=2吧", "https://example.org/a?b=1&c=2"),
        ("写信给some.one+x@mail.example.com吧", "some.one+x@mail.example.com"),
        ("我在www.example.com看到", "www.example.com"),
        ("用iPhone的人", "iPhone"),
        ("用ｉＰｈｏｎｅ的人", "ｉＰｈｏｎｅ"),
        ("有5999个", "5999"),
        ("人👨‍👩‍👧‍👦的", "👨‍👩‍👧‍👦"),
        ("人🇨🇳的", "🇨🇳"),
        ("的👍🏽了", "👍🏽"),
        ("在café里", "café"),
        ("在cafe\u0301里", "cafe\u0301"),
    ],
)  # fmt: skip
def test_what_is_never_cut(segmenter: Segmenter, text: str, word: str) -> None:
    start = text.index(word)
    inside = set(range(start + 1, start + len(word)))
    for mode in ("normal", "fine", "coarse"):
        result = segmenter(text, mode=mode)
        assert not inside & {*result.starts, *result.ends}


def test_an_address_stands_alone(segmenter: Segmenter) -> None:
    assert "https://a.b/c" in segmenter("的https://a.b/c了").texts


def test_case_and_width_do_not_matter(segmenter: Segmenter) -> None:
    plain = segmenter("在ktv12的人")
    wide = segmenter("在ＫＴＶ１２的人")
    assert (plain.starts, plain.ends) == (wide.starts, wide.ends)


def test_the_criterion_changes_words(segmenter: Segmenter) -> None:
    text = chinese(300, seed=9)
    found = {name: tuple(segmenter(text, criterion=name).starts) for name in segmenter.criteria}
    assert len(set(found.values())) == len(found)
    assert tuple(segmenter(text).starts) == found[segmenter.criteria[0]]


def test_lexicons_extend_or_replace(segmenter: Segmenter) -> None:
    text = "中国科学技术大学位于合肥"
    found = segmenter(text, mode="index", lexicon=["位于合肥"])
    assert {"位于合肥", "中国科学技术大学", "中国"} <= set(found.texts)
    alone = segmenter(text, mode="index", lexicon=["位于合肥"], builtin=False)
    assert "位于合肥" in alone.texts and "中国科学技术大学" not in alone.texts
    assert "位于合肥" not in segmenter(text, mode="index").texts


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(KNOWN, max_size=30), st.sets(st.sampled_from(sorted(WORDS))), st.sampled_from(MODES))
def test_words_are_removed_as_if_they_had_never_been_there(
    segmenter: Segmenter, text: str, removed: set[str], mode: str
) -> None:
    text += "中国科学技术大学的中国人们用来"
    left = dict.fromkeys(WORDS.keys() - removed, 0.0)
    expected = segmenter(text, mode=mode, lexicon=left, builtin=False)
    assert segmenter(text, mode=mode, lexicon=dict.fromkeys(removed, -1.0)) == expected
    both = {**left, **dict.fromkeys(removed, -0.5)}
    assert segmenter(text, mode=mode, lexicon=both, builtin=False) == expected


def test_domain_pulls_more_the_stronger_it_is(segmenter: Segmenter) -> None:
    text = chinese(400, seed=11)
    cut = random.Random(1).choices(range(396), k=60)
    words = {text[i : i + 3] for i in cut}
    hits = [
        sum(word in words for word in segmenter(text, lexicon=words, domain=domain).texts)
        for domain in (0, 1, 4, 50)
    ]
    assert hits == sorted(hits) and hits[-1] > hits[0]
    weights = dict.fromkeys(words, 0.0)
    assert (
        segmenter(text, lexicon=weights, domain=50).starts
        == segmenter(text, lexicon=weights, domain=0).starts
    )


def test_full_width_lexicon_words_are_found(segmenter: Segmenter) -> None:
    assert "ktv病毒" in segmenter("ktv病毒", mode="index", lexicon=["ＫＴＶ病毒"]).texts


def test_use_sets_defaults(path: Path) -> None:
    with edge_sdk.load(path) as task:
        task.use(mode="index", lexicon={"位于合肥": 1})
        assert "位于合肥" in task("大学位于合肥").texts
        assert task("大学", mode="normal").mode == "normal"
    with pytest.raises(edge_sdk.EdgeError, match="close"):
        task("大学")


@pytest.mark.parametrize(
    "arguments,named",
    [
        ({"text": None}, "text"),
        ({"text": b"x"}, "text"),
        ({"text": "x", "mode": "finest"}, "mode"),
        ({"text": "x", "criterion": "msr"}, "criterion"),
        ({"text": "x", "domain": -1}, "domain"),
        ({"text": "x", "domain": float("nan")}, "domain"),
        ({"text": "x", "domain": "2"}, "domain"),
        ({"text": "x", "lexicon": 7}, "lexicon"),
        ({"text": "x", "lexicon": {"a b": 1}}, "lexicon"),
        ({"text": "x", "lexicon": {"ab": "1"}}, "lexicon"),
        ({"text": "x", "lexicon": "missing.tsv"}, "lexicon"),
    ],
)
def test_wrong_arguments_are_named(segmenter: Segmenter, arguments: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        segmenter(**arguments)


@pytest.mark.parametrize("text", ["", " ", "\n\u3000\t", "\x00"])
def test_nothing_gives_no_words(segmenter: Segmenter, text: str) -> None:
    assert [segmenter(text, mode=mode).words for mode in MODES] == [[]] * len(MODES)


def test_batch_refuses_what_is_no_text(segmenter: Segmenter) -> None:
    with pytest.raises(InputError, match=r"texts\[1\]"):
        segmenter.batch(["x", 3])
    with pytest.raises(InputError, match="texts"):
        segmenter.batch("一句话")


def test_threads_share_a_segmenter(segmenter: Segmenter) -> None:
    texts = [chinese(50, seed) for seed in range(40)]
    expected = [segmenter(text, mode="index") for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: segmenter(text, mode="index"), texts * 3)) == expected * 3


def test_the_recorded_selftest_holds(path: Path) -> None:
    assert edge_sdk.verify(path).selftests["onnx"] > 5


def test_command_line(path: Path, tmp_path: Path) -> None:
    (tmp_path / "words.tsv").write_text("位于合肥\t2\n", encoding="utf-8")
    gold = tmp_path / "gold.txt"

    def run(*argv: str) -> str:
        found = subprocess.run(
            [sys.executable, "-m", "edge_sdk", *argv],
            capture_output=True, encoding="utf-8", env=child_environment({}), timeout=120,
            check=False,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        return found.stdout

    text = "中国科学技术大学位于合肥"
    options = ["--mode", "index", "--lexicon", str(tmp_path / "words.tsv")]
    found = json.loads(run("run", str(path), text, *options, "--json"))
    assert found["mode"] == "index" and found["text"] == text
    assert {"text": "位于合肥", "start": 8, "end": 12} in found["words"]
    words = [w["text"] for w in json.loads(run("run", str(path), text, "--json"))["words"]]
    gold.write_text(" ".join(words) + "\n", encoding="utf-8")
    assert json.loads(run("eval", str(path), "--data", str(gold), "--json"))["f1"] == 100.0


def test_metrics_count_words_with_both_ends_right() -> None:
    gold = [["中国", "人", "民"], ["大学"]]
    predicted = [[(0, 2), (2, 4)], [(0, 2)]]
    found = segmentation_metrics(gold, predicted)
    assert found["rows"] == 2
    assert found["precision"] == pytest.approx(200 / 3) and found["recall"] == pytest.approx(50)
    assert found["f1"] == pytest.approx(2 * 2 / (3 + 4) * 100)


def test_words_of_the_bundle_are_in_its_lexicon(segmenter: Segmenter) -> None:
    assert len(segmenter.lexicon) == len(WORDS) and all(word in segmenter.lexicon for word in WORDS)
