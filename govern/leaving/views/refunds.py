"""The treasurer's pages: what is owed, the board's tests, instalments, release in batches."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext

from govern.access import Permission, requires
from govern.errors import GovernError, NotFound
from govern.extensions import db
from govern.i18n import day as in_words
from govern.i18n import money
from govern.leaving import forms, services
from govern.leaving.models import BoardTest, Refund
from govern.leaving.rules.board import TestKind
from govern.leaving.rules.states import RefundState
from govern.leaving.services.board import facts_of_tests
from govern.leaving.services.hindering import outlook_of, treasurers_of
from govern.leaving.texts import TEST_NAMES, coverage_text
from govern.leaving.views.blueprint import (
    METHODS,
    Words,
    ask_and_do,
    ask_for_account,
    blueprint,
    download,
    here,
    shared_words,
    today,
    typed,
    upload_of,
)
from govern.paging import paginate
from govern.register.models import EndReason

REFUNDS = "/<cooperative>/register/refunds"
TESTS = "/<cooperative>/register/board-tests"


def _refund(public_id: str) -> Refund:
    return services.refund_by_public_id(db.session(), g.cooperative, public_id)


@blueprint.get(REFUNDS)
@requires(Permission.PAYMENTS_READ)
def refund_list(cooperative: str) -> Any:
    """What is owed, by due date, with totals; ticked refunds are released together."""
    state = request.args.get("state", "")
    page = paginate(db.session(), services.find_refunds(g.cooperative, state=state), per_page=100)
    return render_template(
        "leaving/refunds.html",
        page=page,
        state=state,
        totals=services.refund_totals(db.session(), g.cooperative),
        coverages=services.coverages(db.session(), g.cooperative, 1),
        coverage_text=coverage_text,
        may_release=g.actor.may(Permission.PAYMENTS_RELEASE, g.cooperative.id),
        may_write=g.actor.may(Permission.PAYMENTS_WRITE, g.cooperative.id),
        may_open=g.actor.may(Permission.REGISTER_WRITE, g.cooperative.id),
        treasurers=treasurers_of(db.session(), g.cooperative),
        today=today(),
        states=RefundState,
        **shared_words(),
    )


@blueprint.route(REFUNDS + "/release", methods=METHODS)
@requires(Permission.PAYMENTS_RELEASE)
def release(cooperative: str) -> Any:
    """What releasing the ticked refunds means, and the button."""
    ticked = request.values.getlist("refund")
    if not ticked and request.method == "GET":
        flash(_("Tick the refunds in the list."), "warn")
        return flask.redirect(here("refund_list"))
    chosen = services.chosen_refunds(db.session(), g.cooperative, ticked)
    error: GovernError | None = None
    if request.method == "POST":
        try:
            payments = services.release_refunds(db.session(), g.actor, g.cooperative, chosen)
            count, total = len(payments), sum(payment.amount_cents for payment in payments)
            db.session.commit()
            flash(
                ngettext(
                    "%(num)s payment of %(total)s is released: put it into a file for the bank.",
                    "%(num)s payments of %(total)s together are released: put them into a file "
                    "for the bank.",
                    count,
                    total=money(total),
                ),
                "good",
            )
            # Where the file is made: until then nobody is paid.
            return flask.redirect(
                flask.url_for(
                    "payments.outgoing_list", cooperative=g.cooperative.code, list="released"
                )
            )
        except GovernError as refused:
            db.session.rollback()
            error = refused
            chosen = services.chosen_refunds(db.session(), g.cooperative, ticked)
    total = sum(refund.amount_cents for refund in chosen)
    given = services.coverages(db.session(), g.cooperative, total)
    page = render_template(
        "leaving/release.html",
        chosen=chosen,
        total=total,
        coverages=given,
        coverage_text=coverage_text,
        is_covered=all(coverage.is_given for coverage in given),
        error=error,
        **shared_words(),
    )
    return page, (error.status if error else 200)


@blueprint.get(REFUNDS + "/<refund>")
@requires(Permission.PAYMENTS_READ)
def refund_page(cooperative: str, refund: str) -> Any:
    """One refund: what is owed to whom, since when, and what may be done."""
    found = _refund(refund)
    return render_template(
        "leaving/refund.html",
        refund=found,
        membership=found.membership,
        outlook=outlook_of(db.session(), g.actor, found, today()),
        may_write=g.actor.may(Permission.PAYMENTS_WRITE, g.cooperative.id),
        may_release=g.actor.may(Permission.PAYMENTS_RELEASE, g.cooperative.id),
        may_open=g.actor.may(Permission.REGISTER_WRITE, g.cooperative.id),
        **shared_words(),
    )


@blueprint.route(REFUNDS + "/<refund>/account", methods=METHODS)
@requires(Permission.PAYMENTS_WRITE)
def refund_account(cooperative: str, refund: str) -> Any:
    """Correct the account, as the owner has given it."""
    return ask_for_account(_refund(refund).departure, here("refund_page", refund=refund))


@blueprint.route(REFUNDS + "/<refund>/split", methods=METHODS)
@requires(Permission.PAYMENTS_WRITE)
def split(cooperative: str, refund: str) -> Any:
    """Pay in instalments, or on another day."""
    found, form = _refund(refund), forms.SplitForm()
    if request.method == "GET":
        form.first_due_on.data = found.due_on
    return ask_and_do(
        found.membership,
        form,
        Words(
            _("Due date and instalments"),
            _("Save the schedule"),
            _("The schedule is saved."),
            [
                _(
                    "%(amount)s is to be paid back by %(day)s at the latest.",
                    amount=money(found.amount_cents),
                    day=in_words(found.repay_by),
                ),
            ],
        ),
        lambda: services.split_refund(db.session(), g.actor, found, **typed(form)),
        back=here("refund_page", refund=refund),
        then=lambda _made: here("refund_list"),
    )


@blueprint.route(REFUNDS + "/<refund>/postpone", methods=METHODS)
@requires(Permission.PAYMENTS_WRITE)
def postpone(cooperative: str, refund: str) -> Any:
    """Put a refund off, with a reason."""
    found, form = _refund(refund), forms.PostponeForm()
    return ask_and_do(
        found.membership,
        form,
        Words(
            _("Put the payment off"),
            _("Put it off"),
            _("The payment is put off."),
            [
                _("The claim remains. Nothing is sent to the dead: tell the estate.")
                if found.membership.end_reason == EndReason.DEATH.value
                else _("The claim remains; the member is told, with the reason."),
                _("Nothing can be released until it is taken up again."),
            ],
        ),
        lambda: services.postpone_refund(db.session(), g.actor, found, **typed(form)),
        back=here("refund_page", refund=refund),
    )


@blueprint.post(REFUNDS + "/<refund>/resume")
@requires(Permission.PAYMENTS_WRITE)
def resume(cooperative: str, refund: str) -> Any:
    """Take a refund up again that was put off."""
    services.resume_refund(db.session(), g.actor, _refund(refund))
    db.session.commit()
    flash(_("The refund waits for its payment again."), "good")
    return flask.redirect(here("refund_page", refund=refund))


# -- the board's tests --------------------------------------------------------------------------


@blueprint.get(TESTS)
@requires(Permission.PAYMENTS_READ)
def test_list(cooperative: str) -> Any:
    """The tests that the board has made, newest first, and what they cover now."""
    page = paginate(db.session(), services.list_tests(db.session(), g.cooperative.id), per_page=50)
    facts = {fact.id: fact for fact in facts_of_tests(db.session(), g.cooperative.id)}
    return render_template(
        "leaving/board_tests.html",
        page=page,
        facts=facts,
        names=TEST_NAMES,
        coverages=services.coverages(db.session(), g.cooperative, 1),
        coverage_text=coverage_text,
        may_write=g.actor.may(Permission.PAYMENTS_WRITE, g.cooperative.id),
        **shared_words(),
    )


@blueprint.route(TESTS + "/new", methods=METHODS)
@requires(Permission.PAYMENTS_WRITE)
def add_test(cooperative: str) -> Any:
    """Record a test that the board has made."""
    form = forms.BoardTestForm()
    if request.method == "GET":
        form.decided_on.data = today()
    return ask_and_do(
        None,
        form,
        Words(
            _("Record a test of the board"),
            _("Record the test"),
            _("The test is recorded."),
            [
                _("It is never changed afterwards: the newest test of a kind decides."),
                _("No refund is released unless both tests cover its sum and its day."),
            ],
        ),
        lambda: services.record_test(
            db.session(),
            g.actor,
            g.cooperative,
            kind=TestKind(form.kind.data),
            decided_on=form.decided_on.data,
            passed=form.passed.data,
            valid_until=form.valid_until.data,
            up_to_cents=form.up_to.data or 0,
            figure_cents=form.figure.data,
            text=form.text.data or "",
            document=upload_of(form.document),
        ),
        back=here("test_list"),
    )


@blueprint.get(TESTS + "/<test>/paper")
@requires(Permission.PAYMENTS_READ)
def test_paper(cooperative: str, test: str) -> Any:
    """The report or minutes of a test."""
    for row in db.session.scalars(
        services.list_tests(db.session(), g.cooperative.id).where(BoardTest.public_id == test)
    ):
        if row.document is not None:
            return download(row.document)
    raise NotFound(_("There is no such paper."), remedy=_("Choose one from the page."))
