"""The HTTP edge that every route shares: request id, cooperative, access, headers, error pages.

A blueprint declares nothing but its routes; what a route needs is read off its access declaration
(``govern.access``). ``g.actor`` is who asks, ``g.cooperative`` the cooperative of the URL.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import flask
from flask import Flask, Response, g, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from govern.access import NOBODY, Actor, Permission, declared_access, does_read_first
from govern.cooperatives.models import Cooperative
from govern.errors import GovernError, InvalidInput, NotFound, SignInRequired
from govern.extensions import db

log = logging.getLogger("govern.web")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)

ActorLoader = Callable[[], Actor]

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


def register_edge(app: Flask, load_actor: ActorLoader) -> None:
    """Attach the shared edge to ``app``; ``load_actor`` says who is signed in."""

    @app.before_request
    def _open_request() -> None:
        g.request_id = secrets.token_hex(8)
        g.cooperative = None
        g.actor = NOBODY
        if request.endpoint in (None, "static"):
            return
        if does_read_first(app.view_functions[request.endpoint]):
            g.reads_only = True
        _refuse_zero_bytes([request.path, *_texts_of(request.args)])
        g.actor = load_actor()
        _load_cooperative()
        _check_access()
        if request.mimetype in FORM_TYPES:
            names = [file.filename or "" for file in request.files.values()]
            _refuse_zero_bytes([*_texts_of(request.form), *names])

    @app.after_request
    def _close_request(response: Response) -> Response:
        headers = response.headers
        headers["X-Request-Id"] = g.get("request_id", "")
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["X-Frame-Options"] = "DENY"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()"
        if app.config["GOVERN"].is_production:
            headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
        if request.endpoint != "static":
            headers.setdefault("Cache-Control", "no-store")
        return response

    @app.errorhandler(GovernError)
    def _govern_error(error: GovernError) -> Any:
        db.session.rollback()
        if isinstance(error, SignInRequired) and not wants_json() and request.method == "GET":
            return flask.redirect(
                flask.url_for("accounts.sign_in", next=request.full_path.rstrip("?"))
            )
        return error_page(error.status, error.message, error.remedy, error)

    @app.errorhandler(CSRFError)
    def _csrf_error(_error: CSRFError) -> Any:
        return error_page(
            400,
            _("This form was open too long, or was not sent from this site."),
            # Going back fetches a new token and keeps what was typed; reloading may empty the form.
            _(
                "Go back and send the form again: what you typed is still there. Reload the page "
                "only if this is said again."
            ),
        )

    @app.errorhandler(HTTPException)
    def _http_error(error: HTTPException) -> Any:
        status = error.code or 500
        if 300 <= status < 400:
            return error
        title, remedy = _plain_words(status)
        return error_page(status, title, remedy)

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> Any:
        db.session.rollback()
        if app.config["TESTING"]:
            raise error
        log.exception("unexpected error", extra={"request_id": g.get("request_id", "")})
        title, remedy = _plain_words(500)
        return error_page(500, title, remedy)


def _texts_of(given: MultiDict[str, str]) -> list[str]:
    return [text for name, texts in given.lists() for text in (name, *texts)]


def _refuse_zero_bytes(texts: Sequence[str]) -> None:
    """InvalidInput for what no database takes as text and nobody types."""
    if any("\x00" in text for text in texts):
        raise InvalidInput(
            _("What was sent holds a zero byte, which no text does."),
            remedy=_("Copy the text anew, or type it."),
        )


def refuse_undeclared_routes(app: Flask) -> None:
    """Raise RuntimeError if any route has no access declaration (called at the end of start)."""
    undeclared = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and declared_access(app.view_functions[rule.endpoint]) is None
    ]
    if undeclared:
        raise RuntimeError(f"routes without an access declaration: {', '.join(undeclared)}")


def cooperative_by_code(code: str) -> Cooperative:
    """The cooperative with that code; NotFound otherwise."""
    found = db.session.scalar(select(Cooperative).where(Cooperative.code == code))
    if found is None:
        raise NotFound(
            _("There is no cooperative “%(code)s” here.", code=code),
            remedy=_("Choose one from the front page."),
        )
    return found


def _load_cooperative() -> None:
    code = (request.view_args or {}).get("cooperative")
    if code is not None:
        g.cooperative = cooperative_by_code(code)


def _check_access() -> None:
    view = flask.current_app.view_functions[request.endpoint or ""]
    access = declared_access(view)
    if access is None or access.level == "public":
        return
    if g.actor.account_id is None:
        raise SignInRequired(
            _("You must be signed in for this page."), remedy=_("Sign in and try again.")
        )
    if access.level == "signed_in":
        return
    cooperative_id = (
        access.scope(dict(request.view_args or {})) if access.scope else g.cooperative.id
    )
    g.actor.require(access.permission or Permission.ROLES_MANAGE, cooperative_id)


def wants_json() -> bool:
    """Whether the caller talks JSON rather than pages."""
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return request.is_json or (
        best == "application/json" and not request.accept_mimetypes.accept_html
    )


def error_page(
    status: int, message: str, remedy: str = "", error: GovernError | None = None
) -> tuple[Response | str, int]:
    """The page, or the JSON body, that says what is wrong and what to do."""
    if wants_json():
        body = error.as_dict() if error else {"title": "", "detail": message, "remedy": remedy}
        return flask.jsonify(error=body), status
    return (
        flask.render_template("error.html", status=status, message=message, remedy=remedy),
        status,
    )


def _plain_words(status: int) -> tuple[str, str]:
    back = _("Go back to the page you came from, or to the front page.")
    words = {
        400: (_("The request could not be understood."), back),
        401: (_("You must be signed in for this page."), _("Sign in and try again.")),
        403: (_("You are not allowed to open this page."), back),
        404: (_("There is no such page."), _("Check the address, or start from the front page.")),
        405: (_("This page cannot be used in that way."), back),
        413: (_("The file is too large."), _("Choose a smaller file.")),
        429: (_("Too many attempts in a short time."), _("Wait a few minutes and try again.")),
    }
    default = (
        _("Something went wrong on our side. Nothing was changed."),
        _("Try again in a moment. If it happens again, tell us the number below."),
    )
    return words.get(status, default)
