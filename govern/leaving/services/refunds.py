"""What is owed: its schedule, what the board's tests allow, its payment, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, joinedload

from govern import clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, ForbiddenTransition, InvalidInput, NotFound, RuleViolation
from govern.i18n import speaking
from govern.leaving.models import Refund
from govern.leaving.rules.board import TestKind, coverage_of
from govern.leaving.rules.calendar import BadSchedule, plan_instalments
from govern.leaving.rules.states import OWED, RefundState
from govern.leaving.services.board import coverages, facts_of_tests, refuse_uncovered
from govern.leaving.services.common import (
    checked_text,
    move_refund,
    record_refund,
    with_holder,
)
from govern.leaving.services.taken_back import refuse_taken_back
from govern.leaving.services.telling import tell_refund
from govern.leaving.texts import coverage_text, schedule_refused
from govern.payments.models import OutgoingPayment
from govern.payments.services import release_outgoing, request_outgoing
from govern.register.services.chain import lock_register

SUBJECT = "refund:"


# -- lists --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Totals:
    """What is owed in a cooperative (cents), and how much of it is due by today."""

    owed_cents: int
    due_cents: int
    postponed_cents: int
    paid_cents: int


def refund_totals(session: Session, cooperative: Cooperative) -> Totals:
    """The sums above the list."""
    today = clock.today(cooperative.time_zone)
    owed = [state.value for state in OWED]
    waiting = [RefundState.SCHEDULED.value, RefundState.RETURNED.value]

    def total(*conditions: Any) -> int:
        return int(
            session.scalar(
                select(func.sum(Refund.amount_cents)).where(
                    Refund.cooperative_id == cooperative.id, *conditions
                )
            )
            or 0
        )

    return Totals(
        owed_cents=total(Refund.state.in_(owed)),
        due_cents=total(Refund.state.in_(waiting), Refund.due_on <= today),
        postponed_cents=total(Refund.state == RefundState.POSTPONED.value),
        paid_cents=total(Refund.state == RefundState.PAID.value),
    )


def find_refunds(
    cooperative: Cooperative, *, state: str = "", due_by: date | None = None
) -> Select[Any]:
    """The statement that selects refunds by due date. ``state`` "" for what is owed."""
    query = (
        select(Refund)
        .where(Refund.cooperative_id == cooperative.id)
        .options(*with_holder(Refund.membership), joinedload(Refund.outgoing))
    )
    if state == "all":
        query = query.where(Refund.state != RefundState.REPLACED.value)
    elif state in tuple(RefundState):
        query = query.where(Refund.state == state)
    else:
        query = query.where(Refund.state.in_([item.value for item in OWED]))
    if due_by is not None:
        query = query.where(Refund.due_on <= due_by)
    return query.order_by(Refund.due_on, Refund.id)


def chosen_refunds(
    session: Session, cooperative: Cooperative, public_ids: Iterable[str]
) -> list[Refund]:
    """The refunds of that cooperative that were ticked, by due date; NotFound for any other."""
    wanted = list(dict.fromkeys(public_ids))[:1000]
    rows = list(
        session.scalars(
            select(Refund)
            .where(Refund.cooperative_id == cooperative.id, Refund.public_id.in_(wanted))
            .order_by(Refund.due_on, Refund.id)
        )
    )
    if not wanted or len(rows) != len(wanted):
        raise NotFound(
            _("Choose at least one refund of this cooperative."),
            remedy=_("Tick the refunds in the list."),
        )
    return rows


# -- the schedule -------------------------------------------------------------------------------


def split_refund(
    session: Session,
    actor: Actor,
    refund: Refund,
    *,
    count: int,
    first_due_on: date,
    months_between: int = 12,
) -> list[Refund]:
    """Pay in ``count`` instalments, the first due on ``first_due_on`` (1: another due date).

    The refund stays as replaced, with the instalments in its place. RuleViolation when one would
    lie after the last day of repayment.
    """
    actor.require(Permission.PAYMENTS_WRITE, refund.cooperative_id)
    cooperative = _lock(session, refund)
    today = clock.today(cooperative.time_zone)
    try:
        parts = plan_instalments(
            refund.amount_cents,
            count,
            first_due_on,
            months_between,
            earliest=max(refund.owed_since, min(today, refund.repay_by)),
            latest=refund.repay_by,
        )
    except BadSchedule as error:
        raise schedule_refused(error) from error
    move_refund(refund, RefundState.REPLACED)
    session.flush()
    made = []
    for part in parts:
        row = Refund(
            cooperative_id=refund.cooperative_id,
            membership_id=refund.membership_id,
            departure_id=refund.departure_id,
            amount_cents=part.amount_cents,
            owed_since=refund.owed_since,
            due_on=part.due_on,
            repay_by=refund.repay_by,
            state=RefundState.SCHEDULED.value,
            holder=refund.holder,
            iban=refund.iban,
            created_at=clock.now(),
        )
        session.add(row)
        made.append(row)
    session.flush()
    record_refund(session, actor, refund, "split", {"count": count})
    return made


def postpone_refund(
    session: Session,
    actor: Actor,
    refund: Refund,
    *,
    reason: str,
    until: date | None = None,
) -> None:
    """Put a refund off, with the reason; the claim remains. The owner is told."""
    actor.require(Permission.PAYMENTS_WRITE, refund.cooperative_id)
    cooperative = _lock(session, refund)
    text = checked_text(reason, "reason")
    if until is not None and until <= clock.today(cooperative.time_zone):
        raise InvalidInput(
            _("This day is not ahead."),
            remedy=_("Give a later day, or none."),
            field="until",
        )
    move_refund(refund, RefundState.POSTPONED)
    refund.reason, refund.postponed_until = text, until
    session.flush()
    tell_refund(
        session, refund, "postponed", clock.now().isoformat(timespec="seconds"), until=until
    )
    record_refund(session, actor, refund, "postponed")


def resume_refund(session: Session, actor: Actor, refund: Refund) -> None:
    """A refund that was put off can be paid again."""
    actor.require(Permission.PAYMENTS_WRITE, refund.cooperative_id)
    _lock(session, refund)
    if refund.state != RefundState.POSTPONED.value:
        raise ForbiddenTransition(
            _("This refund was not put off."),
            remedy=_("Reload the page to see where it stands."),
        )
    move_refund(refund, RefundState.SCHEDULED)
    refund.reason, refund.postponed_until = "", None
    session.flush()
    record_refund(session, actor, refund, "resumed")


# -- payment ------------------------------------------------------------------------------------


def release_refunds(
    session: Session, actor: Actor, cooperative: Cooperative, refunds: Sequence[Refund]
) -> list[OutgoingPayment]:
    """Release payments for all of ``refunds`` together; the next credit-transfer file holds them.

    Nothing is released unless each is scheduled and has an account, and both tests of the board
    cover the sum today.
    """
    actor.require(Permission.PAYMENTS_RELEASE, cooperative.id)
    lock_register(session, cooperative.id)
    for refund in refunds:
        session.refresh(refund)
        _refuse_release(cooperative, refund)
        refuse_taken_back(session, refund)
    refuse_uncovered(session, cooperative, sum(refund.amount_cents for refund in refunds))
    by_kind = {given.kind: given.test for given in coverages(session, cooperative, 0)}
    net_asset, liquidity = by_kind[TestKind.NET_ASSET], by_kind[TestKind.LIQUIDITY]
    payments = []
    for refund in refunds:
        membership = refund.membership
        with speaking(membership.language):
            text = _("Refund of shares, member %(number)s", number=membership.member_number)
        payment = request_outgoing(
            session,
            actor,
            cooperative,
            payee_name=refund.holder or membership.display_name,
            iban=refund.iban,
            amount_cents=refund.amount_cents,
            due_on=refund.due_on,
            text=text,
            subject=f"{SUBJECT}{refund.public_id}",
        )
        refund.outgoing_id = payment.id
        refund.net_asset_test_id = net_asset.id if net_asset else None
        refund.liquidity_test_id = liquidity.id if liquidity else None
        move_refund(refund, RefundState.RELEASED)
        session.flush()
        release_outgoing(session, actor, payment)
        record_refund(session, actor, refund, "released")
        payments.append(payment)
    return payments


def keep_covered(session: Session, refund: Refund, execute_on: date | None = None) -> None:
    """RuleViolation unless both tests still cover a released refund today, and on ``execute_on``.

    Where the board has made newer tests since, the refund counts under those.
    """
    cooperative = session.get_one(Cooperative, refund.cooperative_id)
    facts, today = facts_of_tests(session, cooperative.id), clock.today(cooperative.time_zone)
    # Tests are never recorded ahead: whichever holds on the later day holds today.
    on = max(today, execute_on or today)
    missing = []
    for kind in TestKind:
        column = "net_asset_test_id" if kind is TestKind.NET_ASSET else "liquidity_test_id"
        given = coverage_of(facts, kind, on, 0)
        if given.test is not None and given.test.id != getattr(refund, column):
            given = coverage_of(facts, kind, on, refund.amount_cents)
        if given.test is None or not given.is_given:
            missing.append(coverage_text(given))
        else:
            setattr(refund, column, given.test.id)
    if missing:
        raise RuleViolation(
            " ".join(missing),
            remedy=_("Record the tests that the board has made, or call the payment off."),
        )
    session.flush()


def _refuse_release(cooperative: Cooperative, refund: Refund) -> None:
    if refund.cooperative_id != cooperative.id:
        raise NotFound(_("There is no such refund."), remedy=_("Choose one from the list."))
    number = refund.membership.member_number
    if refund.state != RefundState.SCHEDULED.value:
        raise Conflict(
            _("A refund of member %(number)s is not waiting to be released.", number=number),
            remedy=_("Reload the list to see where it stands."),
        )
    if not refund.iban:
        raise RuleViolation(
            _("Nobody has said yet where member %(number)s is to be paid.", number=number),
            remedy=_("Ask for the account, or leave this refund out."),
        )


def _lock(session: Session, refund: Refund) -> Cooperative:
    lock_register(session, refund.cooperative_id)
    session.refresh(refund)
    return session.get_one(Cooperative, refund.cooperative_id)


def waiting_without_account(session: Session, membership_ids: Sequence[int]) -> list[Refund]:
    """Refunds of these memberships that cannot be paid for want of an account."""
    return list(
        session.scalars(
            select(Refund).where(
                Refund.membership_id.in_(list(membership_ids)),
                or_(
                    Refund.state == RefundState.RETURNED.value,
                    (Refund.iban == "") & (Refund.state == RefundState.SCHEDULED.value),
                ),
            )
        )
    )
