"""Verifying the share ledger: the chain, the numbers of the shares, who held them, the rolls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.register.models import Roll
from govern.register.rules.numbers import Numbering
from govern.register.services.verifying.broken import BrokenLedger, broken
from govern.register.services.verifying.entries import verify_entries, verify_head
from govern.register.services.verifying.holders import verify_openings
from govern.register.services.verifying.numbers import verify_numbering

__all__ = ["BrokenLedger", "LedgerState", "verify_ledger"]


@dataclass(frozen=True)
class LedgerState:
    """What a verification found: entries, the newest hash, and how many holders were erased."""

    entries: int
    head: str
    erased: int


def verify_ledger(
    session: Session,
    cooperative: Cooperative,
    progress: Callable[[int], None] | None = None,
) -> LedgerState:
    """Recompute the whole chain of the cooperative; BrokenLedger names the first misfit.

    Checked in this order: every entry follows the one before it, hashes to what it says and stands
    in the row that was written for it; its shares carry the numbers that they must, none held
    twice and none given again; the head is the last entry; every commitment that can still be
    opened opens to its statement and belongs to its membership; the newest statement of each
    membership is what the register shows; every roll was taken at a point that is in the chain.
    """
    rolls = session.execute(
        select(Roll.label, Roll.register_sequence, Roll.register_hash).where(
            Roll.cooperative_id == cooperative.id
        )
    ).all()
    numbering = Numbering()
    ledger, misnumbering = verify_entries(
        session, cooperative, numbering, {roll.register_sequence for roll in rolls}, progress
    )
    verify_head(session, cooperative, ledger)
    if misnumbering is not None:
        raise misnumbering
    verify_numbering(session, cooperative, numbering)
    erased = verify_openings(session, cooperative)
    for roll in rolls:
        if roll.register_hash != ledger.hashes.get(roll.register_sequence):
            raise broken(
                _(
                    "The roll “%(label)s” was taken from a ledger that is not this one.",
                    label=roll.label,
                )
            )
    return LedgerState(ledger.entries, ledger.head, erased)
