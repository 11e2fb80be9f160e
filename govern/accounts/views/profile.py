"""One's own account: language, password, memberships, and where one is signed in."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.access import signed_in
from govern.accounts.forms import LanguageForm, PasswordForm
from govern.accounts.hooks import MembershipLine, membership_sources
from govern.accounts.identity import (
    came_by_fresh_link,
    forget_sign_in,
    present_account,
    present_session,
)
from govern.accounts.passwords import verify_password
from govern.accounts.services import (
    begin_attempt,
    end_all_sessions,
    end_session,
    forgive_attempts,
    running_sessions,
    set_password,
)
from govern.accounts.views.blueprint import blueprint, put_error, sign_in_as
from govern.accounts.words import ROLE_NAMES
from govern.cooperatives.models import Cooperative
from govern.errors import InvalidInput, NotFound, TooManyRequests
from govern.extensions import db
from govern.mail import queue_mail


@blueprint.get("/profile")
@signed_in
def profile() -> Any:
    """Everything that the house knows about the person as an account."""
    account = present_account()
    session = db.session()
    return render_template(
        "accounts/profile.html",
        account=account,
        language_form=LanguageForm(
            formdata=None, language=account.language, next=flask.url_for("accounts.profile")
        ),
        memberships=memberships_of(session, account.id),
        roles=_roles_in_words(session),
        sessions=running_sessions(session, account),
        present=present_session(),
    )


def memberships_of(session: Session, account_id: int) -> list[MembershipLine]:
    """The memberships that the features know of."""
    return [line for source in membership_sources for line in source(session, account_id)]


def _roles_in_words(session: Session) -> list[tuple[str, str, str]]:
    """(cooperative's name, its front page, roles) for each cooperative with a role."""
    lines = []
    for cooperative_id, roles in g.actor.roles.items():
        cooperative = session.get_one(Cooperative, cooperative_id)
        named = [str(name) for role, name in ROLE_NAMES.items() if role in roles]
        href = flask.url_for("home.cooperative", cooperative=cooperative.code)
        lines.append((cooperative.name, href, ", ".join(named)))
    return sorted(lines)


@blueprint.route("/profile/password", methods=["GET", "POST"])
@signed_in
def change_password() -> Any:
    """Set a password: with the present one, or shortly after signing in by a link."""
    account = present_account()
    form = PasswordForm()
    asks_present = account.password_hash is not None and not came_by_fresh_link()
    if not form.validate_on_submit():
        status = 422 if request.method == "POST" else 200
        return _password_page(form, asks_present), status
    if asks_present:
        try:
            # The same counter as at sign-in: a borrowed telephone is no way to guess at leisure.
            attempt = begin_attempt(db.session(), f"account:{account.public_id}")
        except TooManyRequests as error:
            db.session.rollback()
            put_error(form, error, "present")
            return _password_page(form, asks_present), 429
        stored = account.password_hash
        db.session.commit()
        if not verify_password(stored, form.present.data or ""):
            form.present.errors = [_("This is not your present password.")]
            return _password_page(form, asks_present), 422
        forgive_attempts(db.session(), attempt.identifier)
    try:
        set_password(db.session(), g.actor, account, form.password.data)
    except InvalidInput as error:
        db.session.rollback()
        put_error(form, error, "password")
        return _password_page(form, asks_present), 422
    _tell_about_new_password(account)
    answer = sign_in_as(account, method="password", next_path=flask.url_for("accounts.profile"))
    flash(_("Your password is set. You are signed out on all other devices."), "good")
    return answer


def _password_page(form: PasswordForm, asks_present: bool) -> str:
    return render_template("accounts/password.html", form=form, asks_present=asks_present)


def _tell_about_new_password(account: Any) -> None:
    if account.email is None:
        return
    queue_mail(
        db.session(),
        cooperative_id=None,
        to_address=account.email,
        to_name=account.name,
        language=account.language,
        template="password_changed",
        context={},
        # One mail per password: the version rises each time.
        dedupe_key=f"password-changed:{account.public_id}:{account.session_version}",
        category="account",
    )


@blueprint.post("/profile/sessions/<public_id>/end")
@signed_in
def end_one_session(public_id: str) -> Any:
    """Sign out on another device."""
    is_this_one = present_session().public_id == public_id
    if not end_session(db.session(), present_account(), public_id):
        raise NotFound(
            _("You are not signed in there any more."), remedy=_("Reload your account page.")
        )
    db.session.commit()
    if is_this_one:
        forget_sign_in()
    flash(_("You are signed out on that device."), "good")
    return flask.redirect(flask.url_for("accounts.profile" if not is_this_one else "home.index"))


@blueprint.post("/profile/sessions/end")
@signed_in
def end_sessions() -> Any:
    """Sign out everywhere, here too."""
    end_all_sessions(db.session(), present_account())
    db.session.commit()
    forget_sign_in()
    flash(_("You are signed out on all devices."), "good")
    return flask.redirect(flask.url_for("accounts.sign_in"))
