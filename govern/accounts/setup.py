"""Bind accounts to an application."""

from __future__ import annotations

import flask
from flask import Flask
from flask_babel import gettext as _

from govern import navigation
from govern.access import Actor, Permission
from govern.accounts import jobs  # noqa: F401  (its job registers itself)
from govern.accounts.identity import register_identity
from govern.accounts.views import profile, roles, sign_in  # noqa: F401  (they add their routes)
from govern.accounts.views.blueprint import blueprint
from govern.cooperatives.models import Cooperative
from govern.navigation import NavItem


def register(app: Flask) -> None:
    """Register the pages, the loader of who is signed in, and what the navigation shows."""
    register_identity(app)
    app.register_blueprint(blueprint)
    navigation.register(offer_roles)


def offer_roles(actor: Actor, cooperative: Cooperative | None) -> list[NavItem]:
    """The page of roles, to whoever may give them."""
    if cooperative is None or not actor.may(Permission.ROLES_MANAGE, cooperative.id):
        return []
    href = flask.url_for("accounts.roles", cooperative=cooperative.code)
    return [NavItem(_("Roles"), href, order=190)]
