"""The read API, ``/api/v1/``: JSON for programs that hold a token of one cooperative.

The routes are declared ``@public`` because no session leads here: cookies are not looked at, and
every route asks ``_client`` for a token of the cooperative with the scope that it needs. They only
read, so there is nothing that a page of another site could make a browser do.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import flask
from flask import Blueprint, Response, g, request
from flask_babel import gettext as _

from govern import clock, database
from govern.access import public
from govern.errors import Forbidden, InvalidInput
from govern.extensions import db, limiter
from govern.register.models.api import ApiClient, ApiScope
from govern.register.openapi import RATE_LIMIT, openapi_document
from govern.register.services import api
from govern.register.services.api import clients, reading

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


def _token() -> str:
    scheme, _blank, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip()[:200] if scheme.casefold() == "bearer" else ""


def _who() -> str:
    """Whom the rate limit counts: the token, of whoever sends none the address."""
    token = _token()
    return f"api:{clients.hash_token(token)}" if token else f"api:{request.remote_addr}"


def _client(scope: ApiScope) -> ApiClient:
    """The program that asks. InvalidToken, or Forbidden for another cooperative or scope."""
    found = api.client_of_token(db.session(), _token())
    if found.cooperative_id != g.cooperative.id:
        raise Forbidden(
            _("This token belongs to another cooperative."),
            remedy=_("Ask under the address of the cooperative that made it."),
        )
    if scope.value not in found.scope_set:
        raise Forbidden(
            _("This token does not allow that: it lacks “%(scope)s”.", scope=scope.value),
            remedy=_("Ask an administrator of the cooperative for a token with that scope."),
        )
    return found


def _answer(client: ApiClient, resource: str, body: dict[str, Any]) -> Response:
    """The body as JSON; the first use of a day is noted, in a transaction of its own."""
    day = clock.today(g.cooperative.time_zone)
    if not clients.was_used(db.session(), client, resource, day):
        database.begin_writing(db.session)
        api.note_use(db.session(), client, resource, day)
        db.session.commit()
    return flask.jsonify(body)


@blueprint.after_request
def _name_the_scheme(response: Response) -> Response:
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


# -- what may be asked ------------------------------------------------------------------------


def _limit() -> int:
    text = request.args.get("limit", str(reading.DEFAULT_LIMIT))
    if text.isdecimal() and len(text) < 6 and 1 <= int(text) <= api.MAX_LIMIT:
        return int(text)
    raise InvalidInput(
        _("“%(text)s” is no number of members for a page.", text=text[:40]),
        remedy=_("Give a whole number from 1 to %(most)s.", most=api.MAX_LIMIT),
        field="limit",
    )


def _day(name: str) -> date | None:
    text = request.args.get(name)
    if text is None:
        return None
    try:
        return date.fromisoformat(text[:40])
    except ValueError as error:
        raise InvalidInput(
            _("“%(text)s” is not a day.", text=text[:40]),
            remedy=_("Write a day such as 2018-12-31."),
            field=name,
        ) from error


def _instant(name: str) -> datetime | None:
    text = request.args.get(name)
    if text is None:
        return None
    try:
        # A plus sign in an address means a blank: somebody who did not quote it is understood.
        found = datetime.fromisoformat(text[:40].replace(" ", "+"))
        if found.tzinfo is None:
            raise ValueError(text)
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            _("“%(text)s” is not a moment with its time zone.", text=text[:40]),
            remedy=_("Write it as 2018-12-31T23:59:59Z."),
            field=name,
        ) from error


def _state() -> str:
    text = request.args.get("state", "current")
    if text not in ("current", "ended", "all"):
        raise InvalidInput(
            _("“%(text)s” is not a state of members.", text=text[:40]),
            remedy=_("Choose among: current, ended, all."),
            field="state",
        )
    return text


def _cursor() -> str:
    return request.args.get("cursor", "")[:400]


# -- the routes -------------------------------------------------------------------------------


@blueprint.get("/openapi.json")
@limiter.limit(RATE_LIMIT, key_func=_who)
@public
def document() -> Any:
    """The description of this API."""
    return flask.jsonify(openapi_document(flask.current_app.config["GOVERN"].public_url))


@blueprint.get("/cooperatives/<cooperative>/members")
@limiter.limit(RATE_LIMIT, key_func=_who)
@public
def members(cooperative: str) -> Any:
    """Members, in pages."""
    client = _client(ApiScope.MEMBERS)
    page = api.read_members_page(
        db.session(),
        g.cooperative,
        clock.today(g.cooperative.time_zone),
        state=_state(),
        limit=_limit(),
        cursor=_cursor(),
        with_contact=ApiScope.CONTACT.value in client.scope_set,
    )
    return _answer(client, "members", page.as_json())


@blueprint.get("/cooperatives/<cooperative>/members/<path:number>")
@limiter.limit(RATE_LIMIT, key_func=_who)
@public
def member(cooperative: str, number: str) -> Any:
    """One member by number."""
    client = _client(ApiScope.MEMBERS)
    found = api.read_member(
        db.session(),
        g.cooperative,
        number,
        clock.today(g.cooperative.time_zone),
        with_contact=ApiScope.CONTACT.value in client.scope_set,
    )
    return _answer(client, "members", found)


@blueprint.get("/cooperatives/<cooperative>/holdings")
@limiter.limit(RATE_LIMIT, key_func=_who)
@public
def holdings(cooperative: str) -> Any:
    """Who holds what, at the end of a day, as known at a moment."""
    client = _client(ApiScope.HOLDINGS)
    page = api.read_holdings_page(
        db.session(),
        g.cooperative,
        on=_day("on"),
        known_at=_instant("known_at"),
        limit=_limit(),
        cursor=_cursor(),
    )
    return _answer(client, "holdings", page.as_json())
