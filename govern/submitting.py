"""What every form and button does with what was sent: one call of a service, one commit.

A refusal changes nothing, and is said beside the field that it is about; what was typed stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from flask import flash, request

from govern.errors import GovernError
from govern.extensions import db


def put_error(form: Any, error: GovernError, default: str = "") -> None:
    """Show what a service refused beside its field (or ``default``), or at the top of the form."""
    names = ((error.field or "").replace("-", "_"), default)
    name = next((name for name in names if name in form), None)
    if name is None:
        form.form_errors.append(_said(error))
    else:
        form[name].errors = [*form[name].errors, _said(error)]


def submit(
    form: Any,
    page: Callable[[], Any],
    service: Callable[[], Any],
    done: str,
    then: Callable[[Any], str],
) -> Any:
    """Show the ``page`` of a form; once it is sent, call the service once and commit once.

    ``then``: the address to go on to, from what the service made.
    """
    if request.method == "GET":
        return page()
    if not form.validate():
        return page(), 422
    try:
        result = service()
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        return page(), error.status
    address = then(result)
    db.session.commit()
    flash(done, "good")
    return flask.redirect(address)


def act(service: Callable[[], Any], done: str, then: Callable[[Any], str]) -> Any:
    """One call of a service behind a button: done and said, or refused and said.

    ``then`` gets what the service made, None where it refused.
    """
    try:
        result = service()
    except GovernError as error:
        db.session.rollback()
        flash(_said(error), "bad")
        return flask.redirect(then(None))
    address = then(result)
    db.session.commit()
    flash(done, "good")
    return flask.redirect(address)


def _said(error: GovernError) -> str:
    return f"{error.message} {error.remedy}".strip()
