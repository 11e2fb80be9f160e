"""What every step on an application shares: the lock, the state machine, the audit entry."""

from __future__ import annotations

import hmac
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor
from govern.accounts.tags import keyed_tag
from govern.cooperatives.models import Cooperative
from govern.cooperatives.services import rules_on
from govern.errors import ForbiddenTransition, NotFound, RuleViolation
from govern.i18n import day as in_words
from govern.i18n import money
from govern.joining.models import Application
from govern.joining.rules import ApplicationState, may_become
from govern.joining.texts import STATE_NAMES
from govern.register.services.chain import lock_register

STATE_LINK = "joining state"


def lock_application(session: Session, application_id: int) -> Application:
    """The application as it is now, locked until the transaction ends; NotFound if it is gone.

    The register is locked first, as where money is matched: so nobody waits for one who waits.
    """
    cooperative_id = session.scalar(
        select(Application.cooperative_id).where(Application.id == application_id)
    )
    if cooperative_id is None:
        raise no_such_application()
    lock_register(session, cooperative_id)
    row = session.scalar(
        select(Application)
        .where(Application.id == application_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise no_such_application()
    return row


def move(application: Application, following: ApplicationState) -> None:
    """Go on to another state. ForbiddenTransition says where the application stands."""
    if not may_become(application.status, following):
        raise ForbiddenTransition(
            _(
                "This application is already in the state “%(state)s”.",
                state=STATE_NAMES[application.status],
            ),
            remedy=_("Reload the page: somebody else may have decided meanwhile."),
        )
    application.state = following.value
    application.changed_at = clock.now()


def refuse_other_price(
    session: Session,
    cooperative_id: int,
    share_class: str,
    asked_cents: int,
    day: date,
    remedy: str,
) -> None:
    """RuleViolation unless a share of that class cost ``asked_cents`` on ``day``.

    Also where the rules of that day no longer know the class: a person then decides.
    """
    _row, rules = rules_on(session, cooperative_id, day)
    try:
        price = rules.share_class(share_class).nominal_cents
    except KeyError as error:
        raise RuleViolation(
            _("The rules know no class of shares “%(share_class)s”.", share_class=share_class),
            remedy=remedy,
        ) from error
    if price != asked_cents:
        raise RuleViolation(
            _(
                "On %(day)s a share cost %(price)s, but %(paid)s was asked for.",
                day=in_words(day),
                price=money(price),
                paid=money(asked_cents),
            ),
            remedy=remedy,
        )


def today_of(application: Application) -> date:
    """The present day where the cooperative is."""
    return clock.today(application.cooperative.time_zone)


def applied_on(application: Application) -> date:
    """The local calendar day on which the address was confirmed: the day of the application."""
    at = application.email_confirmed_at or application.created_at
    return at.astimezone(ZoneInfo(application.cooperative.time_zone)).date()


def record(
    session: Session, actor: Actor, application: Application, action: str, **data: Any
) -> None:
    """The audit entry of one step (identifiers only)."""
    audit.record(
        session,
        actor,
        f"joining:application:{action}",
        cooperative_id=application.cooperative_id,
        subject=f"application:{application.public_id}",
        data=data,
    )


def application_by_public_id(
    session: Session, cooperative: Cooperative, public_id: str
) -> Application:
    """A confirmed application of that cooperative, for its registrar; NotFound otherwise."""
    row = session.scalar(
        select(Application).where(
            Application.public_id == public_id,
            Application.cooperative_id == cooperative.id,
            Application.state != ApplicationState.UNCONFIRMED.value,
        )
    )
    if row is None:
        raise no_such_application()
    return row


def state_token(application: Application) -> str:
    """The secret part of the address under which the applicant follows the application.

    It is derived, not stored: every mail can name it, and the database does not hold it.
    """
    return f"{application.public_id}-{keyed_tag(STATE_LINK, application.public_id)[:32]}"


def application_by_token(session: Session, cooperative: Cooperative, token: str) -> Application:
    """The application behind the applicant's own link; NotFound for any other."""
    public_id, _dash, tag = token.partition("-")
    expected = keyed_tag(STATE_LINK, public_id)[:32]
    if not hmac.compare_digest(tag.encode(), expected.encode()):
        raise no_such_application()
    row = application_by_public_id(session, cooperative, public_id)
    if row.forgotten_on is not None:
        raise no_such_application()
    return row


def no_such_application() -> NotFound:
    return NotFound(
        _("There is no such application."),
        remedy=_("Use the newest link that we mailed to you, or apply again."),
    )
