"""The blueprint that the modules of this folder add their routes to, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import flask
from flask import Blueprint, flash, g, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from govern import clock
from govern.errors import GovernError, NotFound
from govern.extensions import db
from govern.payments.forms import ReasonForm
from govern.payments.models import BankEntry

blueprint = Blueprint("payments", __name__)


def here(endpoint: str, **values: Any) -> str:
    """The address of a page of payments of this cooperative."""
    return flask.url_for(f"payments.{endpoint}", cooperative=g.cooperative.code, **values)


def today() -> date:
    """The present day where the cooperative is."""
    return clock.today(g.cooperative.time_zone)


def entry_of(public_id: str) -> BankEntry:
    """The entry of the address; NotFound otherwise."""
    found = db.session.scalar(
        select(BankEntry).where(
            BankEntry.public_id == public_id, BankEntry.cooperative_id == g.cooperative.id
        )
    )
    if found is None:
        raise NotFound(_("There is no such entry."), remedy=_("Choose one from the list."))
    return found


def put_error(form: Any, error: GovernError) -> None:
    """Show what a service refused beside its field, or at the top of the form."""
    text = f"{error.message} {error.remedy}".strip()
    if error.field and error.field in form:
        target = form[error.field]
        target.errors = [*target.errors, text]
    else:
        form.form_errors.append(text)


def act(service: Callable[[], Any], done: str, target: Callable[[Any], str]) -> Any:
    """One call of a service behind a button: done and said, or refused and said."""
    try:
        result = service()
    except GovernError as error:
        db.session.rollback()
        flash(f"{error.message} {error.remedy}".strip(), "bad")
    else:
        db.session.commit()
        flash(done, "good")
        return flask.redirect(target(result))
    return flask.redirect(target(None))


def with_reason(
    service: Callable[[str], Any],
    *,
    title: str,
    consequences: tuple[str, ...],
    action: str,
    done: str,
    back: str,
) -> Any:
    """A page that says what will happen and asks for a reason."""
    form = ReasonForm()

    def page() -> str:
        return render_template(
            "payments/reason.html",
            form=form,
            title=title,
            consequences=consequences,
            action=action,
            back=back,
        )

    if request.method == "GET":
        return page()
    if not form.validate():
        return page(), 422
    try:
        service(form.reason.data or "")
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        return page(), error.status
    db.session.commit()
    flash(done, "good")
    return flask.redirect(back)
