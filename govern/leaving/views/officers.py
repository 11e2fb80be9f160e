"""The registrar's pages: who leaves and how, requests on paper, deaths, lost conditions."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from govern.access import Permission, requires
from govern.errors import GovernError
from govern.extensions import db
from govern.i18n import money
from govern.leaving import forms, services
from govern.leaving.models import Departure, Founder
from govern.leaving.rules.calendar import founder_free_from
from govern.leaving.rules.exclusion import Step
from govern.leaving.rules.states import OPEN, DepartureKind, DepartureState
from govern.leaving.services.common import departures_of, rules_for, with_holder
from govern.leaving.services.payees import OPEN_REFUNDS
from govern.leaving.texts import citation_text
from govern.leaving.views.blueprint import (
    METHODS,
    blueprint,
    departure_of,
    eyebrow_of,
    form_page,
    here,
    member_of,
    paper_of,
    shared_words,
    submit,
    today,
    upload_of,
)
from govern.paging import paginate
from govern.register.services.holdings import holding_of

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
        "leaving/departures.html", page=page, shown=shown, kind=kind, **shared_words()
    )


@blueprint.get(DEPARTURES + "/<departure>")
@requires(Permission.REGISTER_WRITE)
def departure_page(cooperative: str, departure: str) -> Any:
    """One departure: its days, papers, steps, refunds, and what may be done."""
    found, session = departure_of(departure), db.session()
    is_exclusion = found.kind == DepartureKind.EXCLUSION.value
    refunds = services.refunds_of(session, found)
    waits = [row for row in refunds if row.state in [state.value for state in OPEN_REFUNDS]]
    held = holding_of(session, found.membership_id).issued
    rules = rules_for(session, found.cooperative_id, found.requested_on)[1]
    is_death = found.kind == DepartureKind.DEATH.value
    return render_template(
        "leaving/departure.html",
        departure=found,
        membership=found.membership,
        procedure=services.Procedure(session, found) if is_exclusion else None,
        step_page=lambda step: STEP_PAGES.get(step, ""),
        steps=Step,
        refunds=refunds,
        held=held,
        source=citation_text(rules.citation),
        may_settle=is_death and held > 0,
        may_withdraw=found.kind in (DepartureKind.RESIGNATION.value, DepartureKind.PARTIAL.value)
        and found.state in (DepartureState.UNCONFIRMED.value, DepartureState.PENDING.value)
        and (found.effective_on is None or found.effective_on > today()),
        may_put_account=bool(waits) or found.state == DepartureState.PENDING.value,
        **shared_words(),
    )


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
    return paper_of(departure_of(departure), paper)


@blueprint.get(MEMBER)
@requires(Permission.REGISTER_WRITE)
def member_leaving(cooperative: str, member: str) -> Any:
    """The ways in which this membership may end, and what is under way."""
    membership = member_of(member)
    rules = rules_for(db.session(), g.cooperative.id, today())[1]
    return render_template(
        "leaving/member.html",
        membership=membership,
        departures=departures_of(db.session(), membership.id),
        held=holding_of(db.session(), membership.id).issued,
        is_founder=db.session.get(Founder, membership.id) is not None,
        founder_free_from=founder_free_from(rules, membership.joined_on),
        rules=rules,
        source=citation_text(rules.citation),
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


def _departure_address(departure: Departure) -> str:
    return here("departure_page", departure=departure.public_id)


@blueprint.route(MEMBER + "/request", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def paper_request(cooperative: str, member: str) -> Any:
    """Record a request that came on paper."""
    membership, form = member_of(member), forms.PaperRequestForm()
    if request.method == "GET":
        form.received_on.data = today()
        form.holder.data = membership.display_name[:70]
    rules = rules_for(db.session(), g.cooperative.id, today())[1]
    if rules.whole_only:
        del form.shares
    source = citation_text(rules.citation)
    return submit(
        form,
        lambda: form_page(
            form,
            _("Record a request on paper"),
            _("Record the request"),
            here("member_leaving", member=member),
            eyebrow=eyebrow_of(member_of(member)),
            consequences=[
                _("It counts from the day of its receipt, if that lies within the period."),
                _("The member is told what happens when, by mail or by letter."),
                *([_("Rules: %(source)s", source=source)] if source else []),
            ],
        ),
        lambda: services.record_paper_request(
            db.session(),
            g.actor,
            membership,
            received_on=form.received_on.data,
            shares=form.shares.data if "shares" in form else None,
            holder=form.holder.data or "",
            iban=form.iban.data or "",
            note=form.note.data or "",
            scan=upload_of(form.scan),
        ),
        _("The request is recorded."),
        _departure_address,
    )


@blueprint.route(MEMBER + "/death", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def death(cooperative: str, member: str) -> Any:
    """Record a death."""
    membership, form = member_of(member), forms.DeathForm()
    return submit(
        form,
        lambda: form_page(
            form,
            _("Record a death"),
            _("Record the death"),
            here("member_leaving", member=member),
            eyebrow=eyebrow_of(member_of(member)),
            consequences=[
                _("The membership ends on that day; whatever else was under way is superseded."),
                _("Nothing is sent to the member’s address."),
                _(
                    "The shares stay in the ledger until their value is owed to the estate, or "
                    "they pass to heirs who are members: that is the next page."
                ),
            ],
            kind="danger",
        ),
        lambda: services.record_death(
            db.session(),
            g.actor,
            membership,
            died_on=form.died_on.data,
            note=form.note.data or "",
            document=upload_of(form.document),
        ),
        _("The death is recorded and the membership has ended."),
        _departure_address,
    )


@blueprint.route(MEMBER + "/loss", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def loss(cooperative: str, member: str) -> Any:
    """Record that the member no longer meets the conditions."""
    membership, form = member_of(member), forms.LossForm()
    return submit(
        form,
        lambda: form_page(
            form,
            _("Record that conditions are no longer met"),
            _("End the membership"),
            here("member_leaving", member=member),
            eyebrow=eyebrow_of(member_of(member)),
            consequences=[
                _("The membership ends on that day; whatever else was under way is superseded."),
                _("The shares leave the ledger and their paid-in value is owed."),
                _("The member is told, with the reason."),
            ],
            kind="danger",
        ),
        lambda: services.record_loss_of_status(
            db.session(),
            g.actor,
            membership,
            lost_on=form.lost_on.data,
            reason=form.reason.data or "",
            holder=form.holder.data or "",
            iban=form.iban.data or "",
            document=upload_of(form.document),
        ),
        _("The membership has ended."),
        _departure_address,
    )


@blueprint.route(MEMBER + "/former", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def former(cooperative: str, member: str) -> Any:
    """Owe the value of shares that are left of an ended membership."""
    membership, form = member_of(member), forms.FormerForm()
    if request.method == "GET":
        form.owed_since.data = membership.ended_on
        form.holder.data = membership.display_name[:70]
    holding = holding_of(db.session(), membership.id)
    return submit(
        form,
        lambda: form_page(
            form,
            _("Pay back the shares of a former member"),
            _("Cancel the shares"),
            here("member_leaving", member=member),
            eyebrow=eyebrow_of(member_of(member)),
            consequences=[
                ngettext(
                    "%(num)s share leaves the ledger as of that day, and %(amount)s is owed.",
                    "%(num)s shares leave the ledger as of that day, and %(amount)s is owed.",
                    holding.issued,
                    amount=money(holding.paid_cents),
                ),
                _("What is owed appears among the refunds with its due date."),
            ],
            kind="danger",
        ),
        lambda: services.owe_former_member(
            db.session(),
            g.actor,
            membership,
            owed_since=form.owed_since.data,
            holder=form.holder.data or "",
            iban=form.iban.data or "",
            note=form.note.data or "",
        ),
        _("What is owed is among the refunds now."),
        _departure_address,
    )


@blueprint.route(DEPARTURES + "/<departure>/withdraw", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def withdraw_for_member(cooperative: str, departure: str) -> Any:
    """The member withdraws the request on paper."""
    found, form = departure_of(departure), forms.ReasonForm()
    return submit(
        form,
        lambda: form_page(
            form,
            _("Record that the request is withdrawn"),
            _("Withdraw the request"),
            here("departure_page", departure=departure),
            eyebrow=eyebrow_of(departure_of(departure).membership),
            lead=_("Only what the member has withdrawn. The member is told."),
        ),
        lambda: services.withdraw_resignation(
            db.session(), g.actor, found, reason=form.reason.data or ""
        ),
        _("The request is withdrawn."),
        here("departure_page", departure=departure),
    )


@blueprint.route(DEPARTURES + "/<departure>/account", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def account(cooperative: str, departure: str) -> Any:
    """Give or correct the account to which the value is paid."""
    found, form = departure_of(departure), forms.AccountForm()
    if request.method == "GET":
        form.holder.data, form.iban.data = found.holder, found.iban
    return submit(
        form,
        lambda: form_page(
            form,
            _("Where the money is to be paid"),
            _("Save"),
            here("departure_page", departure=departure),
            eyebrow=eyebrow_of(departure_of(departure).membership),
            lead=_("For what is not paid or on its way yet."),
        ),
        lambda: services.put_payee(
            db.session(),
            g.actor,
            found,
            holder=form.holder.data or "",
            iban=form.iban.data or "",
        ),
        _("The account is saved."),
        here("departure_page", departure=departure),
    )


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


@blueprint.route(DEPARTURES + "/<departure>/estate", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def estate(cooperative: str, departure: str) -> Any:
    """Owe the value of the shares to the estate."""
    found, form = departure_of(departure), forms.EstateForm()
    holding = holding_of(db.session(), found.membership_id)
    return submit(
        form,
        lambda: form_page(
            form,
            _("Owe the value to the estate"),
            _("Cancel the shares"),
            here("departure_page", departure=departure),
            eyebrow=eyebrow_of(departure_of(departure).membership),
            consequences=[
                ngettext(
                    "%(num)s share leaves the ledger as of the day of the death, and %(amount)s "
                    "is owed.",
                    "%(num)s shares leave the ledger as of the day of the death, and %(amount)s "
                    "is owed.",
                    holding.issued,
                    amount=money(holding.paid_cents),
                ),
                _("Shares that are to pass to an heir must be passed on before."),
            ],
            kind="danger",
        ),
        lambda: services.settle_estate(
            db.session(),
            g.actor,
            found,
            holder=form.holder.data or "",
            iban=form.iban.data or "",
        ),
        _("The value is owed to the estate."),
        here("departure_page", departure=departure),
    )


@blueprint.route(DEPARTURES + "/<departure>/succession", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def succession(cooperative: str, departure: str) -> Any:
    """Let shares of the deceased pass to an heir who is a member."""
    found, form = departure_of(departure), forms.SuccessionForm()
    if request.method == "GET":
        form.effective_on.data = found.effective_on
        form.shares.data = holding_of(db.session(), found.membership_id).issued
    return submit(
        form,
        lambda: form_page(
            form,
            _("Pass shares on to an heir"),
            _("Pass them on"),
            here("departure_page", departure=departure),
            eyebrow=eyebrow_of(departure_of(departure).membership),
            consequences=[
                _("The shares keep their numbers; the ledger says that they came by succession."),
                _("The heir must be a member on that day: admit them first."),
            ],
        ),
        lambda: services.pass_on_shares(
            db.session(),
            g.actor,
            found,
            receiver_number=form.receiver.data or "",
            shares=form.shares.data or 0,
            effective_on=form.effective_on.data,
        ),
        _("The shares have passed to the heir."),
        here("departure_page", departure=departure),
    )
