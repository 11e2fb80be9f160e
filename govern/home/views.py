"""The front page of the house, the home page of a person, the front page of a cooperative."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import flask
from flask import Blueprint, Flask, g, render_template
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import navigation
from govern.access import Actor, public
from govern.accounts.hooks import MembershipLine, membership_sources
from govern.accounts.words import ROLE_NAMES
from govern.cooperatives.models import Cooperative
from govern.extensions import db
from govern.home.hooks import HomeItem, cooperative_sections, home_items
from govern.i18n import choose_time_zone
from govern.navigation import NavItem

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@public
def index() -> Any:
    """A stranger sees the cooperatives; a signed-in person what is expected of them, by when."""
    session, actor = db.session(), g.actor
    cooperatives = list(session.scalars(select(Cooperative).order_by(Cooperative.name)))
    if actor.account_id is None:
        return render_template("home/stranger.html", cooperatives=cooperatives)
    memberships = [
        line for source in membership_sources for line in source(session, actor.account_id)
    ]
    own = _own(cooperatives, actor, memberships)
    return render_template(
        "home/person.html",
        items=expected_of(session, actor, actor.account_id),
        own=own,
        others=[item for item in cooperatives if item not in [line[0] for line in own]],
        memberships=memberships,
    )


def expected_of(session: Session, actor: Actor, account_id: int) -> list[HomeItem]:
    """What all features expect of the person, what is due first first, then what has no date."""
    items = [item for source in home_items for item in source(session, actor, account_id)]
    return sorted(items, key=_urgency)


def _urgency(item: HomeItem) -> tuple[bool, datetime, str]:
    return (item.due is None, _as_instant(item.due), item.title)


def _as_instant(due: Any) -> datetime:
    """A calendar day is due at its end."""
    zone = ZoneInfo(choose_time_zone())
    if due is None:
        return datetime.max.replace(tzinfo=zone)
    return due if isinstance(due, datetime) else datetime.combine(due, time.max, zone)


def _own(
    cooperatives: Iterable[Cooperative], actor: Actor, memberships: list[MembershipLine]
) -> list[tuple[Cooperative, str]]:
    """The cooperatives in which the person is a member or holds a role, with those roles."""
    codes = {line.cooperative_code for line in memberships}
    return [
        (item, ", ".join(str(name) for role, name in ROLE_NAMES.items() if role in held))
        for item in cooperatives
        for held in [actor.roles.get(item.id, frozenset())]
        if held or item.code in codes
    ]


@blueprint.get("/<cooperative>/")
@public
def cooperative(cooperative: str) -> Any:
    """What a cooperative shows: to everybody, and more to those who may see more."""
    sections = [
        section
        for source in cooperative_sections
        for section in source(db.session(), g.actor, g.cooperative)
    ]
    return render_template(
        "home/cooperative.html", sections=sorted(sections, key=lambda section: section.order)
    )


def register(app: Flask) -> None:
    """Register the pages and the first item of the navigation."""
    app.register_blueprint(blueprint)
    navigation.register(offer_home)


def offer_home(actor: Actor, cooperative: Cooperative | None) -> list[NavItem]:
    """The cooperative's own front page, while one of its pages is open."""
    if cooperative is None:
        return []
    href = flask.url_for("home.cooperative", cooperative=cooperative.code)
    return [NavItem(_("Overview"), href, order=0, exact=True)]
