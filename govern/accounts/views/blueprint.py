"""The blueprint that the modules of this folder add their routes to, and what they share."""

from __future__ import annotations

import flask
from flask import Blueprint, request
from flask_limiter import RateLimitExceeded
from werkzeug.wrappers import Response as BaseResponse

from govern.accounts.identity import present_token, remember_sign_in
from govern.accounts.models import Account
from govern.accounts.rules import describe_device, safe_next
from govern.accounts.services import complete_sign_in, end_session_by_token
from govern.extensions import db

blueprint = Blueprint("accounts", __name__)

ADDRESS_LIMIT = "200 per minute; 3000 per hour"
"""Tries per network address: 800 people at one venue share one, so it only stops floods."""

__all__ = ["ADDRESS_LIMIT", "RateLimitExceeded", "blueprint", "home", "sign_in_as"]


def home(next_path: str | None = "") -> BaseResponse:
    """To the page that the person was going to, or to their home page."""
    return flask.redirect(safe_next(next_path, otherwise=flask.url_for("home.index")))


def sign_in_as(account: Account, *, method: str, next_path: str = "") -> BaseResponse:
    """Sign ``account`` in on this device in place of whoever was, commit, and go on."""
    previous = present_token()
    if previous is not None:
        end_session_by_token(db.session(), previous)
    token = complete_sign_in(
        db.session(),
        account,
        method=method,
        device=describe_device(request.headers.get("User-Agent", "")),
    )
    db.session.commit()
    remember_sign_in(token)
    return home(next_path)
