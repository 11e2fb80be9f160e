"""Bind the outbox to an application."""

from __future__ import annotations

import flask
from flask import Flask, current_app
from flask_babel import gettext as _

from govern import navigation
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.navigation import NavItem
from govern.outbox.views import mailbox, office  # noqa: F401  (they add their routes)
from govern.outbox.views.blueprint import blueprint


def register(app: Flask) -> None:
    """Register the pages and their entries in the navigation."""
    app.register_blueprint(blueprint)
    navigation.register(offer_outbox)


def offer_outbox(actor: Actor, cooperative: Cooperative | None) -> list[NavItem]:
    """The outbox for officers; the mailbox for everybody where people are invented."""
    items = []
    if cooperative is not None and actor.may(Permission.OUTBOX_READ, cooperative.id):
        href = flask.url_for("outbox.show", cooperative=cooperative.code)
        items.append(NavItem(_("Outbox"), href, order=170))
    if current_app.config["GOVERN"].environment == "demo" and _shows_mailbox():
        items.append(NavItem(_("Mailbox"), flask.url_for("outbox.mailbox"), order=190))
    return items


def _shows_mailbox() -> bool:
    return bool(current_app.config["GOVERN"].shows_mailbox)
