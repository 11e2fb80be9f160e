"""Elections to test with: a roll, trustees who hold their keys, members who hold their codes."""

from __future__ import annotations

import pytest

from govern.voting import agefile
from tests.voting.holding import Holding


@pytest.fixture
def holding(session, clock, cooperative, make_account) -> Holding:
    """Makes elections and leads them through their states."""
    return Holding(session, clock, cooperative, make_account)


@pytest.fixture
def light_passphrases(monkeypatch):
    """Files with a passphrase take no second to make and open."""
    monkeypatch.setattr(agefile, "WORK_FACTOR", 4)
