"""Shared fixtures: bundles to open, and child processes to look at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no defect: examples may take long to make and to run.
settings.register_profile(
    "patient",
    deadline=None,
    # Fixtures here are read only; tests that import this file load the profile a second time.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("patient")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a working tagger bundle; leave it as it is."""
    from tests.data.tiny_tagger import build

    path = tmp_path_factory.mktemp("zoo") / "tiny.edge"
    build(path)
    return path


@pytest.fixture
def plain_manifest() -> dict[str, Any]:
    """The least manifest that `write_bundle` takes: a bundle that no task can run."""
    return {
        "min_runtime": "0.1.0",
        "name": "plain",
        "version": "1.2.3",
        "task": "tagger",
        "language": "en",
        "licence": "Apache-2.0",
        "training_data": "none",
        "pipeline": {},
        "graphs": {},
        "metrics": {},
    }


@pytest.fixture
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python code in a fresh process: `run_python(code, *argv, env={...}, input="")`."""

    def run(
        code: str, *argv: object, env: dict[str, str | None] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, argv)],
            env=child_environment(env or {}),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            **options,
        )

    return run


@pytest.fixture
def run_cli(tiny_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run `edge-sdk` in a fresh process; its zoo holds only the tiny tagger."""

    def run(
        *argv: object, env: dict[str, str | None] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "edge_sdk", *map(os.fspath, argv)],
            env=child_environment({"EDGE_SDK_ZOO": str(tiny_path.parent), **(env or {})}),
            capture_output=True,
            timeout=120,
            **options,
        )

    return run


def child_environment(changes: dict[str, str | None]) -> dict[str, str]:
    """This process's environment with the package to be found; None removes a variable."""
    merged = {**os.environ, "PYTHONPATH": str(ROOT), **changes}
    return {name: value for name, value in merged.items() if value is not None}


def json_lines(output: bytes) -> list[dict[str, Any]]:
    """Every line of `output` parsed as JSON."""
    return [json.loads(line) for line in output.decode("ascii").splitlines()]
