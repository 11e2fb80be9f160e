"""Bind the register to an application."""

from __future__ import annotations

import flask
from flask import Flask
from flask_babel import gettext as _

from govern import navigation
from govern.access import Actor, Permission, Role
from govern.accounts import hooks
from govern.cooperatives.models import Cooperative
from govern.home.hooks import home_items
from govern.mail.signals import address_refused
from govern.navigation import NavItem
from govern.register import erasure_jobs  # noqa: F401  (its job registers itself)
from govern.register.hooks import erasing, own_data, register_tab_items, register_tabs
from govern.register.jobs import register_jobs
from govern.register.services import accounts
from govern.register.services.certificate_document import spaced
from govern.register.services.merging import closed_account_words
from govern.register.services.own_sections import register_sections
from govern.register.services.quality import expected
from govern.register.services.quality.addresses import note_refusal
from govern.register.services.transfers.personal import erase_transfers, own_transfers
from govern.register.views import (  # noqa: F401  (they add their routes)
    api,
    book,
    certificates,
    clients,
    imports,
    members,
    own,
    privacy,
    quality,
    rolls,
    transfers,
    volumes,
    writing,
)
from govern.register.views.blueprint import blueprint


def register(app: Flask) -> None:
    """Register the pages, the jobs, and what the register tells the accounts and the home page."""
    app.register_blueprint(blueprint)
    app.register_blueprint(api.blueprint)
    register_jobs()
    hooks.identifier_resolvers.register(accounts.find_candidates)
    hooks.account_openers.register(accounts.open_person_account)
    hooks.role_sources.register(accounts.member_roles)
    hooks.membership_sources.register(accounts.membership_lines)
    hooks.sign_in_traces.register(accounts.forget_first_sign_ins)
    home_items.register(accounts.expected_of)
    home_items.register(expected.expected_of)
    navigation.register(offer_register)
    register_tabs.register(offer_tabs)
    register_tabs.register(quality.offer_quality)
    own_data.register(register_sections)
    own_data.register(own_transfers)
    erasing.register(erase_transfers)
    hooks.closed_accounts.register(closed_account_words)
    address_refused.connect(note_refusal)
    app.jinja_env.globals["register_tab_items"] = register_tab_items
    app.jinja_env.globals["spaced"] = spaced


def offer_register(actor: Actor, cooperative: Cooperative | None) -> list[NavItem]:
    """One's own membership, and the officers' pages of the register."""
    if cooperative is None:
        return []
    code = cooperative.code
    items = []
    if Role.MEMBER in actor.roles.get(cooperative.id, frozenset()):
        items.append(
            NavItem(_("My membership"), flask.url_for("register.me", cooperative=code), order=20)
        )
    if actor.may(Permission.BOOK_READ, cooperative.id):
        items.append(
            NavItem(
                _("Share register"),
                flask.url_for("register.public_book", cooperative=code),
                order=25,
            )
        )
    if actor.may(Permission.REGISTER_READ, cooperative.id):
        # Imports, rolls and programs stand among the tabs of these pages.
        items.append(
            NavItem(
                _("Members"),
                flask.url_for("register.member_list", cooperative=code),
                order=110,
                covers=f"/{code}/register",
            )
        )
        return items
    if actor.may(Permission.ROLL_READ, cooperative.id):
        items.append(
            NavItem(_("Rolls"), flask.url_for("register.roll_list", cooperative=code), order=120)
        )
    if actor.may(Permission.API_MANAGE, cooperative.id):
        items.append(
            NavItem(
                _("Programs"), flask.url_for("register.program_list", cooperative=code), order=125
            )
        )
    return items


def offer_tabs(actor: Actor, cooperative: Cooperative) -> list[NavItem]:
    """The register's own tabs: members, imports, rolls."""
    code = cooperative.code
    tabs = (
        (Permission.REGISTER_READ, "member_list", _("Members"), 10),
        (Permission.REGISTER_READ, "transfer_list", _("Transfers"), 30),
        (Permission.REGISTER_READ, "book_page", _("The book"), 20),
        (Permission.REGISTER_READ, "year_page", _("Financial years"), 30),
        (Permission.REGISTER_IMPORT, "import_list", _("Imports"), 80),
        (Permission.ROLL_READ, "roll_list", _("Rolls"), 90),
        (Permission.API_MANAGE, "program_list", _("Programs"), 95),
    )
    return [
        NavItem(label, flask.url_for(f"register.{endpoint}", cooperative=code), order=order)
        for permission, endpoint, label, order in tabs
        if actor.may(permission, cooperative.id)
    ]
