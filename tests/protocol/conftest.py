"""Fixtures of the protocol's tests: the vectors, the reference elections, the peer."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
# The vectors' generator and its helpers are scripts beside the tests, not a package.
sys.path.insert(0, str(HERE))


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    """The committed vectors."""
    found: dict[str, Any] = json.loads((HERE / "vectors.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def peer() -> str:
    """The path of `belenios-tool`; without it peer tests are skipped, but never in CI."""
    found = shutil.which("belenios-tool")
    if found is None:
        message = "belenios-tool is not installed: nothing was compared with the peer verifier"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found
