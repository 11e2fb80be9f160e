"""Elections to test with: a roll, trustees who hold their keys, members who hold their codes."""

from __future__ import annotations

import pytest

from tests.voting.holding import Holding


@pytest.fixture
def holding(session, clock, cooperative, make_account) -> Holding:
    """Makes elections and leads them through their states."""
    return Holding(session, clock, cooperative, make_account)
