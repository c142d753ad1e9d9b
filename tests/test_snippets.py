"""Every command and every piece of Python in the README and the docs does what a reader would do with it.

The Python blocks of a page run in order, as one program. In shell blocks, `edge-sdk` lines run as they are, in a folder
that has the files they name. A line with a placeholder (a word in capitals, such as DIR or CHECKPOINT), and one that trains or measures for minutes, is
checked against the program's own help: the program exists, and so does each option.
"""

from __future__ import annotations

import gzip
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.S | re.M)
_PLACEHOLDER = re.compile(r"(?<![\w$-])[A-Z]{3,}\b(?!=)|BUNDLE")
_INSTALLS = ("pip ", "python3 -m venv", "apt", "cmake", "gcc", "cc ", "cibuildwheel", "mkdir", "cd ", ". ")


def blocks(language: str) -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for name, body in _BLOCK.findall(page.read_text(encoding="utf-8")):
            shell = name == "sh" or (not name and body.startswith(("edge-sdk", "python ")))
            if language == ("sh" if shell else name):
                found.append((page.name, body))
    return found


def commands() -> list[str]:
    """Each different command line of the shell blocks, once, in the order of the pages."""
    lines: dict[str, None] = {}
    for _, body in blocks("sh"):
        for line in body.replace("\\\n", " ").splitlines():
            line = re.sub(r"\s+#.*", "", line).removesuffix(" &").strip()
            line = re.sub(r"^taskset -c \d+ ", "", line)
            if line and not line.startswith((*_INSTALLS, "#", "wait", "bench/pi/", "python3 -m pip")):
                lines[" ".join(line.split())] = None
    return list(lines)


RUN = [line for line in commands() if "edge-sdk" in line and not _PLACEHOLDER.search(line)]
CHECKED = [line for line in commands() if line not in RUN]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that commands name."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "eval.tsv.gz").write_bytes(
        gzip.compress(
            b"tokens\tslot_tags\tintent\n"
            b"wake me up at 7\tO O O B-SL:DATE_TIME I-SL:DATE_TIME\tIN:CREATE_ALARM\n"
            b"call mom\tO B-SL:CONTACT\tIN:CREATE_CALL\n"
        )
    )
    (folder / "lines.txt").write_text("中国科学技术大学\n新型冠状病毒\n", encoding="utf-8")
    (folder / "words.tsv").write_text("位于合肥\t2.0\n", encoding="utf-8")
    (folder / "texts.txt").write_text("wake me up at 7\ncall mom\n", encoding="utf-8")
    (folder / "terms.txt").write_text("rechargeable battery\nsolar cell\nneural network\n", encoding="utf-8")
    (folder / "pairs.tsv").write_text("anchor\ttarget\tscore\nbattery\tcell\t0.5\nboat\tship\t0.75\ncar\tsoup\t0\n")
    (folder / "queries.tsv").write_text("hinglish\tenglish\nsasta dabur lal tel\tcheap dabur lal oil\n")
    (folder / "brands.txt").write_text("dabur lal\nmother dairy\n", encoding="utf-8")
    pictures(folder)
    return folder


def pictures(folder: Path) -> None:
    """A photo, and a few in a reader's own folder of pictures."""
    try:
        from PIL import Image
    except ImportError:
        return  # the commands then say what to install, and fail their tests
    (folder / "Pictures").mkdir()
    for name, colour in {"red": (200, 30, 20), "green": (60, 160, 40), "yellow": (240, 210, 60)}.items():
        Image.new("RGB", (160, 120), colour).save(folder / "Pictures" / f"{name}.jpg")
    Image.new("RGB", (320, 240), (200, 30, 20)).save(folder / "photo.jpg")


def reader(folder: Path, *argv: str) -> str:
    """What a reader's shell prints; `edge-sdk` and `python` are those that run the tests."""
    tools = folder / "bin"
    tools.mkdir(exist_ok=True)
    program = tools / "edge-sdk"
    if not program.exists():
        program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m edge_sdk "$@"\n')
        program.chmod(0o755)
    done = subprocess.run(
        argv,
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{argv[-1]}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("page", sorted({page for page, _ in blocks("python")}))
def test_python_runs(folder: Path, page: str) -> None:
    code = "\n".join(code for name, code in blocks("python") if name == page)
    reader(folder, sys.executable, "-c", code)


@pytest.mark.parametrize("line", RUN)
def test_commands_run(folder: Path, line: str) -> None:
    if "edge-sdk bench" in line and "compare" not in line:
        line = re.sub(r"( --runs \d+)?( --json)?( > |$)", r" --runs 5 --seconds 0.05\2\3", line, count=1)
    assert reader(folder, "bash", "-euo", "pipefail", "-c", line).strip() or ">" in line or "--html" in line


@pytest.mark.parametrize("line", CHECKED)
def test_programs_and_options_exist(line: str) -> None:
    words = shlex.split(line)
    while "=" in words[0] and not words[0].startswith("-"):
        words.pop(0)
    if words[0] == "edge-sdk":
        program = ["-m", "edge_sdk", words[1]]
        if words[1] == "run" or words[1] == "eval":  # their tasks add options
            program.insert(3, words[2] if not _PLACEHOLDER.search(words[2]) else "mtop-en")
    elif words[0].startswith("python"):
        if "bench.record" in words:
            assert "--" in words
            return
        program = words[1:3] if words[1] == "-m" else [words[1]]
    else:
        assert os.access(ROOT / words[0], os.X_OK), f"{words[0]} is no program of this project"
        return
    shown = help_of(tuple(program))
    for option in (word.split("=")[0] for word in words if word.startswith("--")):
        assert option in shown, f"{' '.join(program)} has no option {option}"


@cache
def help_of(program: tuple[str, ...]) -> str:
    done = subprocess.run(
        [sys.executable, *program, "--help"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if "ModuleNotFoundError" in done.stderr and program[0] != "-m":
        pytest.skip(f"{program[0]} needs what is not installed: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return done.stdout
