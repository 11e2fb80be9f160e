"""The two steps of an erasure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.database import changed_rows
from govern.errors import Conflict, RuleViolation
from govern.i18n import day as in_words
from govern.i18n import speaking
from govern.register.hooks import erasing
from govern.register.models import (
    ContactProblem,
    EntryRemark,
    Erasure,
    ErasureState,
    HolderOpening,
    ImportChange,
    Membership,
    RegisterReading,
    ShareEntry,
)
from govern.register.services.chain import lock_register
from govern.register.services.erasure.asking import answer_mail, open_erasure, record_step
from govern.register.services.erasure.identity import erase_account, erase_identity, erase_rolls
from govern.register.services.erasure.mails import erase_mails
from govern.register.services.erasure.planning import plan_erasure
from govern.register.services.members.checking import Contact, put_contact
from govern.register.services.members.finding import index_membership


def erase_member(
    session: Session, actor: Actor, membership: Membership, reason: str = ""
) -> Erasure:
    """Erase what need not be kept about the membership; the book goes on ``keep_until``.

    Answers a request that waits, or is recorded as one of the registrar's own.
    Raises RuleViolation naming what stands against it, Conflict when it was done already.
    """
    actor.require(Permission.REGISTER_WRITE, membership.cooperative_id)
    lock_register(session, membership.cooperative_id)
    session.refresh(membership, with_for_update=True)
    plan = plan_erasure(session, membership)
    if not plan.is_possible or plan.keep_until is None:
        raise RuleViolation(" ".join(plan.holds), remedy=_("Erase it once that has been settled."))
    row = open_erasure(session, membership)
    if row is not None and row.state == ErasureState.PARTIAL.value:
        raise Conflict(
            _("What may be erased is erased."),
            remedy=_("The rest goes on %(day)s.", day=in_words(plan.keep_until)),
        )
    if row is None:
        row = Erasure(
            cooperative_id=membership.cooperative_id,
            membership_id=membership.id,
            requested_at=clock.now(),
            by_person_concerned=False,
            note=" ".join(reason.split())[:500],
            counts={},
        )
        session.add(row)
    row.state = ErasureState.PARTIAL.value
    row.keep_until = plan.keep_until
    row.decided_at = clock.now()
    row.decided_by_id = actor.account_id
    session.flush()
    counts = _erase_now(session, membership)
    with speaking(membership.language):
        kept = plan_erasure(session, membership).is_kept
    answer_mail(session, row, "erasure_done", {"until": plan.keep_until, "kept": kept})
    put_contact(membership, Contact(language=membership.language))
    membership.end_note = ""
    membership.changed_at = clock.now()
    index_membership(session, membership)
    row.counts = dict(counts)
    session.flush()
    record_step(session, actor, row, membership, "begun", {"counts": dict(counts)})
    return row


def complete_erasure(session: Session, actor: Actor, erasure: Erasure) -> None:
    """Erase the rest, now that the book need not be kept: identity, openings, contact on rolls.

    Raises Conflict when it is not the day yet or was done, RuleViolation when shares came back.
    """
    actor.require(Permission.REGISTER_WRITE, erasure.cooperative_id)
    membership = erasure.membership
    lock_register(session, erasure.cooperative_id)
    session.refresh(erasure, with_for_update=True)
    today = clock.today(membership.cooperative.time_zone)
    if erasure.state != ErasureState.PARTIAL.value or erasure.keep_until is None:
        raise Conflict(
            _("This erasure is done, or was not begun."), remedy=_("Nothing needs to be done.")
        )
    if today < erasure.keep_until:
        raise Conflict(
            _("The register must be kept until %(day)s.", day=in_words(erasure.keep_until)),
            remedy=_("Try again then."),
        )
    plan = plan_erasure(session, membership)
    if not plan.is_possible:
        raise RuleViolation(" ".join(plan.holds), remedy=_("Erase it once that has been settled."))
    counts = Counter(erasure.counts) + _erase_now(session, membership)
    for erase in erasing:
        counts["others"] += erase(session, membership, "end")
    counts["rolls"] += erase_rolls(session, membership)
    counts["openings"] += _delete(
        session, delete(HolderOpening).where(HolderOpening.membership_id == membership.id)
    )
    counts["readings"] += _delete(
        session, delete(RegisterReading).where(RegisterReading.membership_id == membership.id)
    )
    erase_identity(session, membership)
    counts["identities"] += 1
    membership.changed_at = clock.now()
    erasure.state = ErasureState.COMPLETE.value
    erasure.completed_at = clock.now()
    erasure.note = ""
    erasure.counts = dict(counts)
    session.flush()
    record_step(session, actor, erasure, membership, "completed", {"counts": dict(counts)})


def due_erasures(session: Session, today: date, *, limit: int | None = None) -> list[int]:
    """The erasures (row numbers) whose second step may be taken on ``today``."""
    return list(
        session.scalars(
            select(Erasure.id)
            .where(Erasure.state == ErasureState.PARTIAL.value, Erasure.keep_until <= today)
            .order_by(Erasure.id)
            .limit(limit)
        )
    )


def expired_memberships(session: Session, today: date) -> Iterator[Membership]:
    """Ended memberships whose book need not be kept any more and for which nobody asked."""
    query = (
        select(Membership)
        .where(
            Membership.ended_on <= today,
            ~exists().where(
                Erasure.membership_id == Membership.id,
                Erasure.state.in_([ErasureState.PARTIAL.value, ErasureState.COMPLETE.value]),
            ),
        )
        .order_by(Membership.id)
    )
    for membership in session.scalars(query).all():
        plan = plan_erasure(session, membership)
        if plan.is_possible and plan.keep_until is not None and plan.keep_until <= today:
            yield membership


def _erase_now(session: Session, membership: Membership) -> Counter[str]:
    counts: Counter[str] = Counter()
    counts["mails"] = erase_mails(session, membership)
    # A remark on a transfer is kept with the first entry of the act, which may be the other's.
    acts = select(ShareEntry.act_id).where(ShareEntry.membership_id == membership.id)
    entries = select(ShareEntry.id).where(
        ShareEntry.cooperative_id == membership.cooperative_id, ShareEntry.act_id.in_(acts)
    )
    counts["remarks"] = _delete(
        session, delete(EntryRemark).where(EntryRemark.entry_id.in_(entries))
    )
    counts["address_problems"] = _delete(
        session, delete(ContactProblem).where(ContactProblem.membership_id == membership.id)
    )
    counts["imports"] = _delete(
        session, delete(ImportChange).where(ImportChange.membership_id == membership.id)
    )
    counts["accounts"] = erase_account(session, membership)
    for erase in erasing:
        counts["others"] += erase(session, membership, "now")
    return counts


def _delete(session: Session, statement: object) -> int:
    done = session.execute(statement.execution_options(synchronize_session="fetch"))  # type: ignore[attr-defined]
    return changed_rows(done)
