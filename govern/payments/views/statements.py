"""Reading statements, what is asked for, and the bank accounts."""

from __future__ import annotations

import hashlib
from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from govern.access import Permission, reads_first, requires
from govern.database import begin_writing
from govern.errors import GovernError
from govern.extensions import db
from govern.i18n import current_language
from govern.paging import paginate
from govern.payments.forms import BankAccountForm, StatementForm
from govern.payments.models import BankStatement, PaymentMatch, PaymentRequest, RequestState
from govern.payments.rules.bank import show_iban
from govern.payments.services import accounts, readings, requests, statements
from govern.payments.texts import REQUEST_STATE_NAMES
from govern.payments.views.blueprint import blueprint, here, today
from govern.payments.views.entries import BASE
from govern.register.rules.folding import search_words
from govern.submitting import act, put_error


@blueprint.get(f"{BASE}/statements")
@requires(Permission.PAYMENTS_READ)
def statement_list(cooperative: str) -> Any:
    """The statements that were read, and the form for the next one."""
    return _statements_page(_statement_form())


@blueprint.post(f"{BASE}/statements")
@reads_first
@requires(Permission.PAYMENTS_WRITE)
def read_statement(cooperative: str) -> Any:
    """Read a file: understood first, written then, so that nobody waits for the reading."""
    form = _statement_form()
    if not form.validate():
        return _statements_page(form), 422
    content = form.file.data.read()
    name = form.file.data.filename or ""
    try:
        chosen = form.account.data
        account = (
            accounts.bank_account_by_public_id(db.session(), g.cooperative, chosen)
            if chosen
            else None
        )
        parsed = statements.parse_file(content, account=account)
        begin_writing(db.session)
        if readings.is_large(parsed):
            on_its_way = readings.start_reading(
                db.session(),
                g.actor,
                g.cooperative,
                parsed,
                file_name=name,
                content=content,
                account=account,
                language=current_language(),
            )
            db.session.commit()
            return flask.redirect(here("reading_page", reading=on_its_way.public_id))
        result = statements.store_statements(
            db.session(),
            g.actor,
            g.cooperative,
            parsed,
            file_name=name,
            digest=hashlib.sha256(content).hexdigest(),
        )
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        return _statements_page(form), error.status
    db.session.commit()
    _tell(result)
    return flask.redirect(here("entry_list"))


def _tell(result: statements.ReadingResult) -> None:
    if not result.new:
        flash(_("Everything in this file was read before: nothing was changed."), "info")
        return
    waiting = result.states.get("doubtful", 0) + result.states.get("unmatched", 0)
    flash(
        ngettext("%(num)s new entry was read.", "%(num)s new entries were read.", result.new),
        "good",
    )
    if waiting:
        flash(
            ngettext("%(num)s entry waits for you.", "%(num)s entries wait for you.", waiting),
            "info",
        )


def _statement_form() -> StatementForm:
    form = StatementForm()
    known = accounts.bank_accounts(db.session(), g.cooperative.id)
    form.account.choices = [
        ("", _("As the file says")),
        *(
            (item.public_id, f"{show_iban(item.iban)} – {item.holder}")
            for item in known
            if item.is_open
        ),
    ]
    return form


def _statements_page(form: StatementForm) -> str:
    return render_template(
        "payments/statements.html",
        form=form,
        page=paginate(
            db.session(),
            select(BankStatement)
            .where(BankStatement.cooperative_id == g.cooperative.id)
            .order_by(BankStatement.id.desc()),
            per_page=20,
        ),
        readings=readings.recent_readings(db.session(), g.cooperative.id),
        has_accounts=len(form.account.choices) > 1,
        may_write=g.actor.may(Permission.PAYMENTS_WRITE, g.cooperative.id),
    )


# -- requests -----------------------------------------------------------------------------------


@blueprint.get(f"{BASE}/requests")
@requires(Permission.PAYMENTS_READ)
def request_list(cooperative: str) -> Any:
    """What was asked for, the earliest due first, with a search."""
    asked = request.args.get("state", RequestState.OPEN.value)
    query = request.args.get("q", "")[:200]
    statement = select(PaymentRequest).where(PaymentRequest.cooperative_id == g.cooperative.id)
    if asked in tuple(RequestState):
        statement = statement.where(PaymentRequest.state == asked)
    for word in search_words(query):
        statement = statement.where(PaymentRequest.search_text.contains(word, autoescape=True))
    return render_template(
        "payments/requests.html",
        page=paginate(db.session(), statement.order_by(PaymentRequest.due_on, PaymentRequest.id)),
        names=REQUEST_STATE_NAMES,
        state=asked,
        query=query,
        today=today(),
    )


@blueprint.get(f"{BASE}/requests/<asked>")
@requires(Permission.PAYMENTS_READ)
def request_page(cooperative: str, asked: str) -> Any:
    """One request: how it is to be paid, and what was received."""
    session = db.session()
    found = requests.request_by_public_id(session, g.cooperative, asked)
    has_account = accounts.default_account(session, g.cooperative.id) is not None
    return render_template(
        "payments/request.html",
        asked=found,
        name=REQUEST_STATE_NAMES[RequestState(found.state)],
        instruction=requests.instruction_for(session, found)
        if found.is_open and has_account
        else None,
        matches=session.scalars(
            select(PaymentMatch)
            .where(PaymentMatch.request_id == found.id)
            .order_by(PaymentMatch.id)
        ).all(),
    )


# -- bank accounts ------------------------------------------------------------------------------


@blueprint.route(f"{BASE}/accounts", methods=["GET", "POST"])
@requires(Permission.BANK_ACCOUNTS_MANAGE)
def account_list(cooperative: str) -> Any:
    """The bank accounts, and the form to name one."""
    form = BankAccountForm()
    if request.method == "GET":
        return _accounts_page(form)
    if not form.validate():
        return _accounts_page(form), 422
    try:
        accounts.add_bank_account(
            db.session(),
            g.actor,
            g.cooperative,
            iban=form.iban.data or "",
            bic=form.bic.data or "",
            holder=form.holder.data or "",
        )
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        return _accounts_page(form), error.status
    db.session.commit()
    flash(_("The bank account was named."), "good")
    return flask.redirect(here("account_list"))


@blueprint.post(f"{BASE}/accounts/<account>/default")
@requires(Permission.BANK_ACCOUNTS_MANAGE)
def account_default(cooperative: str, account: str) -> Any:
    """Ask payers to pay on this account."""
    found = accounts.bank_account_by_public_id(db.session(), g.cooperative, account)
    return act(
        lambda: accounts.make_default(db.session(), g.actor, found),
        _("Payers are asked to pay on this account from now on."),
        lambda _nothing: here("account_list"),
    )


@blueprint.route(f"{BASE}/accounts/<account>/close", methods=["GET", "POST"])
@requires(Permission.BANK_ACCOUNTS_MANAGE)
def account_close(cooperative: str, account: str) -> Any:
    """Use an account no more."""
    found = accounts.bank_account_by_public_id(db.session(), g.cooperative, account)
    if request.method == "GET":
        return render_template("payments/close_account.html", account=found)
    return act(
        lambda: accounts.close_account(db.session(), g.actor, found),
        _("The account was closed."),
        lambda _nothing: here("account_list"),
    )


def _accounts_page(form: BankAccountForm) -> str:
    return render_template(
        "payments/accounts.html",
        form=form,
        accounts=accounts.bank_accounts(db.session(), g.cooperative.id),
    )
