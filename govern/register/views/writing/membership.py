"""A registrar changes a membership, or takes its ending back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import g, request
from flask_babel import gettext as _

from govern.access import Permission, requires
from govern.extensions import db
from govern.i18n import day as in_words
from govern.register import forms
from govern.register.models import Membership
from govern.register.services import members
from govern.register.views.blueprint import blueprint, member_of
from govern.register.views.traces import leave_trace
from govern.register.views.writing.pages import (
    CONTACT,
    METHODS,
    contact_of,
    default_day,
    form_page,
    offer_categories,
    submit,
)


@blueprint.route("/<cooperative>/register/members/<member>/end/take-back", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def take_back_ending(cooperative: str, member: str) -> Any:
    """Take back an ending that was recorded wrongly."""
    membership, form = member_of(member), forms.ReasonForm()
    return submit(
        form,
        lambda: form_page(
            form,
            _("Take the ending back"),
            _("Take the ending back"),
            membership,
            consequences=(
                _("The membership goes on without a break, under the same number."),
                _(
                    "Shares that left the ledger with the ending do not come back by this: take "
                    "their entry back too, on the member’s page. A refund that is not paid yet is "
                    "then called off."
                ),
                _("Rolls that were taken already do not change."),
                _("Nobody is written to. Tell the member yourself what happened."),
            ),
        ),
        lambda: members.take_back_ending(db.session(), g.actor, membership, form.reason.data or ""),
        _("The ending was taken back: the membership goes on."),
        membership,
    )


@blueprint.route("/<cooperative>/register/members/<member>/contact", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def change_contact(cooperative: str, member: str) -> Any:
    """Change how a member is reached."""
    membership = member_of(member)
    if request.method == "GET":
        leave_trace(membership)
    form = forms.ContactForm(obj=membership)
    return submit(
        form,
        lambda: form_page(form, _("Change contact data"), _("Save"), membership, shown=CONTACT),
        lambda: members.change_contact(db.session(), g.actor, membership, contact_of(form)),
        _("The contact data were saved."),
        membership,
    )


@blueprint.route("/<cooperative>/register/members/<member>/identity", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def change_identity(cooperative: str, member: str) -> Any:
    """Correct the name, birth date or enterprise number."""
    membership = member_of(member)
    if request.method == "GET":
        leave_trace(membership)
    form: Any
    if membership.person is not None:
        form = forms.PersonNameForm(obj=membership.person)
        birth_date: Callable[[], date | None] = lambda: form.birth_date.data  # noqa: E731
        values = lambda: {  # noqa: E731
            "given_name": form.given_name.data,
            "family_name": form.family_name.data,
            "birth_date": birth_date(),
        }
    else:
        form = forms.OrganisationNameForm(
            obj=membership.organisation, data={"organisation_name": membership.display_name}
        )
        values = lambda: {  # noqa: E731
            "organisation_name": form.organisation_name.data,
            "enterprise_number": form.enterprise_number.data,
        }
    return submit(
        form,
        lambda: form_page(
            form,
            _("Correct the name"),
            _("Save"),
            membership,
            lead=_(
                "For the same person or organisation only. Shares of somebody else are transferred."
            ),
        ),
        lambda: members.change_identity(db.session(), g.actor, membership, **values()),
        _("The name was corrected."),
        membership,
    )


@blueprint.route("/<cooperative>/register/members/<member>/category", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def change_category(cooperative: str, member: str) -> Any:
    """Give a member another category from a day on."""
    membership, form = member_of(member), forms.CategoryForm()
    offer_categories(form)
    default_day(form, "starts_on")
    return submit(
        form,
        lambda: form_page(
            form,
            _("Change the category"),
            _("Save"),
            membership,
            lead=_present_category(form, membership),
        ),
        lambda: members.change_category(
            db.session(), g.actor, membership, form.category.data, form.starts_on.data
        ),
        _("The category was changed."),
        membership,
    )


def _present_category(form: forms.CategoryForm, membership: Membership) -> str:
    current = next((item for item in membership.categories if item.ends_on is None), None)
    if current is None:
        return ""
    names = {choice.value: choice.label for choice in form.category.choices or ()}
    return _(
        "The present category is %(category)s, since %(day)s.",
        category=names.get(current.code, current.code),
        day=in_words(current.starts_on),
    )


@blueprint.route("/<cooperative>/register/members/<member>/representative", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def change_representative(cooperative: str, member: str) -> Any:
    """Name another representative of an organisation."""
    membership, form = member_of(member), forms.RepresentativeForm()
    default_day(form, "starts_on")
    return submit(
        form,
        lambda: form_page(
            form,
            _("Name another representative"),
            _("Save"),
            membership,
            lead=_(
                "An organisation votes through one named person: give a member number, or a "
                "given name and a family name."
            ),
        ),
        lambda: members.change_representative(
            db.session(),
            g.actor,
            membership,
            form.starts_on.data,
            given_name=form.given_name.data or "",
            family_name=form.family_name.data or "",
            member_number=form.member_number.data or "",
        ),
        _("The representative was changed."),
        membership,
    )
