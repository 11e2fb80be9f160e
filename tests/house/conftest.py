"""Fixtures of the tests of the house."""

from __future__ import annotations

import pytest


@pytest.fixture
def shares_app() -> bool:
    """Each test has an application of its own here: many change it (its templates, its secret)."""
    return False
