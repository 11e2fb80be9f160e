"""One small demonstration, made by the command of `make run`, for all tests of this folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from govern.app import create_app
from govern.config import load_config

MEMBERS = 240


def demo_environment(instance: Path) -> dict[str, str]:
    """The environment of a demonstration of its own, without a word from the one outside."""
    outside = {
        name: value for name, value in os.environ.items() if not name.endswith(("_URL", "_KEY"))
    }
    return outside | {
        "GOVERN_ENV": "demo",
        "GOVERN_INSTANCE": str(instance),
        "DEMO_MEMBERS": str(MEMBERS),
        "LOG_LEVEL": "ERROR",
    }


def run_govern(instance: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "govern", *arguments],
        env=demo_environment(instance),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def demo_instance(tmp_path_factory) -> Path:
    """The instance folder of a whole demonstration."""
    instance = tmp_path_factory.mktemp("demo")
    for arguments in (("db", "upgrade"), ("demo", "create")):
        done = run_govern(instance, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    return instance


@pytest.fixture(scope="session")
def demo_app(demo_instance):
    return create_app(load_config(demo_environment(demo_instance)))
