"""Erasing what is kept about a member, in two steps, each recorded.

At once goes what need not be kept: contact data, remarks, mails, the account. The book (who held
which shares from when to when) is kept for the years that the rule set says after the membership
ended; then the identity goes, what opens the ledger's commitments, and the contact data on rolls.
The chain of the ledger still verifies afterwards: it never held a name. The name on a roll stays,
since the roll's published digest covers it. Backups hold copies until they are overwritten.
"""

from govern.register.services.erasure.asking import (
    answer_mail,
    erasure_by_public_id,
    erasures_of,
    last_erasure,
    open_erasure,
    refuse_erasure,
    request_erasure,
    withdraw_erasure,
)
from govern.register.services.erasure.doing import (
    complete_erasure,
    due_erasures,
    erase_member,
    expired_memberships,
)
from govern.register.services.erasure.planning import ErasurePlan, plan_erasure

__all__ = [
    "ErasurePlan",
    "answer_mail",
    "complete_erasure",
    "due_erasures",
    "erase_member",
    "erasure_by_public_id",
    "erasures_of",
    "expired_memberships",
    "last_erasure",
    "open_erasure",
    "plan_erasure",
    "refuse_erasure",
    "request_erasure",
    "withdraw_erasure",
]
