"""The blueprint that the modules of this folder add their routes to, and what they share."""

from __future__ import annotations

from datetime import date
from typing import Any

import flask
from flask import Blueprint, Response, g

from govern import clock
from govern.extensions import db
from govern.register.models import Membership
from govern.register.services.members import membership_by_public_id

blueprint = Blueprint("register", __name__)


def here(endpoint: str, **values: Any) -> str:
    """The address of a page of the register of this cooperative."""
    return flask.url_for(f"register.{endpoint}", cooperative=g.cooperative.code, **values)


def today() -> date:
    """The present day where the cooperative is."""
    return clock.today(g.cooperative.time_zone)


def member_of(public_id: str) -> Membership:
    """The member of the address; NotFound otherwise."""
    return membership_by_public_id(db.session(), g.cooperative, public_id)


def attachment(content: Any, name: str, kind: str) -> Response:
    """A download under ``name``; ``content`` is bytes or an iterator of bytes."""
    response = Response(content, mimetype=kind)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
