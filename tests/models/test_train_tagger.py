"""Training for real: a tiny tagger learns a toy grammar, alone and from a teacher."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from models.common.checkpoint import load_json, load_tensors
from models.pnlp_mixer.checkpoint import Checkpoint
from tests.models import toy

ROOT = Path(__file__).parents[2]


def train(data: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(data, out, *options), cwd=ROOT, capture_output=True, encoding="utf-8"
    )


def command(data: Path, out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "models.pnlp_mixer.train", "--config", "tiny",
            "--data", os.fspath(data), "--out", os.fspath(out), *options]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.write(tmp_path_factory.mktemp("toy"))


def test_learns_the_grammar_from_labels_and_from_a_teacher(data: Path, tmp_path: Path) -> None:
    done = train(data, tmp_path, "--teachers", "1")
    assert done.returncode == 0, done.stderr
    checkpoint = Checkpoint.load(tmp_path)
    assert checkpoint.training["validation"]["exact_match"] >= 95
    assert checkpoint.training["validation"]["intent_accuracy"] >= 95
    teacher = load_json(tmp_path / "teacher-0" / "checkpoint.json")
    assert teacher["training"]["validation"]["exact_match"] >= 90
    assert "epoch   1/" in done.stderr  # progress

    again = train(data, tmp_path, "--teachers", "1")
    assert again.returncode == 0
    assert "epoch   1/" not in again.stderr  # nothing left to do


def test_ctrl_c_loses_at_most_an_epoch(data: Path, tmp_path: Path) -> None:
    """Stopped by a signal and started again, a run ends with the weights of an undisturbed one."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert train(data, whole).returncode == 0
    process = subprocess.Popen(
        command(data, cut), cwd=ROOT, stderr=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.lstrip("\r").startswith("epoch   2/"):
            process.send_signal(signal.SIGINT)
            break
    rest = process.stderr.read()
    assert process.wait(60) == 130
    assert "Traceback" not in rest
    assert "same command" in rest
    assert train(data, cut).returncode == 0
    ours, theirs = load_tensors(cut / "model.pt"), load_tensors(whole / "model.pt")
    assert all(bool((ours[name] == theirs[name]).all()) for name in theirs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--data", "nowhere"), "nowhere"),
        (("--only", "teacher-3"), "--only"),
        (("--config", "huge"), "huge"),
    ],
)
def test_unusable_arguments_are_named(
    data: Path, tmp_path: Path, options: tuple[str, str], message: str
) -> None:
    done = train(data, tmp_path / "out", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bert_vocabulary_can_be_given(data: Path, tmp_path: Path) -> None:
    vocabulary = tmp_path / "vocab.txt"
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    units = ["[PAD]", "[UNK]", *letters, *("##" + letter for letter in letters), "call", "alarm"]
    vocabulary.write_text("\n".join(units) + "\n")
    done = train(data, tmp_path / "out", "--bert-vocab", os.fspath(vocabulary), "--epochs", "3")
    assert done.returncode == 0, done.stderr
    assert b'"##z"' in Checkpoint.load(tmp_path / "out").tokenizer
