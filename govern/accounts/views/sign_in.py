"""Signing in by password or by a link, choosing who one is, signing out, the language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from wtforms.fields.choices import SelectChoice

from govern import clock
from govern.access import public
from govern.accounts.forms import ChoosePersonForm, LinkForm, SignInForm
from govern.accounts.identity import forget_sign_in, present_token
from govern.accounts.rules import LINK_LIFE, LINK_SPACING, Person, people_among, safe_next
from govern.accounts.services import (
    begin_attempt,
    candidates_for,
    change_language,
    end_session_by_token,
    explain_closed,
    forgive_attempts,
    open_account,
    read_account,
    read_link,
    refresh_hash,
    request_link,
    use_link,
)
from govern.accounts.services.accounts import check_language
from govern.accounts.views.blueprint import ADDRESS_LIMIT, blueprint, home, sign_in_as
from govern.errors import NotFound, TooManyRequests
from govern.extensions import db, limiter
from govern.i18n import current_language

CHOOSING = "choosing"
"""In the cookie between a right password and the choice of who one is: accounts, since, next."""


@blueprint.route("/sign-in", methods=["GET", "POST"])
@limiter.limit(ADDRESS_LIMIT, methods=["POST"])
@public
def sign_in() -> Any:
    """The sign-in page. Its second button asks for a link by mail instead."""
    form = SignInForm()
    if request.method == "GET":
        form.next.data = safe_next(request.args.get("next"))
        if g.actor.account_id is not None:
            return home(form.next.data)
        return render_template("accounts/sign_in.html", form=form)
    if not form.validate():
        return render_template("accounts/sign_in.html", form=form), 422
    identifier, password = form.identifier.data, form.password.data
    try:
        attempt = begin_attempt(db.session(), identifier)
    except TooManyRequests as error:
        db.session.rollback()
        form.form_errors = [f"{error.message} {error.remedy}"]
        return render_template("accounts/sign_in.html", form=form), 429
    db.session.commit()
    numbers = attempt.matching(password)
    if not numbers:
        form.form_errors = [
            _(
                "This number or address and this password do not belong together. Check both, or "
                "ask for a sign-in link by mail."
            )
        ]
        return render_template("accounts/sign_in.html", form=form), 422
    closed = {
        number: words for number in numbers if (words := explain_closed(db.session(), number))
    }
    numbers = tuple(number for number in numbers if number not in closed)
    if not numbers:
        form.form_errors = list(closed.values())
        return render_template("accounts/sign_in.html", form=form), 403
    for number in numbers:
        refresh_hash(db.session(), read_account(db.session(), number), password)
    forgive_attempts(db.session(), attempt, numbers)
    if len(numbers) > 1:
        db.session.commit()
        flask.session[CHOOSING] = {
            "accounts": list(numbers),
            "identifier": attempt.identifier,
            "since": int(clock.now().timestamp()),
            "next": safe_next(form.next.data),
        }
        return flask.redirect(flask.url_for("accounts.choose"))
    account = read_account(db.session(), numbers[0])
    return sign_in_as(account, method="password", next_path=form.next.data or "")


@blueprint.route("/sign-in/choose", methods=["GET", "POST"])
@public
def choose() -> Any:
    """Who of several people with this number or address, and this password, is signing in."""
    chosen: dict[str, Any] = flask.session.get(CHOOSING) or {}
    if not _is_fresh(chosen):
        flask.session.pop(CHOOSING, None)
        return flask.redirect(flask.url_for("accounts.sign_in"))
    keys = {f"account:{number}" for number in chosen["accounts"]}
    candidates = candidates_for(db.session(), chosen["identifier"])
    people = [person for person in people_among(candidates) if person.key in keys]
    form = ChoosePersonForm()
    form.person.choices = [SelectChoice(person.key, describe_person(person)) for person in people]
    if form.validate_on_submit():
        account = open_account(db.session(), form.person.data)
        return sign_in_as(account, method="password", next_path=chosen["next"])
    status = 422 if request.method == "POST" else 200
    return render_template("accounts/choose.html", form=form), status


def _is_fresh(chosen: dict[str, Any]) -> bool:
    since = datetime.fromtimestamp(chosen.get("since", 0), UTC)
    return clock.now() - since < LINK_LIFE


def describe_person(person: Person) -> str:
    """The name, and the memberships by which a person recognises themself."""
    known_by = ", ".join(
        _("%(cooperative)s member %(number)s", cooperative=cooperative, number=number)
        for cooperative, number in person.memberships
    )
    return f"{person.name} ({known_by})" if known_by else person.name


@blueprint.post("/sign-in/link")
@limiter.limit(ADDRESS_LIMIT)
@public
def ask_for_link() -> Any:
    """Note that a link is wanted; the answer and the work are the same whoever is meant."""
    form = LinkForm()
    if not form.validate():
        sign_in_form = SignInForm(formdata=None, identifier=form.identifier.data or "")
        sign_in_form.next.data = safe_next(form.next.data)
        sign_in_form.identifier.errors = list(form.identifier.errors)
        return render_template("accounts/sign_in.html", form=sign_in_form), 422
    request_link(
        db.session(),
        form.identifier.data,
        language=current_language(),
        next_path=form.next.data or "",
    )
    db.session.commit()
    return flask.redirect(flask.url_for("accounts.link_sent"))


@blueprint.get("/sign-in/link")
@public
def link_sent() -> Any:
    """What to expect after asking for a link."""
    return render_template(
        "accounts/link_sent.html",
        life_minutes=int(LINK_LIFE.total_seconds() // 60),
        wait_minutes=int(LINK_SPACING.total_seconds() // 60) + 1,
    )


@blueprint.route("/sign-in/link/<token>", methods=["GET", "POST"])
@limiter.limit(ADDRESS_LIMIT, methods=["POST"])
@public
def open_link(token: str) -> Any:
    """The page behind a link: whom it signs in, and the button that uses it up."""
    try:
        link = read_link(db.session(), token)
    except NotFound as error:
        if g.actor.account_id is not None:
            return home()
        flash(f"{error.message} {error.remedy}", "warn")
        return flask.redirect(flask.url_for("accounts.sign_in"))
    form = ChoosePersonForm()
    form.person.choices = [
        SelectChoice(person.key, describe_person(person)) for person in link.people
    ]
    if request.method == "POST" and len(link.people) == 1:
        return _enter_by_link(token, link.people[0].key, link.next_path)
    if form.validate_on_submit():
        return _enter_by_link(token, form.person.data, link.next_path)
    status = 422 if request.method == "POST" else 200
    return render_template("accounts/open_link.html", form=form, people=link.people), status


def _enter_by_link(token: str, key: str, next_path: str) -> Any:
    account = use_link(db.session(), token, key)
    return sign_in_as(account, method="link", next_path=next_path)


@blueprint.post("/sign-out")
@public
def sign_out() -> Any:
    """Sign out on this device; nothing happens to whoever is not signed in."""
    token = present_token()
    if token is not None:
        end_session_by_token(db.session(), token)
        db.session.commit()
        forget_sign_in()
        flash(_("You are signed out."), "good")
    return home()


@blueprint.post("/language")
@public
def set_language() -> Any:
    """Speak another language from now on, and stay on the page."""
    language = check_language(request.form.get("language", ""))
    if g.account is not None:
        change_language(db.session(), g.account, language)
        db.session.commit()
        flask.session.pop("language", None)
    else:
        flask.session["language"] = language
    return home(request.form.get("next"))
