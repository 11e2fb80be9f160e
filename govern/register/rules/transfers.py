"""A transfer between two members: which steps its request may take, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

OPEN_FOR = timedelta(days=30)
"""How long a receiver has to answer; afterwards the shares are free again."""

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "proposed": frozenset({"completed", "declined", "withdrawn", "expired"}),
    "awaiting_admission": frozenset({"proposed", "withdrawn", "expired"}),
    "completed": frozenset(),
    "declined": frozenset(),
    "withdrawn": frozenset(),
    "expired": frozenset(),
}
"""State → what may follow. A request that has ended stays as it is."""

OPEN = frozenset(state for state, following in TRANSITIONS.items() if following)
"""States in which shares are promised."""


def may_follow(present: str, wanted: str) -> bool:
    """Whether a request may go from one state to another; KeyError for an unknown one."""
    return wanted in TRANSITIONS[present]
