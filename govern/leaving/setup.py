"""Bind leaving to an application."""

from __future__ import annotations

from datetime import datetime

import flask
from flask import Flask
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.home.hooks import home_items
from govern.jobs import every_tick
from govern.leaving import services
from govern.leaving.services import left_over, personal, taken_back, tasks
from govern.leaving.services.following import follow_payments
from govern.leaving.views import (  # noqa: F401  (they add their routes)
    exclusions,
    officers,
    own,
    recorded,
    refunds,
)
from govern.leaving.views.blueprint import blueprint
from govern.navigation import NavItem
from govern.register.hooks import (
    erasing,
    erasure_holds,
    merge_holds,
    own_data,
    register_tabs,
    reversal_holds,
)


def register(app: Flask) -> None:
    """Register the pages, what happens by itself, and what other features are told."""
    app.register_blueprint(blueprint)
    every_tick(services.find_due)
    every_tick(services.close_overtaken)
    every_tick(services.cancel_taken_back)
    every_tick(lapse_unsigned)
    follow_payments()
    home_items.register(tasks.expected_of)
    home_items.register(left_over.expected_of)
    register_tabs.register(offer_tabs)
    own_data.register(personal.own_departures)
    erasing.register(personal.erase_departures)
    erasure_holds.register(personal.why_not_erased)
    merge_holds.register(personal.why_not_merged)
    reversal_holds.register(taken_back.why_not_taken_back)


def lapse_unsigned(session: Session, now: datetime) -> None:
    """Requests that nobody signed within a week are closed."""
    services.lapse_unsigned(session, now)


def offer_tabs(actor: Actor, cooperative: Cooperative) -> list[NavItem]:
    """Departures, refunds and the board's tests beside the other pages of the register."""
    code = cooperative.code
    tabs = (
        (Permission.REGISTER_READ, "departure_list", _("Departures"), 40),
        (Permission.PAYMENTS_READ, "refund_list", _("Refunds"), 60),
        (Permission.PAYMENTS_READ, "test_list", _("Tests of the board"), 65),
    )
    return [
        NavItem(label, flask.url_for(f"leaving.{endpoint}", cooperative=code), order=order)
        for permission, endpoint, label, order in tabs
        if actor.may(permission, cooperative.id)
    ]
