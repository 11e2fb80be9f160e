"""Who holds which role in a cooperative; its administrator gives and ends them."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from wtforms.fields.choices import SelectChoice

from govern.access import Permission, Role, requires
from govern.accounts.forms import ChoosePersonForm, GrantForm
from govern.accounts.models import GRANTED_ROLES, Account
from govern.accounts.rules import Person, looks_like_email
from govern.accounts.services import (
    end_role,
    grant_role,
    invite_person,
    is_last_administrator,
    open_account,
    open_grants,
    past_grants,
    people_to_appoint,
    read_grant,
    tell_about_role,
)
from govern.accounts.views.blueprint import blueprint
from govern.accounts.views.sign_in import describe_person
from govern.accounts.words import ROLE_NAMES, ROLE_PURPOSES, permissions_in_words
from govern.errors import GovernError
from govern.extensions import db
from govern.submitting import put_error


@blueprint.route("/<cooperative>/roles", methods=["GET", "POST"])
@requires(Permission.ROLES_MANAGE)
def roles(cooperative: str) -> Any:
    """The roles held now and before, and the form that gives one."""
    form = GrantForm()
    if request.method == "GET":
        return _roles_page(form)
    if not form.validate():
        return _roles_page(form), 422
    session, here = db.session(), g.cooperative
    people = people_to_appoint(session, g.actor, here, form.identifier.data)
    if form.person.data:
        people = [person for person in people if person.key == form.person.data]
    if len(people) > 1:
        return _choice_page(form, people)
    try:
        account = _account_of(form, people)
        if account is None:
            return _roles_page(form), 422
        grant = grant_role(session, g.actor, account, here.id, Role(form.role.data))
        tell_about_role(session, grant)
    except GovernError as error:
        session.rollback()
        put_error(form, error, "identifier")
        return _roles_page(form), error.status
    session.commit()
    flash(
        _("%(name)s is now: %(role)s.", name=account.name, role=ROLE_NAMES[Role(grant.role)]),
        "good",
    )
    return flask.redirect(flask.url_for("accounts.roles", cooperative=here.code))


def _account_of(form: GrantForm, people: list[Person]) -> Account | None:
    """The account to appoint; None, with an error in the form, if nobody is meant."""
    if people:
        return open_account(db.session(), people[0].key)
    if not looks_like_email(form.identifier.data):
        form.identifier.errors = [
            _("Nobody in this cooperative has the number %(number)s.", number=form.identifier.data)
        ]
        return None
    if not (form.name.data or "").strip():
        form.name.errors = [
            _("Nobody is known by this address. Give a name, and an account is opened.")
        ]
        return None
    return invite_person(
        db.session(),
        g.actor,
        g.cooperative,
        name=form.name.data,
        email=form.identifier.data,
    )


def _roles_page(form: GrantForm) -> str:
    session, cooperative = db.session(), g.cooperative
    return render_template(
        "accounts/roles.html",
        form=form,
        grants=open_grants(session, cooperative.id),
        past=past_grants(session, cooperative.id),
        role_names={role.value: name for role, name in ROLE_NAMES.items()},
        explained=[
            (ROLE_NAMES[role], ROLE_PURPOSES[role], permissions_in_words(role))
            for role in (Role.MEMBER, *GRANTED_ROLES)
        ],
    )


def _choice_page(form: GrantForm, people: list[Person]) -> str:
    choice = ChoosePersonForm(formdata=None)
    choice.person.label.text = _("Who is meant?")
    choice.person.choices = [SelectChoice(person.key, describe_person(person)) for person in people]
    return render_template("accounts/choose_appointee.html", form=choice, asked=form)


@blueprint.route("/<cooperative>/roles/<grant>/end", methods=["GET", "POST"])
@requires(Permission.ROLES_MANAGE)
def end_grant(cooperative: str, grant: str) -> Any:
    """What ending this role means, and the button that does it."""
    session = db.session()
    held = read_grant(session, g.cooperative.id, grant)
    if request.method == "POST":
        end_role(session, g.actor, held)
        session.commit()
        flash(
            _(
                "%(name)s no longer holds this role: %(role)s.",
                name=held.account.name,
                role=ROLE_NAMES[Role(held.role)],
            ),
            "good",
        )
        still_allowed = held.account_id != g.actor.account_id or held.role != Role.ADMINISTRATOR
        target = "accounts.roles" if still_allowed else "home.cooperative"
        return flask.redirect(flask.url_for(target, cooperative=g.cooperative.code))
    return render_template(
        "accounts/end_role.html",
        grant=held,
        role_name=ROLE_NAMES[Role(held.role)],
        is_last=is_last_administrator(session, held),
        is_own=held.account_id == g.actor.account_id,
    )
