"""What members do about leaving, and what they see of it."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _

from govern.access import signed_in
from govern.accounts.identity import present_account
from govern.accounts.passwords import verify_password
from govern.accounts.services import begin_attempt, forgive_attempts
from govern.errors import GovernError, NotFound, TooManyRequests
from govern.extensions import db, limiter
from govern.leaving import forms, services
from govern.leaving.models import Departure
from govern.leaving.rules.exclusion import Step
from govern.leaving.rules.states import DepartureKind, DepartureState
from govern.leaving.services.common import departures_of, may_be_read, rules_of
from govern.leaving.services.foreseeing import Prospect, last_withdrawal
from govern.leaving.services.payees import OPEN_REFUNDS
from govern.leaving.services.reminding import period_calendar
from govern.leaving.services.resigning import last_day_to_sign
from govern.leaving.views.blueprint import (
    METHODS,
    Words,
    ask_and_do,
    ask_for_account,
    blueprint,
    here,
    paper_of,
    shared_words,
    today,
    typed,
)
from govern.register.models import Membership
from govern.submitting import put_error, submit

OWN = "/<cooperative>/me/<member>/leaving"


def _own(member: str) -> Membership:
    return services.own_membership(db.session(), g.actor, g.cooperative, member)


def _departure(member: str, departure: str) -> Departure:
    """The departure of one's own membership; NotFound for anybody else's."""
    membership = _own(member)
    found = services.departure_by_public_id(db.session(), g.cooperative, departure)
    if found.membership_id != membership.id or not may_be_read(found):
        raise NotFound(_("There is no such departure."), remedy=_("Choose one from your page."))
    return found


def own_page(departure: Departure) -> str:
    """The address of the departure among the member's own pages."""
    return here(
        "own_departure",
        member=departure.membership.public_id,
        departure=departure.public_id,
    )


def _back() -> str:
    return flask.url_for("register.me", cooperative=g.cooperative.code)


@blueprint.route(OWN, methods=METHODS)
@signed_in
def leave(cooperative: str, member: str) -> Any:
    """What leaving would bring, and the request; what is under way stands above it."""
    membership = _own(member)
    prospect = services.foresee_resignation(db.session(), membership, today())
    form: Any = forms.WholeLeaveForm() if prospect.rules.whole_only else forms.LeaveForm()
    if request.method == "GET":
        form.holder.data = membership.display_name[:70]
    public_id = membership.public_id

    def page() -> str:
        own = _own(public_id)
        known = [row for row in departures_of(db.session(), own.id) if may_be_read(row)]
        states = {row.state: row for row in known}
        unsigned = states.get(DepartureState.UNCONFIRMED.value)
        return render_template(
            "leaving/leave.html",
            form=form,
            membership=own,
            prospect=services.foresee_resignation(db.session(), own, today()),
            source=prospect.rules.citation.text,
            departures=[row for row in known if row is not unsigned],
            pending=states.get(DepartureState.PENDING.value),
            unsigned=unsigned,
            sign_until=last_day_to_sign(unsigned) if unsigned else None,
            has_ended=own.ended_on is not None,
            **shared_words(),
        )

    return submit(
        form,
        page,
        lambda: services.request_resignation(db.session(), g.actor, membership, **typed(form)),
        _("Your request is written down. It counts once you have signed it."),
        own_page,
    )


@blueprint.get(OWN + "/period.ics")
@signed_in
def period_reminder(cooperative: str, member: str) -> Any:
    """The first day on which a request can be handed in, to be put into a calendar."""
    content = period_calendar(db.session(), _own(member), today())
    response = flask.Response(content, content_type="text/calendar; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"{cooperative}-period.ics")
    return response


@blueprint.get(OWN + "/<departure>")
@signed_in
def own_departure(cooperative: str, member: str, departure: str) -> Any:
    """One departure: what will happen when, what is owed, what may be done."""
    return _page(_departure(member, departure))


def _page(found: Departure, **forms_given: Any) -> str:
    session = db.session()
    account = present_account()
    is_exclusion = found.kind == DepartureKind.EXCLUSION.value
    procedure = services.Procedure(session, found) if is_exclusion else None
    refunds = services.refunds_of(session, found)
    prospect: Prospect | None = None
    if found.state == DepartureState.UNCONFIRMED.value:
        prospect = services.foresee_request(session, found, today())
    waits = [row for row in refunds if row.state in [state.value for state in OPEN_REFUNDS]]
    return render_template(
        "leaving/own_departure.html",
        departure=found,
        membership=found.membership,
        procedure=procedure,
        steps=Step,
        refunds=refunds,
        prospect=prospect,
        source=rules_of(session, found).citation.text,
        sign_until=last_day_to_sign(found),
        withdraw_until=last_withdrawal(today(), found.effective_on),
        has_password=account.password_hash is not None,
        may_withdraw=services.may_withdraw(found, today()),
        may_put_account=bool(waits) or found.state == DepartureState.PENDING.value,
        password_form=forms_given.get("password_form") or forms.PasswordForm(formdata=None),
        back=_back(),
        **shared_words(),
    )


@blueprint.post(OWN + "/<departure>/sign")
@signed_in
def sign(cooperative: str, member: str, departure: str) -> Any:
    """Sign the request with the password, asked for again: a sign-in alone is no signature."""
    found, form = _departure(member, departure), forms.PasswordForm()
    if not form.validate():
        return _page(found, password_form=form), 422
    if refused := _refuse_without_password(form):
        return _page(_departure(member, departure), password_form=form), refused
    try:
        services.sign_with_password(db.session(), g.actor, _departure(member, departure))
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        return _page(_departure(member, departure), password_form=form), error.status
    db.session.commit()
    flash(_("Your request is signed. We have written to you what happens when."), "good")
    return flask.redirect(here("own_departure", member=member, departure=departure))


def _refuse_without_password(form: Any) -> int:
    """The status of the refusal, with its reason in the form; 0 if the password is right.

    The same counter as at sign-in: a borrowed telephone is no way to guess at leisure.
    """
    account = present_account()
    try:
        attempt = begin_attempt(db.session(), f"account:{account.public_id}")
    except TooManyRequests as error:
        db.session.rollback()
        put_error(form, error)
        return 429
    stored = account.password_hash
    db.session.commit()
    if stored is None or not verify_password(stored, form.present.data or ""):
        form.present.errors = [_("This is not your present password.")]
        return 422
    forgive_attempts(db.session(), attempt, [account.id])
    return 0


@blueprint.post(OWN + "/<departure>/link")
@limiter.limit("10 per hour", key_func=lambda: f"leaving:{g.actor.account_id}")
@signed_in
def send_link(cooperative: str, member: str, departure: str) -> Any:
    """Have a link mailed that signs the request."""
    services.send_signing_link(db.session(), g.actor, _departure(member, departure))
    db.session.commit()
    flash(_("Look into your mailbox: the link that signs your request is on its way."), "good")
    return flask.redirect(here("own_departure", member=member, departure=departure))


@blueprint.route(OWN + "/<departure>/sign/<token>", methods=METHODS)
@signed_in
def sign_by_link(cooperative: str, member: str, departure: str, token: str) -> Any:
    """The page behind the mailed link, and the button that signs."""
    found = _departure(member, departure)
    if request.method == "GET" and found.state == DepartureState.PENDING.value:
        flash(_("Your request is signed already."), "info")
        return flask.redirect(own_page(found))
    services.check_signing_link(found, token)
    if request.method == "POST":
        services.sign_with_link(db.session(), g.actor, found, token)
        db.session.commit()
        flash(_("Your request is signed. We have written to you what happens when."), "good")
        return flask.redirect(here("own_departure", member=member, departure=departure))
    prospect = services.foresee_request(db.session(), found, today())
    return render_template(
        "leaving/sign.html",
        departure=found,
        membership=found.membership,
        prospect=prospect,
        source=prospect.rules.citation.text,
        back=own_page(found),
        **shared_words(),
    )


@blueprint.route(OWN + "/<departure>/withdraw", methods=METHODS)
@signed_in
def withdraw(cooperative: str, member: str, departure: str) -> Any:
    """Take the request back before it takes effect."""
    found = _departure(member, departure)
    return ask_and_do(
        found.membership,
        forms.EmptyForm(),
        Words(
            _("Withdraw my request"),
            _("Withdraw my request"),
            _("Your request is withdrawn."),
            [
                _("You remain a member, with your shares and your vote."),
                _("You can ask again later, within the period of the rules."),
            ],
        ),
        lambda: services.withdraw_resignation(db.session(), g.actor, found),
        back=own_page(found),
    )


@blueprint.route(OWN + "/<departure>/account", methods=METHODS)
@signed_in
def own_account(cooperative: str, member: str, departure: str) -> Any:
    """Give or correct the account to which the value is paid."""
    found = _departure(member, departure)
    return ask_for_account(found, own_page(found))


@blueprint.route(OWN + "/<departure>/observations", methods=METHODS)
@signed_in
def write_observations(cooperative: str, member: str, departure: str) -> Any:
    """Answer a proposal to exclude."""
    found, form = _departure(member, departure), forms.ObservationsForm()
    return ask_and_do(
        found.membership,
        form,
        Words(
            _("Your observations"),
            _("Send them"),
            _("Your observations are in the file."),
            [
                _("They go to the board and stay in the file, with today’s date."),
                _("You can write again as long as nothing is decided; nothing is overwritten."),
            ],
        ),
        lambda: services.add_observations(db.session(), g.actor, found, **typed(form)),
        back=own_page(found),
    )


@blueprint.route(OWN + "/<departure>/hearing", methods=METHODS)
@signed_in
def ask_hearing(cooperative: str, member: str, departure: str) -> Any:
    """Ask to be heard before anything is decided."""
    found, form = _departure(member, departure), forms.HearingForm()
    return ask_and_do(
        found.membership,
        form,
        Words(
            _("Ask to be heard"),
            _("Ask to be heard"),
            _("You have asked to be heard. The cooperative will tell you when."),
            [_("If you ask within the period, nothing is decided before.")],
        ),
        lambda: services.ask_for_hearing(db.session(), g.actor, found, **typed(form)),
        back=own_page(found),
    )


@blueprint.get(OWN + "/<departure>/papers/<paper>")
@signed_in
def own_paper(cooperative: str, member: str, departure: str, paper: str) -> Any:
    """A paper of one's own file."""
    return paper_of(_departure(member, departure), paper)
