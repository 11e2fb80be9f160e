"""What a registrar records about leaving: paper requests, deaths, lost conditions, estates."""

from __future__ import annotations

from typing import Any

from flask import g, request
from flask_babel import gettext as _
from flask_babel import ngettext

from govern.access import Permission, requires
from govern.extensions import db
from govern.i18n import money
from govern.leaving import forms, services
from govern.leaving.models import Departure
from govern.leaving.services.common import rules_for
from govern.leaving.texts import citation_text
from govern.leaving.views.blueprint import (
    METHODS,
    blueprint,
    departure_of,
    eyebrow_of,
    form_page,
    here,
    member_of,
    submit,
    today,
    upload_of,
)
from govern.leaving.views.officers import DEPARTURES, MEMBER
from govern.register.services.holdings import holding_of


def departure_address(departure: Departure) -> str:
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
        departure_address,
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
        departure_address,
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
        departure_address,
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
                )
                if holding.issued
                else _(
                    "%(amount)s of capital belongs to no share any more.",
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
        departure_address,
    )


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
