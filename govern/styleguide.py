"""``/styleguide``: every component in every state, where people build (never in production)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import flask
from flask import Blueprint, Flask, flash, request
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    FileField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired

from govern.access import public
from govern.cooperatives.models import ACCENTS
from govern.paging import Page, requested_page

blueprint = Blueprint("styleguide", __name__)


class SampleForm(FlaskForm):
    """One field of every kind."""

    name = StringField(
        _l("Name"), [DataRequired()], description=_l("As it stands in the share register.")
    )
    email = StringField(_l("E-mail address"))
    password = PasswordField(_l("Password"))
    joined_on = DateField(_l("Joined on"))
    category = SelectField(_l("Category"), choices=[SelectChoice("A", "A"), SelectChoice("B", "B")])
    answer = RadioField(
        _l("Your answer"),
        choices=[SelectChoice("for", _l("For")), SelectChoice("against", _l("Against"))],
    )
    reason = TextAreaField(_l("Reason"))
    document = FileField(_l("Document"))
    agreed = BooleanField(_l("I have read the documents"))


def register(app: Flask) -> None:
    """Bind the page, unless this is production."""
    if not app.config["GOVERN"].is_production:
        app.register_blueprint(blueprint)


@blueprint.route("/styleguide")
@public
def show() -> str:
    """Everything at once; ``?accent=`` tries another colour, ``?flash=1`` shows the messages."""
    if request.args.get("flash"):
        flash("The member was saved.", "success")
        flash("One mail could not be delivered.", "warning")
    clean, wrong = SampleForm(formdata=None), SampleForm(formdata=None, prefix="wrong-")
    wrong.name.errors = ["Give a name."]
    wrong.joined_on.errors = ["31/02/2018 is not a day. Write it as 31/12/2017."]
    wrong.answer.errors = ["Choose one answer."]
    wrong.agreed.errors = ["Tick the box to go on."]
    accent = request.args.get("accent", "red")
    return flask.render_template(
        "styleguide.html",
        accent=accent if accent in ACCENTS else "neutral",
        accents=ACCENTS,
        form=clean,
        wrong=wrong,
        page=Page(items=list(range(50)), page=requested_page(), pages=12, total=583),
        **_samples(),
    )


def _samples() -> dict[str, Any]:
    return {
        "answers": [
            ("For", 434, "for"),
            ("Against", 166, "against"),
            ("Abstention", 38, "abstain"),
        ],
        "three_quarters": Fraction(3, 4),
        "candidates": [("Ada Lovelace", 512), ("Paul Otlet", 388), ("Rosa Bonheur", 341)],
        "turnout": [("2016", 310), ("2017", 422), ("2018", 638), ("2019", 655), ("2020", 738)],
        "moment": datetime(2018, 6, 19, 16, 30, tzinfo=UTC),
        "day_of_record": date(2018, 5, 31),
        "sample_digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }
