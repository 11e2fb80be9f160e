"""Resignation: asked for, signed, kept, withdrawn; and what is received on paper."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Actor, Permission
from govern.accounts.tags import make_token, token_hash
from govern.cooperatives.models import RuleSet
from govern.cooperatives.rules import LeavingRules
from govern.errors import Conflict, InvalidInput, NotFound, RuleViolation
from govern.i18n import day as in_words
from govern.jobs import enqueue
from govern.leaving.models import Departure
from govern.leaving.rules.calendar import ResignationPlan, plan_resignation
from govern.leaving.rules.states import REQUESTED, DepartureKind, DepartureState, Signature
from govern.leaving.services.common import (
    Upload,
    founded_on,
    keep_document,
    lock_departure,
    lock_membership,
    move,
    open_departures,
    record,
    refuse_days,
    refuse_ended,
    require_own,
    require_own_or,
    rules_for,
)
from govern.leaving.services.payees import checked_payee
from govern.leaving.services.telling import own_address, tell, tell_what_happens
from govern.leaving.texts import resignation_refused
from govern.mail import queue_mail
from govern.register.models import Membership
from govern.register.rules.ledger import split_over_lots
from govern.register.services.holdings import holding_of

EFFECT_JOB = "leaving.take_effect"
LINK_LIFE = timedelta(hours=24)
SIGN_WITHIN = timedelta(days=7)
"""An unsigned request lapses: a week later the days that it showed may no longer be right."""


@dataclass(frozen=True)
class Prospect:
    """What a resignation would bring: its days, the shares and their value in cents."""

    plan: ResignationPlan
    rule_set: RuleSet
    rules: LeavingRules
    held: int
    shares: int
    amount_cents: int
    founded_on: date | None

    @property
    def refusal(self) -> RuleViolation | None:
        """Why it would be refused, None if it would not."""
        if self.plan.obstacle is None:
            return None
        return resignation_refused(self.plan, self.rules, self.founded_on)


def foresee_resignation(
    session: Session, membership: Membership, day: date, shares: int | None = None
) -> Prospect:
    """What a resignation given on ``day`` would bring; ``shares`` None for all of them."""
    row, rules = rules_for(session, membership.cooperative_id, day)
    holding = holding_of(session, membership.id)
    leaving = holding.issued if shares is None else shares
    if shares is not None and not 1 <= shares <= max(holding.issued, 1):
        raise InvalidInput(
            _("The number of shares must be between 1 and %(most)s.", most=holding.issued),
            remedy=_("Write a whole number."),
            field="shares",
        )
    founder_since = founded_on(session, membership)
    plan = plan_resignation(
        rules,
        day,
        founded_on=founder_since,
        is_part=leaving < holding.issued,
        held=holding.issued,
    )
    amount = sum(
        cents for _lot, _n, cents in split_over_lots(holding, min(leaving, holding.issued))
    )
    return Prospect(plan, row, rules, holding.issued, leaving, amount, founder_since)


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
    queue_mail(
        session,
        cooperative_id=departure.cooperative_id,
        to_address=membership.email,
        to_name=membership.display_name,
        language=membership.language,
        template="leaving_sign",
        context={
            "cooperative": departure.cooperative.name,
            "link": own_address(departure, "sign", token),
            "hours": int(LINK_LIFE.total_seconds() // 3600),
        },
        dedupe_key=f"leaving:sign:{token_hash(token)[:40]}",
        category="leaving",
        about=f"membership:{membership.public_id}",
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
    prospect = foresee_resignation(session, membership, day, departure.shares)
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
