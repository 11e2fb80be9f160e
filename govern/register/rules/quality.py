"""What keeps a member from voting, and what keeps the cooperative from convening a member."""

from __future__ import annotations

from enum import StrEnum


class Blocker(StrEnum):
    """One reason. The first group blocks voting, the second convening."""

    NO_PAID_SHARE = "no_paid_share"
    NO_CATEGORY = "no_category"
    NO_REPRESENTATIVE = "no_representative"
    NOT_YET = "not_yet"
    TWICE = "twice"
    ENDED = "ended"
    UNREACHABLE = "unreachable"
    EMAIL_REFUSED = "email_refused"
    LETTER_RETURNED = "letter_returned"


CONVENING = frozenset({Blocker.UNREACHABLE, Blocker.EMAIL_REFUSED, Blocker.LETTER_RETURNED})
"""Those that keep a notice from arriving; the others keep a member from voting."""

TO_MEND = tuple(blocker for blocker in Blocker if blocker is not Blocker.ENDED)
"""Those that somebody can do something about. That a membership has ended is no fault."""
