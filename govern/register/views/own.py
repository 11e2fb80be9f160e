"""What members see of themselves, and of the organisations that they represent."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, url_for
from flask_babel import gettext as _

from govern.access import signed_in
from govern.errors import NotFound
from govern.extensions import db
from govern.home.hooks import HomeItem
from govern.home.views import expected_of
from govern.register.forms import AddressForm
from govern.register.models import Membership
from govern.register.services import members
from govern.register.services.rolls import memberships_for_account
from govern.register.services.transfers import is_open, transfers_of
from govern.register.views.blueprint import blueprint, here
from govern.register.views.members import member_facts
from govern.submitting import submit


@blueprint.get("/<cooperative>/me")
@signed_in
def me(cooperative: str) -> Any:
    """One's own memberships in this cooperative."""
    memberships = memberships_for_account(db.session(), g.actor.account_id, g.cooperative.id)
    return render_template(
        "register/me.html",
        own=[member_facts(membership, concerned=True) for membership in memberships],
        open_transfers=[
            item
            for item in transfers_of(db.session(), [membership.id for membership in memberships])
            if is_open(item)
        ],
        expected=_expected_here(),
    )


def _expected_here() -> list[HomeItem]:
    """What the home page lists and one of the pages behind this one answers, save transfers."""
    code = g.cooperative.code
    ours = url_for("register.me", cooperative=code) + "/"
    transfers = url_for("register.own_transfer", cooperative=code, transfer="")
    return [
        item
        for item in expected_of(db.session(), g.actor, g.actor.account_id)
        if item.href.startswith(ours) and not item.href.startswith(transfers)
    ]


def own_membership(public_id: str) -> Membership:
    """A membership of whoever is signed in, or of an organisation that they represent."""
    for membership in memberships_for_account(db.session(), g.actor.account_id, g.cooperative.id):
        if membership.public_id == public_id:
            return membership
    raise NotFound(
        _("This is not one of your memberships."), remedy=_("Choose one from your own page.")
    )


@blueprint.route("/<cooperative>/me/<member>/address", methods=["GET", "POST"])
@signed_in
def change_own_address(cooperative: str, member: str) -> Any:
    """Say where letters reach one from now on, and in which language."""
    membership = own_membership(member)
    form = AddressForm(obj=membership)

    def page() -> str:
        return render_template(
            "register/form.html",
            form=form,
            fields=[item for item in form if item.name != "csrf_token"],
            title=_("Change my address"),
            lead=_(
                "This changes the register of %(cooperative)s. You are told so by mail.",
                cooperative=g.cooperative.name,
            )
            if membership.email
            else "",
            action_label=_("Save"),
            membership=membership,
            back=here("me"),
            back_label=_("Back to my membership"),
        )

    return submit(
        form,
        page,
        lambda: members.change_own_address(
            db.session(),
            g.actor,
            membership,
            members.Contact(
                language=form.language.data,
                street=form.street.data or "",
                postal_code=form.postal_code.data or "",
                town=form.town.data or "",
                country=form.country.data or "",
            ),
        ),
        _("Your address was saved."),
        lambda _changed: here("me"),
    )
