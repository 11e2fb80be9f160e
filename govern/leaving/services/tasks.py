"""What leaving expects of people, for their home page."""

from __future__ import annotations

from collections.abc import Iterable

import flask
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.home.hooks import HomeItem
from govern.i18n import money
from govern.leaving.models import Departure, Refund
from govern.leaving.rules.exclusion import Step
from govern.leaving.rules.states import OPEN, DepartureKind, DepartureState, RefundState
from govern.leaving.services.excluding import Procedure
from govern.leaving.services.refunds import waiting_without_account
from govern.leaving.services.resigning import last_day_to_sign
from govern.register.models import Membership
from govern.register.services import memberships_for_account


def expected_of(session: Session, actor: Actor, account_id: int) -> list[HomeItem]:
    """A signature, an answer, an account; for officers decisions to send and refunds to pay."""
    return [
        *_of_member(session, memberships_for_account(session, account_id)),
        *_of_officers(session, actor),
    ]


def _of_member(session: Session, memberships: list[Membership]) -> Iterable[HomeItem]:
    if not memberships:
        return
    numbers = [membership.id for membership in memberships]
    rows = session.scalars(
        select(Departure).where(
            Departure.membership_id.in_(numbers),
            Departure.state.in_([state.value for state in OPEN]),
        )
    )
    for departure in rows:
        href = _own_page(departure)
        if departure.state == DepartureState.UNCONFIRMED.value:
            yield HomeItem(
                title=_("Sign your request to leave, or let it lapse"),
                detail=_("It does not count before it is signed."),
                due=last_day_to_sign(departure),
                href=href,
                tone="warn",
            )
        elif departure.state == DepartureState.PROCEDURE.value:
            procedure = Procedure(session, departure)
            if procedure.has(Step.PROPOSAL_SENT):
                yield HomeItem(
                    title=_(
                        "Answer the proposal to exclude you from %(cooperative)s",
                        cooperative=departure.cooperative.name,
                    ),
                    detail=_("You can write observations and ask to be heard."),
                    due=procedure.observations_until,
                    href=href,
                    tone="warn",
                )
    for refund in waiting_without_account(session, numbers):
        yield HomeItem(
            title=_(
                "Say to which account %(amount)s is to be paid", amount=money(refund.amount_cents)
            ),
            href=_own_page(refund.departure),
            due=refund.due_on,
            tone="warn",
        )


def _own_page(departure: Departure) -> str:
    return flask.url_for(
        "leaving.own_departure",
        cooperative=departure.cooperative.code,
        member=departure.membership.public_id,
        departure=departure.public_id,
    )


def _of_officers(session: Session, actor: Actor) -> Iterable[HomeItem]:
    for cooperative_id in actor.roles:
        if actor.may(Permission.REGISTER_WRITE, cooperative_id):
            yield from _of_registrar(session, session.get_one(Cooperative, cooperative_id))
        if actor.may(Permission.PAYMENTS_RELEASE, cooperative_id):
            yield from _of_treasurer(session, session.get_one(Cooperative, cooperative_id))


def _of_registrar(session: Session, cooperative: Cooperative) -> Iterable[HomeItem]:
    rows = session.scalars(
        select(Departure)
        .where(
            Departure.cooperative_id == cooperative.id,
            (
                (Departure.state == DepartureState.PROCEDURE.value)
                | (
                    (Departure.kind == DepartureKind.EXCLUSION.value)
                    & (Departure.state == DepartureState.EFFECTIVE.value)
                    & ~Departure.steps.any(step=Step.DECISION_SENT.value)
                )
                | ((Departure.state == DepartureState.PENDING.value) & (Departure.problem != ""))
            ),
        )
        .order_by(Departure.id)
        .limit(10)
    )
    for departure in rows:
        href = flask.url_for(
            "leaving.departure_page", cooperative=cooperative.code, departure=departure.public_id
        )
        number = departure.membership.member_number
        if departure.was_taken_back:
            continue
        if departure.state == DepartureState.PENDING.value:
            yield HomeItem(
                title=_("The departure of member %(number)s could not take effect", number=number),
                detail=departure.problem,
                href=href,
                tone="warn",
            )
            continue
        procedure = Procedure(session, departure)
        if departure.state == DepartureState.EFFECTIVE.value:
            yield HomeItem(
                title=_("Send the decision to exclude member %(number)s", number=number),
                due=procedure.notice_until,
                href=href,
                tone="warn",
            )
        elif Step.PROPOSAL_SENT in procedure.possible:
            yield HomeItem(
                title=_("Send the proposal to exclude member %(number)s", number=number),
                href=href,
                tone="warn",
            )
        elif procedure.hearing_is_owed:
            yield HomeItem(
                title=_("Hear member %(number)s before the decision", number=number),
                href=href,
                tone="warn",
            )
        elif Step.DECISION in procedure.possible:
            yield HomeItem(
                title=_("The board may decide on excluding member %(number)s", number=number),
                detail=_("Record the decision, or that the procedure is discontinued."),
                href=href,
            )


def _of_treasurer(session: Session, cooperative: Cooperative) -> Iterable[HomeItem]:
    today = clock.today(cooperative.time_zone)
    row = session.execute(
        select(func.count(Refund.id), func.sum(Refund.amount_cents)).where(
            Refund.cooperative_id == cooperative.id,
            Refund.state == RefundState.SCHEDULED.value,
            Refund.due_on <= today,
        )
    ).one()
    if row[0]:
        yield HomeItem(
            title=ngettext(
                "%(num)s refund of %(cooperative)s is due: %(amount)s",
                "%(num)s refunds of %(cooperative)s are due: %(amount)s",
                row[0],
                cooperative=cooperative.name,
                amount=money(int(row[1])),
            ),
            href=flask.url_for("leaving.refund_list", cooperative=cooperative.code),
            tone="warn",
        )
