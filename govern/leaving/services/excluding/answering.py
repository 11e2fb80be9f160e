"""The member's part of an exclusion: observations, the wish to be heard, and the hearing."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.leaving.models import Departure, ExclusionStep
from govern.leaving.rules.exclusion import Step
from govern.leaving.services.common import Upload
from govern.leaving.services.excluding.steps import begin, take
from govern.register.services.concerned import require_own


def add_observations(
    session: Session,
    actor: Actor,
    departure: Departure,
    *,
    text: str,
    received_on: date | None = None,
    document: Upload | None = None,
) -> ExclusionStep:
    """What the member answers: written on the site today, or received on paper.

    After the month it is still passed on to the board until it decides, marked as late.
    """
    return _answer(session, actor, departure, Step.OBSERVATIONS, text, received_on, document)


def ask_for_hearing(
    session: Session,
    actor: Actor,
    departure: Departure,
    *,
    text: str = "",
    received_on: date | None = None,
    document: Upload | None = None,
) -> ExclusionStep:
    """The member asks to be heard; within the month that must come before the decision."""
    return _answer(session, actor, departure, Step.HEARING_ASKED, text, received_on, document)


def record_hearing(
    session: Session,
    actor: Actor,
    departure: Departure,
    *,
    held_on: date,
    text: str,
    document: Upload | None = None,
) -> ExclusionStep:
    """The hearing, with what was said (or that the member was called and did not come)."""
    actor.require(Permission.REGISTER_WRITE, departure.cooperative_id)
    begin(session, departure)
    return take(session, actor, departure, Step.HEARING, held_on, text=text, upload=document)


def _answer(
    session: Session,
    actor: Actor,
    departure: Departure,
    step: Step,
    text: str,
    received_on: date | None,
    document: Upload | None,
) -> ExclusionStep:
    """By the member on the site (``received_on`` None), or by the registrar from paper."""
    by_member = received_on is None
    if by_member:
        require_own(session, actor, departure.membership)
    else:
        actor.require(Permission.REGISTER_WRITE, departure.cooperative_id)
    cooperative = begin(session, departure)
    return take(
        session,
        actor,
        departure,
        step,
        received_on or clock.today(cooperative.time_zone),
        text=text,
        upload=document,
        by_member=by_member,
        # A scanned letter may say it all.
        needs_text=step is Step.OBSERVATIONS and document is None,
    )
