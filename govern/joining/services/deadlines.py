"""What happens because time has passed: reminders, expiry, forgetting."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.cooperatives.models import Cooperative
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
from govern.joining.services.guards import lock_application, record
from govern.joining.services.orders import expire_order
from govern.joining.services.personal import forget_person
from govern.payments.models import PaymentRequest
from govern.payments.services import default_account
from govern.register.models import Membership

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
    for zone in session.scalars(select(Cooperative.time_zone).distinct()).all():
        today = now.astimezone(ZoneInfo(zone)).date()
        _remind(session, zone, today)
        _expire(session, zone, today)
        _expire_orders(session, zone, today)
        _forget(session, zone, today)


def _cooperatives_in(zone: str) -> Select[int]:
    return select(Cooperative.id).where(Cooperative.time_zone == zone)


def _remind(session: Session, zone: str, today: date) -> None:
    due = session.scalars(
        select(Application.id)
        .where(
            Application.cooperative_id.in_(_cooperatives_in(zone)),
            Application.state == ApplicationState.ACCEPTED.value,
            Application.remind_on <= today,
            Application.reminded_on.is_(None),
            Application.paid_on.is_(None),
        )
        .order_by(Application.remind_on, Application.id)
        .limit(AT_ONCE)
    ).all()
    for number in due:
        application = lock_application(session, number)
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


def _expire(session: Session, zone: str, today: date) -> None:
    due = session.scalars(
        select(Application)
        .where(
            Application.cooperative_id.in_(_cooperatives_in(zone)),
            Application.state == ApplicationState.ACCEPTED.value,
            Application.payment_due_on < today,
            Application.paid_on.is_(None),
        )
        .order_by(Application.payment_due_on, Application.id)
        .limit(AT_ONCE)
    ).all()
    for application in due:
        expire_application(session, application)


def _expire_orders(session: Session, zone: str, today: date) -> None:
    due = session.scalars(
        select(ShareOrder)
        .join(Membership, Membership.id == ShareOrder.membership_id)
        .join(PaymentRequest, PaymentRequest.id == ShareOrder.request_id)
        .where(
            Membership.cooperative_id.in_(_cooperatives_in(zone)),
            ShareOrder.state == OrderState.OPEN.value,
            ShareOrder.payment_due_on < today,
            # What is paid in part stays open: it would stand before all others at every tick.
            PaymentRequest.paid_cents == 0,
        )
        .order_by(ShareOrder.payment_due_on, ShareOrder.id)
        .limit(AT_ONCE)
    ).all()
    for order in due:
        try:
            with session.begin_nested():
                expire_order(session, order)
        except GovernError:
            # Part of it was paid meanwhile: the order stays open.
            continue


def _forget(session: Session, zone: str, today: date) -> None:
    """Delete the personal data of applications that led to nothing half a year ago."""
    due = session.scalars(
        select(Application.id)
        .where(
            Application.cooperative_id.in_(_cooperatives_in(zone)),
            Application.state.in_([state.value for state in CLOSED_STATES]),
            Application.closed_on <= today - FORGET_AFTER,
            Application.forgotten_on.is_(None),
        )
        .order_by(Application.closed_on, Application.id)
        .limit(AT_ONCE)
    ).all()
    for number in due:
        application = lock_application(session, number)
        forget_person(session, application)
        record(session, SYSTEM, application, "forgotten")
