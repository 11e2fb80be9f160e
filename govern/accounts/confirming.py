"""Asking for the password once more before something that it protects.

A borrowed telephone that is signed in must not be enough to set another password or to take out
what is kept about a person. Whoever has just come by a link in a mail has confirmed by that.
"""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from govern.accounts.identity import came_by_fresh_link
from govern.accounts.models import Account
from govern.accounts.passwords import verify_password
from govern.accounts.services import begin_attempt, forgive_attempts
from govern.errors import TooManyRequests
from govern.extensions import db


def asks_password(account: Account) -> bool:
    """Whether the present password must be typed again."""
    return account.password_hash is not None and not came_by_fresh_link()


def needs_fresh_link(account: Account) -> bool:
    """Whether there is no password to ask for and the sign-in by a link is too long ago."""
    return account.password_hash is None and not came_by_fresh_link()


def refuse_without_password(form: Any, account: Account) -> int:
    """The status of the refusal, with its reason at ``form.present``; 0 if the password is right.

    The same counter as at sign-in: a borrowed telephone is no way to guess at leisure.
    """
    try:
        attempt = begin_attempt(db.session(), f"account:{account.public_id}")
    except TooManyRequests as error:
        db.session.rollback()
        form.present.errors = [f"{error.message} {error.remedy}".strip()]
        return 429
    stored = account.password_hash
    db.session.commit()
    if not verify_password(stored, form.present.data or ""):
        form.present.errors = [_("This is not your present password.")]
        return 422
    forgive_attempts(db.session(), attempt, [account.id])
    return 0
