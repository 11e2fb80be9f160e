"""The board's part of an exclusion: the proposal, the decision, and giving it up."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.errors import Conflict, RuleViolation
from govern.i18n import day as in_words
from govern.leaving.models import Departure, ExclusionStep
from govern.leaving.rules.calendar import repay_by
from govern.leaving.rules.exclusion import Step
from govern.leaving.rules.states import DepartureKind, DepartureState
from govern.leaving.services.common import (
    Upload,
    lock_membership,
    move,
    open_departures,
    refuse_days,
    refuse_ended,
    rules_for,
    rules_of,
)
from govern.leaving.services.effect import settle
from govern.leaving.services.excluding.steps import begin, steps_done, take
from govern.leaving.services.papers import DECISION_PAPER, PROPOSAL_PAPER, make_paper
from govern.leaving.services.telling import tell
from govern.mail import DeliveryState, OutboxMail
from govern.register.models import Membership


def propose_exclusion(
    session: Session,
    actor: Actor,
    membership: Membership,
    *,
    proposed_on: date,
    reasons: str,
    document: Upload | None = None,
) -> Departure:
    """Begin a procedure with the board's reasoned proposal; the letter to send is made.

    Conflict when one is under way or the membership has ended.
    """
    actor.require(Permission.REGISTER_WRITE, membership.cooperative_id)
    cooperative = lock_membership(session, membership)
    refuse_ended(membership)
    refuse_days(cooperative, membership, proposed_on)
    if any(
        other.state == DepartureState.PROCEDURE.value
        for other in open_departures(session, membership.id)
    ):
        raise Conflict(
            _("A procedure to exclude this member is under way."),
            remedy=_("Go on with it, or discontinue it first."),
        )
    row, rules = rules_for(session, cooperative.id, proposed_on)
    departure = Departure(
        cooperative_id=cooperative.id,
        membership_id=membership.id,
        kind=DepartureKind.EXCLUSION.value,
        state=DepartureState.PROCEDURE.value,
        requested_on=proposed_on,
        rule_set_id=row.id,
        created_at=clock.now(),
        created_by_id=actor.account_id,
    )
    session.add(departure)
    session.flush()
    step = take(
        session, actor, departure, Step.PROPOSAL, proposed_on, text=reasons, upload=document
    )
    make_paper(session, actor, departure, rules, step, PROPOSAL_PAPER)
    return departure


def decide_exclusion(
    session: Session,
    actor: Actor,
    departure: Departure,
    *,
    decided_on: date,
    reasons: str,
    document: Upload | None = None,
) -> ExclusionStep:
    """The board excludes, with its reasons: the membership ends on that day.

    Its letter is made; the member is told by ``send_decision``, within the days of the rule set.
    RuleViolation when a request of the member took effect by then, or the mail with the proposal
    was refused.
    """
    actor.require(Permission.REGISTER_WRITE, departure.cooperative_id)
    cooperative = begin(session, departure)
    _refuse_after_request(session, departure, decided_on)
    _refuse_undelivered(session, departure)
    step = take(session, actor, departure, Step.DECISION, decided_on, text=reasons, upload=document)
    refuse_days(cooperative, departure.membership, decided_on)
    rules = rules_of(session, departure)
    departure.counts_from = departure.effective_on = decided_on
    departure.repay_by = repay_by(rules, decided_on)
    make_paper(session, actor, departure, rules, step, DECISION_PAPER)
    settle(session, actor, departure, decided_on)
    return step


def discontinue_exclusion(
    session: Session, actor: Actor, departure: Departure, *, reason: str
) -> ExclusionStep:
    """Give the procedure up, with a reason: the member stays. The member is told if they knew."""
    actor.require(Permission.REGISTER_WRITE, departure.cooperative_id)
    cooperative = begin(session, departure)
    knew = any(item.step is Step.PROPOSAL_SENT for item in steps_done(departure))
    today = clock.today(cooperative.time_zone)
    step = take(session, actor, departure, Step.DISCONTINUED, today, text=reason)
    move(departure, DepartureState.DISCONTINUED)
    departure.ended_note = step.text
    session.flush()
    if knew:
        tell(
            session,
            departure,
            "exclusion_discontinued",
            f"leaving:discontinued:{departure.public_id}",
            reason=step.text,
        )
    return step


def _refuse_after_request(session: Session, departure: Departure, decided_on: date) -> None:
    """Whoever has left by then cannot be excluded, though something hinders the ledger."""
    for other in open_departures(session, departure.membership_id):
        is_signed = other.state == DepartureState.PENDING.value
        if is_signed and other.effective_on is not None and other.effective_on <= decided_on:
            raise RuleViolation(
                _(
                    "The request of the member took effect on %(day)s, before this decision.",
                    day=in_words(other.effective_on),
                ),
                remedy=_("See to the request first: there may be nobody left to exclude."),
            )


def _refuse_undelivered(session: Session, departure: Departure) -> None:
    """A proposal that no mail server took has begun no month."""
    state = session.scalar(
        select(OutboxMail.state).where(
            OutboxMail.dedupe_key == f"leaving:{Step.PROPOSAL_SENT.value}:{departure.public_id}"
        )
    )
    if state == DeliveryState.FAILED.value:
        raise RuleViolation(
            _("The mail with the proposal could not be delivered: the member was not told."),
            remedy=_("Discontinue the procedure, and begin it again with a letter on paper."),
        )
