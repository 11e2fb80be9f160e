"""What the registrar records: a death, lost conditions, shares that are left of a membership."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.cooperatives.models import RuleSet
from govern.cooperatives.rules import LeavingRules
from govern.errors import Conflict, InvalidInput, RuleViolation
from govern.leaving.models import Departure, Refund
from govern.leaving.rules.calendar import repay_by
from govern.leaving.rules.states import DepartureKind, DepartureState
from govern.leaving.services.common import (
    Upload,
    checked_text,
    keep_document,
    lock_departure,
    lock_membership,
    move,
    open_departures,
    record,
    refuse_days,
    refuse_ended,
    rules_for,
)
from govern.leaving.services.effect import (
    give_back_rest,
    schedule,
    settle,
    supersede_others,
    take_out,
)
from govern.leaving.services.payees import checked_payee
from govern.leaving.services.telling import tell, tell_effect
from govern.register.models import EndReason, Membership
from govern.register.services import ledger, members
from govern.register.services.certificates import send_certificate
from govern.register.services.holdings import holding_of


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
    refuse_ended(
        membership,
        _(
            "If something is still to be paid back, empty the e-mail address on the page of the "
            "member, so that nobody writes to the dead, and put the account of the estate on the "
            "page of the departure."
        ),
    )
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
    amount = take_out(session, departure, held, day)
    departure.holder, departure.iban = payee, compact
    departure.shares_left = held
    departure.amount_cents = amount
    session.flush()
    refunds = schedule(session, departure, amount, day)
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
            field="receiver_number",
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
    send_certificate(session, receiver)
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

    For registers that were imported, endings recorded without paying back, and capital that was
    recorded after the shares had left. ``owed_since``: the day on which the shares leave the
    capital, not before the ending.
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
    left = holding_of(session, membership.id)
    held = left.issued
    if not held and not left.overpaid_cents:
        raise Conflict(_("No share of this member is left."), remedy=_("Nothing needs to be done."))
    departure = _new(session, actor, membership, DepartureKind.FORMER, owed_since, note)
    departure.holder, departure.iban = payee, compact
    amount = take_out(session, departure, held, owed_since)
    departure.shares_left, departure.amount_cents = held, amount
    move(departure, DepartureState.EFFECTIVE)
    session.flush()
    refunds = schedule(session, departure, amount, owed_since)
    if membership.end_reason != EndReason.DEATH.value:
        tell_effect(session, departure, refunds)
    record(session, actor, departure, "effective", {"shares": held, "amount_cents": amount})
    return departure


PAST_REASONS = (EndReason.RESIGNATION, EndReason.LOSS_OF_STATUS, EndReason.TRANSFER)
"""Why a membership may have ended before it was recorded; a death and an exclusion have their own
way, whenever they were."""


def record_past_ending(
    session: Session,
    actor: Actor,
    membership: Membership,
    *,
    ended_on: date,
    reason: str,
    note: str,
    is_paid_back: bool = False,
    holder: str = "",
    iban: str = "",
) -> Departure | None:
    """Write down an ending that came about before or outside of this register, as ``note`` says.

    No rule is checked. The shares that are left go with it: their value is owed, and the departure
    that says so is returned; with ``is_paid_back`` they only leave the ledger. RuleViolation while
    an exclusion is under way, or for shares that are said to be transferred and are still held.
    """
    actor.require(Permission.REGISTER_WRITE, membership.cooperative_id)
    cooperative = lock_membership(session, membership)
    refuse_ended(membership)
    refuse_days(cooperative, membership, ended_on, "ended_on")
    text = checked_text(note, "note")
    left = holding_of(session, membership.id)
    if reason not in PAST_REASONS:
        raise InvalidInput(
            _("An ending needs a reason."), remedy=_("Choose one from the list."), field="reason"
        )
    if reason == EndReason.TRANSFER.value and left.issued:
        raise RuleViolation(
            ngettext(
                "The member still holds %(num)d share.",
                "The member still holds %(num)d shares.",
                left.issued,
            ),
            remedy=_("Record the transfer on the member’s page: it ends the membership by itself."),
            field="reason",
        )
    underway = open_departures(session, membership.id)
    if any(other.state == DepartureState.PROCEDURE.value for other in underway):
        raise RuleViolation(
            _("An exclusion of this member is under way."),
            remedy=_("Decide on it or discontinue it first."),
        )
    if is_paid_back and left.issued:
        ledger.refund_shares(session, actor, membership, left.issued, ended_on, remark=text)
    if is_paid_back:
        give_back_rest(session, actor, membership, ended_on, remark=text)
    _supersede_requests(session, actor, membership)
    members.end_membership(session, actor, membership, ended_on, EndReason(reason), text)
    left = holding_of(session, membership.id)
    if not left.issued and not left.overpaid_cents:
        return None
    return owe_former_member(
        session, actor, membership, owed_since=ended_on, holder=holder, iban=iban, note=text
    )


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
    if departure.was_taken_back:
        raise Conflict(
            _("The ending of this membership was taken back."),
            remedy=_("Nothing needs to be done."),
        )
