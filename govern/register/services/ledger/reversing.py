"""Taking back what was recorded in error: opposite entries join those that stay."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor
from govern.database import make_public_id
from govern.errors import Conflict, InvalidInput, RuleViolation
from govern.i18n import day as in_words
from govern.register.hooks import reversal_holds
from govern.register.models import (
    EndReason,
    EntryKind,
    Membership,
    ShareEntry,
)
from govern.register.rules.numbers import (
    format_numbers,
    parse_numbers,
    unbroken_since,
    without,
)
from govern.register.services.chain import NewEntry, commitment_for
from govern.register.services.holdings import entries_of, moves_of
from govern.register.services.ledger.common import append, open_register
from govern.register.services.members.reopening import refuse_another, was_merged


def reverse_act(session: Session, actor: Actor, entry: ShareEntry, reason: str) -> list[ShareEntry]:
    """Take back everything that was recorded together with ``entry``, as of the day it counted.

    The entries stay; new ones with the opposite signs join them. Raises Conflict when it was
    taken back already, RuleViolation when shares that were given on would be missing, or what was
    owed for them is paid. A membership that ended with the transfer of its last shares goes on;
    Conflict where its holder has another one by now.
    """
    membership = session.get_one(Membership, entry.membership_id)
    cooperative = open_register(session, actor, membership)
    reason = " ".join(reason.split())
    if not 5 <= len(reason) <= 500:
        raise InvalidInput(
            _("Taking an entry back needs a reason of 5 to 500 characters."),
            remedy=_("Write what was wrong with it."),
            field="reason",
        )
    act = session.scalars(
        select(ShareEntry)
        .where(ShareEntry.act_id == entry.act_id, ShareEntry.cooperative_id == cooperative.id)
        .order_by(ShareEntry.sequence)
    ).all()
    taken_back = session.scalar(
        select(ShareEntry.id).where(ShareEntry.reverses_id.in_([row.id for row in act])).limit(1)
    )
    if taken_back is not None or any(row.reverses_id is not None for row in act):
        raise Conflict(
            _("This entry was taken back already, or takes another one back."),
            remedy=_("Record what is right as a new entry."),
        )
    holds = [sentence for ask in reversal_holds for sentence in ask(session, act)]
    if holds:
        raise RuleViolation(
            " ".join(holds),
            remedy=_("Let the money come back first, or let the member subscribe shares anew."),
        )
    number = make_public_id()
    entries = []
    for row in act:
        holder = session.get_one(Membership, row.membership_id)
        if row.shares > 0:
            _check_still_held(session, holder, row)
        entries.append(
            NewEntry(
                membership_id=row.membership_id,
                membership_public_id=holder.public_id,
                commitment=commitment_for(session, holder),
                kind=EntryKind(row.kind),
                share_class=row.share_class,
                nominal_cents=row.nominal_cents,
                shares=-row.shares,
                amount_cents=-row.amount_cents,
                effective_on=row.effective_on,
                act_id=number,
                reverses=(row.id, row.sequence),
                numbers=row.numbers,
                cause=row.cause,
            )
        )
    written = append(session, actor, cooperative, entries, "reversed", reason)
    for row in act:
        _reopen(session, actor, row)
    return written


def _reopen(session: Session, actor: Actor, row: ShareEntry) -> None:
    """A membership that ended because this transfer left it empty goes on after all."""
    giver = session.get_one(Membership, row.membership_id)
    if (
        row.kind != EntryKind.TRANSFER_OUT.value
        or giver.ended_on is None
        or giver.end_reason != EndReason.TRANSFER.value
        # The ending came with the last of the shares, which may have left after these.
        or row.effective_on > giver.ended_on
        or was_merged(session, giver)
    ):
        return
    refuse_another(session, giver)
    giver.ended_on = giver.end_reason = None
    giver.changed_at = clock.now()
    session.flush()
    audit.record(
        session,
        actor,
        "register:membership:reopened",
        cooperative_id=giver.cooperative_id,
        subject=f"membership:{giver.public_id}",
    )


def _check_still_held(session: Session, holder: Membership, row: ShareEntry) -> None:
    """The shares that ``row`` brought must still be there; RuleViolation otherwise."""
    lot = (row.share_class, row.nominal_cents)
    held = unbroken_since(moves_of(entries_of(session, holder.id), lot), row.effective_on)
    gone = without(parse_numbers(row.numbers), held)
    if gone:
        raise RuleViolation(
            _(
                "Member %(number)s no longer holds the shares %(numbers)s that this entry brought "
                "on %(day)s.",
                number=holder.member_number,
                numbers=format_numbers(gone),
                day=in_words(row.effective_on),
            ),
            remedy=_("Take back first what moved them on."),
        )
