"""The registrar's pages of an exclusion: each step in its time, none left out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import g, request
from flask_babel import gettext as _

from govern.access import Permission, requires
from govern.errors import InvalidInput
from govern.extensions import db
from govern.i18n import day as in_words
from govern.leaving import forms, services
from govern.leaving.models import Departure
from govern.leaving.services.common import rules_for
from govern.leaving.texts import citation_text
from govern.leaving.views.blueprint import (
    METHODS,
    blueprint,
    departure_of,
    eyebrow_of,
    form_page,
    here,
    member_of,
    submit,
    today,
    upload_of,
)
from govern.leaving.views.officers import DEPARTURES, MEMBER


@blueprint.route(MEMBER + "/exclusion", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion(cooperative: str, member: str) -> Any:
    """Begin a procedure with a reasoned proposal."""
    membership, form = member_of(member), forms.StepForm()
    form.text.label.text = _("Reasons of the proposal")
    if request.method == "GET":
        form.done_on.data = today()
    rules = rules_for(db.session(), g.cooperative.id, today())[1]
    source = citation_text(rules.citation)
    return submit(
        form,
        lambda: form_page(
            form,
            _("Propose to exclude the member"),
            _("Record the proposal"),
            here("member_leaving", member=member),
            eyebrow=eyebrow_of(member_of(member)),
            consequences=[
                _("The proposal becomes a letter to the member; you send it on the next page."),
                _("The member then has one month to answer, and is heard on request."),
                _("Until the decision the member keeps all rights."),
                *([_("Rules: %(source)s", source=source)] if source else []),
            ],
        ),
        lambda: services.propose_exclusion(
            db.session(),
            g.actor,
            membership,
            proposed_on=form.done_on.data,
            reasons=form.text.data or "",
            document=upload_of(form.document),
        ),
        _("The proposal is recorded. Send it now."),
        lambda made: here("departure_page", departure=made.public_id),
    )


def _step(
    departure: str,
    form: Any,
    title: str,
    action: str,
    service: Callable[[Departure], Any],
    done: str,
    consequences: list[str],
    *,
    kind: str = "primary",
) -> Any:
    found = departure_of(departure)
    if request.method == "GET" and "done_on" in form:
        form.done_on.data = today()
    if request.method == "GET" and "how" in form:
        form.how.data = "mail" if found.membership.email else "post"
    address = here("departure_page", departure=departure)
    return submit(
        form,
        lambda: form_page(
            form,
            title,
            action,
            address,
            eyebrow=eyebrow_of(departure_of(departure).membership),
            consequences=consequences,
            kind=kind,
        ),
        lambda: service(found),
        done,
        address,
    )


def _posted(form: Any) -> date | None:
    """The day of posting, None for a mail that leaves now."""
    if form.how.data == "mail":
        return None
    if form.posted_on.data is None:
        raise InvalidInput(
            _("The day of posting is missing."),
            remedy=_("Give the day on which the letter was posted."),
            field="posted_on",
        )
    posted: date = form.posted_on.data
    return posted


@blueprint.route(DEPARTURES + "/<departure>/send-proposal", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_send_proposal(cooperative: str, departure: str) -> Any:
    """Send the proposal to the member: the month for observations begins."""
    form = forms.SendForm()
    return _step(
        departure,
        form,
        _("Send the proposal"),
        _("Record that it is sent"),
        lambda found: services.send_proposal(
            db.session(),
            g.actor,
            found,
            posted_on=_posted(form),
            posted=upload_of(form.posted),
        ),
        _("The proposal is sent; the period for observations runs."),
        [
            _("The period for observations begins on this day."),
            _("On paper: print the letter from the page before, and post it registered."),
        ],
    )


@blueprint.route(DEPARTURES + "/<departure>/observations", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_observations(cooperative: str, departure: str) -> Any:
    """Record observations that came on paper."""
    form = forms.AnswerForm()
    return _step(
        departure,
        form,
        _("Observations on paper"),
        _("Record them"),
        lambda found: services.add_observations(
            db.session(),
            g.actor,
            found,
            text=form.text.data or "",
            received_on=form.done_on.data,
            document=upload_of(form.document),
        ),
        _("The observations are in the file."),
        [_("After the period they go to the board all the same, marked as late.")],
    )


@blueprint.route(DEPARTURES + "/<departure>/hearing-asked", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_hearing_asked(cooperative: str, departure: str) -> Any:
    """Record that the member asks to be heard, on paper."""
    form = forms.AnswerForm()
    return _step(
        departure,
        form,
        _("The member asks to be heard"),
        _("Record it"),
        lambda found: services.ask_for_hearing(
            db.session(),
            g.actor,
            found,
            text=form.text.data or "",
            received_on=form.done_on.data,
            document=upload_of(form.document),
        ),
        _("It is recorded that a hearing was asked for."),
        [_("If it came within the period, nothing can be decided before the hearing.")],
    )


@blueprint.route(DEPARTURES + "/<departure>/hearing", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_hearing(cooperative: str, departure: str) -> Any:
    """Record the hearing."""
    form = forms.StepForm()
    return _step(
        departure,
        form,
        _("Hearing"),
        _("Record the hearing"),
        lambda found: services.record_hearing(
            db.session(),
            g.actor,
            found,
            held_on=form.done_on.data,
            text=form.text.data or "",
            document=upload_of(form.document),
        ),
        _("The hearing is recorded."),
        [_("Write what was said, or that the member was called and did not come.")],
    )


@blueprint.route(DEPARTURES + "/<departure>/decide", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_decide(cooperative: str, departure: str) -> Any:
    """Record the decision to exclude."""
    form = forms.StepForm()
    form.text.label.text = _("Reasons of the decision")
    return _step(
        departure,
        form,
        _("Decision to exclude"),
        _("Exclude the member"),
        lambda found: services.decide_exclusion(
            db.session(),
            g.actor,
            found,
            decided_on=form.done_on.data,
            reasons=form.text.data or "",
            document=upload_of(form.document),
        ),
        _("The member is excluded. Send the decision now."),
        [
            _("The membership ends on this day; a roll that is frozen does not change."),
            _("The shares leave the ledger and their paid-in value is owed."),
            _("The decision becomes a letter to the member; you send it on the next page."),
            _("To decide against excluding, discontinue the procedure instead."),
        ],
        kind="danger",
    )


@blueprint.route(DEPARTURES + "/<departure>/send-decision", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_send_decision(cooperative: str, departure: str) -> Any:
    """Send the decision to the member, in time or late with a reason."""
    form = forms.SendLateForm()
    procedure = services.Procedure(db.session(), departure_of(departure))
    until = procedure.notice_until
    return _step(
        departure,
        form,
        _("Send the decision"),
        _("Record that it is sent"),
        lambda found: services.send_decision(
            db.session(),
            g.actor,
            found,
            posted_on=_posted(form),
            posted=upload_of(form.posted),
            late_reason=form.late_reason.data or "",
        ),
        _("The decision is sent."),
        [_("It is in time until %(day)s.", day=in_words(until))] if until else [],
    )


@blueprint.route(DEPARTURES + "/<departure>/discontinue", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_discontinue(cooperative: str, departure: str) -> Any:
    """Give the procedure up: the member stays."""
    form = forms.ReasonForm()
    return _step(
        departure,
        form,
        _("Discontinue the procedure"),
        _("Discontinue it"),
        lambda found: services.discontinue_exclusion(
            db.session(), g.actor, found, reason=form.reason.data or ""
        ),
        _("The procedure is discontinued: the member stays."),
        [
            _("The member stays, and is told if the proposal was sent."),
            _("To exclude later, a new procedure begins with a new proposal."),
        ],
    )
