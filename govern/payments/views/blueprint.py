"""The blueprint that the modules of this folder add their routes to, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import flask
from flask import Blueprint, g, render_template
from flask_babel import gettext as _
from sqlalchemy import select

from govern import clock
from govern.errors import NotFound
from govern.extensions import db
from govern.payments.forms import ReasonForm
from govern.payments.models import BankEntry
from govern.submitting import submit

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

    return submit(form, page, lambda: service(form.reason.data or ""), done, lambda _made: back)
