"""A transfer between two members: which steps its request may take, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

OPEN_FOR = timedelta(days=30)
"""How long a receiver has to answer; afterwards the shares are free again."""

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "proposed": frozenset({"completed", "declined", "withdrawn", "expired"}),
    "awaiting_admission": frozenset(
        {"proposed", "awaiting_acceptance", "declined", "withdrawn", "expired"}
    ),
    # Whoever has applied in time waits for the cooperative, not the other way round.
    "awaiting_acceptance": frozenset({"completed", "declined", "refused", "withdrawn"}),
    "completed": frozenset(),
    "declined": frozenset(),
    "refused": frozenset(),
    "withdrawn": frozenset(),
    "expired": frozenset(),
}
"""State → what may follow. A request that has ended stays as it is."""

OPEN = frozenset(state for state, following in TRANSITIONS.items() if following)
"""States in which shares are promised."""

TIMED = frozenset(state for state in OPEN if "expired" in TRANSITIONS[state])
"""Open states that end by themselves when nobody answers in time."""


def may_follow(present: str, wanted: str) -> bool:
    """Whether a request may go from one state to another; KeyError for an unknown one."""
    return wanted in TRANSITIONS[present]
