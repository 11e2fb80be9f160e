"""The registrar's pages of an exclusion: each step in its time, none left out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import g, request
from flask_babel import gettext as _
from flask_babel import ngettext

from govern.access import Permission, requires
from govern.errors import InvalidInput
from govern.extensions import db
from govern.i18n import day as in_words
from govern.leaving import forms, services
from govern.leaving.models import Departure
from govern.leaving.services.common import rules_for
from govern.leaving.services.telling import is_reached_by_mail
from govern.leaving.texts import rules_text
from govern.leaving.views.blueprint import (
    METHODS,
    Words,
    ask_and_do,
    blueprint,
    departure_address,
    departure_of,
    here,
    member_of,
    today,
    typed,
    upload_of,
)
from govern.leaving.views.officers import DEPARTURES, MEMBER
from govern.leaving.views.recorded import ending_can_be_taken_back, what_is_owed
from govern.register.models import Membership


@blueprint.route(MEMBER + "/exclusion", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion(cooperative: str, member: str) -> Any:
    """Begin a procedure with a reasoned proposal."""
    membership, form = member_of(member), forms.StepForm()
    form.text.label.text = _("Reasons of the proposal")
    if request.method == "GET":
        form.done_on.data = today()
    rules = rules_for(db.session(), g.cooperative.id, today())[1]
    return ask_and_do(
        membership,
        form,
        Words(
            _("Propose to exclude the member"),
            _("Record the proposal"),
            _("The proposal is recorded. Send it now."),
            [
                _("The proposal becomes a letter to the member; you send it on the next page."),
                ngettext(
                    "The member then has one month to answer, and is heard on request.",
                    "The member then has %(num)d months to answer, and is heard on request.",
                    rules.observation_days_months,
                ),
                _("Until the decision the member keeps all rights."),
                *rules_text(rules),
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
        back=here("member_leaving", member=member),
        then=departure_address,
    )


def _step(found: Departure, form: Any, words: Words, service: Callable[[], Any]) -> Any:
    """A step of the procedure: today and, where something is sent, how it can be, are filled in."""
    for day in ("done_on", "received_on"):
        if request.method == "GET" and day in form:
            form[day].data = today()
    if request.method == "GET" and "how" in form:
        by_mail = is_reached_by_mail(db.session(), found.membership)
        form.how.data = "mail" if by_mail else "post"
    return ask_and_do(found.membership, form, words, service, back=departure_address(found))


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


def _ways_to_send(membership: Membership) -> list[str]:
    """To whom the letter goes, and that it stays as it is."""
    by_mail = _("By e-mail it goes to %(address)s at once.", address=membership.email)
    return [
        *([by_mail] if is_reached_by_mail(db.session(), membership) else []),
        _("On paper: print the letter from the page before, and post it registered."),
        _("What was sent stays in the file as it was and cannot be taken back."),
    ]


@blueprint.route(DEPARTURES + "/<departure>/send-proposal", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_send_proposal(cooperative: str, departure: str) -> Any:
    """Send the proposal to the member: the month for observations begins."""
    found, form = departure_of(departure), forms.SendForm()
    return _step(
        found,
        form,
        Words(
            _("Send the proposal"),
            _("Record that it is sent"),
            _("The proposal is sent; the period for observations runs."),
            [
                _("The period for observations begins on this day."),
                *_ways_to_send(found.membership),
            ],
        ),
        lambda: services.send_proposal(
            db.session(), g.actor, found, posted_on=_posted(form), posted=upload_of(form.posted)
        ),
    )


@blueprint.route(DEPARTURES + "/<departure>/observations", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_observations(cooperative: str, departure: str) -> Any:
    """Record observations that came on paper."""
    found, form = departure_of(departure), forms.AnswerForm()
    return _step(
        found,
        form,
        Words(
            _("Observations on paper"),
            _("Record them"),
            _("The observations are in the file."),
            [_("After the period they go to the board all the same, marked as late.")],
        ),
        lambda: services.add_observations(db.session(), g.actor, found, **typed(form)),
    )


@blueprint.route(DEPARTURES + "/<departure>/hearing-asked", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_hearing_asked(cooperative: str, departure: str) -> Any:
    """Record that the member asks to be heard, on paper."""
    found, form = departure_of(departure), forms.AnswerForm()
    return _step(
        found,
        form,
        Words(
            _("The member asks to be heard"),
            _("Record it"),
            _("It is recorded that a hearing was asked for."),
            [_("If it came within the period, nothing can be decided before the hearing.")],
        ),
        lambda: services.ask_for_hearing(db.session(), g.actor, found, **typed(form)),
    )


@blueprint.route(DEPARTURES + "/<departure>/hearing", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_hearing(cooperative: str, departure: str) -> Any:
    """Record the hearing."""
    found, form = departure_of(departure), forms.StepForm()
    return _step(
        found,
        form,
        Words(
            _("Hearing"),
            _("Record the hearing"),
            _("The hearing is recorded."),
            [_("Write what was said, or that the member was called and did not come.")],
        ),
        lambda: services.record_hearing(
            db.session(),
            g.actor,
            found,
            held_on=form.done_on.data,
            text=form.text.data or "",
            document=upload_of(form.document),
        ),
    )


@blueprint.route(DEPARTURES + "/<departure>/decide", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_decide(cooperative: str, departure: str) -> Any:
    """Record the decision to exclude."""
    found, form = departure_of(departure), forms.StepForm()
    form.text.label.text = _("Reasons of the decision")
    return _step(
        found,
        form,
        Words(
            _("Decision to exclude"),
            _("Exclude the member"),
            _("The member is excluded. Send the decision now."),
            [
                _("The membership ends on this day; a roll that is frozen does not change."),
                what_is_owed(found.membership),
                _("The decision becomes a letter to the member; you send it on the next page."),
                _("To decide against excluding, discontinue the procedure instead."),
                ending_can_be_taken_back(),
            ],
            kind="danger",
        ),
        lambda: services.decide_exclusion(
            db.session(),
            g.actor,
            found,
            decided_on=form.done_on.data,
            reasons=form.text.data or "",
            document=upload_of(form.document),
        ),
    )


def _time_to_tell(procedure: services.Procedure) -> list[str]:
    """Until when the decision is sent in time, or that it is late; nothing before there is one."""
    until = procedure.notice_until
    if until is None:
        return []
    if procedure.today > until:
        return [_("The decision was to be sent by %(day)s: this is late.", day=in_words(until))]
    return [_("In time if it is sent by %(day)s.", day=in_words(until))]


@blueprint.route(DEPARTURES + "/<departure>/send-decision", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_send_decision(cooperative: str, departure: str) -> Any:
    """Send the decision to the member, in time or late with a reason."""
    found, form = departure_of(departure), forms.SendLateForm()
    procedure = services.Procedure(db.session(), found)
    return _step(
        found,
        form,
        Words(
            _("Send the decision"),
            _("Record that it is sent"),
            _("The decision is sent."),
            [
                *_time_to_tell(procedure),
                *_ways_to_send(found.membership),
            ],
        ),
        lambda: services.send_decision(
            db.session(),
            g.actor,
            found,
            posted_on=_posted(form),
            posted=upload_of(form.posted),
            late_reason=form.late_reason.data or "",
        ),
    )


@blueprint.route(DEPARTURES + "/<departure>/discontinue", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def exclusion_discontinue(cooperative: str, departure: str) -> Any:
    """Give the procedure up: the member stays."""
    found, form = departure_of(departure), forms.ReasonForm()
    return _step(
        found,
        form,
        Words(
            _("Discontinue the procedure"),
            _("Discontinue it"),
            _("The procedure is discontinued: the member stays."),
            [
                _("The member stays, and is told if the proposal was sent."),
                _("To exclude later, a new procedure begins with a new proposal."),
            ],
        ),
        lambda: services.discontinue_exclusion(db.session(), g.actor, found, **typed(form)),
    )
