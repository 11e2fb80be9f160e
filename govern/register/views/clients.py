"""The administrator's pages of the programs that may read the register."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from govern.access import Permission, requires
from govern.errors import GovernError
from govern.extensions import db
from govern.register.forms import REQUIRED, DayField
from govern.register.models.api import ApiScope
from govern.register.services import api
from govern.register.views.blueprint import blueprint, here, today
from govern.submitting import put_error

SCOPE_NAMES = {
    ApiScope.MEMBERS: _l("Members: numbers, names, categories, days of admission and ending"),
    ApiScope.CONTACT: _l("Addresses of the members, by e-mail and by post"),
    ApiScope.HOLDINGS: _l("Holdings: shares and paid capital by member number"),
}


SHORT_NAMES = {
    ApiScope.MEMBERS: _l("Members"),
    ApiScope.CONTACT: _l("Contact data"),
    ApiScope.HOLDINGS: _l("Holdings"),
}


class ProgramForm(FlaskForm):
    """A program that is to read the register."""

    SCOPES: ClassVar[dict[ApiScope, str]] = {
        ApiScope.MEMBERS: "members",
        ApiScope.CONTACT: "contact",
        ApiScope.HOLDINGS: "holdings",
    }

    name = StringField(
        _l("Name of the program"),
        validators=[DataRequired(REQUIRED), Length(max=120)],
        description=_l("What it is and who runs it, for example: accounting of the office."),
    )
    members = BooleanField(SCOPE_NAMES[ApiScope.MEMBERS])
    contact = BooleanField(SCOPE_NAMES[ApiScope.CONTACT])
    holdings = BooleanField(SCOPE_NAMES[ApiScope.HOLDINGS])
    expires_on = DayField(
        _l("The token ends on"),
        validators=[InputRequired(REQUIRED)],
        description=_l("Two years ahead at most."),
    )


@blueprint.route("/<cooperative>/register/programs", methods=["GET", "POST"])
@requires(Permission.API_MANAGE)
def program_list(cooperative: str) -> Any:
    """The programs, and the form that makes a token. The token is shown on the answer only."""
    form = ProgramForm()
    if request.method == "GET":
        form.expires_on.data = today() + timedelta(days=365)
        return _page(form)
    if not form.validate():
        return _page(form), 422
    try:
        issued = api.create_client(
            db.session(),
            g.actor,
            g.cooperative,
            form.name.data,
            [scope for scope, name in form.SCOPES.items() if form[name].data],
            form.expires_on.data,
        )
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        return _page(form), error.status
    db.session.commit()
    return render_template(
        "register/program_token.html",
        client=issued.client,
        token=issued.token,
        short_names=SHORT_NAMES,
        address=f"{flask.current_app.config['GOVERN'].public_url.rstrip('/')}/api/v1",
    )


def _page(form: ProgramForm) -> str:
    return render_template(
        "register/programs.html",
        form=form,
        clients=api.clients_of(db.session(), g.cooperative),
        short_names=SHORT_NAMES,
        day_shown=today(),
    )


@blueprint.get("/<cooperative>/register/programs/<program>")
@requires(Permission.API_MANAGE)
def program_page(cooperative: str, program: str) -> Any:
    """One program: what it may read, on which days it did, and the button that ends it."""
    client = api.client_by_public_id(db.session(), g.cooperative, program)
    return render_template(
        "register/program.html",
        client=client,
        uses=api.uses_of(db.session(), client),
        scope_names=SCOPE_NAMES,
        resources={"members": _("Members"), "holdings": _("Holdings")},
        day_shown=today(),
    )


@blueprint.post("/<cooperative>/register/programs/<program>/revoke")
@requires(Permission.API_MANAGE)
def program_revoke(cooperative: str, program: str) -> Any:
    """End the token of a program at once."""
    client = api.client_by_public_id(db.session(), g.cooperative, program)
    api.revoke_client(db.session(), g.actor, client)
    db.session.commit()
    flash(_("The token of “%(name)s” is no longer good.", name=client.name), "good")
    return flask.redirect(here("program_list"))
