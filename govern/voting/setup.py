"""Binds elections to the application: pages, jobs, ticks, navigation, home pages."""

from __future__ import annotations

import flask
from flask import Flask
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import navigation
from govern.access import Actor
from govern.cooperatives.models import Cooperative
from govern.home.hooks import FrontSection, HomeItem, cooperative_sections, home_items
from govern.navigation import NavItem
from govern.register.models import RollEntry
from govern.register.signals import roll_entry_removed
from govern.voting import jobs  # noqa: F401  (its jobs and ticks register themselves)
from govern.voting.models import Election
from govern.voting.rules import ElectionState
from govern.voting.services import credentials, reading
from govern.voting.texts import STATE_TONES, state_label
from govern.voting.views import booth, codes, manage, public, trustee  # noqa: F401
from govern.voting.views.blueprint import blueprint


def register(app: Flask) -> None:
    """Called once by ``govern.app``."""
    app.register_blueprint(blueprint)
    navigation.register(offer_elections)
    home_items.register(expected_of)
    cooperative_sections.register(front_section)
    roll_entry_removed.connect(_forget_issues)


def _forget_issues(entry: RollEntry, session: Session) -> None:
    credentials.forget_issues(session, entry)


def offer_elections(actor: Actor, cooperative: Cooperative | None) -> list[NavItem]:
    """The list of elections of a cooperative."""
    if cooperative is None:
        return []
    href = flask.url_for("voting.elections", cooperative=cooperative.code)
    return [NavItem(_("Votes"), href, order=30)]


def expected_of(session: Session, actor: Actor, account_id: int) -> list[HomeItem]:
    """Votes to cast, keys to make, counts to open."""
    items = []
    for election, standings in reading.open_elections_for(session, account_id):
        if election.stage is ElectionState.OPEN:
            items += [_vote_item(election, one) for one in standings if not one.has_voted]
    for task in reading.trustee_tasks(session, account_id):
        title = reading.in_language(task.election.title).text
        is_key = task.election.stage is ElectionState.KEYS
        items.append(
            HomeItem(
                title=_("Make your key: %(title)s", title=title)
                if is_key
                else _("Open your part of the count: %(title)s", title=title),
                due=task.election.opens_at if is_key else None,
                href=flask.url_for("voting.trustee", uuid=task.election.uuid),
                tone="warn",
            )
        )
    return items


def _vote_item(election: Election, standing: reading.Standing) -> HomeItem:
    """A vote to cast: each member for whom the person votes has one of their own."""
    title = reading.in_language(election.title).text
    if election.is_trial:
        detail = _("A trial: it binds nobody.")
    elif standing.entry.kind == "legal":
        detail = _("For %(name)s, which you represent.", name=standing.entry.display_name)
    else:
        detail = _("You have not voted yet. It takes about four minutes.")
    return HomeItem(
        title=_("Vote: %(title)s", title=title),
        detail=detail,
        due=election.closes_at,
        href=flask.url_for("voting.election", uuid=election.uuid),
        tone="info" if election.is_trial else "warn",
    )


def front_section(session: Session, actor: Actor, cooperative: Cooperative) -> list[FrontSection]:
    """The latest elections, on the cooperative's front page."""
    found = reading.elections_of(session, actor, cooperative, limit=3)
    if not found:
        return []
    lines = [(election, state_label(election.stage)) for election in found]
    return [
        FrontSection(
            _("Votes"),
            "voting/front.html",
            {"lines": lines, "tones": STATE_TONES, "cooperative": cooperative},
            order=20,
        )
    ]
