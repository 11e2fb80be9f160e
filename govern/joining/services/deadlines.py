"""What happens because time has passed: reminders, expiry, forgetting."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.errors import GovernError
from govern.joining.models import Application, ShareOrder
from govern.joining.rules import (
    CLOSED_STATES,
    FORGET_AFTER,
    ApplicationState,
    OrderState,
)
from govern.joining.services import letters
from govern.joining.services.deciding import expire_application
from govern.joining.services.guards import lock_application, record, today_of
from govern.joining.services.orders import expire_order
from govern.joining.services.personal import forget_person
from govern.payments.services import default_account

AT_ONCE = 20
"""A tick is short: what is left is done at the next one."""


def keep_deadlines(session: Session, now: datetime) -> None:
    """Delete what was never confirmed, remind, expire, forget: a few of each."""
    session.execute(
        delete(Application).where(
            Application.state == ApplicationState.UNCONFIRMED.value,
            Application.token_expires_at <= now,
        )
    )
    # A day that has begun anywhere; each row is looked at again in the zone of its cooperative.
    latest = (now + timedelta(hours=14)).date()
    _remind(session, latest)
    _expire(session, latest)
    _expire_orders(session, latest)
    _forget(session, latest)


def _remind(session: Session, latest: date) -> None:
    due = session.scalars(
        select(Application.id)
        .where(
            Application.state == ApplicationState.ACCEPTED.value,
            Application.remind_on <= latest,
            Application.reminded_on.is_(None),
            Application.paid_on.is_(None),
        )
        .limit(AT_ONCE)
    ).all()
    for number in due:
        application = lock_application(session, number)
        today = today_of(application)
        if (
            application.status is not ApplicationState.ACCEPTED
            or application.reminded_on is not None
            or application.paid_on is not None
            or application.remind_on is None
            or application.remind_on > today
        ):
            continue
        if default_account(session, application.cooperative_id) is not None:
            letters.remind(session, application)
        application.reminded_on = today
        session.flush()


def _expire(session: Session, latest: date) -> None:
    due = session.scalars(
        select(Application)
        .where(
            Application.state == ApplicationState.ACCEPTED.value,
            Application.payment_due_on < latest,
            Application.paid_on.is_(None),
        )
        .limit(AT_ONCE)
    ).all()
    for application in due:
        expire_application(session, application)


def _expire_orders(session: Session, latest: date) -> None:
    due = session.scalars(
        select(ShareOrder)
        .where(ShareOrder.state == OrderState.OPEN.value, ShareOrder.payment_due_on < latest)
        .limit(AT_ONCE)
    ).all()
    for order in due:
        try:
            with session.begin_nested():
                expire_order(session, order)
        except GovernError:
            # Part of it was paid meanwhile: the order stays open.
            continue


def _forget(session: Session, latest: date) -> None:
    """Delete the personal data of applications that led to nothing half a year ago."""
    due = session.scalars(
        select(Application.id)
        .where(
            Application.state.in_([state.value for state in CLOSED_STATES]),
            Application.closed_on <= latest - FORGET_AFTER,
            Application.forgotten_on.is_(None),
        )
        .limit(AT_ONCE)
    ).all()
    for number in due:
        application = lock_application(session, number)
        forget_person(session, application)
        record(session, SYSTEM, application, "forgotten")
