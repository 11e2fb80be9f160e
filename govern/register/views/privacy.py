"""My data: what is kept about oneself, who looked, taking it out, asking to have it erased; and
what a registrar does about such a request."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _

from govern.access import Permission, requires, signed_in
from govern.accounts.confirming import asks_password, needs_fresh_link, refuse_without_password
from govern.accounts.identity import present_account
from govern.accounts.words import ROLE_NAMES
from govern.errors import GovernError
from govern.extensions import db, limiter
from govern.i18n import current_language
from govern.paging import paginate
from govern.register import quality_forms as forms
from govern.register.services import erasure
from govern.register.services.own_data import pack_own_data, person_of
from govern.register.services.own_sections import memberships_of_person
from govern.register.services.privacy import readings_of
from govern.register.texts.privacy import ERASURE_STATE_NAMES
from govern.register.views.blueprint import attachment, blueprint, here, member_of, today
from govern.register.views.members import acts_on
from govern.register.views.own import own_membership
from govern.register.views.quality import simple_form
from govern.submitting import put_error

METHODS = ["GET", "POST"]


@blueprint.get("/<cooperative>/me/data")
@signed_in
def own_data_page(cooperative: str) -> Any:
    """What is kept about oneself, who looked at it, and what can be done."""
    return _own_page(forms.ConfirmForm())


def _own_page(form: Any) -> str:
    session, account = db.session(), present_account()
    person = person_of(session, account.id)
    memberships = []
    if person is not None:
        memberships = [
            {
                "membership": row,
                "readings": readings_of(session, row),
                "acts": acts_on(row),
                "plan": erasure.plan_erasure(session, row),
                "erasure": erasure.open_erasure(session, row),
            }
            for row in memberships_of_person(session, person)
            if row.cooperative_id == g.cooperative.id
        ]
    return render_template(
        "register/own_data.html",
        form=form,
        person=person,
        memberships=memberships,
        asks_password=asks_password(account),
        needs_fresh_link=needs_fresh_link(account),
        role_names=ROLE_NAMES,
        erasure_states=ERASURE_STATE_NAMES,
    )


@blueprint.post("/<cooperative>/me/data/export")
@limiter.limit("5 per hour", key_func=lambda: f"own-data:{g.actor.account_id}")
@signed_in
def own_data_export(cooperative: str) -> Any:
    """Everything that is kept about oneself, as a ZIP, after one more confirmation."""
    account, form = present_account(), forms.ConfirmForm()
    if needs_fresh_link(account):
        flash(_("Sign out, sign in with a fresh link by mail, and come back to this page."), "warn")
        return flask.redirect(here("own_data_page"))
    if asks_password(account) and (refused := refuse_without_password(form, account)):
        return _own_page(form), refused
    content = pack_own_data(db.session(), g.actor, account, current_language())
    db.session.commit()
    return attachment(content, f"{g.cooperative.code}-my-data-{today()}.zip", "application/zip")


@blueprint.route("/<cooperative>/me/<member>/erasure", methods=METHODS)
@signed_in
def ask_erasure(cooperative: str, member: str) -> Any:
    """Ask that what is kept about one's membership be erased."""
    membership, form = own_membership(member), forms.AskErasureForm()
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                erasure.request_erasure(db.session(), g.actor, membership, form.note.data or "")
            except GovernError as error:
                db.session.rollback()
                put_error(form, error)
                status = error.status
            else:
                db.session.commit()
                flash(_("The cooperative has your request and will answer it."), "good")
                return flask.redirect(here("own_data_page"))
    plan = erasure.plan_erasure(db.session(), membership)
    return (
        render_template("register/ask_erasure.html", form=form, membership=membership, plan=plan),
        status,
    )


@blueprint.post("/<cooperative>/me/<member>/erasure/withdraw")
@signed_in
def withdraw_own_erasure(cooperative: str, member: str) -> Any:
    """Take back a request that was not answered yet."""
    membership = own_membership(member)
    waiting = erasure.open_erasure(db.session(), membership)
    if waiting is not None:
        erasure.withdraw_erasure(db.session(), g.actor, waiting)
        db.session.commit()
        flash(_("The request was taken back."), "good")
    return flask.redirect(here("own_data_page"))


# -- the registrar ----------------------------------------------------------------------------


@blueprint.get("/<cooperative>/register/erasures")
@requires(Permission.REGISTER_WRITE)
def erasure_list(cooperative: str) -> Any:
    """Requests to erase: waiting, begun and done."""
    return render_template(
        "register/erasures.html",
        page=paginate(db.session(), erasure.erasures_of(g.cooperative.id)),
        states=ERASURE_STATE_NAMES,
    )


@blueprint.route("/<cooperative>/register/members/<member>/erase", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def erase_member(cooperative: str, member: str) -> Any:
    """Erase what need not be kept about a member, after saying what that is."""
    membership, form = member_of(member), forms.EraseForm()
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                erasure.erase_member(db.session(), g.actor, membership, form.reason.data or "")
            except GovernError as error:
                db.session.rollback()
                put_error(form, error)
                status = error.status
            else:
                db.session.commit()
                flash(_("What need not be kept is erased."), "good")
                return flask.redirect(here("erasure_list"))
    session = db.session()
    return (
        render_template(
            "register/erase.html",
            form=form,
            membership=membership,
            plan=erasure.plan_erasure(session, membership),
            waiting=erasure.open_erasure(session, membership),
        ),
        status,
    )


@blueprint.route("/<cooperative>/register/erasures/<request_id>/refuse", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def refuse_erasure(cooperative: str, request_id: str) -> Any:
    """Answer that nothing can be erased, and why."""
    row = erasure.erasure_by_public_id(db.session(), g.cooperative, request_id)
    form = forms.RefuseForm()
    if request.method == "GET":
        form.reason.data = " ".join(erasure.plan_erasure(db.session(), row.membership).holds)
    return simple_form(
        form,
        _("Refuse the request"),
        _("Refuse, and tell the person why"),
        lambda: erasure.refuse_erasure(db.session(), g.actor, row, form.reason.data or ""),
        _("The person is told why."),
        here("erasure_list"),
        membership=row.membership,
        back_label=_("Requests to erase"),
    )
