"""Transfers: proposed and answered by members, recorded and helped along by registrars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from govern.access import Permission, requires, signed_in
from govern.cooperatives.rules import ORDINARY
from govern.errors import GovernError, InvalidInput, NotFound
from govern.extensions import db, limiter
from govern.paging import PER_PAGE, paginate, requested_page
from govern.register import forms
from govern.register.hooks import transfer_links
from govern.register.models import Membership, TransferRequest, TransferState
from govern.register.rules.transfers import OPEN, TIMED
from govern.register.services import ledger, members, transfers
from govern.register.services.certificates import send_certificate
from govern.register.services.rolls import memberships_for_account
from govern.register.services.transfers import Proposal
from govern.register.texts import CAUSE_NAMES, TRANSFER_STATE_NAMES, share_class_name
from govern.register.views.blueprint import blueprint, here, member_of, today
from govern.register.views.own import own_membership
from govern.register.views.writing import METHODS, default_day, form_page, offer_classes, submit
from govern.submitting import put_error

PROPOSALS = "10 per hour; 30 per day"
"""A proposal may send a mail to an address that its writer chose."""

TONES = {
    TransferState.PROPOSED: "info",
    TransferState.AWAITING_ADMISSION: "info",
    TransferState.AWAITING_ACCEPTANCE: "info",
    TransferState.COMPLETED: "good",
    TransferState.DECLINED: "warn",
    TransferState.REFUSED: "warn",
    TransferState.WITHDRAWN: "neutral",
    TransferState.EXPIRED: "neutral",
}


def _words(row: TransferRequest) -> dict[str, Any]:
    """What the pages of a transfer name things with."""
    return {
        "transfer": row,
        "cause": CAUSE_NAMES[row.cause],  # type: ignore[index]
        "states": TRANSFER_STATE_NAMES,
        "tones": TONES,
        "share_class": share_class_name(db.session(), g.cooperative.id, row.share_class, today()),
        "is_open": transfers.is_open(row),
        "is_timed": row.state in TIMED,
    }


# -- members ----------------------------------------------------------------------------------


@blueprint.route("/<cooperative>/me/<member>/transfers/new", methods=METHODS)
@limiter.limit(PROPOSALS, methods=["POST"])
@signed_in
def propose_transfer(cooperative: str, member: str) -> Any:
    """Propose shares of one's own to somebody."""
    giver, form = own_membership(member), forms.ProposalForm()
    if request.method == "GET":
        form.receiver_language.data = giver.language
    has_classes = offer_classes(form.share_class)
    status = 200
    if request.method == "POST" and form.validate():
        try:
            made = transfers.propose_transfer(
                db.session(),
                g.actor,
                giver,
                Proposal(
                    shares=form.shares.data or 0,
                    cause=form.cause.data,
                    receiver_number=form.receiver_number.data or "",
                    receiver_name=form.receiver_name.data or "",
                    receiver_email=form.receiver_email.data or "",
                    receiver_language=form.receiver_language.data or "",
                    effective_on=form.effective_on.data,
                    share_class=form.share_class.data or ORDINARY,
                    numbers=form.numbers.data or "",
                ),
            )
        except GovernError as error:
            db.session.rollback()
            put_error(form, error)
            status = error.status
        else:
            db.session.commit()
            flash(
                _("The transfer was proposed. Nothing moves until the receiver confirms."), "good"
            )
            return flask.redirect(here("own_transfer", transfer=made.public_id))
    elif request.method == "POST":
        status = 422
    page = render_template(
        "register/transfer_new.html",
        form=form,
        giver=giver,
        shown=[
            name
            for name in (
                "shares",
                "share_class",
                "cause",
                "receiver",
                "numbers",
                "effective_on",
            )
            if has_classes or name != "share_class"
        ],
    )
    return page, status


def _own_transfer(public_id: str) -> tuple[TransferRequest, list[Membership]]:
    """The request and one's own memberships; NotFound for whoever is no party to it."""
    row = transfers.transfer_by_public_id(db.session(), g.cooperative, public_id)
    own = memberships_for_account(db.session(), g.actor.account_id, g.cooperative.id)
    if not any(item.id in (row.giver_id, row.receiver_id) for item in own):
        raise NotFound(_("There is no such transfer."), remedy=_("Look at your own page."))
    return row, own


@blueprint.get("/<cooperative>/me/transfers/<transfer>")
@signed_in
def own_transfer(cooperative: str, transfer: str) -> Any:
    """A transfer that one gives or receives, and what one may do about it."""
    row, own = _own_transfer(transfer)
    ids = {item.id for item in own}
    return render_template(
        "register/transfer_own.html",
        **_words(row),
        gives=row.giver_id in ids,
        receives=row.receiver_id in ids,
    )


@blueprint.post("/<cooperative>/me/transfers/<transfer>")
@signed_in
def answer_transfer(cooperative: str, transfer: str) -> Any:
    """Confirm, decline or withdraw a transfer."""
    row, _own = _own_transfer(transfer)
    return _answer(row, here("own_transfer", transfer=transfer))


ANSWERS: dict[str, Callable[..., Any]] = {
    "confirm": transfers.confirm_transfer,
    "decline": transfers.decline_transfer,
    "withdraw": transfers.withdraw_transfer,
}


def _answer(row: TransferRequest, target: str) -> Any:
    answer = ANSWERS.get(request.form.get("answer", ""))
    if answer is None:
        raise InvalidInput(
            _("It is not clear what you want to do."), remedy=_("Use one of the buttons.")
        )
    said = {
        "confirm": _("The shares were transferred. Both members get a certificate."),
        "decline": _("The transfer was declined."),
        "withdraw": _("The transfer was withdrawn."),
    }[request.form["answer"]]
    try:
        answer(db.session(), g.actor, row)
    except GovernError as error:
        db.session.rollback()
        flash(f"{error.message} {error.remedy}", "bad")
    else:
        db.session.commit()
        flash(said, "good")
    return flask.redirect(target, 303)


# -- registrars -------------------------------------------------------------------------------


@blueprint.get("/<cooperative>/register/transfers")
@requires(Permission.REGISTER_READ)
def transfer_list(cooperative: str) -> Any:
    """The transfers that members propose, open ones first."""
    query = (
        select(TransferRequest)
        .where(TransferRequest.cooperative_id == g.cooperative.id)
        .order_by(TransferRequest.state.not_in(sorted(OPEN)), TransferRequest.id.desc())
    )
    return render_template(
        "register/transfers.html",
        page=paginate(db.session(), query, requested_page(), PER_PAGE),
        states=TRANSFER_STATE_NAMES,
        causes=CAUSE_NAMES,
        tones=TONES,
    )


@blueprint.get("/<cooperative>/register/transfers/<transfer>")
@requires(Permission.REGISTER_READ)
def transfer_page(cooperative: str, transfer: str) -> Any:
    """One transfer, with what a registrar may do about it."""
    return _transfer_page(transfer, forms.ReceiverForm())


def _transfer_page(transfer: str, form: forms.ReceiverForm) -> str:
    row = transfers.transfer_by_public_id(db.session(), g.cooperative, transfer)
    return render_template(
        "register/transfer.html",
        **_words(row),
        form=form,
        links=[link for offer in transfer_links for link in offer(db.session(), g.actor, row)],
        may_write=g.actor.may(Permission.REGISTER_WRITE, g.cooperative.id),
    )


@blueprint.post("/<cooperative>/register/transfers/<transfer>/answer")
@requires(Permission.REGISTER_WRITE)
def settle_transfer(cooperative: str, transfer: str) -> Any:
    """Confirm on a signed paper, decline or withdraw for the members."""
    row = transfers.transfer_by_public_id(db.session(), g.cooperative, transfer)
    return _answer(row, here("transfer_page", transfer=transfer))


@blueprint.post("/<cooperative>/register/transfers/<transfer>/receiver")
@requires(Permission.REGISTER_WRITE)
def name_transfer_receiver(cooperative: str, transfer: str) -> Any:
    """Say which new member the shares are for."""
    form = forms.ReceiverForm()
    row = transfers.transfer_by_public_id(db.session(), g.cooperative, transfer)
    if not form.validate():
        return _transfer_page(transfer, form), 422
    try:
        transfers.name_receiver(db.session(), g.actor, row, _receiver(form.receiver.data))
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        return _transfer_page(transfer, form), error.status
    db.session.commit()
    flash(_("The receiver was named and asked to confirm."), "good")
    return flask.redirect(here("transfer_page", transfer=transfer), 303)


def _receiver(number: str) -> Membership:
    found = members.membership_by_number(db.session(), g.cooperative.id, number)
    if found is None:
        raise InvalidInput(
            _("Nobody has the member number “%(number)s”.", number=number[:40]),
            remedy=_("Look the number up in the member list."),
            field="receiver",
        )
    return found


@blueprint.route("/<cooperative>/register/members/<member>/transfer", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def add_transfer(cooperative: str, member: str) -> Any:
    """Record on paper what both members have signed, a gift or a succession."""
    membership, form = member_of(member), forms.TransferForm()
    has_classes = offer_classes(form.share_class)
    default_day(form)
    return submit(
        form,
        lambda: form_page(
            form,
            _("Transfer shares"),
            _("Record the transfer"),
            membership,
            lead=_(
                "For an act on paper that both have signed, or a succession. The capital paid on "
                "the shares goes with them; both members get a certificate."
            ),
            shown=(
                "shares",
                *(("share_class",) if has_classes else ()),
                "receiver",
                "cause",
                "numbers",
                "effective_on",
                "remark",
            ),
        ),
        lambda: transfers.complete_transfer(
            db.session(),
            g.actor,
            membership,
            _receiver(form.receiver.data),
            form.shares.data or 0,
            form.effective_on.data,
            cause=form.cause.data or "",
            numbers=form.numbers.data or "",
            share_class=form.share_class.data or None,
            remark=form.remark.data or "",
        ),
        _("The transfer was recorded for both members."),
        membership,
    )


@blueprint.route("/<cooperative>/register/members/<member>/conversion", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def convert_shares(cooperative: str, member: str) -> Any:
    """Change shares of one class for shares of another."""
    membership, form = member_of(member), forms.ConversionForm()
    offer_classes(form.share_class)
    offer_classes(form.to_class, chosen="")
    default_day(form)

    def convert() -> Any:
        entries = ledger.convert_shares(
            db.session(),
            g.actor,
            membership,
            form.shares.data or 0,
            form.to_class.data,
            form.effective_on.data,
            from_class=form.share_class.data,
            numbers=form.numbers.data or None,
            remark=form.remark.data or "",
        )
        send_certificate(db.session(), membership)
        return entries

    return submit(
        form,
        lambda: form_page(
            form,
            _("Change the class of shares"),
            _("Record the change"),
            membership,
            lead=_(
                "Shares of the same total value take their place, under new numbers. The capital "
                "paid goes along."
            ),
        ),
        convert,
        _("The change was recorded."),
        membership,
    )
