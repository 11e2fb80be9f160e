"""Bind joining to an application: pages, jobs, what payments tell, places on other pages."""

from __future__ import annotations

from datetime import date
from typing import Any

import flask
from flask import Flask
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from govern import clock, navigation
from govern.access import Actor, Permission, Role
from govern.cooperatives.models import Cooperative, CooperativeStatus
from govern.cooperatives.services import rules_on
from govern.errors import RuleViolation
from govern.home.hooks import FrontSection, HomeItem, cooperative_sections, home_items
from govern.i18n import money
from govern.joining import jobs
from govern.joining.services import (
    admitting,
    by_transfer,
    giving_back,
    listing,
    orders,
    owing,
    personal,
)
from govern.joining.services.statutes import statutes_in_force
from govern.joining.views import applying, deciding, invited, own, statutes  # noqa: F401  (routes)
from govern.joining.views.blueprint import blueprint
from govern.navigation import NavItem
from govern.payments.models import PaymentMatch, PaymentRequest
from govern.payments.signals import outgoing_paid, payment_received, payment_returned
from govern.register.hooks import (
    erasing,
    erasure_holds,
    invitations,
    own_data,
    register_tabs,
    transfer_links,
)
from govern.register.signals import promise_broken


def register(app: Flask) -> None:
    """Register the pages and jobs, and subscribe to what payments tell."""
    app.register_blueprint(blueprint)
    jobs.register_jobs()
    payment_received.connect(_on_received)
    payment_returned.connect(_on_returned)
    outgoing_paid.connect(giving_back.refuse_counted)
    register_tabs.register(offer_tab)
    own_data.register(personal.own_applications)
    erasing.register(personal.erase_applications)
    erasure_holds.register(personal.open_orders_hold)
    invitations.register(by_transfer.invitation_page)
    transfer_links.register(by_transfer.offer_link)
    promise_broken.connect(by_transfer.note_broken)
    navigation.register(offer_pages)
    cooperative_sections.register(front_sections)
    home_items.register(expected_of)


def _on_received(
    request: PaymentRequest,
    *,
    session: Session,
    match: PaymentMatch,
    amount_cents: int,
    received_on: date,
    **_more: Any,
) -> None:
    admitting.note_payment(
        session, request, match=match, amount_cents=amount_cents, received_on=received_on
    )
    orders.note_payment(session, request)
    owing.note_payment(
        session, request, match=match, amount_cents=amount_cents, received_on=received_on
    )


def _on_returned(
    request: PaymentRequest,
    *,
    session: Session,
    match: PaymentMatch,
    returned_on: date,
    reason: str = "",
    **_more: Any,
) -> None:
    admitting.note_return(session, request, match=match, returned_on=returned_on, reason=reason)
    orders.note_return(session, request, returned_on=returned_on, reason=reason)
    owing.note_return(session, request, match=match, reason=reason)


def offer_tab(actor: Actor, cooperative: Cooperative) -> list[NavItem]:
    """Applications, among the officers' pages of the register."""
    if not actor.may(Permission.REGISTER_READ, cooperative.id):
        return []
    href = flask.url_for("joining.application_list", cooperative=cooperative.code)
    return [NavItem(_("Applications"), href, order=20)]


def offer_pages(actor: Actor, cooperative: Cooperative | None) -> list[NavItem]:
    """The form, to whoever is no member here; the statutes, to everybody."""
    if cooperative is None:
        return []
    items = [
        NavItem(
            _("Statutes"), flask.url_for("joining.statutes", cooperative=cooperative.code), order=91
        )
    ]
    held = actor.roles.get(cooperative.id, frozenset())
    if not held and cooperative.status == CooperativeStatus.ACTIVE.value:
        href = flask.url_for("joining.join", cooperative=cooperative.code)
        items.append(NavItem(_("Become a member"), href, order=10))
    return items


def front_sections(session: Session, actor: Actor, cooperative: Cooperative) -> list[FrontSection]:
    """The way to the form on the front page, for whoever is no member here."""
    if Role.MEMBER in actor.roles.get(cooperative.id, frozenset()):
        return []
    today = clock.today(cooperative.time_zone)
    is_active = cooperative.status == CooperativeStatus.ACTIVE.value
    if not is_active or statutes_in_force(session, cooperative.id, today) is None:
        return []
    try:
        _row, rules = rules_on(session, cooperative.id, today)
    except RuleViolation:
        return []
    return [
        FrontSection(
            _("Become a member"),
            "joining/_front.html",
            {"cooperative": cooperative, "price": rules.share_nominal_cents},
            order=60,
        )
    ]


def expected_of(session: Session, actor: Actor, account_id: int) -> list[HomeItem]:
    """Ordered shares to pay for; for registrars, applications that wait."""
    items = [
        HomeItem(
            title=_(
                "Pay for the shares that you ordered: %(amount)s",
                amount=money(order.request.due_cents),
            ),
            detail=order.membership.cooperative.name,
            due=order.payment_due_on,
            href=flask.url_for(
                "joining.order",
                cooperative=order.membership.cooperative.code,
                member=order.membership.public_id,
                order=order.public_id,
            ),
            tone="warn",
        )
        for order in orders.open_orders(session, account_id)
    ]
    for number in actor.roles:
        if not actor.may(Permission.REGISTER_WRITE, number):
            continue
        waiting = listing.waiting_count(session, number)
        if waiting:
            cooperative = session.get_one(Cooperative, number)
            items.append(
                HomeItem(
                    title=ngettext(
                        "%(num)d application waits for you",
                        "%(num)d applications wait for you",
                        waiting,
                    ),
                    detail=cooperative.name,
                    href=flask.url_for("joining.application_list", cooperative=cooperative.code),
                    tone="warn",
                )
            )
    return items
