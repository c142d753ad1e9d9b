"""The command line as scripts see it: stdout, stderr and exit status."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from edge_sdk.cli import COMMANDS, main
from edge_sdk.cli.output import render
from tests.conftest import child_environment, json_lines
from tests.data.tiny_tagger import EXAMPLES


@pytest.fixture
def cli(tiny_path, monkeypatch, capfd):
    """Call the command line in this process: `cli(*argv)` -> (status, stdout, stderr)."""
    monkeypatch.setenv("EDGE_SDK_ZOO", str(tiny_path.parent))

    def call(*argv: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in argv])
        captured = capfd.readouterr()
        return status, captured.out, captured.err

    return call


def assert_fails(result: tuple[int, str, str], code: str, *words: str) -> None:
    """Exit status 2, nothing on stdout, `error[code]: ...` and `hint: ...` on stderr."""
    status, out, err = result
    assert (status, out) == (2, "")
    error, hint = err.splitlines()
    assert error.startswith(f"error[{code}]: ")
    assert hint.startswith("hint: ") and len(hint) > len("hint: ")
    for word in words:
        assert word in error


# --- run


def test_run_json(cli):
    status, out, err = cli("run", "tiny", "call mom smith", "hello", "--json")
    first, second = map(json.loads, out.splitlines())
    assert (status, err) == (0, "")
    assert list(first) == ["text", "intent", "score", "slots"]
    assert (first["text"], first["intent"]) == ("call mom smith", "CALL")
    assert list(first["slots"][0]) == ["label", "text", "start", "end", "score"]
    assert first["slots"][0]["text"] == "mom smith"
    assert second["slots"] == []


@pytest.mark.parametrize(
    "argv",
    [
        ["run", "tiny", "--json", "hello"],
        ["run", "--json", "tiny", "hello"],
        ["run", "--json", "--threads", "1", "tiny", "--backend", "onnx", "hello"],
        ["run", "tiny", "--json", "--", "hello"],
    ],
)
def test_options_stand_anywhere(cli, argv):
    status, out, _ = cli(*argv)
    assert status == 0
    assert json.loads(out)["intent"] == "OTHER"


def test_run_for_people(cli):
    status, out, err = cli("run", "tiny", "call mom smith and dad")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[1].split() == ["intent", "CALL"]
    assert lines[4].index("start") == lines[5].index("5  ") == lines[6].index("19")


def test_run_reads_lines(run_cli):
    text = "hello\n\n  call mom \r\nÄ 日本 👍\nring dad".encode()
    found = run_cli("run", "tiny", "--json", input=text)
    results = json_lines(found.stdout)
    assert (found.returncode, found.stderr) == (0, b"")
    assert [r["text"] for r in results] == ["hello", "", "  call mom ", "Ä 日本 👍", "ring dad"]
    assert [r["intent"] for r in results][:3] == ["OTHER", "", "CALL"]


@pytest.mark.parametrize(
    ("line", "code"), [(b"\xff\xfe", "input_encoding"), (b"w " * 500, "input_too_long")]
)
def test_a_bad_line_is_named(run_cli, line, code):
    found = run_cli("run", "tiny", "--json", input=b"hello\nhello\n" + line + b"\nhello\n")
    assert found.returncode == 2
    assert len(json_lines(found.stdout)) == 2
    error, hint = found.stderr.decode().splitlines()
    assert error.startswith(f"error[{code}]: line 3 of standard input: ")
    assert hint.startswith("hint: ")


def test_a_bad_argument_is_named(cli):
    status, out, err = cli("run", "tiny", "--json", "hello", "w " * 500)
    assert (status, len(out.splitlines())) == (2, 1)
    assert err.startswith("error[input_too_long]: TEXT 2: ")


def test_an_argument_that_is_not_utf_8(run_cli):
    found = run_cli("run", "tiny", "hello", b"caf\xe9", "--json")
    assert found.returncode == 2
    assert len(json_lines(found.stdout)) == 1
    assert found.stderr.startswith(b"error[input_encoding]: TEXT 2: byte 3 is not UTF-8")


def test_any_locale(run_cli):
    """Also where the locale is plain C and Python does not repair it."""
    plain = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    text = "call Zoë 日本 👍"
    found = run_cli("run", "tiny", text.encode(), env=plain)
    assert (found.returncode, found.stderr) == (0, b"")
    assert text in found.stdout.decode("utf-8")
    found = run_cli("run", "tiny", text.encode(), "--json", env=plain)
    assert json_lines(found.stdout)[0]["text"] == text


def test_the_reader_may_leave(run_cli, tiny_path):
    """As in `edge-sdk run ... | head -1`."""
    with subprocess.Popen(
        [sys.executable, "-m", "edge_sdk", "run", str(tiny_path), "--json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=child_environment({}),
    ) as child:  # fmt: skip
        assert child.stdin and child.stdout and child.stderr
        child.stdin.write(b"hello\n")
        child.stdin.flush()
        assert child.stdout.readline()
        child.stdout.close()
        child.stdin.write(b"hello\n" * 10)
        child.stdin.close()
        assert child.stderr.read() == b""
    assert child.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT to a child needs POSIX")
def test_interrupt(tiny_path):
    with subprocess.Popen(
        [sys.executable, "-m", "edge_sdk", "run", str(tiny_path), "--json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=child_environment({}),
    ) as child:  # fmt: skip
        assert child.stdin and child.stdout and child.stderr
        child.stdin.write(b"hello\n")
        child.stdin.flush()
        assert child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait(60) == 130
        assert child.stderr.read() == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk(tiny_path):
    with open("/dev/full", "wb") as full:
        found = subprocess.run(
            [sys.executable, "-m", "edge_sdk", "run", str(tiny_path), "hello"],
            stdout=full, stderr=subprocess.PIPE, env=child_environment({}), timeout=120,
        )  # fmt: skip
    assert found.returncode == 2
    assert found.stderr.startswith(b"error[io]: ")
    assert b"Traceback" not in found.stderr


# --- usage


@pytest.mark.parametrize(
    "argv",
    [
        ["fly"],
        ["run"],
        ["run", "--json"],
        ["run", "tiny", "hello", "--mode", "fine"],
        ["run", "tiny", "--threads", "many", "hello"],
        ["eval", "tiny"],
        ["eval"],
        ["bench"],
        ["bench", "tiny", "--runs", "x"],
        ["verify"],
        ["verify", "tiny", "tiny"],
        ["inspect", "tiny", "--no-such-option"],
        ["demo", "tiny"],
        ["doctor", "--yaml"],
    ],
)
def test_wrong_usage(cli, argv):
    assert_fails(cli(*argv), "usage")


def test_help(cli):
    status, out, _ = cli()
    assert status == 0
    assert all(command in out for command in COMMANDS)
    assert cli("--help")[1] == out
    assert cli("--version")[1] == "0.1.0\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(cli, command, capfd):
    with pytest.raises(SystemExit) as caught:
        cli(command, "--help")
    assert caught.value.code == 0
    assert f"usage: edge-sdk {command}" in capfd.readouterr().out


@pytest.mark.parametrize("command", ["run", "eval", "bench", "inspect", "verify"])
def test_unknown_bundles(cli, command):
    more = ["--data", "x.tsv"] if command == "eval" else []
    assert_fails(cli(command, "tinny", *more), "bundle_not_found", "tinny", "tiny")
    assert_fails(cli(command, "no/such.edge", *more), "bundle_not_found", "no/such.edge")


@pytest.mark.parametrize("command", ["run", "inspect", "verify", "bench"])
def test_damaged_bundles(cli, tiny_path, tmp_path, command):
    data = bytearray(tiny_path.read_bytes())
    data[len(data) // 2] ^= 4
    damaged = tmp_path / "damaged.edge"
    damaged.write_bytes(data)
    status, out, err = cli(command, damaged)
    assert (status, out) == (2, "")
    assert err.startswith("error[bundle_")


def test_unknown_engine(cli):
    assert_fails(cli("run", "tiny", "hello", "--backend", "abacus"), "backend_no_graph", "abacus")
    assert_fails(cli("run", "tiny", "hello", "--threads", "0"), "input_threads", "0")


# --- the other commands


def test_demo(cli):
    status, out, err = cli("demo", "--json")
    results = [json.loads(line) for line in out.splitlines()]
    assert (status, err) == (0, "")
    assert [r["text"] for r in results] == EXAMPLES
    for result in results:
        assert (result["bundle"], result["task"]) == ("tiny", "tagger")
        assert result.keys() >= {"intent", "score", "slots", "latency_ms"}
        assert 0 < result["latency_ms"] < 10_000
    status, out, _ = cli("demo")
    assert status == 0
    assert all(word in out for word in ("tiny", "SET_ALARM", "mom smith", "latency_ms"))


def test_demo_shows_every_bundle(cli, tiny_path, tmp_path, monkeypatch):
    for name in ("a", "b"):
        shutil.copy(tiny_path, tmp_path / f"{name}.edge")
    monkeypatch.setenv("EDGE_SDK_ZOO", str(tmp_path))
    assert len(cli("demo", "--json")[1].splitlines()) == 2 * len(EXAMPLES)


def test_demo_of_nothing(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("EDGE_SDK_ZOO", str(tmp_path))
    assert_fails(cli("demo"), "zoo_empty", str(tmp_path))


def test_verify(cli):
    status, out, err = cli("verify", "tiny", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["ok"] is True
    assert json.loads(out)["selftests"] == {"onnx": 6}
    assert cli("verify", "tiny")[1].startswith("ok: tiny 1.0.0: 5 files; self-test: 6 inputs on onnx")


def test_inspect(cli, tiny_path):
    status, out, err = cli("inspect", "tiny", "--json")
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert (found["path"], found["bytes"]) == (str(tiny_path), tiny_path.stat().st_size)
    assert found["pipeline"]["max_tokens"] == 64
    assert [file["name"] for file in found["files"]][0] == "model.onnx"
    out = cli("inspect", "tiny")[1]
    assert "features uint8[batch,tokens,64]" in out
    assert "max_tokens  64" in out


def test_doctor(cli, tiny_path):
    status, out, err = cli("doctor", "--json")
    found = json.loads(out)
    assert status == 0
    assert found["engines"]["onnx"].startswith("ok, version ")
    assert found["kernels"]["implementation"] in ("native", "numba", "reference")
    assert found["kernels"]["reason"]
    assert found["bundles"] == ["tiny"] and found["zoo"] == str(tiny_path.parent)
    assert found["telemetry"] == "off"
    assert cli("doctor")[0] == 0


MISSING = """
import sys
sys.modules[sys.argv[1]] = None  # makes the import fail as if it were not installed
from edge_sdk.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("package", ["numpy", "onnxruntime", "tokenizers"])
def test_doctor_with_something_missing(run_python, package):
    found = run_python(MISSING, package, "doctor", "--json")
    assert found.returncode == 0, found.stderr
    if package == "onnxruntime":
        assert "pip install onnxruntime" in json.loads(found.stdout)["engines"]["onnx"]


@pytest.mark.parametrize("package", ["numpy", "onnxruntime", "tokenizers"])
def test_run_with_something_missing(run_python, tiny_path, package):
    found = run_python(MISSING, package, "run", tiny_path, "hello")
    assert (found.returncode, found.stdout) == (2, "")
    error, hint = found.stderr.splitlines()
    assert error.startswith("error[") and package in error
    assert hint.startswith("hint: ") and "pip" in hint


def test_eval(cli, tmp_path):
    data = tmp_path / "data.tsv"
    data.write_text(
        "tokens\tslot_tags\tintent\n"
        "call mom smith\tO B-NAME I-NAME\tCALL\n"
        "wake me at 7\tO O O B-TIME\tSET_ALARM\n"
        "hello dad\tO O\tOTHER\n"  # the model finds a NAME here
        "thanks mom\tO O\tCALL\n",  # and here, with the intent OTHER
        encoding="utf-8",
    )
    status, out, err = cli("eval", "tiny", "--data", data, "--json")
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert (found["bundle"], found["rows"]) == ("tiny", 4)
    assert found["exact_match"] == pytest.approx(50.0)
    assert found["intent_accuracy"] == pytest.approx(75.0)
    assert found["slot_f1"] == pytest.approx(200 / 3)  # precision 2 of 4, recall 2 of 2
    assert "exact_match" in cli("eval", "tiny", "--data", data)[1]


def test_eval_without_the_file(cli, tmp_path):
    status, out, err = cli("eval", "tiny", "--data", tmp_path / "none.tsv")
    assert (status, out) == (2, "")
    assert "none.tsv" in err and err.startswith("error[")


def test_bench(cli, tmp_path, tiny_path):
    inputs = tmp_path / "inputs.txt"
    inputs.write_text("call mom\nwake me up\n")
    status, out, err = cli("bench", "tiny", "--runs", 2, "--seconds", 0.1, "--inputs", inputs, "--json")
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert (found["bundle"], found["engine"], found["runs"], found["texts"]) == ("tiny", "onnx", 2, 2)
    assert found["file_bytes"] == tiny_path.stat().st_size
    for name in ("cold_start_ms", "import_ms", "load_ms", "first_call_ms", "p50_ms", "p95_ms",
                 "p99_ms", "batch_1_per_s", "batch_32_per_s", "steady_rss_mb", "peak_rss_mb"):  # fmt: skip
        spread = found[name]
        assert 0 < spread["min"] <= spread["median"] <= spread["max"], name
    assert found["p50_ms"]["min"] <= found["p95_ms"]["max"]
    assert found["cold_start_ms"]["min"] >= found["load_ms"]["min"] + found["first_call_ms"]["min"]


def test_bench_of_nothing(cli, tmp_path):
    (tmp_path / "empty.txt").write_text("")
    assert_fails(cli("bench", "tiny", "--inputs", tmp_path / "empty.txt"), "input_empty")
    assert_fails(cli("bench", "tiny", "--inputs", tmp_path / "none.txt"), "io", "none.txt")
    assert_fails(cli("bench", "tiny", "--runs", "0"), "input_runs")
    assert_fails(cli("bench", "tiny", "--seconds", "-1"), "input_seconds")
    assert_fails(cli("bench", "tiny", "--batches", "8,0"), "input_batches")
    assert_fails(cli("bench", "tiny", "--batches", "eight"), "usage")


def test_bench_compare(cli, tmp_path):
    """Five runs of a bundle compared with themselves, and with themselves made slower."""
    status, out, err = cli("bench", "tiny", "--runs", 5, "--seconds", 0.1, "--batches", 1, "--json")
    assert (status, err) == (0, "")
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    before.write_text(out)
    slower = json.loads(out)
    for key in ("median", "min", "max"):
        slower["p50_ms"][key] *= 2
    slower["p50_ms"]["values"] = [2 * value + slower["p50_ms"]["max"] for value in slower["p50_ms"]["values"]]
    after.write_text(json.dumps(slower))
    assert cli("bench", "compare", before, before)[0] == 0
    status, out, _ = cli("bench", "compare", before, after, "--json")
    worse = [change for change in map(json.loads, out.splitlines()) if change["verdict"] == "worse"]
    assert status == 1
    assert [(change["measure"], change["change_percent"]) for change in worse] == [("p50_ms", 100.0)]
    assert_fails(cli("bench", "compare", before, tmp_path / "none.json"), "bench_file", "none.json")


def test_bench_plot(cli, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra bench is not installed")
    picture = tmp_path / "latency.svg"
    assert cli("bench", "tiny", "--runs", 1, "--seconds", 0.1, "--plot", picture)[0] == 0
    assert picture.read_text().count("tiny (onnx)") >= 1
    assert_fails(cli("bench", "tiny", "--plot", tmp_path / "latency.doc"), "plot_suffix")


def test_bench_reports_what_a_process_said(cli):
    result = cli("bench", "tiny", "--runs", "1", "--backend", "abacus")
    assert_fails(result, "bench_failed", "abacus")


# --- text for people


def test_control_characters_do_not_reach_the_terminal():
    shown = render({"text": "a\x1b[31mb\nc\ud800", "slots": [{"label": "x\r"}]})
    assert "\x1b" not in shown and "\r" not in shown and "\ud800" not in shown
    assert "a\\x1b[31mb\\nc\\ud800" in shown


def test_wide_characters_are_aligned():
    lines = render({"slots": [{"a": "日本", "b": 1}, {"a": "abcd", "b": 2}]}).splitlines()
    assert lines[2] == "  日本  1"
    assert lines[3] == "  abcd  2"
