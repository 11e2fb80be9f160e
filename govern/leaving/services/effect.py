"""Taking effect: shares leave the ledger, the membership ends, what is owed is scheduled."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import GovernError, RuleViolation
from govern.i18n import day as in_words
from govern.jobs import enqueue, job
from govern.leaving.models import Departure, Refund
from govern.leaving.rules.states import OPEN, DepartureKind, DepartureState, RefundState
from govern.leaving.services.common import (
    ledger_source,
    lock_departure,
    move,
    open_departures,
    record,
    record_refund,
)
from govern.leaving.services.resigning import EFFECT_JOB
from govern.leaving.services.telling import tell_effect
from govern.register.models import EndReason, Membership, ShareEntry
from govern.register.services import ledger, members
from govern.register.services.certificates import send_certificate
from govern.register.services.holdings import entries_of, holding_of

END_REASONS = {
    DepartureKind.RESIGNATION: EndReason.RESIGNATION,
    DepartureKind.PARTIAL: EndReason.RESIGNATION,
    DepartureKind.DEATH: EndReason.DEATH,
    DepartureKind.LOSS_OF_STATUS: EndReason.LOSS_OF_STATUS,
    DepartureKind.EXCLUSION: EndReason.EXCLUSION,
}
"""``former`` ends nothing: the membership has ended already."""


def find_due(session: Session, now: datetime) -> None:
    """Ask for the effect of every departure whose day has come where the cooperative is."""
    rows = session.execute(
        select(Departure.id, Departure.effective_on, Cooperative.time_zone)
        .join(Cooperative, Cooperative.id == Departure.cooperative_id)
        .where(
            Departure.state == DepartureState.PENDING.value,
            # Somewhere it may be tomorrow already.
            Departure.effective_on <= now.date() + timedelta(days=1),
            Departure.problem == "",
        )
        .order_by(Departure.effective_on, Departure.id)
        .limit(100)
    ).all()
    for departure_id, effective_on, time_zone in rows:
        if effective_on is not None and effective_on <= clock.today(time_zone):
            enqueue(session, EFFECT_JOB, departure_id)


def close_overtaken(session: Session, _now: datetime) -> None:
    """What is under way for a membership that ended otherwise (all shares transferred, merged with
    another, ended by the registrar) is over."""
    rows = session.scalars(
        select(Departure)
        .join(Membership, Membership.id == Departure.membership_id)
        .where(
            Departure.state.in_([state.value for state in OPEN]),
            Membership.ended_on.is_not(None),
        )
        .limit(50)
    ).all()
    for departure in rows:
        lock_departure(session, departure)
        if departure.state in [state.value for state in OPEN]:
            move(departure, DepartureState.SUPERSEDED)
            session.flush()
            record(session, SYSTEM, departure, "superseded")


@job(EFFECT_JOB)
def take_effect_job(session: Session, departure_id: int) -> None:
    """Let one departure take effect, once, however often this runs. What stands in its way is
    written on the departure for the registrar."""
    departure = session.get(Departure, departure_id)
    if departure is None:
        return
    try:
        with session.begin_nested():
            take_effect(session, SYSTEM, departure)
    except GovernError as error:
        session.refresh(departure)
        departure.problem = f"{error.message} {error.remedy}".strip()[:2000]
        record(session, SYSTEM, departure, "stuck")


def take_effect(session: Session, actor: Actor, departure: Departure) -> list[Refund]:
    """What happens on the day: the shares leave, the membership ends if nothing is left.

    Nothing happens when it is not pending any more, or its day has not come. Superseded when the
    membership has ended otherwise meanwhile.
    """
    cooperative = lock_departure(session, departure)
    today = clock.today(cooperative.time_zone)
    if departure.state != DepartureState.PENDING.value or departure.effective_on is None:
        return []
    if departure.effective_on > today:
        return []
    if departure.membership.ended_on is not None:
        move(departure, DepartureState.SUPERSEDED)
        session.flush()
        record(session, actor, departure, "superseded")
        return []
    return settle(session, actor, departure, departure.effective_on)


def settle(session: Session, actor: Actor, departure: Departure, day: date) -> list[Refund]:
    """Take the shares out of the ledger as of ``day``, end the membership, schedule the refund.

    The caller holds the lock and has checked who may. The ledger is written by the system.
    """
    membership = departure.membership
    shares = _shares_to_leave(session, departure, day)
    amount = take_out(session, departure, shares, day)
    if holding_of(session, membership.id).issued == 0:
        members.end_membership(
            session, SYSTEM, membership, day, END_REASONS[DepartureKind(departure.kind)]
        )
    departure.shares_left, departure.amount_cents, departure.problem = shares, amount, ""
    move(departure, DepartureState.EFFECTIVE)
    session.flush()
    refunds = schedule(session, departure, amount, day)
    if membership.ended_on is not None:
        supersede_others(session, actor, departure)
    else:
        send_certificate(session, membership)
    if departure.kind != DepartureKind.EXCLUSION.value:
        # Who is excluded learns it from the decision, with its reasons, and from nothing before.
        tell_effect(session, departure, refunds)
    record(session, actor, departure, "effective", {"shares": shares, "amount_cents": amount})
    return refunds


def take_out(session: Session, departure: Departure, shares: int, day: date) -> int:
    """Take ``shares`` out of the ledger as of ``day``; what is owed for them (cents).

    With the last share, what was paid beyond the value of the shares is owed, too: also what was
    paid after ``day``, given back on the day on which the last of it came. 0 shares: only that.
    """
    membership = departure.membership
    entries = []
    if shares:
        entries += ledger.refund_shares(
            session,
            SYSTEM,
            membership,
            shares,
            day,
            source=ledger_source(departure),
        )
    entries += give_back_rest(session, SYSTEM, membership, day, source=ledger_source(departure))
    return -sum(entry.amount_cents for entry in entries)


def give_back_rest(
    session: Session, actor: Actor, membership: Membership, day: date, **more: str
) -> list[ShareEntry]:
    """Take what is paid beyond the shares out of the ledger where no share is left; the entries."""
    left = holding_of(session, membership.id)
    if left.issued or not left.overpaid_cents:
        return []
    last = max(entry.effective_on for entry in entries_of(session, membership.id))
    return ledger.refund_overpayment(session, actor, membership, max(day, last), **more)


def _shares_to_leave(session: Session, departure: Departure, day: date) -> int:
    then = holding_of(session, departure.membership_id, day).issued
    now = holding_of(session, departure.membership_id).issued
    if departure.kind == DepartureKind.PARTIAL.value:
        asked = departure.shares or 0
        if min(then, now) <= asked:
            # Some were transferred since. Signed for was to give back a part and to stay: neither
            # the whole nor another number is taken instead.
            raise RuleViolation(
                ngettext(
                    "Only %(num)d share is left of those that the request was about.",
                    "Only %(num)d shares are left of those that the request was about.",
                    min(then, now),
                ),
                remedy=_("Ask the member, and withdraw this request: a new one can be made."),
            )
        return asked
    if now > then:
        raise RuleViolation(
            _("Shares were recorded after %(day)s.", day=in_words(day)),
            remedy=_("Take them back or refund them first, then try again."),
        )
    return now


def schedule(session: Session, departure: Departure, amount: int, day: date) -> list[Refund]:
    if amount <= 0 or departure.repay_by is None:
        return []
    refund = Refund(
        cooperative_id=departure.cooperative_id,
        membership_id=departure.membership_id,
        departure_id=departure.id,
        amount_cents=amount,
        owed_since=day,
        due_on=departure.repay_by,
        repay_by=departure.repay_by,
        state=RefundState.SCHEDULED.value,
        holder=departure.holder,
        iban=departure.iban,
        created_at=clock.now(),
    )
    session.add(refund)
    session.flush()
    record_refund(session, SYSTEM, refund, "scheduled")
    return [refund]


def supersede_others(session: Session, actor: Actor, departure: Departure) -> None:
    """The membership has ended: what else was under way for it is over."""
    for other in open_departures(session, departure.membership_id):
        if other.id != departure.id:
            move(other, DepartureState.SUPERSEDED)
            session.flush()
            record(session, actor, other, "superseded", {"by": departure.public_id})


def try_again(session: Session, actor: Actor, departure: Departure) -> None:
    """Try the effect again after whatever stood in its way was put right."""
    actor.require(Permission.REGISTER_WRITE, departure.cooperative_id)
    lock_departure(session, departure)
    take_effect(session, actor, departure)
    departure.problem = ""
    session.flush()
