"""The blueprint that the modules of this folder add their routes to, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import flask
from flask import Blueprint, g
from flask_babel import gettext as _
from wtforms.fields.choices import SelectChoice

from govern import clock
from govern.cooperatives.rules import ShareClass
from govern.extensions import db
from govern.i18n import local_text, money
from govern.joining.models import Application
from govern.payments.models import PaymentRequest
from govern.payments.services import PaymentInstruction, default_account, instruction_for

blueprint = Blueprint("joining", __name__)


def here(endpoint: str, **values: Any) -> str:
    """The address of a page of joining, in this cooperative."""
    return flask.url_for(f"joining.{endpoint}", cooperative=g.cooperative.code, **values)


def today() -> date:
    """The present day where the cooperative is."""
    return clock.today(g.cooperative.time_zone)


def offer_classes(form: Any, classes: Sequence[ShareClass]) -> None:
    """Let people choose where there is more than one class; else there is no such field."""
    if len(classes) > 1:
        form.share_class.choices = [
            SelectChoice(
                item.code,
                _(
                    "%(name)s: %(price)s each",
                    name=local_text(item.names),
                    price=money(item.nominal_cents),
                ),
            )
            for item in classes
        ]
    else:
        del form.share_class


def chosen_class(form: Any, classes: Sequence[ShareClass]) -> ShareClass:
    """The class whose price the total is shown for."""
    wanted = form.share_class.data if "share_class" in form else None
    return next((item for item in classes if item.code == wanted), classes[0])


def instruction_of(request: PaymentRequest | None) -> PaymentInstruction | None:
    """How to pay what is due; None where nothing is, or no bank account is named yet."""
    if request is None or not request.is_open:
        return None
    if default_account(db.session(), request.cooperative_id) is None:
        return None
    return instruction_for(db.session(), request)


def is_unpaid(application: Application) -> bool:
    """Whether money is still expected for this application."""
    return application.request is not None and application.request.is_open
