"""Keyed hashes: recognise an identifier again without keeping it."""

from __future__ import annotations

import hashlib
import hmac
import secrets

import flask


def keyed_tag(purpose: str, text: str) -> str:
    """HMAC-SHA-256 of ``text`` under a key derived from the server's secret, 64 hex digits.

    ``purpose`` separates uses, so that a tag of one table cannot be looked up in another.
    """
    secret = flask.current_app.config["GOVERN"].secret_key.encode()
    key = hmac.digest(secret, f"govern accounts {purpose}".encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def make_token() -> str:
    """A secret of 256 bits, URL-safe."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """How a token is stored: SHA-256 suffices, since it cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()
