"""No network and no file outside the caller's paths, seen from outside a child process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT, child_environment

PREDICT = """
import sys, time
import edge_sdk
with edge_sdk.load(sys.argv[1]) as task:
    print(task("call mom smith").intent)
    task.batch(["wake me up", "hello"])
edge_sdk.verify(sys.argv[1])
time.sleep(0.5)  # a thread that phones home would have started by now
"""
# onnxruntime keeps its telemetry off where it sees these, and our test would see nothing.
QUIET = {"CI": None, "ORT_RUNNING_UNIT_TESTS": None, "ORT_DISABLE_TELEMETRY": None,
         "GITHUB_ACTIONS": None, "TF_BUILD": None, "BUILD_ID": None}  # fmt: skip


def environment(folder) -> dict[str, str]:
    """Every place where a program would put a cache lies in `folder`."""
    places = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    names = {place: str(folder / place) for place in places}
    for name in names.values():
        os.makedirs(name)
    return child_environment({**QUIET, **names, "PYTHONDONTWRITEBYTECODE": "1"})


def files_under(folder) -> list[str]:
    return sorted(os.path.join(at, name) for at, _, names in os.walk(folder) for name in names)


def test_nothing_is_written(tmp_path, tiny_path):
    home = tmp_path / "home"
    env = environment(home)
    working = tmp_path / "working"
    working.mkdir()
    shutil.copy(tiny_path, working / "b.edge")
    found = subprocess.run(
        [sys.executable, "-c", PREDICT, "b.edge"],
        cwd=working, env=env, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert found.stdout == "CALL\n", found.stderr
    assert files_under(home) == []
    assert os.listdir(working) == ["b.edge"]


STRACE = shutil.which("strace")
WATCH = [
    STRACE or "strace", "-f", "-qq", "-e", "signal=none",
    "-e", "trace=socket,connect,sendto,open,openat,creat,mkdir,mkdirat,rename,renameat,unlink,unlinkat",
]  # fmt: skip


def strace_works() -> bool:
    if STRACE is None:
        return False
    return subprocess.run([*WATCH, "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not strace_works(), reason="strace is not there or not permitted")
def test_no_system_call_opens_a_socket_or_writes(tmp_path, tiny_path):
    log = tmp_path / "log"
    found = subprocess.run(
        [*WATCH, "-o", str(log), sys.executable, "-c", PREDICT, str(tiny_path)],
        cwd=ROOT, env=environment(tmp_path / "home"), capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert found.stdout == "CALL\n", found.stderr
    calls = log.read_text().splitlines()
    assert any("tiny.edge" in call for call in calls), "the trace shows nothing"
    assert [call for call in calls if "socket(" in call or "connect(" in call] == []
    writing = ("O_WRONLY", "O_RDWR", "O_CREAT", "mkdir", "rename", "unlink")
    written = [call for call in calls if any(word in call for word in writing)]
    assert [call for call in written if "/dev/null" not in call] == []


def can_unshare() -> bool:
    command = ["unshare", "--user", "--net", "true"]
    return shutil.which("unshare") is not None and not subprocess.run(command).returncode


@pytest.mark.skipif(not can_unshare(), reason="no permission for a network namespace")
def test_works_without_any_network(tmp_path, tiny_path):
    found = subprocess.run(
        ["unshare", "--user", "--net", sys.executable, "-c", PREDICT, str(tiny_path)],
        cwd=ROOT, env=environment(tmp_path / "home"), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert found.stdout == "CALL\n", found.stderr


AUDIT = """
import sys
seen = []
def hook(event, arguments):
    if event.startswith("socket.") or event == "open" and isinstance(arguments[1], str) and (
        set(arguments[1]) & set("wax+")
    ):
        seen.append((event, str(arguments)[:200]))
    if event in ("subprocess.Popen", "os.system", "os.exec", "pickle.find_class", "os.mkdir"):
        seen.append((event, str(arguments)[:200]))
sys.addaudithook(hook)
"""


def test_no_python_code_opens_sockets_or_unpickles(tmp_path, tiny_path):
    """Where strace is not at hand this still watches the Python side."""
    found = subprocess.run(
        [sys.executable, "-c", AUDIT + PREDICT + "print(seen)", str(tiny_path)],
        cwd=ROOT, env=environment(tmp_path / "home"), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert found.stdout == "CALL\n[]\n", found.stderr


def test_telemetry_is_off_even_where_the_engine_came_first(run_python, tiny_path):
    code = """
import sys, onnxruntime
switched_off = []
original = onnxruntime.disable_telemetry_events
onnxruntime.disable_telemetry_events = lambda: (switched_off.append(1), original())
import os, edge_sdk
edge_sdk.load(sys.argv[1])
print(switched_off, os.environ["ORT_DISABLE_TELEMETRY"])
"""
    assert run_python(code, tiny_path, env={"ORT_DISABLE_TELEMETRY": None}).stdout == "[1] 1\n"
