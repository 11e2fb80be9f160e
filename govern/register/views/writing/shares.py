"""A registrar records payments, subscriptions and refunds, and takes entries back."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_babel import gettext as _
from sqlalchemy import select

from govern.access import Permission, requires
from govern.cooperatives.rules import ORDINARY
from govern.errors import NotFound
from govern.extensions import db
from govern.i18n import day as in_words
from govern.i18n import money
from govern.register import forms
from govern.register.models import Membership, ShareEntry
from govern.register.services import ledger
from govern.register.services.certificates import send_certificate
from govern.register.texts import ENTRY_KIND_NAMES
from govern.register.views.blueprint import blueprint, member_of
from govern.register.views.writing.pages import (
    METHODS,
    default_day,
    form_page,
    offer_classes,
    submit,
)


def _certified(membership: Membership, recorded: Any) -> Any:
    """Send the member a certificate of what they hold after what was recorded."""
    send_certificate(db.session(), membership)
    return recorded


def _taken_back(entries: list[ShareEntry]) -> list[ShareEntry]:
    """Send everybody concerned a certificate after an act was taken back."""
    for membership in dict.fromkeys(entry.membership for entry in entries):
        send_certificate(db.session(), membership)
    return entries


@blueprint.route("/<cooperative>/register/members/<member>/payment", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def add_payment(cooperative: str, member: str) -> Any:
    """Record a payment received."""
    membership, form = member_of(member), forms.PaymentForm()
    default_day(form)
    return submit(
        form,
        lambda: form_page(form, _("Record a payment"), _("Record the payment"), membership),
        lambda: _certified(
            membership,
            ledger.record_payment(
                db.session(),
                g.actor,
                membership,
                form.amount.data or 0,
                form.effective_on.data,
                accept_overpayment=form.accept_overpayment.data,
                remark=form.remark.data or "",
            ),
        ),
        _("The payment was recorded."),
        membership,
    )


@blueprint.route("/<cooperative>/register/members/<member>/subscription", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def add_subscription(cooperative: str, member: str) -> Any:
    """Record shares subscribed."""
    membership, form = member_of(member), forms.SharesForm()
    has_classes = offer_classes(form.share_class)
    default_day(form)
    return submit(
        form,
        lambda: form_page(
            form,
            _("Subscribe shares"),
            _("Record the subscription"),
            membership,
            lead=_("Further shares give no further vote. Record the payment when it arrives."),
            shown=("shares", "share_class", "effective_on")
            if has_classes
            else ("shares", "effective_on"),
        ),
        lambda: _certified(
            membership,
            ledger.subscribe_shares(
                db.session(),
                g.actor,
                membership,
                form.shares.data or 0,
                form.effective_on.data,
                share_class=form.share_class.data or ORDINARY,
            ),
        ),
        _("The subscription was recorded."),
        membership,
    )


@blueprint.route("/<cooperative>/register/members/<member>/refund", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def add_refund(cooperative: str, member: str) -> Any:
    """Record shares that were given back, and whose capital was paid out, before."""
    membership, form = member_of(member), forms.RefundForm()
    has_classes = offer_classes(form.share_class)
    default_day(form)
    return submit(
        form,
        lambda: form_page(
            form,
            _("Record shares paid back before"),
            _("Record the refund"),
            membership,
            lead=_(
                "Shares that were given back and paid out before are written into the ledger "
                "only: nothing is scheduled for payment."
            ),
            shown=(
                "shares",
                *(("share_class",) if has_classes else ()),
                "numbers",
                "effective_on",
                "remark",
            ),
        ),
        lambda: _certified(
            membership,
            ledger.refund_shares(
                db.session(),
                g.actor,
                membership,
                form.shares.data or 0,
                form.effective_on.data,
                numbers=form.numbers.data or None,
                share_class=form.share_class.data or None,
                remark=form.remark.data or "",
            ),
        ),
        _("The refund was recorded."),
        membership,
    )


@blueprint.route(
    "/<cooperative>/register/members/<member>/entries/<int:sequence>/reverse", methods=METHODS
)
@requires(Permission.REGISTER_WRITE)
def reverse_entry(cooperative: str, member: str, sequence: int) -> Any:
    """Take back an entry of the ledger that was wrong."""
    membership, form = member_of(member), forms.ReasonForm()
    entry = db.session.scalar(
        select(ShareEntry).where(
            ShareEntry.membership_id == membership.id, ShareEntry.sequence == sequence
        )
    )
    if entry is None:
        raise NotFound(
            _("This member has no such entry."), remedy=_("Choose one on the member’s page.")
        )
    return submit(
        form,
        lambda: form_page(
            form,
            _(
                "Take back entry %(number)s (%(kind)s)",
                number=sequence,
                kind=ENTRY_KIND_NAMES[entry.kind],
            ),
            _("Take the entry back"),
            membership,
            lead=_(
                "Shares: %(shares)s. Capital: %(amount)s. Counts from %(day)s.",
                shares=f"{entry.shares:+d}" if entry.shares else "–",
                amount=money(entry.amount_cents) if entry.amount_cents else "–",
                day=in_words(entry.effective_on),
            ),
            consequences=(
                _("The entry stays in the ledger, and a new one with the opposite sign joins it."),
                _(
                    "Everything recorded together with it is taken back too (both sides of a "
                    "transfer)."
                ),
                _("A roll that was taken already does not change."),
            ),
        ),
        lambda: _taken_back(
            ledger.reverse_act(db.session(), g.actor, entry, form.reason.data or "")
        ),
        _("The entry was taken back."),
        membership,
    )
