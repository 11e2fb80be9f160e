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
from govern.leaving.services.common import rules_for
from govern.leaving.services.recording import record_past_ending
from govern.leaving.texts import period_text, rules_text
from govern.leaving.views.blueprint import (
    METHODS,
    Words,
    ask_and_do,
    blueprint,
    departure_address,
    departure_of,
    here,
    member_of,
    today,
    typed,
)
from govern.leaving.views.officers import DEPARTURES, MEMBER
from govern.register.models import Membership
from govern.register.services.holdings import holding_of


def what_is_owed(membership: Membership) -> str:
    """What leaves the ledger when the membership ends, and what is owed for it."""
    holding = holding_of(db.session(), membership.id)
    if not holding.issued and not holding.paid_cents:
        return _("No share is held, so nothing is owed.")
    if not holding.issued:
        return _(
            "%(amount)s of capital belongs to no share any more.", amount=money(holding.paid_cents)
        )
    return ngettext(
        "%(num)s share leaves the ledger as of that day, and %(amount)s is owed.",
        "%(num)s shares leave the ledger as of that day, and %(amount)s is owed.",
        holding.issued,
        amount=money(holding.paid_cents),
    )


def ending_can_be_taken_back() -> str:
    """What is to be done where a membership was ended by mistake."""
    return _(
        "If it turns out to be wrong, the ending and the entries of the shares can be taken back "
        "on the member’s page, each with a reason."
    )


def entry_can_be_reversed() -> str:
    """What can be undone where only shares leave the ledger."""
    return _("The entry can be taken back in the ledger until the money is on its way.")


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
    return ask_and_do(
        membership,
        form,
        Words(
            _("Record a request on paper"),
            _("Record the request"),
            _("The request is recorded."),
            [
                _("It counts from the day of its receipt, if that lies within the period."),
                *period_text(rules, today()),
                _("The member is told what happens when, by mail or by letter."),
                *rules_text(rules),
            ],
        ),
        lambda: services.record_paper_request(db.session(), g.actor, membership, **typed(form)),
        back=here("member_leaving", member=member),
        then=departure_address,
    )


@blueprint.route(MEMBER + "/death", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def death(cooperative: str, member: str) -> Any:
    """Record a death."""
    membership, form = member_of(member), forms.DeathForm()
    return ask_and_do(
        membership,
        form,
        Words(
            _("Record a death"),
            _("Record the death"),
            _("The death is recorded and the membership has ended."),
            [
                _("The membership ends on that day; whatever else was under way is superseded."),
                _("Nothing is sent to the member’s address."),
                _(
                    "The shares stay in the ledger until their value is owed to the estate, or "
                    "they pass to heirs who are members: that is the next page."
                ),
                _("Make sure that it is this member who has died."),
                ending_can_be_taken_back(),
            ],
            kind="danger",
        ),
        lambda: services.record_death(db.session(), g.actor, membership, **typed(form)),
        back=here("member_leaving", member=member),
        then=departure_address,
    )


@blueprint.route(MEMBER + "/loss", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def loss(cooperative: str, member: str) -> Any:
    """Record that the member no longer meets the conditions."""
    membership, form = member_of(member), forms.LossForm()
    return ask_and_do(
        membership,
        form,
        Words(
            _("Record that conditions are no longer met"),
            _("End the membership"),
            _("The membership has ended."),
            [
                _("The membership ends on that day; whatever else was under way is superseded."),
                what_is_owed(membership),
                _("The member is told, with the reason."),
                ending_can_be_taken_back(),
            ],
            kind="danger",
        ),
        lambda: services.record_loss_of_status(db.session(), g.actor, membership, **typed(form)),
        back=here("member_leaving", member=member),
        then=departure_address,
    )


@blueprint.route(MEMBER + "/past", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def past_ending(cooperative: str, member: str) -> Any:
    """Write down an ending that came about before or outside of the register."""
    membership, form = member_of(member), forms.PastEndingForm()
    if request.method == "GET":
        form.holder.data = membership.display_name[:70]
    if not holding_of(db.session(), membership.id).paid_cents:
        del form.is_paid_back, form.holder, form.iban
    return ask_and_do(
        membership,
        form,
        Words(
            _("Record an ending of the past"),
            _("End the membership"),
            _("The membership has ended."),
            [
                _(
                    "Only for what happened before this register or outside of it: no rule is "
                    "checked. Whoever leaves now has a request, a death or an exclusion recorded."
                ),
                what_is_owed(membership),
                _(
                    "Whoever is owed something is told by mail. If the value was paid back "
                    "already, say so below: then nothing is owed and nobody is written to."
                ),
                ending_can_be_taken_back(),
            ],
            kind="danger",
        ),
        lambda: record_past_ending(db.session(), g.actor, membership, **typed(form)),
        back=here("member_leaving", member=member),
        then=lambda made: (
            departure_address(made) if made is not None else here("member_leaving", member=member)
        ),
    )


@blueprint.route(MEMBER + "/former", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def former(cooperative: str, member: str) -> Any:
    """Owe the value of shares that are left of an ended membership."""
    membership, form = member_of(member), forms.FormerForm()
    if request.method == "GET":
        form.owed_since.data = membership.ended_on
        form.holder.data = membership.display_name[:70]
    return ask_and_do(
        membership,
        form,
        Words(
            _("Pay back the shares of a former member"),
            _("Cancel the shares"),
            _("What is owed is among the refunds now."),
            [
                what_is_owed(membership),
                _("What is owed appears among the refunds with its due date."),
                entry_can_be_reversed(),
            ],
            kind="danger",
        ),
        lambda: services.owe_former_member(db.session(), g.actor, membership, **typed(form)),
        back=here("member_leaving", member=member),
        then=departure_address,
    )


@blueprint.route(DEPARTURES + "/<departure>/estate", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def estate(cooperative: str, departure: str) -> Any:
    """Owe the value of the shares to the estate."""
    found, form = departure_of(departure), forms.EstateForm()
    holding = holding_of(db.session(), found.membership_id)
    return ask_and_do(
        found.membership,
        form,
        Words(
            _("Owe the value to the estate"),
            _("Cancel the shares"),
            _("The value is owed to the estate."),
            [
                ngettext(
                    "%(num)s share leaves the ledger as of the day of the death, and %(amount)s "
                    "is owed.",
                    "%(num)s shares leave the ledger as of the day of the death, and %(amount)s "
                    "is owed.",
                    holding.issued,
                    amount=money(holding.paid_cents),
                ),
                _("Shares that are to pass to an heir must be passed on before."),
                entry_can_be_reversed(),
            ],
            kind="danger",
        ),
        lambda: services.settle_estate(db.session(), g.actor, found, **typed(form)),
        back=departure_address(found),
    )


@blueprint.route(DEPARTURES + "/<departure>/succession", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def succession(cooperative: str, departure: str) -> Any:
    """Let shares of the deceased pass to an heir who is a member."""
    found, form = departure_of(departure), forms.SuccessionForm()
    if request.method == "GET":
        form.effective_on.data = found.effective_on
        form.shares.data = holding_of(db.session(), found.membership_id).issued
    return ask_and_do(
        found.membership,
        form,
        Words(
            _("Pass shares on to an heir"),
            _("Pass them on"),
            _("The shares have passed to the heir."),
            [
                _("The shares keep their numbers; the ledger says that they came by succession."),
                _("The heir must be a member on that day: admit them first."),
            ],
        ),
        lambda: services.pass_on_shares(db.session(), g.actor, found, **typed(form)),
        back=departure_address(found),
    )
