"""Who is signed in, read from the cookie: Flask-Login on top of ``account_session`` rows.

The signed cookie holds a random token and the hour of signing in; the row holds the token's hash.
A session ends after twelve hours, after four hours without a request, by signing out here or
everywhere, and when the account is closed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import flask
from flask import Flask, g
from flask_login import UserMixin, current_user, login_user

from govern import clock
from govern.access import NOBODY, Actor
from govern.accounts.models import Account, AccountSession
from govern.accounts.rules import IDLE_LIFE, LINK_LIFE, SESSION_LIFE
from govern.accounts.services.roles import actor_for
from govern.accounts.services.sessions import find_session
from govern.extensions import db, login_manager

SIGNED_IN_AT = "signed_in_at"


class SignedIn(UserMixin):
    """What Flask-Login calls a user: one running session of one account."""

    def __init__(self, row: AccountSession, token: str) -> None:
        self.row = row
        self.account = row.account
        self._token = token

    def get_id(self) -> str:
        return self._token


def register_identity(app: Flask) -> None:
    """Bind the cookie's settings and the loader to ``app``."""
    # Telephones change their network address while somebody votes: a session is bound to its
    # token, not to an address.
    login_manager.session_protection = None
    login_manager.user_loader(_load_user)
    app.config["PERMANENT_SESSION_LIFETIME"] = IDLE_LIFE


def _load_user(token: str) -> SignedIn | None:
    started = flask.session.get(SIGNED_IN_AT)
    if not isinstance(started, int) or _age(started) >= SESSION_LIFE.total_seconds():
        return None
    row = find_session(db.session(), token)
    return SignedIn(row, token) if row is not None else None


def _age(started: int) -> float:
    return (clock.now() - datetime.fromtimestamp(started, UTC)).total_seconds()


def session_values(token: str) -> dict[str, Any]:
    """What the cookie of a signed-in person holds (also used to sign in within tests)."""
    return {
        "_user_id": token,
        "_fresh": True,
        "_permanent": True,
        SIGNED_IN_AT: int(clock.now().timestamp()),
    }


def remember_sign_in(token: str) -> None:
    """Put ``token`` into a new cookie; nothing of the cookie before sign-in survives."""
    flask.session.clear()
    # The CSRF token of this request was made for the old cookie.
    g.pop("csrf_token", None)
    flask.session.update(session_values(token))
    row = find_session(db.session(), token)
    if row is not None:
        login_user(SignedIn(row, token))


def forget_sign_in() -> None:
    """Empty the cookie, except for the language that the visitor reads."""
    language = g.get("account_language") or flask.session.get("language")
    flask.session.clear()
    g.pop("csrf_token", None)
    if language:
        flask.session["language"] = language


def load_actor() -> Actor:
    """Who asks in this request: sets ``g.account`` and the language, returns the Actor."""
    g.account = None
    if not current_user.is_authenticated:
        return NOBODY
    g.account = current_user.account
    g.account_language = g.account.language
    return actor_for(db.session(), g.account)


def present_account() -> Account:
    """The account of whoever is signed in (only on routes that require it)."""
    account: Account = g.account
    return account


def present_session() -> AccountSession:
    """The session of this device (only on routes that require a sign-in)."""
    row: AccountSession = current_user.row
    return row


def present_token() -> str | None:
    """The token of this device's session, None if nobody is signed in."""
    return current_user.get_id() if current_user.is_authenticated else None


def came_by_fresh_link() -> bool:
    """Whether this session began with a link in the last minutes: it stands for a password."""
    started = flask.session.get(SIGNED_IN_AT)
    return (
        present_session().method == "link"
        and isinstance(started, int)
        and _age(started) < LINK_LIFE.total_seconds()
    )
