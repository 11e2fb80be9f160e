"""What happens in the register. Each service checks permission and rules, flushes, never commits.

The names that other features use are collected here.
"""

from govern.register.services.rolls import (
    correct_roll,
    discard_draft_roll,
    entries_for_account,
    freeze_roll,
    lock_roll,
    memberships_for_account,
    roll_by_public_id,
    roll_canonical_lines,
    take_roll,
    verify_roll,
    why_not_on_roll,
)

__all__ = [
    "correct_roll",
    "discard_draft_roll",
    "entries_for_account",
    "freeze_roll",
    "lock_roll",
    "memberships_for_account",
    "roll_by_public_id",
    "roll_canonical_lines",
    "take_roll",
    "verify_roll",
    "why_not_on_roll",
]
