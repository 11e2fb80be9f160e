"""What keeps a present member from voting, and what keeps a notice from reaching them.

A membership that has ended or has not begun yet is no fault: it is on no list here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Blocker(StrEnum):
    """One reason, in the order in which they are shown."""

    NO_SHARE = "no_share"
    NO_PAID_SHARE = "no_paid_share"
    NO_CATEGORY = "no_category"
    NO_REPRESENTATIVE = "no_representative"
    TWICE = "twice"
    UNREACHABLE = "unreachable"
    EMAIL_REFUSED = "email_refused"
    LETTER_RETURNED = "letter_returned"


class Trouble(StrEnum):
    """What a reason leads to: no vote, two votes, or no notice."""

    VOTING = "voting"
    TWO_VOTES = "two_votes"
    CONVENING = "convening"


REASONS: Mapping[Trouble, tuple[Blocker, ...]] = {
    Trouble.VOTING: (
        Blocker.NO_SHARE,
        Blocker.NO_PAID_SHARE,
        Blocker.NO_CATEGORY,
        Blocker.NO_REPRESENTATIVE,
    ),
    Trouble.TWO_VOTES: (Blocker.TWICE,),
    Trouble.CONVENING: (Blocker.UNREACHABLE, Blocker.EMAIL_REFUSED, Blocker.LETTER_RETURNED),
}
