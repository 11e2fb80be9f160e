"""One's own account: language, password, memberships, and where one is signed in."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.access import signed_in
from govern.accounts.confirming import asks_password, refuse_without_password
from govern.accounts.forms import EmailForm, LanguageForm, PasswordForm
from govern.accounts.hooks import MembershipLine, membership_sources
from govern.accounts.identity import (
    forget_sign_in,
    present_account,
    present_session,
)
from govern.accounts.services import (
    change_email,
    contact_address,
    end_all_sessions,
    end_session,
    is_kept_by_register,
    read_email_link,
    request_email,
    running_sessions,
    set_password,
)
from govern.accounts.views.blueprint import blueprint, sign_in_as
from govern.accounts.words import ROLE_NAMES
from govern.cooperatives.models import Cooperative
from govern.errors import GovernError, InvalidInput, NotFound
from govern.extensions import db, limiter
from govern.mail import queue_mail
from govern.submitting import put_error


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
        address=contact_address(session, account),
        is_kept_by_register=is_kept_by_register(session, account),
    )


def memberships_of(session: Session, account_id: int) -> list[MembershipLine]:
    """The memberships that the features know of."""
    return [line for source in membership_sources for line in source(session, account_id)]


def _roles_in_words(session: Session) -> list[tuple[str, str]]:
    """(cooperative's name, roles) for each cooperative with a role."""
    return sorted(
        (
            session.get_one(Cooperative, cooperative_id).name,
            ", ".join(str(name) for role, name in ROLE_NAMES.items() if role in held),
        )
        for cooperative_id, held in g.actor.roles.items()
    )


@blueprint.route("/profile/password", methods=["GET", "POST"])
@signed_in
def change_password() -> Any:
    """Set a password: with the present one, or shortly after signing in by a link."""
    account = present_account()
    form = PasswordForm()
    asks_present = asks_password(account)
    if not form.validate_on_submit():
        status = 422 if request.method == "POST" else 200
        return _password_page(form, asks_present), status
    if asks_present and (refused := refuse_without_password(form, account)):
        return _password_page(form, asks_present), refused
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
    address = contact_address(db.session(), account)
    if address is None:
        return
    queue_mail(
        db.session(),
        cooperative_id=None,
        to_address=address,
        to_name=account.name,
        language=account.language,
        template="password_changed",
        context={},
        # One mail per password: the version rises each time.
        dedupe_key=f"password-changed:{account.public_id}:{account.session_version}",
        category="account",
    )


@blueprint.route("/profile/email", methods=["GET", "POST"])
@limiter.limit("10 per hour", key_func=lambda: f"email:{g.actor.account_id}", methods=["POST"])
@signed_in
def change_address() -> Any:
    """Ask for another address; it counts once the mail to it was answered."""
    account = present_account()
    form = EmailForm()
    asks_present = asks_password(account)
    if not form.validate_on_submit():
        status = 422 if request.method == "POST" else 200
        return _email_page(form, asks_present), status
    if asks_present and (refused := refuse_without_password(form, account)):
        return _email_page(form, asks_present), refused
    try:
        request_email(db.session(), account, form.email.data)
    except GovernError as error:
        db.session.rollback()
        put_error(form, error, "email")
        return _email_page(form, asks_present), error.status
    db.session.commit()
    flash(_("Look in the mailbox of your new address and open the link there."), "good")
    return flask.redirect(flask.url_for("accounts.profile"))


def _email_page(form: EmailForm, asks_present: bool) -> str:
    return render_template("accounts/email.html", form=form, asks_present=asks_present)


@blueprint.route("/profile/email/<token>", methods=["GET", "POST"])
@signed_in
def confirm_address(token: str) -> Any:
    """The page behind the link, and the button that uses it."""
    account = present_account()
    try:
        address = read_email_link(account, token)
        if request.method == "POST":
            change_email(db.session(), g.actor, account, token)
            db.session.commit()
            flash(_("Your address is changed."), "good")
            return flask.redirect(flask.url_for("accounts.profile"))
    except GovernError as error:
        db.session.rollback()
        flash(f"{error.message} {error.remedy}", "warn")
        return flask.redirect(flask.url_for("accounts.profile"))
    return render_template("accounts/confirm_email.html", address=address)


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
