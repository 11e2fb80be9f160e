"""Calendars: one file per assembly, and one subscription per person.

The address of a subscription is a secret: a random name and a code made from it with the server's
key, so that a copy of the database does not give the addresses away. It can be shown again at any
time, and replaced.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import gettext as _
from icalendar import Calendar, Event, vText, vUri
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.accounts.models import Account
from govern.assemblies.labels import KINDS, LINK_KINDS
from govern.assemblies.models import Assembly, CalendarFeed
from govern.assemblies.rules import AssemblyKind, AssemblyState, LinkKind
from govern.assemblies.services.elections import binding_election
from govern.assemblies.services.notice_texts import assembly_url
from govern.database import make_public_id
from govern.errors import NotFound, SignInRequired
from govern.i18n import local_text
from govern.register.services import memberships_for_account
from govern.sealing import derive_key
from govern.voting.models import Election

USUAL_LENGTH = timedelta(hours=2)
"""How long an assembly without an end is drawn in a calendar."""

KEPT = timedelta(days=400)
"""How far back a subscription reaches."""


def assembly_calendar(assembly: Assembly, *, for_member: bool = False) -> bytes:
    """The iCalendar file of one assembly; links to a stream only ``for_member``."""
    return _calendar(local_text(assembly.titles), _events(assembly, for_member=for_member))


def find_feed(session: Session, account_id: int) -> CalendarFeed | None:
    """The person's subscription, if they ever made one."""
    return session.get(CalendarFeed, account_id)


def make_feed(session: Session, actor: Actor, language: str) -> CalendarFeed:
    """Give the actor an address for their calendar; the address they had before is dead then."""
    if actor.account_id is None:
        raise SignInRequired(_("You are not signed in."), remedy=_("Sign in and try again."))
    feed = session.get(CalendarFeed, actor.account_id)
    if feed is None:
        feed = CalendarFeed(account_id=actor.account_id)
        session.add(feed)
    feed.public_id, feed.language, feed.made_on = make_public_id(), language, clock.today()
    session.flush()
    return feed


def feed_token(feed: CalendarFeed) -> str:
    """The secret part of the address: 22 characters of name and 32 of code."""
    return f"{feed.public_id}{_code(feed.public_id)}"


def feed_by_token(session: Session, token: str) -> CalendarFeed:
    """The subscription with that secret; NotFound for anything else."""
    public_id, code = token[:22], token[22:]
    # Compared before anything is looked up: guessing learns nothing from the time it takes.
    genuine = hmac.compare_digest(code.encode(), _code(public_id).encode())
    feed = (
        session.scalar(select(CalendarFeed).where(CalendarFeed.public_id == public_id))
        if genuine
        else None
    )
    if feed is None or session.get_one(Account, feed.account_id).disabled_at is not None:
        raise NotFound(
            _("There is no such calendar."),
            remedy=_("Sign in and look up the address of your calendar."),
        )
    return feed


def feed_calendar(session: Session, feed: CalendarFeed) -> bytes:
    """The published assemblies of the cooperatives of which the person is a member."""
    memberships = memberships_for_account(session, feed.account_id)
    cooperatives = {one.cooperative_id for one in memberships if one.ended_on is None}
    assemblies = session.scalars(
        select(Assembly)
        .where(
            Assembly.cooperative_id.in_(cooperatives),
            Assembly.published_at.is_not(None),
            Assembly.starts_at > clock.now() - KEPT,
        )
        .order_by(Assembly.starts_at)
    )
    events = [event for one in assemblies for event in _events(one, for_member=True)]
    return _calendar(_("My cooperatives"), events)


# -- inside -----------------------------------------------------------------------------------


def _calendar(name: str, events: Iterable[Event]) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", "-//govern//assemblies//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", timedelta(hours=12), parameters={"value": "DURATION"})
    for event in events:
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _events(assembly: Assembly, *, for_member: bool) -> list[Event]:
    events = [_assembly_event(assembly, for_member=for_member)]
    election = binding_election(assembly)
    if election is not None and assembly.state != AssemblyState.CANCELLED.value:
        events.append(_vote_event(assembly, election))
    return events


def _assembly_event(assembly: Assembly, *, for_member: bool) -> Event:
    event = _event(
        f"assembly-{assembly.public_id}",
        local_text(assembly.titles),
        assembly.starts_at,
        assembly.ends_at or assembly.starts_at + USUAL_LENGTH,
        assembly,
    )
    if assembly.place:
        event["location"] = vText(assembly.place)
    lines = [str(KINDS[AssemblyKind(assembly.kind)])]
    for link in assembly.links:
        kind = LinkKind(link["kind"])
        if for_member or not kind.members_only:
            lines.append(f"{LINK_KINDS[kind]}: {link['url']}")
    if assembly.cancel_reason:
        lines.append(_("Cancelled: %(reason)s", reason=assembly.cancel_reason))
    event["description"] = vText("\n".join([*lines, assembly_url(assembly)]))
    return event


def _vote_event(assembly: Assembly, election: Election) -> Event:
    event = _event(
        f"vote-{election.public_id}",
        _("Vote: %(title)s", title=local_text(assembly.titles)),
        election.opens_at,
        election.closes_at,
        assembly,
    )
    event.add("transp", "TRANSPARENT")
    return event


def _event(name: str, summary: str, starts: datetime, ends: datetime, assembly: Assembly) -> Event:
    base = current_app.config["GOVERN"].public_url
    event = Event()
    event.add("uid", f"{name}@{urlsplit(base).hostname or 'localhost'}")
    event.add("summary", summary)
    event.add("dtstart", starts)
    event.add("dtend", ends)
    event.add("dtstamp", clock.now())
    event["url"] = vUri(assembly_url(assembly))
    cancelled = assembly.state == AssemblyState.CANCELLED.value
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("sequence", 1 if cancelled else 0)
    return event


def _code(public_id: str) -> str:
    key = derive_key("calendar-feed")
    return hmac.new(key, public_id.encode(), hashlib.sha256).hexdigest()[:32]
