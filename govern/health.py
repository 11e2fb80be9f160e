"""``/healthz``: the process answers. ``/readyz``: it can do its work."""

from __future__ import annotations

import flask
from flask import Blueprint, Flask
from sqlalchemy.exc import SQLAlchemyError

from govern.access import public
from govern.extensions import db, limiter
from govern.jobs import broker
from govern.schema import database_revision, newest_revision

blueprint = Blueprint("health", __name__)


def register(app: Flask) -> None:
    """Bind the two routes; a monitor may ask as often as it likes."""
    app.register_blueprint(blueprint)
    limiter.exempt(blueprint)


@blueprint.route("/healthz")
@public
def alive() -> flask.Response:
    """The web process answers."""
    return flask.jsonify(status="ok")


@blueprint.route("/readyz")
@public
def ready() -> tuple[flask.Response, int]:
    """Database reachable and at the newest schema, Redis answering: 200, else 503."""
    checks = {"database": _check_database(), "redis": _check_redis()}
    good = all(result in ("ok", "not used") for result in checks.values())
    return flask.jsonify(status="ok" if good else "unavailable", **checks), 200 if good else 503


def _check_database() -> str:
    try:
        found = database_revision(db.session.connection())
    except SQLAlchemyError:
        db.session.rollback()
        return "unreachable"
    expected = newest_revision()
    return "ok" if found == expected else f"at {found or 'no schema'}, needs {expected}"


def _check_redis() -> str:
    if not broker.is_connected():
        return "not used"
    return "ok" if broker.ping() else "unreachable"
