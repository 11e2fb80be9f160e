"""The public pages behind the link of a transfer: what is offered, the form, and declining."""

from __future__ import annotations

import base64
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _

from govern.access import public, signed_in
from govern.cooperatives.services import rules_on
from govern.errors import GovernError, NotFound, RuleViolation
from govern.extensions import db, limiter
from govern.i18n import speaking
from govern.joining import forms
from govern.joining.rules import ApplicationState
from govern.joining.services import by_transfer
from govern.joining.services.deciding import joining_rules
from govern.joining.services.guards import state_token
from govern.joining.services.statutes import statutes_in_force, text_for
from govern.joining.views.applying import (
    ADDRESS_LIMIT,
    form_page,
    is_sound,
    read_application,
    ready_form,
    wanted_kind,
)
from govern.joining.views.blueprint import blueprint, here, today
from govern.register.models import MemberKind, Membership, TransferRequest, TransferState
from govern.register.services import transfers
from govern.register.services.accounts import is_current
from govern.register.services.rolls import memberships_for_account
from govern.register.texts import CAUSE_NAMES, share_class_name
from govern.sealing import seal, unseal
from govern.submitting import put_error

SEALING_PURPOSE = "invitation"


def _promise(token: str) -> TransferRequest:
    return transfers.invitation_by_token(db.session(), g.cooperative, token)


def _is_invited(row: TransferRequest) -> bool:
    """Whether the link can still be answered."""
    return row.state == TransferState.AWAITING_ADMISSION.value and transfers.is_open(row)


def _in_their_language(row: TransferRequest) -> AbstractContextManager[None]:
    """The language of the mail that led here, unless the visitor has chosen another."""
    if flask.session.get("language") or g.get("account_language"):
        return nullcontext()
    return speaking(row.receiver_language or row.giver.language)


def _facts(row: TransferRequest, token: str) -> dict[str, Any]:
    """What is offered, in words; ``refusal`` says why it cannot be taken at present."""
    session = db.session()
    offer = refusal = None
    try:
        offer = transfers.offer_of(session, row, today())
    except RuleViolation as error:
        refusal = error
    return {
        "transfer": row,
        "token": token,
        "offer": offer,
        "refusal": refusal or by_transfer.why_closed(session, g.cooperative, row),
        "cause": CAUSE_NAMES[row.cause],  # type: ignore[index]
        "share_class": share_class_name(session, g.cooperative.id, row.share_class, today()),
    }


def _own_memberships(row: TransferRequest) -> list[Membership]:
    """With which memberships whoever is signed in could receive the shares."""
    if g.actor.account_id is None:
        return []
    own = memberships_for_account(db.session(), g.actor.account_id, g.cooperative.id)
    return [item for item in own if item.id != row.giver_id and is_current(item, today())]


@blueprint.get("/<cooperative>/join/transfer/<token>")
@public
def invitation(cooperative: str, token: str) -> Any:
    """Who gives what to whoever holds the link, and what they can do about it."""
    row = _promise(token)
    with _in_their_language(row):
        return _invitation_page(row, token)


def _invitation_page(row: TransferRequest, token: str) -> str:
    session = db.session()
    if not _is_invited(row):
        found = by_transfer.application_for(session, row)
        is_there = found is not None and found.forgotten_on is None
        return render_template(
            "joining/invitation_over.html",
            transfer=row,
            state=row.state if not transfers.is_over(row) else TransferState.EXPIRED.value,
            application=here("application", token=state_token(found)) if found and is_there else "",
        )
    statutes = statutes_in_force(session, g.cooperative.id, today())
    return render_template(
        "joining/invitation.html",
        **_facts(row, token),
        own=_own_memberships(row),
        sealed=base64.urlsafe_b64encode(seal(SEALING_PURPOSE, token.encode())).decode(),
        statutes=statutes,
        acceptance=joining_rules(session, g.cooperative).acceptance,
    )


@blueprint.get("/<cooperative>/join/invited/<sealed>")
@signed_in
def invitation_as_member(cooperative: str, sealed: str) -> Any:
    """Back to the page behind the link, now that one has signed in.

    Whoever asks for a sign-in link on the way has the address they go on to stored: it must not
    hold the secret of the link in the open.
    """
    try:
        token = unseal(SEALING_PURPOSE, base64.urlsafe_b64decode(sealed)).decode()
    except (GovernError, ValueError, TypeError) as error:
        raise NotFound(
            _("This link leads nowhere: it is not whole, or what it was about was deleted."),
            remedy=_("Copy the whole link from the mail, or ask whoever wants to give you shares."),
        ) from error
    _promise(token)
    return flask.redirect(here("invitation", token=token))


@blueprint.route("/<cooperative>/join/transfer/<token>/form", methods=["GET", "POST"])
@limiter.limit(ADDRESS_LIMIT, methods=["POST"])
@public
def join_by_transfer(cooperative: str, token: str) -> Any:
    """The form of joining, without an address to confirm and without shares to order."""
    row = _promise(token)
    with _in_their_language(row):
        facts = _facts(row, token)
        if not _is_invited(row) or facts["refusal"] is not None:
            # The page behind the link says why.
            return flask.redirect(here("invitation", token=token))
        return _form(row, facts)


def _form(row: TransferRequest, facts: dict[str, Any]) -> Any:
    session, token = db.session(), facts["token"]
    statutes = statutes_in_force(session, g.cooperative.id, today())
    if statutes is None:
        raise NotFound(
            _("The statutes of this cooperative are not recorded here yet."),
            remedy=_("Write to the cooperative to become a member."),
        )
    _row, rules = rules_on(session, g.cooperative.id, today())
    kind, text = wanted_kind(), text_for(statutes)
    form: Any = forms.OrganisationJoinForm() if kind is MemberKind.LEGAL else forms.PersonJoinForm()
    # The link stands for the address, and the transfer for the shares.
    del form.email, form.shares, form.share_class
    ready_form(form, by_transfer.categories_for(rules, row.share_class), text)
    if request.method == "GET":
        return form_page(form, kind, rules, text, facts)
    if not is_sound(form, rules):
        return form_page(form, kind, rules, text, facts), 422
    try:
        made = by_transfer.apply_by_transfer(
            session, g.cooperative, row, read_application(form, kind)
        )
    except GovernError as error:
        session.rollback()
        if not _is_invited(_promise(token)):
            # Sent twice, or withdrawn meanwhile: the page behind the link says where it stands.
            return flask.redirect(here("invitation", token=token))
        put_error(form, error)
        form.statutes_digest.data = text.digest
        return form_page(form, kind, rules, text, _facts(_promise(token), token)), error.status
    session.commit()
    if made.status is not ApplicationState.ADMITTED:
        flash(_("Your application has arrived."), "good")
    return flask.redirect(here("application", token=state_token(made)))


@blueprint.route("/<cooperative>/join/transfer/<token>/decline", methods=["GET", "POST"])
@limiter.limit(ADDRESS_LIMIT, methods=["POST"])
@public
def decline_invitation(cooperative: str, token: str) -> Any:
    """Decline the shares, after a page that says what that means."""
    row = _promise(token)
    with _in_their_language(row):
        if not _is_invited(row):
            return flask.redirect(here("invitation", token=token))
        if request.method == "GET":
            return render_template("joining/decline_invitation.html", transfer=row, token=token)
        transfers.decline_invitation(db.session(), row)
        db.session.commit()
        return flask.redirect(here("invitation", token=token))


@blueprint.post("/<cooperative>/join/transfer/<token>/member")
@signed_in
def claim_invitation(cooperative: str, token: str) -> Any:
    """Receive the shares as the member that one is already: one confirms on the next page."""
    row, session = _promise(token), db.session()
    wanted = request.form.get("member", "")[:22]
    membership = next((item for item in _own_memberships(row) if item.public_id == wanted), None)
    if membership is None:
        raise NotFound(
            _("This is not one of your memberships."), remedy=_("Choose one from your own page.")
        )
    transfers.claim_invitation(session, g.actor, row, membership)
    session.commit()
    address = flask.url_for(
        "register.own_transfer", cooperative=g.cooperative.code, transfer=row.public_id
    )
    return flask.redirect(address)
