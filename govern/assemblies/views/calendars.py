"""Calendars."""

from __future__ import annotations

from typing import Any

import flask
from flask import Response, flash, g, render_template
from flask_babel import gettext as _

from govern.access import public, signed_in
from govern.assemblies.services.calendars import (
    assembly_calendar,
    feed_by_token,
    feed_calendar,
    feed_token,
    find_feed,
    make_feed,
)
from govern.assemblies.views.blueprint import blueprint, load
from govern.assemblies.views.showing import is_member
from govern.extensions import db
from govern.i18n import current_language, speaking


@blueprint.get("/<cooperative>/assemblies/<slug>/calendar.ics")
@public
def calendar(cooperative: str, slug: str) -> Any:
    """One assembly, to be put into a calendar."""
    assembly = load(slug)
    content = assembly_calendar(assembly, for_member=is_member(db.session(), g.cooperative))
    return _as_file(content, f"{assembly.cooperative.code}-{assembly.slug}.ics")


@blueprint.get("/calendar/<token>.ics")
@public
def feed(token: str) -> Any:
    """A person's subscription: whoever has the address reads it, so it is a secret."""
    session = db.session()
    row = feed_by_token(session, token)
    with speaking(row.language):
        content = feed_calendar(session, row)
    response = _as_file(content, "govern.ics")
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.route("/account/calendar", methods=["GET", "POST"])
@signed_in
def my_calendar() -> Any:
    """The address of one's own calendar; a new one makes the old one useless."""
    session = db.session()
    if flask.request.method == "POST":
        make_feed(session, g.actor, current_language())
        session.commit()
        flash(_("Your calendar has a new address."), "good")
        return flask.redirect(flask.url_for("assemblies.my_calendar"), 303)
    row = find_feed(session, g.actor.account_id)
    base = flask.current_app.config["GOVERN"].public_url
    link = None
    if row is not None:
        link = base + flask.url_for("assemblies.feed", token=feed_token(row))
    return render_template("assemblies/my_calendar.html", link=link)


def _as_file(content: bytes, name: str) -> Response:
    response = Response(content, content_type="text/calendar; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
