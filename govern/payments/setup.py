"""Bind payments to an application."""

from __future__ import annotations

import flask
from flask import Flask
from flask_babel import gettext as _

from govern import navigation
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.home.hooks import home_items
from govern.navigation import NavItem
from govern.payments import jobs, signals
from govern.payments.rules.bank import show_iban
from govern.payments.rules.references import show_reference
from govern.payments.services import matching, personal, tasks
from govern.payments.texts import return_reason
from govern.payments.views import (  # noqa: F401  (they add their routes)
    entries,
    exports,
    outgoing,
    readings,
    statements,
)
from govern.payments.views.blueprint import blueprint
from govern.register.hooks import erasing, erasure_holds, own_data


def register(app: Flask) -> None:
    """Register the pages, and what payments do by themselves."""
    app.register_blueprint(blueprint)
    jobs.register_jobs()
    signals.outgoing_cancelled.connect(matching.refund_called_off)
    signals.outgoing_returned.connect(matching.refund_called_off)
    own_data.register(personal.own_payments)
    erasing.register(personal.erase_payments)
    erasure_holds.register(personal.why_not_erased)
    home_items.register(tasks.expected_of)
    navigation.register(offer_payments)
    app.jinja_env.filters.update(return_reason=return_reason)
    app.jinja_env.globals.update(
        payment_tab_items=payment_tab_items, show_iban=show_iban, show_reference=show_reference
    )


def offer_payments(actor: Actor, cooperative: Cooperative | None) -> list[NavItem]:
    """One entry for treasurers, registrars and whoever names the bank accounts."""
    if cooperative is None:
        return []
    tabs = _tabs(actor, cooperative)
    if not tabs:
        return []
    covers = flask.url_for("payments.entry_list", cooperative=cooperative.code)
    return [NavItem(_("Payments"), tabs[0].href, order=118, covers=covers)]


def payment_tab_items() -> list[NavItem]:
    """The pages of payments that whoever is asking may open."""
    return _tabs(flask.g.actor, flask.g.cooperative)


def _tabs(actor: Actor, cooperative: Cooperative) -> list[NavItem]:
    offered = (
        (Permission.PAYMENTS_READ, "entry_list", _("Bank entries")),
        (Permission.PAYMENTS_READ, "statement_list", _("Bank statements")),
        (Permission.PAYMENTS_READ, "request_list", _("Payment requests")),
        (Permission.PAYMENTS_READ, "outgoing_list", _("Outgoing payments")),
        (Permission.PAYMENTS_READ, "batch_list", _("Payment files")),
        (Permission.BANK_ACCOUNTS_MANAGE, "account_list", _("Bank accounts")),
    )
    return [
        NavItem(
            label,
            flask.url_for(f"payments.{endpoint}", cooperative=cooperative.code),
            order=order,
            # The list of entries lies above all the others: it is current on its own page only.
            exact=endpoint == "entry_list",
        )
        for order, (permission, endpoint, label) in enumerate(offered)
        if actor.may(permission, cooperative.id)
    ]
