"""What pip makes of a checkout: a wheel and a source distribution that work in an environment without the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="no git checkout")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracked and new files of the checkout, without what was built in place."""
    folder = tmp_path_factory.mktemp("source") / "edge-sdk"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/", "bench/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def build(source: Path, out: Path, **environment: str) -> tuple[Path, str]:
    """The wheel of a folder or an archive, and what pip said."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-v", "--no-deps", "--no-build-isolation", "-w", out, source],
        env={**{k: v for k, v in os.environ.items() if k != "CI"}, **environment},
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    (wheel,) = out.glob("edge_sdk-*.whl")
    return wheel, said


def demo(wheel: Path, folder: Path) -> tuple[dict, list[dict]]:
    """`doctor` and `demo` of a wheel that is unpacked into an empty folder, from another folder."""
    site, elsewhere = folder / "site", folder / "elsewhere"
    elsewhere.mkdir()
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, wheel], check=True
    )
    found = []
    for command in ("doctor", "demo"):
        done = subprocess.run(
            [sys.executable, "-m", "edge_sdk", command, "--json"],
            cwd=elsewhere, env={**os.environ, "PYTHONPATH": str(site)},
            capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found.append([json.loads(line) for line in done.stdout.splitlines()])
    (doctor,), examples = found
    assert Path(doctor["package"]).is_relative_to(site)
    return doctor, examples


def test_wheel(source: Path, tmp_path: Path) -> None:
    wheel, _ = build(source, tmp_path, EDGE_SDK_REQUIRE_EXT="1")
    names = zipfile.ZipFile(wheel).namelist()
    kept_out = ("models/", "export/", "bench/", "native/", "tests/")
    assert not [name for name in names if name.startswith(kept_out) or name.endswith((".pyx", ".c", ".h"))]
    assert {"edge_sdk/py.typed", "edge_sdk/zoo/mtop-en.edge"} <= set(names)
    doctor, examples = demo(wheel, tmp_path)
    assert doctor["kernels"]["implementation"] == "native"
    assert {path.stem for path in (ROOT / "zoo").glob("*.edge")} == {each["bundle"] for each in examples}


def test_source_distribution_without_a_compiler(source: Path, tmp_path: Path) -> None:
    """It installs, works, and says at build time and in `doctor` what it lost."""
    subprocess.run(
        [sys.executable, "-c", "from setuptools.build_meta import build_sdist; import sys; build_sdist(sys.argv[1])", tmp_path],
        cwd=source, capture_output=True, check=True,
    )  # fmt: skip
    (archive,) = tmp_path.glob("*.tar.gz")
    wheel, said = build(archive, tmp_path, CC="no-such-compiler", EDGE_SDK_REQUIRE_EXT="0")
    assert "the native kernels of edge-sdk could not be built" in said
    doctor, examples = demo(wheel, tmp_path)
    assert doctor["kernels"]["implementation"] == "reference"
    assert examples
