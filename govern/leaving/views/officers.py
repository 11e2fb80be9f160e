"""The registrar's pages: who leaves and how, requests on paper, deaths, lost conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from govern.access import Permission, requires
from govern.errors import GovernError
from govern.extensions import db
from govern.leaving import forms, services
from govern.leaving.models import Departure, Founder, Refund
from govern.leaving.rules.calendar import founder_free_from
from govern.leaving.rules.exclusion import Step
from govern.leaving.rules.states import OPEN, DepartureKind, DepartureState, RefundState
from govern.leaving.services.common import departures_of, rules_for, rules_of, with_holder
from govern.leaving.services.hindering import Outlook, outlook_of
from govern.leaving.services.left_over import count_left_over, left_over
from govern.leaving.services.payees import OPEN_REFUNDS
from govern.leaving.services.resigning import last_day_to_sign
from govern.leaving.views.blueprint import (
    METHODS,
    Words,
    ask_and_do,
    ask_for_account,
    blueprint,
    departure_address,
    departure_of,
    here,
    member_of,
    paper_of,
    shared_words,
    today,
    typed,
)
from govern.paging import paginate
from govern.register.models import Membership
from govern.register.services.holdings import holding_of
from govern.register.texts import END_REASON_NAMES
from govern.register.views.traces import leave_trace

MEMBER = "/<cooperative>/register/members/<member>/leaving"
DEPARTURES = "/<cooperative>/register/departures"


@blueprint.get(DEPARTURES)
@requires(Permission.REGISTER_READ)
def departure_list(cooperative: str) -> Any:
    """Departures, those that are under way first."""
    query = (
        select(Departure)
        .where(Departure.cooperative_id == g.cooperative.id)
        .options(*with_holder(Departure.membership))
    )
    shown, kind = request.args.get("state", ""), request.args.get("kind", "")
    if shown in tuple(DepartureState):
        query = query.where(Departure.state == shown)
    elif shown != "all":
        shown = ""
        query = query.where(Departure.state.in_([state.value for state in OPEN]))
    if kind in tuple(DepartureKind):
        query = query.where(Departure.kind == kind)
    if not g.actor.may(Permission.REGISTER_WRITE, g.cooperative.id):
        # What a member is accused of is for those who keep the file.
        query = query.where(
            (Departure.kind != DepartureKind.EXCLUSION.value)
            | (Departure.state == DepartureState.EFFECTIVE.value)
        )
    page = paginate(
        db.session(),
        query.order_by(Departure.effective_on.nulls_first(), Departure.id.desc()),
        per_page=50,
    )
    return render_template(
        "leaving/departures.html",
        page=page,
        shown=shown,
        kind=kind,
        left=count_left_over(db.session(), g.cooperative),
        **shared_words(),
    )


@blueprint.get("/<cooperative>/register/left-shares")
@requires(Permission.REGISTER_WRITE)
def left_shares(cooperative: str) -> Any:
    """Former members with shares in the book, of whose value nobody is owed."""
    holders = (selectinload(Membership.person), selectinload(Membership.organisation))
    query: Any = left_over(g.cooperative).options(*holders)
    return render_template(
        "leaving/left_shares.html",
        page=paginate(db.session(), query, rows=True),
        reason_names=END_REASON_NAMES,
        **shared_words(),
    )


@blueprint.get(DEPARTURES + "/<departure>")
@requires(Permission.REGISTER_WRITE)
def departure_page(cooperative: str, departure: str) -> Any:
    """One departure: its days, papers, steps, refunds, and what may be done."""
    found, session = departure_of(departure), db.session()
    leave_trace(found.membership)
    is_exclusion = found.kind == DepartureKind.EXCLUSION.value
    refunds = services.refunds_of(session, found)
    waits = [row for row in refunds if row.state in [state.value for state in OPEN_REFUNDS]]
    held = holding_of(session, found.membership_id).issued
    return render_template(
        "leaving/departure.html",
        departure=found,
        membership=found.membership,
        procedure=services.Procedure(session, found) if is_exclusion else None,
        step_page=lambda step: STEP_PAGES.get(step, ""),
        steps=Step,
        refunds=refunds,
        outlook=_next_outlook(refunds),
        held=held,
        source=rules_of(session, found).citation.text,
        sign_until=last_day_to_sign(found),
        may_withdraw=services.may_withdraw(found, today()),
        may_put_account=bool(waits) or found.state == DepartureState.PENDING.value,
        **shared_words(),
    )


def _next_outlook(refunds: Sequence[Refund]) -> Outlook | None:
    """What lies ahead of the refund that is due first among those that wait."""
    waiting = [refund for refund in refunds if refund.state == RefundState.SCHEDULED.value]
    outlooks = (outlook_of(db.session(), g.actor, refund, today()) for refund in waiting)
    return next((outlook for outlook in outlooks if outlook is not None), None)


STEP_PAGES = {
    Step.PROPOSAL_SENT: "exclusion_send_proposal",
    Step.OBSERVATIONS: "exclusion_observations",
    Step.HEARING_ASKED: "exclusion_hearing_asked",
    Step.HEARING: "exclusion_hearing",
    Step.DECISION: "exclusion_decide",
    Step.DECISION_SENT: "exclusion_send_decision",
    Step.DISCONTINUED: "exclusion_discontinue",
}


@blueprint.get(DEPARTURES + "/<departure>/papers/<paper>")
@requires(Permission.REGISTER_WRITE)
def paper(cooperative: str, departure: str, paper: str) -> Any:
    """A paper of the file."""
    found = departure_of(departure)
    leave_trace(found.membership)
    return paper_of(found, paper)


@blueprint.get(MEMBER)
@requires(Permission.REGISTER_WRITE)
def member_leaving(cooperative: str, member: str) -> Any:
    """The ways in which this membership may end, and what is under way."""
    membership = member_of(member)
    rules = rules_for(db.session(), g.cooperative.id, today())[1]
    holding = holding_of(db.session(), membership.id)
    return render_template(
        "leaving/member.html",
        membership=membership,
        departures=departures_of(db.session(), membership.id),
        held=holding.issued,
        left_cents=0 if holding.issued else holding.paid_cents,
        is_founder=db.session.get(Founder, membership.id) is not None,
        founder_free_from=founder_free_from(rules, membership.joined_on),
        rules=rules,
        source=rules.citation.text,
        **shared_words(),
    )


@blueprint.post(MEMBER + "/founder")
@requires(Permission.REGISTER_WRITE)
def founder(cooperative: str, member: str) -> Any:
    """Mark the member as a founder, or take the mark away."""
    is_founder = request.form.get("founder") == "yes"
    services.set_founder(db.session(), g.actor, member_of(member), is_founder)
    db.session.commit()
    flash(
        _("The member is recorded as a founder.")
        if is_founder
        else _("The member is not recorded as a founder."),
        "good",
    )
    return flask.redirect(here("member_leaving", member=member))


@blueprint.route(DEPARTURES + "/<departure>/withdraw", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def withdraw_for_member(cooperative: str, departure: str) -> Any:
    """The member withdraws the request on paper."""
    found, form = departure_of(departure), forms.ReasonForm()
    return ask_and_do(
        found.membership,
        form,
        Words(
            _("Record that the request is withdrawn"),
            _("Withdraw the request"),
            _("The request is withdrawn."),
            lead=_("Only what the member has withdrawn. The member is told."),
        ),
        lambda: services.withdraw_resignation(db.session(), g.actor, found, **typed(form)),
        back=departure_address(found),
    )


@blueprint.route(DEPARTURES + "/<departure>/account", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def account(cooperative: str, departure: str) -> Any:
    """Give or correct the account to which the value is paid."""
    found = departure_of(departure)
    return ask_for_account(found, departure_address(found))


@blueprint.post(DEPARTURES + "/<departure>/retry")
@requires(Permission.REGISTER_WRITE)
def retry(cooperative: str, departure: str) -> Any:
    """Try again to let the departure take effect."""
    found = departure_of(departure)
    try:
        services.try_again(db.session(), g.actor, found)
        db.session.commit()
        flash(_("It has taken effect."), "good")
    except GovernError as error:
        db.session.rollback()
        flash(f"{error.message} {error.remedy}", "warn")
    return flask.redirect(here("departure_page", departure=departure))
