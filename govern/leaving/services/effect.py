"""Taking effect: shares leave the ledger, the membership ends, what is owed is scheduled."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Actor, Permission
from govern.cooperatives.models import Cooperative, RuleSet
from govern.cooperatives.rules import LeavingRules
from govern.errors import Conflict, GovernError, InvalidInput, RuleViolation
from govern.i18n import day as in_words
from govern.jobs import enqueue, job
from govern.leaving.models import Departure, Refund
from govern.leaving.rules.calendar import repay_by
from govern.leaving.rules.states import OPEN, DepartureKind, DepartureState, RefundState
from govern.leaving.services.common import (
    Upload,
    checked_text,
    keep_document,
    ledger_source,
    lock_departure,
    lock_membership,
    move,
    open_departures,
    record,
    record_refund,
    refuse_days,
    refuse_ended,
    rules_for,
)
from govern.leaving.services.payees import checked_payee
from govern.leaving.services.resigning import EFFECT_JOB
from govern.leaving.services.telling import tell, tell_effect
from govern.register.models import EndReason, Membership
from govern.register.services import ledger, members
from govern.register.services.holdings import holding_of

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
    amount = _take_out(session, departure, shares, day)
    if holding_of(session, membership.id).issued == 0:
        members.end_membership(
            session, SYSTEM, membership, day, END_REASONS[DepartureKind(departure.kind)]
        )
    departure.shares_left, departure.amount_cents, departure.problem = shares, amount, ""
    move(departure, DepartureState.EFFECTIVE)
    session.flush()
    refunds = _schedule(session, departure, amount, day)
    if membership.ended_on is not None:
        supersede_others(session, actor, departure)
    tell_effect(session, departure, refunds)
    record(session, actor, departure, "effective", {"shares": shares, "amount_cents": amount})
    return refunds


def _take_out(session: Session, departure: Departure, shares: int, day: date) -> int:
    """Take ``shares`` out of the ledger as of ``day``; what is owed for them (cents).

    With the last share what was paid beyond the value of the shares is owed, too.
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
    left = holding_of(session, membership.id, day)
    if left.issued == 0 and left.overpaid_cents:
        entries += ledger.refund_overpayment(session, SYSTEM, membership, day)
    return -sum(entry.amount_cents for entry in entries)


def _shares_to_leave(session: Session, departure: Departure, day: date) -> int:
    then = holding_of(session, departure.membership_id, day).issued
    now = holding_of(session, departure.membership_id).issued
    if departure.kind == DepartureKind.PARTIAL.value:
        # Some of them may have been transferred since the request.
        return min(departure.shares or 0, then, now)
    if now > then:
        raise RuleViolation(
            _("Shares were recorded after %(day)s.", day=in_words(day)),
            remedy=_("Take them back or refund them first, then try again."),
        )
    return now


def _schedule(session: Session, departure: Departure, amount: int, day: date) -> list[Refund]:
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


# -- what the registrar records -----------------------------------------------------------------


def record_death(
    session: Session,
    actor: Actor,
    membership: Membership,
    *,
    died_on: date,
    note: str = "",
    document: Upload | None = None,
) -> Departure:
    """The member has died: the membership ends on that day, whatever was under way.

    The shares stay in the ledger until their value is owed to the estate (``settle_estate``) or
    they pass to heirs who are members (``pass_on_shares``). Nobody is written to.
    """
    actor.require(Permission.REGISTER_WRITE, membership.cooperative_id)
    cooperative = lock_membership(session, membership)
    refuse_ended(membership)
    refuse_days(cooperative, membership, died_on, "died_on")
    if membership.person is None:
        raise RuleViolation(
            _("An organisation does not die."),
            remedy=_("Record that it no longer meets the conditions, for example its closure."),
        )
    _supersede_requests(session, actor, membership)
    departure = _new(session, actor, membership, DepartureKind.DEATH, died_on, note)
    keep_document(
        session, actor, cooperative.id, _("Record of the death"), document, departure=departure
    )
    members.end_membership(session, actor, membership, died_on, EndReason.DEATH, note)
    move(departure, DepartureState.EFFECTIVE)
    session.flush()
    supersede_others(session, actor, departure)
    record(session, actor, departure, "effective")
    return departure


def settle_estate(
    session: Session, actor: Actor, departure: Departure, *, holder: str = "", iban: str = ""
) -> list[Refund]:
    """Owe the value of the shares to the estate, as of the day of the death.

    The account may follow later. Conflict when no share is left or the kind is another one.
    """
    actor.require(Permission.REGISTER_WRITE, departure.cooperative_id)
    lock_departure(session, departure)
    _refuse_unless_estate(departure)
    day = departure.effective_on or departure.requested_on
    payee, compact = checked_payee(holder, iban) if iban.strip() else (holder.strip()[:70], "")
    held = holding_of(session, departure.membership_id).issued
    if not held:
        raise Conflict(
            _("No share of the deceased is left."), remedy=_("Nothing needs to be done.")
        )
    amount = _take_out(session, departure, held, day)
    departure.holder, departure.iban = payee, compact
    departure.shares_left = held
    departure.amount_cents = amount
    session.flush()
    refunds = _schedule(session, departure, amount, day)
    record(session, actor, departure, "estate_settled", {"amount_cents": amount})
    return refunds


def pass_on_shares(
    session: Session,
    actor: Actor,
    departure: Departure,
    *,
    receiver_number: str,
    shares: int,
    effective_on: date,
) -> None:
    """Shares of the deceased pass to an heir who is a member, by succession."""
    actor.require(Permission.REGISTER_WRITE, departure.cooperative_id)
    lock_departure(session, departure)
    _refuse_unless_estate(departure)
    receiver = members.membership_by_number(session, departure.cooperative_id, receiver_number)
    if receiver is None:
        raise InvalidInput(
            _("Nobody has the member number “%(number)s”.", number=receiver_number[:40]),
            remedy=_("Admit the heir as a member first, then give the number."),
            field="receiver",
        )
    ledger.transfer_shares(
        session,
        actor,
        departure.membership,
        receiver,
        shares,
        effective_on,
        cause="succession",
    )
    record(session, actor, departure, "passed_on", {"shares": shares})


def owe_former_member(
    session: Session,
    actor: Actor,
    membership: Membership,
    *,
    owed_since: date,
    holder: str = "",
    iban: str = "",
    note: str = "",
) -> Departure:
    """Owe the value of shares that are in the ledger although the membership has ended.

    For registers that were imported, and endings recorded without paying back. ``owed_since``: the
    day on which the shares leave the capital, not before the ending.
    """
    actor.require(Permission.REGISTER_WRITE, membership.cooperative_id)
    cooperative = lock_membership(session, membership)
    refuse_days(cooperative, membership, owed_since, "owed_since")
    if membership.ended_on is None or owed_since < membership.ended_on:
        raise RuleViolation(
            _("The membership had not ended on that day."),
            remedy=_("Give the day on which it ended, or a later one."),
            field="owed_since",
        )
    payee, compact = checked_payee(holder, iban) if iban.strip() else (holder.strip()[:70], "")
    held = holding_of(session, membership.id).issued
    if not held:
        raise Conflict(_("No share of this member is left."), remedy=_("Nothing needs to be done."))
    departure = _new(session, actor, membership, DepartureKind.FORMER, owed_since, note)
    departure.holder, departure.iban = payee, compact
    amount = _take_out(session, departure, held, owed_since)
    departure.shares_left, departure.amount_cents = held, amount
    move(departure, DepartureState.EFFECTIVE)
    session.flush()
    refunds = _schedule(session, departure, amount, owed_since)
    if membership.end_reason != EndReason.DEATH.value:
        tell_effect(session, departure, refunds)
    record(session, actor, departure, "effective", {"shares": held, "amount_cents": amount})
    return departure


def record_loss_of_status(
    session: Session,
    actor: Actor,
    membership: Membership,
    *,
    lost_on: date,
    reason: str,
    holder: str = "",
    iban: str = "",
    document: Upload | None = None,
) -> Departure:
    """The member no longer meets the conditions: the membership ends on that day by itself."""
    actor.require(Permission.REGISTER_WRITE, membership.cooperative_id)
    cooperative = lock_membership(session, membership)
    refuse_ended(membership)
    refuse_days(cooperative, membership, lost_on, "lost_on")
    text = checked_text(reason, "reason")
    payee, compact = checked_payee(holder, iban) if iban.strip() else (holder.strip()[:70], "")
    _supersede_requests(session, actor, membership)
    departure = _new(session, actor, membership, DepartureKind.LOSS_OF_STATUS, lost_on, text)
    departure.holder, departure.iban = payee, compact
    session.flush()
    keep_document(
        session, actor, cooperative.id, _("Why the conditions are lost"), document,
        departure=departure,
    )  # fmt: skip
    tell(
        session,
        departure,
        "leaving_status_lost",
        f"leaving:status:{departure.public_id}",
        lost_on=lost_on,
        reason=text,
    )
    settle(session, actor, departure, lost_on)
    return departure


def _new(
    session: Session,
    actor: Actor,
    membership: Membership,
    kind: DepartureKind,
    day: date,
    note: str,
) -> Departure:
    """A departure that takes effect on ``day`` by itself."""
    row, rules = _rules_then(session, membership, day)
    departure = Departure(
        cooperative_id=membership.cooperative_id,
        membership_id=membership.id,
        kind=kind.value,
        state=DepartureState.PENDING.value,
        requested_on=day,
        counts_from=day,
        effective_on=day,
        repay_by=repay_by(rules, day),
        rule_set_id=row.id,
        note=note.strip()[:2000],
        created_at=clock.now(),
        created_by_id=actor.account_id,
    )
    session.add(departure)
    session.flush()
    return departure


def _rules_then(
    session: Session, membership: Membership, day: date
) -> tuple[RuleSet, LeavingRules]:
    """The rules of ``day``; today's for days before the first rule set that is recorded."""
    try:
        return rules_for(session, membership.cooperative_id, day)
    except RuleViolation:
        today = clock.today(membership.cooperative.time_zone)
        return rules_for(session, membership.cooperative_id, today)


def _supersede_requests(session: Session, actor: Actor, membership: Membership) -> None:
    """A death or a loss of status goes before what the member had asked for."""
    for other in open_departures(session, membership.id):
        if other.state != DepartureState.PROCEDURE.value:
            move(other, DepartureState.SUPERSEDED)
            session.flush()
            record(session, actor, other, "superseded")


def _refuse_unless_estate(departure: Departure) -> None:
    if departure.kind != DepartureKind.DEATH.value:
        raise Conflict(
            _("Only the shares of a deceased member pass to heirs."),
            remedy=_("Choose the departure of the member who died."),
        )
