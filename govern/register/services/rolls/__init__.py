"""Taking, freezing, correcting and locking rolls, and how a member stands towards one."""

from govern.register.services.rolls.copying import copy_frozen_roll
from govern.register.services.rolls.correcting import correct_roll
from govern.register.services.rolls.reading import (
    corrections_of,
    entries_for_account,
    held_twice,
    member_facts,
    memberships_for_account,
    roll_by_public_id,
    roll_canonical_lines,
    verify_roll,
    why_not_on_roll,
)
from govern.register.services.rolls.steps import (
    discard_draft_roll,
    freeze_roll,
    lock_roll,
    take_roll,
)

__all__ = [
    "copy_frozen_roll",
    "correct_roll",
    "corrections_of",
    "discard_draft_roll",
    "entries_for_account",
    "freeze_roll",
    "held_twice",
    "lock_roll",
    "member_facts",
    "memberships_for_account",
    "roll_by_public_id",
    "roll_canonical_lines",
    "take_roll",
    "verify_roll",
    "why_not_on_roll",
]
