"""The registrar's pages: applications to look at, to decide about, and the list for the board."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from govern.access import Permission, requires
from govern.audit import AuditEntry
from govern.cooperatives.services import rules_on
from govern.errors import GovernError
from govern.extensions import db
from govern.i18n import current_language, local_text
from govern.joining import forms
from govern.joining.models import Application
from govern.joining.rules import ApplicationState, Hold, IdentityChoice, may_become
from govern.joining.services import deciding, listing
from govern.joining.services.board_list import board_list_pdf
from govern.joining.services.deciding import Verdict
from govern.joining.services.guards import application_by_public_id, applied_on
from govern.joining.services.letters import giver_of
from govern.joining.services.likeness import find_likenesses, needs_decision
from govern.joining.services.listing import ApplicationFilter
from govern.joining.texts import (
    ACCEPTANCE_TEXTS,
    SIGN_NAMES,
    STATE_NAMES,
    STATE_TONES,
    act_words,
    hold_words,
    state_words,
)
from govern.joining.views.blueprint import blueprint, here, is_unpaid, today
from govern.paging import requested_page
from govern.register.rules.privacy import FieldGroup
from govern.register.services.listing import category_on
from govern.register.services.privacy import sees
from govern.register.spreadsheets import write_csv
from govern.register.views.blueprint import attachment
from govern.submitting import put_error


def _load(public_id: str) -> Application:
    return application_by_public_id(db.session(), g.cooperative, public_id)


def _category_names() -> dict[str, str]:
    _row, rules = rules_on(db.session(), g.cooperative.id, today())
    return {item.code: local_text(item.names) for item in rules.categories}


def _sees_contact() -> bool:
    """Whether who asks sees addresses and birth dates of members, and so those of applicants."""
    return sees(g.actor, g.cooperative.id, FieldGroup.CONTACT)


def _filter() -> ApplicationFilter:
    """What the address asks for; anything unknown shows everything."""
    return ApplicationFilter(
        query=request.args.get("q", "")[:200],
        show=request.args.get("show", listing.WAITING)[:20],
        by_contact=_sees_contact(),
    )


@blueprint.get("/<cooperative>/register/applications")
@requires(Permission.REGISTER_READ)
def application_list(cooperative: str) -> Any:
    """Applications, found by name, address or number; first those that wait for somebody."""
    session = db.session()
    wanted = _filter()
    page = listing.find_applications(session, g.cooperative.id, wanted, requested_page())
    return render_template(
        "joining/applications.html",
        page=page,
        wanted=wanted,
        states=STATE_NAMES,
        state_words=state_words,
        hold_words=hold_words,
        tones=STATE_TONES,
        applied_on=applied_on,
        acceptance=deciding.joining_rules(session, g.cooperative).acceptance,
        acceptance_texts=ACCEPTANCE_TEXTS,
        may_write=g.actor.may(Permission.REGISTER_WRITE, g.cooperative.id),
    )


@blueprint.get("/<cooperative>/register/applications.csv")
@requires(Permission.REGISTER_READ)
def export_applications(cooperative: str) -> Any:
    """The applications of the list as CSV."""
    sees_contact = _sees_contact()
    headers = [
        _("Applied on"),
        _("Name"),
        _("Enterprise number"),
        *([_("E-mail"), _("Municipality")] if sees_contact else []),
        _("Category"),
        _("Shares"),
        _("Amount"),
        _("Shares given by"),
        _("Accepted on"),
        _("Paid on"),
        _("State"),
    ]
    rows = (
        [
            applied_on(row),
            row.name,
            row.enterprise_number,
            *([row.email, row.town] if sees_contact else []),
            row.category,
            row.shares,
            Decimal(row.amount_cents).scaleb(-2),
            giver_of(row),
            row.accepted_on,
            row.paid_on,
            state_words(row),
        ]
        for row in listing.all_applications(db.session(), g.cooperative.id, _filter())
    )
    name = f"{g.cooperative.code}-applications-{today().isoformat()}.csv"
    return attachment(b"".join(write_csv(headers, rows)), name, "text/csv")


@blueprint.get("/<cooperative>/register/applications/<application>")
@requires(Permission.REGISTER_READ)
def application_page(cooperative: str, application: str) -> Any:
    """One application: what was asked, who it may be, what was done, what can be done."""
    session, row = db.session(), _load(application)
    is_open = row.status in (ApplicationState.CONFIRMED, ApplicationState.ACCEPTED)
    # Whom the applicant is like is for who decides, not for everybody who may read the register.
    decides = is_open and g.actor.may(Permission.REGISTER_WRITE, g.cooperative.id)
    likenesses = find_likenesses(session, row) if decides else []
    acceptance = deciding.joining_rules(session, g.cooperative).acceptance
    undecided = row.identity == IdentityChoice.UNDECIDED.value
    must_choose = undecided and needs_decision(likenesses)
    by_board = acceptance == "board" and row.status is ApplicationState.CONFIRMED
    may_write = g.actor.may(Permission.REGISTER_WRITE, g.cooperative.id)
    return render_template(
        "joining/application_page.html",
        application=row,
        state=row.status,
        state_words=state_words,
        hold_words=hold_words,
        tones=STATE_TONES,
        giver=giver_of(row),
        signs=SIGN_NAMES,
        likenesses=likenesses,
        must_choose=must_choose,
        undecided=undecided,
        by_board=by_board,
        applied_on=applied_on(row),
        may_write=may_write,
        sees_contact=_sees_contact(),
        may_accept=may_write
        and not by_board
        and not must_choose
        and row.status is ApplicationState.CONFIRMED,
        may_refuse=may_write and not by_board and may_become(row.status, ApplicationState.REFUSED),
        may_retry=may_write and row.hold == Hold.REFUSED.value and is_open,
        may_reopen=may_write
        and row.status is ApplicationState.EXPIRED
        and row.forgotten_on is None,
        is_unpaid=is_unpaid(row),
        categories=_category_names(),
        category_of=lambda membership: category_on(membership, today()),
        acts=_acts(row),
    )


def _acts(row: Application) -> list[dict[str, Any]]:
    entries = db.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject == f"application:{row.public_id}")
        .order_by(AuditEntry.position.desc())
        .limit(50)
    )
    return [{"title": act_words(entry.tag), "at": entry.recorded_at} for entry in entries]


def _step(application: str, service: Callable[[Application], Any], done: str) -> Any:
    """One service call, one commit, and back to the application with what happened."""
    row = _load(application)
    service(row)
    db.session.commit()
    flash(done, "good")
    return flask.redirect(here("application_page", application=application))


@blueprint.post("/<cooperative>/register/applications/<application>/accept")
@requires(Permission.REGISTER_WRITE)
def accept_application(cooperative: str, application: str) -> Any:
    """Accept one application."""
    return _step(
        application,
        lambda row: deciding.accept_application(db.session(), g.actor, row),
        _("The application is accepted."),
    )


@blueprint.post("/<cooperative>/register/applications/<application>/reopen")
@requires(Permission.REGISTER_WRITE)
def reopen_application(cooperative: str, application: str) -> Any:
    """Give an application that was not paid in time more time."""
    return _step(
        application,
        lambda row: deciding.reopen_application(db.session(), g.actor, row),
        _("The applicant has more time to pay, under a new reference."),
    )


@blueprint.post("/<cooperative>/register/applications/<application>/identity")
@requires(Permission.REGISTER_WRITE)
def choose_identity(cooperative: str, application: str) -> Any:
    """Say whether the applicant is somebody in the register."""
    key = request.form.get("identity", "")[:40]
    return _step(
        application,
        lambda row: deciding.choose_identity(db.session(), g.actor, row, key),
        _("It is noted who this is."),
    )


@blueprint.post("/<cooperative>/register/applications/<application>/retry")
@requires(Permission.REGISTER_WRITE)
def retry_application(cooperative: str, application: str) -> Any:
    """Try to admit again what the register had refused."""
    row = _load(application)
    is_admitted = deciding.try_again(db.session(), g.actor, row)
    db.session.commit()
    if is_admitted:
        flash(_("The applicant is a member now."), "good")
    else:
        flash(_("The register still refuses. The reason is below."), "warn")
    return flask.redirect(here("application_page", application=application))


@blueprint.route(
    "/<cooperative>/register/applications/<application>/refuse", methods=["GET", "POST"]
)
@requires(Permission.REGISTER_WRITE)
def refuse_application(cooperative: str, application: str) -> Any:
    """Refuse one application with a reason."""
    row, form = _load(application), forms.RefusalForm()
    if request.method == "GET":
        return render_template("joining/refuse.html", form=form, application=row)
    if not form.validate():
        return render_template("joining/refuse.html", form=form, application=row), 422
    try:
        deciding.refuse_application(db.session(), g.actor, row, form.reason.data)
        db.session.commit()
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        page = render_template("joining/refuse.html", form=form, application=_load(application))
        return page, error.status
    flash(_("The application is refused; the reason is on its way."), "good")
    return flask.redirect(here("application_page", application=application))


# -- the board --------------------------------------------------------------------------------


@blueprint.route("/<cooperative>/register/applications/board", methods=["GET", "POST"])
@requires(Permission.REGISTER_WRITE)
def board(cooperative: str) -> Any:
    """The list for the board, and the form that records what it decided."""
    session = db.session()
    rows = listing.to_be_decided(session, g.cooperative.id)
    form = forms.BoardForm()
    if request.method == "GET":
        form.decided_on.data = today()
        return _board_page(form, rows)
    if not form.validate():
        return _board_page(form, rows), 422
    try:
        deciding.record_board_decision(
            session,
            g.actor,
            g.cooperative,
            decided_on=form.decided_on.data,
            reference=form.reference.data,
            verdicts=_verdicts(rows),
        )
        session.commit()
    except GovernError as error:
        session.rollback()
        if error.field not in form:
            error.field = None
        put_error(form, error)
        return _board_page(form, listing.to_be_decided(session, g.cooperative.id)), error.status
    flash(_("The decision of the board is recorded; the applicants are told."), "good")
    return flask.redirect(here("application_list", show=listing.ALL))


def _verdicts(rows: list[Application]) -> list[Verdict]:
    verdicts = []
    for row in rows:
        said = request.form.get(f"verdict-{row.public_id}", "")
        reason = request.form.get(f"reason-{row.public_id}", "")[:2000]
        if said in ("accept", "refuse"):
            verdicts.append(Verdict(row, said == "accept", reason))
    return verdicts


def _board_page(form: Any, rows: list[Application]) -> str:
    session = db.session()
    alike = {
        row.public_id: row.identity == IdentityChoice.UNDECIDED.value
        and needs_decision(find_likenesses(session, row))
        for row in rows
    }
    return render_template(
        "joining/board.html",
        form=form,
        applications=rows,
        alike=alike,
        categories=_category_names(),
        applied_on=applied_on,
        giver_of=giver_of,
        said=request.form,
    )


@blueprint.get("/<cooperative>/register/applications/board.pdf")
@requires(Permission.REGISTER_WRITE)
def board_pdf(cooperative: str) -> Any:
    """The list of applications to be decided, to be printed for the meeting."""
    rows = listing.to_be_decided(db.session(), g.cooperative.id)
    content = board_list_pdf(g.cooperative, rows, _category_names(), today(), current_language())
    name = f"{g.cooperative.code}-applications-{today().isoformat()}.pdf"
    return attachment(content, name, "application/pdf")
