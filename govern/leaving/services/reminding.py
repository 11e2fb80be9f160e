"""The day from which a request to leave can be handed in, for the member's calendar."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlsplit

import flask
from flask_babel import gettext as _
from icalendar import Calendar, Event, vText, vUri
from sqlalchemy.orm import Session

from govern import clock
from govern.i18n import day as in_words
from govern.leaving.services.foreseeing import foresee_resignation
from govern.register.models import Membership


def period_calendar(session: Session, membership: Membership, today: date) -> bytes:
    """An iCalendar file with that day: today's, while a request can be handed in at once."""
    plan = foresee_resignation(session, membership, today).plan
    cooperative = membership.cooperative
    public_url = flask.current_app.config["GOVERN"].public_url
    page = f"{public_url}/{cooperative.code}/me/{membership.public_id}/leaving"
    last = _("You can do so until %(day)s.", day=in_words(plan.window.last))
    event = Event()
    host = urlsplit(public_url).hostname or "localhost"
    event.add("uid", f"leaving-{membership.public_id}-{plan.counts_from.isoformat()}@{host}")
    event.add(
        "summary",
        _("From today you can ask to leave %(cooperative)s", cooperative=cooperative.name),
    )
    event.add("dtstart", plan.counts_from)
    event.add("dtend", plan.counts_from + timedelta(days=1))
    event.add("dtstamp", clock.now())
    event.add("transp", "TRANSPARENT")
    event["description"] = vText(f"{last}\n{page}")
    event["url"] = vUri(page)
    calendar = Calendar()
    calendar.add("prodid", "-//govern//leaving//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
