"""A large statement on its way: how far it is, what became of it, going on after a failure."""

from __future__ import annotations

from typing import Any

import flask
from flask import g, render_template
from flask_babel import gettext as _

from govern.access import Permission, requires
from govern.extensions import db
from govern.payments.models import ReadingState, StatementReading
from govern.payments.services import readings
from govern.payments.views.blueprint import blueprint, here
from govern.payments.views.entries import BASE
from govern.submitting import act


def _reading(public_id: str) -> StatementReading:
    return readings.reading_by_public_id(db.session(), g.cooperative, public_id)


@blueprint.get(f"{BASE}/statements/<reading>")
@requires(Permission.PAYMENTS_READ)
def reading_page(cooperative: str, reading: str) -> Any:
    """How far the reading is, or what it came to."""
    found = _reading(reading)
    is_working = found.state in readings.ON_THE_WAY
    return render_template(
        "payments/reading.html",
        reading=found,
        is_working=is_working,
        progress=_progress(found),
        waiting=0 if is_working else readings.waiting_count(db.session(), found),
        may_write=g.actor.may(Permission.PAYMENTS_WRITE, g.cooperative.id),
    )


@blueprint.get(f"{BASE}/statements/<reading>/progress")
@requires(Permission.PAYMENTS_READ)
def reading_progress(cooperative: str, reading: str) -> Any:
    """How far the reading is, as JSON."""
    return flask.jsonify(_progress(_reading(reading)))


@blueprint.post(f"{BASE}/statements/<reading>/go-on")
@requires(Permission.PAYMENTS_WRITE)
def reading_go_on(cooperative: str, reading: str) -> Any:
    """Match the rest after the matching broke off."""
    found = _reading(reading)
    return act(
        lambda: readings.go_on(db.session(), g.actor, found),
        _("The rest is being matched."),
        lambda _nothing: here("reading_page", reading=reading),
    )


def _progress(reading: StatementReading) -> dict[str, Any]:
    """What the progress bar shows; also what it asks for while the page is open."""
    is_stored = reading.state != ReadingState.WAITING.value
    return {
        "done": readings.settled_count(db.session(), reading) if is_stored else 0,
        "total": reading.entries_new if is_stored else 0,
        "label": _("All entries are stored. They are being matched.")
        if is_stored
        else _("The file is being read and compared with what is known."),
        "next": _("Then you see which entries wait for you."),
        "finished": reading.state not in readings.ON_THE_WAY,
        "href": here("reading_page", reading=reading.public_id),
    }
