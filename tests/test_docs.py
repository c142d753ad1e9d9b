"""README and docs: what they link to exists, what they copy from bundles is what the bundles say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge_sdk.bundle import Bundle

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BUNDLES = sorted((ROOT / "zoo").glob("*.edge"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_are_named_exist(page: Path) -> None:
    named = re.findall(r"`((?:bench|edge_sdk|export|models|native|tests)/[\w/.-]+\.\w+)`", page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_there_are_bundles() -> None:
    assert {"mtop-en", "snips-en", "zh-seg"} <= {path.stem for path in BUNDLES}
    assert sum(path.stat().st_size for path in BUNDLES) < 40_000_000


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.stem)
def test_model_cards_are_those_of_the_bundles(path: Path) -> None:
    with Bundle.open(path) as bundle:
        card = bytes(bundle.read("MODEL_CARD.md")).decode("utf-8")
    assert (ROOT / "docs" / "model-cards" / f"{path.stem}.md").read_text(encoding="utf-8") == card


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.stem)
def test_bundles_of_the_zoo_pass_their_self_tests(path: Path) -> None:
    import edge_sdk

    edge_sdk.verify(path)


def test_three_lines_of_python() -> None:
    """The README's example runs as it is printed."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    printed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, encoding="utf-8", check=True,
    ).stdout  # fmt: skip
    assert "IN:CREATE_ALARM" in printed
