"""Resignation: asked for, signed, kept, withdrawn; and what is received on paper."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Actor, Permission
from govern.accounts.tags import make_token, token_hash
from govern.errors import Conflict, NotFound, RuleViolation
from govern.i18n import day as in_words
from govern.jobs import enqueue
from govern.leaving.models import Departure
from govern.leaving.rules.states import REQUESTED, DepartureKind, DepartureState, Signature
from govern.leaving.services.common import (
    Upload,
    keep_document,
    lock_departure,
    lock_membership,
    move,
    open_departures,
    record,
    refuse_days,
    refuse_ended,
)
from govern.leaving.services.foreseeing import (
    Prospect,
    foresee_request,
    foresee_resignation,
)
from govern.leaving.services.payees import checked_payee
from govern.leaving.services.telling import own_address, tell, tell_what_happens
from govern.register.models import Membership
from govern.register.services.concerned import require_own, require_own_or
from govern.register.services.telling import mail_member

EFFECT_JOB = "leaving.take_effect"
LINK_LIFE = timedelta(hours=24)
SIGN_WITHIN = timedelta(days=7)
"""An unsigned request lapses: a week later the days that it showed may no longer be right."""


def request_resignation(
    session: Session,
    actor: Actor,
    membership: Membership,
    *,
    shares: int | None = None,
    holder: str,
    iban: str,
) -> Departure:
    """Note that the member asks to leave; nothing counts before it is signed.

    A request of theirs that is not signed yet is replaced. Conflict when a signed one is under
    way, RuleViolation when the rules refuse it, InvalidInput for a wrong number of shares or IBAN.
    """
    require_own(session, actor, membership)
    cooperative = lock_membership(session, membership)
    refuse_ended(membership)
    payee, compact = checked_payee(holder, iban)
    _clear_the_way(session, actor, membership)
    today = clock.today(cooperative.time_zone)
    departure = _new_request(session, actor, membership, today, shares)
    departure.holder, departure.iban = payee, compact
    session.add(departure)
    session.flush()
    record(session, actor, departure, "requested")
    return departure


def sign_with_password(session: Session, actor: Actor, departure: Departure) -> None:
    """Sign a request; the caller has just checked the password of the person concerned."""
    require_own(session, actor, departure.membership)
    lock_departure(session, departure)
    _sign(session, actor, departure, Signature.PASSWORD)


def send_signing_link(session: Session, actor: Actor, departure: Departure) -> None:
    """Mail a link that signs the request once, within a day; an earlier one no longer does."""
    require_own(session, actor, departure.membership)
    lock_departure(session, departure)
    if departure.state != DepartureState.UNCONFIRMED.value:
        raise Conflict(
            _("This request does not wait for a signature."),
            remedy=_("Reload the page to see where it stands."),
        )
    membership = departure.membership
    if not membership.email:
        raise RuleViolation(
            _("The register holds no e-mail address of yours."),
            remedy=_("Set a password in your account and sign with it, or write on paper."),
        )
    token = make_token()
    departure.token_hash = token_hash(token)
    departure.token_expires_at = clock.now() + LINK_LIFE
    session.flush()
    mail_member(
        session,
        membership,
        "leaving_sign",
        {
            "cooperative": departure.cooperative.name,
            "link": own_address(departure, "sign", token),
            "hours": int(LINK_LIFE.total_seconds() // 3600),
        },
        dedupe_key=f"leaving:sign:{token_hash(token)[:40]}",
        category="leaving",
        secret=True,
    )


def check_signing_link(departure: Departure, token: str) -> None:
    """NotFound unless the link of ``token`` may sign the request now."""
    given, kept = token_hash(token), departure.token_hash or ""
    expires = departure.token_expires_at
    if not secrets.compare_digest(given, kept) or expires is None or expires <= clock.now():
        raise NotFound(
            _("This link has been used or is too old."),
            remedy=_("Ask for a new one on the page of your request."),
        )


def sign_with_link(session: Session, actor: Actor, departure: Departure, token: str) -> None:
    """Sign a request by the link that was mailed; it works once. NotFound when it is over."""
    require_own(session, actor, departure.membership)
    lock_departure(session, departure)
    check_signing_link(departure, token)
    _sign(session, actor, departure, Signature.MAIL)


def record_paper_request(
    session: Session,
    actor: Actor,
    membership: Membership,
    *,
    received_on: date,
    shares: int | None = None,
    holder: str = "",
    iban: str = "",
    note: str = "",
    scan: Upload | None = None,
) -> Departure:
    """Record a signed request that came on paper; it counts from the day of its receipt.

    The account may be missing: then it is asked for. Raises as ``request_resignation``.
    """
    actor.require(Permission.REGISTER_WRITE, membership.cooperative_id)
    cooperative = lock_membership(session, membership)
    refuse_ended(membership)
    refuse_days(cooperative, membership, received_on, "received_on")
    payee, compact = checked_payee(holder, iban) if iban.strip() else (holder.strip()[:70], "")
    _clear_the_way(session, actor, membership)
    departure = _new_request(session, actor, membership, received_on, shares)
    departure.holder, departure.iban, departure.note = payee, compact, note.strip()[:2000]
    session.add(departure)
    session.flush()
    keep_document(
        session,
        actor,
        cooperative.id,
        _("Request of the member"),
        scan,
        departure=departure,
        field="scan",
    )
    _sign(session, actor, departure, Signature.PAPER)
    return departure


def withdraw_resignation(
    session: Session, actor: Actor, departure: Departure, *, reason: str = ""
) -> None:
    """Take a request back before it takes effect: the member, or the registrar on paper."""
    require_own_or(session, actor, departure.membership, Permission.REGISTER_WRITE)
    cooperative = lock_departure(session, departure)
    _refuse_other_kinds(departure)
    was_signed = departure.state == DepartureState.PENDING.value
    today = clock.today(cooperative.time_zone)
    if was_signed and departure.effective_on is not None and not may_withdraw(departure, today):
        raise RuleViolation(
            _("It takes effect on %(day)s.", day=in_words(departure.effective_on)),
            remedy=_("It can no longer be withdrawn. Whoever comes back is admitted again."),
        )
    move(departure, DepartureState.WITHDRAWN)
    departure.ended_note = reason.strip()[:2000]
    session.flush()
    if was_signed:
        tell(
            session,
            departure,
            "leaving_withdrawn",
            f"leaving:withdrawn:{departure.public_id}",
            withdrawn_on=today,
        )
    record(session, actor, departure, "withdrawn")


def may_withdraw(departure: Departure, today: date) -> bool:
    """Whether a request can still be taken back: before its day, or where too few shares are left
    to take a part of them."""
    if departure.kind not in (DepartureKind.RESIGNATION.value, DepartureKind.PARTIAL.value):
        return False
    if departure.state == DepartureState.UNCONFIRMED.value:
        return True
    is_stuck = departure.kind == DepartureKind.PARTIAL.value and bool(departure.problem)
    lies_ahead = departure.effective_on is None or departure.effective_on > today
    return departure.state == DepartureState.PENDING.value and (is_stuck or lies_ahead)


def last_day_to_sign(departure: Departure) -> date:
    """The local day on which an unsigned request lapses."""
    zone = ZoneInfo(departure.cooperative.time_zone)
    return (departure.created_at + SIGN_WITHIN).astimezone(zone).date()


def lapse_unsigned(session: Session, now: datetime) -> int:
    """Close requests that nobody signed within a week; how many."""
    rows = session.scalars(
        select(Departure)
        .where(
            Departure.state == DepartureState.UNCONFIRMED.value,
            Departure.created_at <= now - SIGN_WITHIN,
        )
        .limit(100)
    ).all()
    for departure in rows:
        lock_departure(session, departure)
        if departure.state == DepartureState.UNCONFIRMED.value:
            move(departure, DepartureState.LAPSED)
            record(session, SYSTEM, departure, "lapsed")
    return len(rows)


# -- inside -----------------------------------------------------------------------------------


def _new_request(
    session: Session, actor: Actor, membership: Membership, day: date, shares: int | None
) -> Departure:
    prospect = foresee_resignation(session, membership, day, shares)
    if prospect.refusal is not None:
        raise prospect.refusal
    is_part = prospect.shares < prospect.held
    kind = DepartureKind.PARTIAL if is_part else DepartureKind.RESIGNATION
    departure = Departure(
        cooperative_id=membership.cooperative_id,
        membership_id=membership.id,
        kind=kind.value,
        state=DepartureState.UNCONFIRMED.value,
        shares=prospect.shares if is_part else None,
        requested_on=day,
        created_at=clock.now(),
        created_by_id=actor.account_id,
    )
    _put_days(departure, prospect)
    return departure


def _put_days(departure: Departure, prospect: Prospect) -> None:
    plan = prospect.plan
    departure.requested_on, departure.counts_from = plan.requested_on, plan.counts_from
    departure.effective_on, departure.repay_by = plan.effective_on, plan.repay_by
    departure.rule_set_id = prospect.rule_set.id


def _sign(session: Session, actor: Actor, departure: Departure, signature: Signature) -> None:
    """The request counts: on paper from its receipt, else from today. Then the member is told."""
    if departure.state != DepartureState.UNCONFIRMED.value:
        raise Conflict(
            _("This request does not wait for a signature."),
            remedy=_("Reload the page to see where it stands."),
        )
    membership, cooperative = departure.membership, departure.cooperative
    refuse_ended(membership)
    today = clock.today(cooperative.time_zone)
    day = departure.requested_on if signature is Signature.PAPER else today
    prospect = foresee_request(session, departure, day)
    if prospect.refusal is not None:
        raise prospect.refusal
    move(departure, DepartureState.PENDING)
    departure.signature, departure.confirmed_at = signature.value, clock.now()
    _put_days(departure, prospect)
    session.flush()
    tell_what_happens(session, departure, prospect.rules)
    if prospect.plan.effective_on <= today:
        enqueue(session, EFFECT_JOB, departure.id)
    record(session, actor, departure, "signed", {"signature": signature.value})


def _clear_the_way(session: Session, actor: Actor, membership: Membership) -> None:
    """Replace an unsigned request; Conflict when a signed one is under way."""
    for departure in open_departures(session, membership.id):
        if departure.state == DepartureState.UNCONFIRMED.value:
            move(departure, DepartureState.SUPERSEDED)
            session.flush()
            record(session, actor, departure, "superseded")
        elif departure.state in [state.value for state in REQUESTED]:
            raise Conflict(
                _("A request of %(day)s is under way.", day=in_words(departure.requested_on)),
                remedy=_("Withdraw it first if it is to be another one."),
            )


def _refuse_other_kinds(departure: Departure) -> None:
    if departure.kind not in (DepartureKind.RESIGNATION.value, DepartureKind.PARTIAL.value):
        raise Conflict(
            _("Only the request of a member can be withdrawn."),
            remedy=_("An exclusion is discontinued, with a reason."),
        )
