"""Payments that go out: released, put into a file for the bank, followed."""

from __future__ import annotations

from typing import Any

import flask
from flask import Response, flash, g, render_template, request
from flask_babel import gettext as _
from sqlalchemy import func, select

from govern.access import Permission, requires
from govern.errors import GovernError
from govern.extensions import db
from govern.paging import paginate
from govern.payments.forms import BatchForm
from govern.payments.models import BatchState, OutgoingPayment, OutgoingState, PaymentBatch
from govern.payments.rules.bank import show_iban
from govern.payments.services import accounts, batches, outgoing
from govern.payments.texts import BATCH_STATE_NAMES, OUTGOING_STATE_NAMES
from govern.payments.views.blueprint import blueprint, here, today, with_reason
from govern.payments.views.entries import BASE
from govern.submitting import act, put_error

MOST = 500


@blueprint.get(f"{BASE}/outgoing")
@requires(Permission.PAYMENTS_READ)
def outgoing_list(cooperative: str) -> Any:
    """The payments in one state, the earliest due first."""
    session = db.session()
    counted = session.execute(
        select(OutgoingPayment.state, func.count())
        .where(OutgoingPayment.cooperative_id == g.cooperative.id)
        .group_by(OutgoingPayment.state)
    )
    counts: dict[str, int] = {state: count for state, count in counted}  # noqa: C416
    asked = request.args.get("list", "")
    # What somebody has to do something about comes first.
    current = (
        OutgoingState.PLANNED,
        OutgoingState.RELEASED,
        OutgoingState.IN_BATCH,
        OutgoingState.SENT,
    )
    state = (
        OutgoingState(asked)
        if asked in tuple(OutgoingState)
        else next((one for one in current if counts.get(one.value)), OutgoingState.PLANNED)
    )
    statement = (
        select(OutgoingPayment)
        .where(
            OutgoingPayment.cooperative_id == g.cooperative.id,
            OutgoingPayment.state == state.value,
        )
        .order_by(OutgoingPayment.due_on, OutgoingPayment.id)
    )
    return render_template(
        "payments/outgoing.html",
        page=paginate(session, statement),
        state=state.value,
        states=[(one.value, OUTGOING_STATE_NAMES[one], counts.get(one.value, 0))
                for one in OutgoingState],
        waiting=batches.waiting_batch(session, g.cooperative),
        may_release=g.actor.may(Permission.PAYMENTS_RELEASE, g.cooperative.id),
        has_released=bool(counts.get(OutgoingState.RELEASED.value)),
    )  # fmt: skip


@blueprint.post(f"{BASE}/outgoing/<payment>/release")
@requires(Permission.PAYMENTS_RELEASE)
def release(cooperative: str, payment: str) -> Any:
    """Let a payment go into the next file."""
    found = outgoing.outgoing_by_public_id(db.session(), g.cooperative, payment)
    return act(
        lambda: outgoing.release_outgoing(db.session(), g.actor, found),
        _("The payment was released."),
        lambda _nothing: here("outgoing_list", list="planned"),
    )


@blueprint.post(f"{BASE}/outgoing/<payment>/hold")
@requires(Permission.PAYMENTS_RELEASE)
def hold(cooperative: str, payment: str) -> Any:
    """Take the release back."""
    found = outgoing.outgoing_by_public_id(db.session(), g.cooperative, payment)
    return act(
        lambda: outgoing.hold_outgoing(db.session(), g.actor, found),
        _("The release was taken back."),
        lambda _nothing: here("outgoing_list", list="released"),
    )


@blueprint.route(f"{BASE}/outgoing/<payment>/cancel", methods=["GET", "POST"])
@requires(Permission.PAYMENTS_RELEASE)
def cancel_payment(cooperative: str, payment: str) -> Any:
    """Call a payment off."""
    found = outgoing.outgoing_by_public_id(db.session(), g.cooperative, payment)
    return with_reason(
        lambda reason: outgoing.cancel_outgoing(db.session(), g.actor, found, reason=reason),
        title=_("Cancel the payment to %(name)s", name=found.payee_name),
        consequences=(
            _("Nothing is paid. What it was for can be planned again."),
            _("An over-payment that it gives back waits for a person again."),
        ),
        action=_("Cancel the payment"),
        done=_("The payment was cancelled."),
        back=here("outgoing_list"),
    )


# -- payment files ------------------------------------------------------------------------------


@blueprint.get(f"{BASE}/files")
@requires(Permission.PAYMENTS_READ)
def batch_list(cooperative: str) -> Any:
    """The payment files, the newest first."""
    return render_template(
        "payments/batches.html",
        page=paginate(
            db.session(),
            select(PaymentBatch)
            .where(PaymentBatch.cooperative_id == g.cooperative.id)
            .order_by(PaymentBatch.id.desc()),
            per_page=20,
        ),
        names={state.value: name for state, name in BATCH_STATE_NAMES.items()},
        may_release=g.actor.may(Permission.PAYMENTS_RELEASE, g.cooperative.id),
    )


@blueprint.route(f"{BASE}/files/new", methods=["GET", "POST"])
@requires(Permission.PAYMENTS_RELEASE)
def new_batch(cooperative: str) -> Any:
    """Put released payments into a file."""
    session = db.session()
    form = BatchForm()
    known = [item for item in accounts.bank_accounts(session, g.cooperative.id) if item.is_open]
    form.account.choices = [
        (item.public_id, f"{show_iban(item.iban)} – {item.holder}") for item in known
    ]
    if request.method == "GET":
        form.execute_on.data = today()
        return _new_batch_page(form)
    chosen = set(request.form.getlist("payment"))
    if not form.validate():
        return _new_batch_page(form, chosen), 422
    try:
        account = accounts.bank_account_by_public_id(session, g.cooperative, form.account.data)
        payments = [
            outgoing.outgoing_by_public_id(session, g.cooperative, public_id[:22])
            for public_id in sorted(chosen)
        ]
        batch = batches.make_batch(session, g.actor, account, payments, form.execute_on.data)
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        return _new_batch_page(form, chosen), error.status
    db.session.commit()
    flash(_("The payment file was made. Hand it to the bank now."), "good")
    return flask.redirect(here("batch_page", batch=batch.public_id))


def _new_batch_page(form: BatchForm, chosen: set[str] | None = None) -> str:
    session = db.session()
    released = session.scalars(
        select(OutgoingPayment)
        .where(
            OutgoingPayment.cooperative_id == g.cooperative.id,
            OutgoingPayment.state == OutgoingState.RELEASED.value,
        )
        .order_by(OutgoingPayment.due_on, OutgoingPayment.id)
        .limit(MOST)
    ).all()
    return render_template(
        "payments/new_batch.html",
        form=form,
        released=released,
        chosen=chosen
        if chosen is not None
        else {item.public_id for item in released if item.due_on <= today()},
        waiting=batches.waiting_batch(session, g.cooperative),
    )


@blueprint.get(f"{BASE}/files/<batch>")
@requires(Permission.PAYMENTS_READ)
def batch_page(cooperative: str, batch: str) -> Any:
    """One payment file and where its payments stand."""
    found = batches.batch_by_public_id(db.session(), g.cooperative, batch)
    return render_template(
        "payments/batch.html",
        batch=found,
        name=BATCH_STATE_NAMES[BatchState(found.state)],
        states={state.value: name for state, name in OUTGOING_STATE_NAMES.items()},
        may_release=g.actor.may(Permission.PAYMENTS_RELEASE, g.cooperative.id),
    )


@blueprint.get(f"{BASE}/files/<batch>/pain.xml")
@requires(Permission.PAYMENTS_RELEASE)
def batch_file(cooperative: str, batch: str) -> Any:
    """The file itself: byte for byte what was made. A cancelled one is not given out."""
    found = batches.batch_for_download(db.session(), g.actor, g.cooperative, batch)
    response = Response(found.xml.encode(), mimetype="application/xml")
    response.headers.set("Content-Disposition", "attachment", filename=f"{found.message_id}.xml")
    return response


@blueprint.post(f"{BASE}/files/<batch>/sent")
@requires(Permission.PAYMENTS_RELEASE)
def batch_sent(cooperative: str, batch: str) -> Any:
    """Say that the bank has the file."""
    found = batches.batch_by_public_id(db.session(), g.cooperative, batch)
    return act(
        lambda: batches.mark_batch_sent(db.session(), g.actor, found),
        _("The payments are at the bank. The next statements show when they left."),
        lambda _nothing: here("batch_page", batch=batch),
    )


@blueprint.route(f"{BASE}/files/<batch>/cancel", methods=["GET", "POST"])
@requires(Permission.PAYMENTS_RELEASE)
def batch_cancel(cooperative: str, batch: str) -> Any:
    """Cancel a file that never reached the bank, or that it refused."""
    found = batches.batch_by_public_id(db.session(), g.cooperative, batch)
    return with_reason(
        lambda reason: batches.cancel_batch(db.session(), g.actor, found, reason),
        title=_("Cancel the payment file"),
        consequences=(
            _("Its payments are released again and can go into another file."),
            _("Do this only if the bank does not have the file or has refused it: "
              "otherwise they would be paid twice."),
        ),
        action=_("Cancel the payment file"),
        done=_("The payment file was cancelled."),
        back=here("batch_page", batch=batch),
    )  # fmt: skip
