"""Joining with shares that a member gives: the link of the transfer stands for the address.

Nothing is ordered and nothing is paid. The application is the receiver's consent to the transfer:
whoever accepts it lets the shares pass at once. What the register does with the promise meanwhile
is its own (``govern.register.services.transfers``); here it is told how an application ends.
"""

from __future__ import annotations

from dataclasses import replace

import flask
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Actor, Permission
from govern.cooperatives.models import Cooperative, CooperativeStatus
from govern.cooperatives.rules import Category, Rules
from govern.cooperatives.services import rules_on
from govern.errors import Conflict, InvalidInput, RuleViolation
from govern.joining.models import Application
from govern.joining.rules import OPEN_STATES, ApplicationState, decides_itself
from govern.joining.services import letters
from govern.joining.services.applying import (
    ApplicationInput,
    new_application,
    open_application_like,
)
from govern.joining.services.deciding import accept, lapse
from govern.joining.services.guards import lock_application, move, record, today_of
from govern.joining.services.statutes import statutes_in_force
from govern.navigation import NavItem
from govern.register.models import TransferRequest
from govern.register.services import transfers
from govern.register.services.ledger import refuse_on_hold


def invitation_page(session: Session, request: TransferRequest, token: str) -> str | None:
    """The address of the page behind ``token``; None where nobody could become a member there."""
    cooperative = session.get_one(Cooperative, request.cooperative_id)
    if why_closed(session, cooperative, request) is not None:
        return None
    return letters.address(cooperative, f"join/transfer/{token}")


def why_closed(
    session: Session, cooperative: Cooperative, request: TransferRequest
) -> RuleViolation | None:
    """Why the receiver cannot apply by themselves at present, whatever they would write."""
    today = clock.today(cooperative.time_zone)
    if cooperative.status == CooperativeStatus.ON_HOLD.value:
        return RuleViolation(
            _("%(name)s is on hold: nobody can be admitted.", name=cooperative.name),
            remedy=_("Wait until the cooperative is active again."),
        )
    if statutes_in_force(session, cooperative.id, today) is None:
        return RuleViolation(
            _("The statutes of this cooperative are not recorded here yet."),
            remedy=_("Write to the cooperative to become a member."),
        )
    try:
        _row, rules = rules_on(session, cooperative.id, today)
        transfers.refuse_too_few(session, cooperative, request.shares, today)
    except RuleViolation as error:
        return error
    if not categories_for(rules, request.share_class):
        return RuleViolation(
            _("No category of members can hold shares of that class at present."),
            remedy=_("Write to the cooperative to become a member."),
        )
    return None


def categories_for(rules: Rules, share_class: str) -> list[Category]:
    """The categories whose members may hold that class of shares; none where it is unknown."""
    try:
        allowed = rules.share_class(share_class).categories
    except KeyError:
        return []
    return [item for item in rules.categories if not allowed or item.code in allowed]


def application_for(session: Session, request: TransferRequest) -> Application | None:
    """The application that came with a transfer, if there is one."""
    return session.scalar(
        select(Application).where(
            Application.transfer_public_id == request.public_id,
            Application.cooperative_id == request.cooperative_id,
        )
    )


def apply_by_transfer(
    session: Session, cooperative: Cooperative, request: TransferRequest, given: ApplicationInput
) -> Application:
    """Apply for membership with the shares of a promise whose link the caller has shown.

    Address, class and number of shares are those of the promise, whatever ``given`` says. Where
    nobody has to decide, the applicant is a member when this returns. Raises what
    ``submit_application`` raises, Conflict for a promise that has run out of time or an applicant
    who has applied already, RuleViolation where the promise cannot be kept.
    """
    refuse_on_hold(cooperative)
    # From here on the promise is this application's: a second one finds it taken.
    transfers.reserve_for_applicant(session, request)
    today = clock.today(cooperative.time_zone)
    _row, rules = rules_on(session, cooperative.id, today)
    if given.category not in [item.code for item in categories_for(rules, request.share_class)]:
        raise InvalidInput(
            _("Choose the category that fits you."),
            remedy=_("The explanation stands beside each of them."),
            field="category",
        )
    contact = replace(given.contact, email=request.receiver_email)
    application = new_application(
        session,
        cooperative,
        replace(given, contact=contact, shares=request.shares),
        rules.share_class(request.share_class),
    )
    now = clock.now()
    application.transfer_public_id = request.public_id
    application.email_token_hash, application.token_expires_at = None, now
    application.email_confirmed_at = now
    move(application, ApplicationState.CONFIRMED)
    session.add(application)
    session.flush()
    if open_application_like(session, application) is not None:
        raise Conflict(
            _("You have applied already."),
            remedy=_(
                "Follow that application by the link that we mailed to you. Once you are a member "
                "you are asked whether you want these shares too."
            ),
        )
    record(session, SYSTEM, application, "confirmed")
    is_automatic = decides_itself(rules.joining.acceptance)
    if is_automatic:
        accept(session, SYSTEM, application, today_of(application), tell=False)
    if application.status is not ApplicationState.ADMITTED:
        letters.tell_received(session, application, is_automatic=is_automatic)
    return application


def note_broken(request: TransferRequest, session: Session, **_more: object) -> None:
    """The shares will not be transferred: an application that counts on them ends with them."""
    found = application_for(session, request)
    if found is None:
        return
    application = lock_application(session, found.id)
    if application.status in OPEN_STATES:
        lapse(session, application)


def offer_link(session: Session, actor: Actor, request: TransferRequest) -> list[NavItem]:
    """The application that came with a transfer, on the registrar's page about it."""
    application = application_for(session, request)
    if application is None or not actor.may(Permission.REGISTER_READ, request.cooperative_id):
        return []
    cooperative = session.get_one(Cooperative, request.cooperative_id)
    href = flask.url_for(
        "joining.application_page",
        cooperative=cooperative.code,
        application=application.public_id,
    )
    return [NavItem(_("Look at the application"), href)]
