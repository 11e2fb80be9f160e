"""A registrar admits a person or an organisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import g, request
from flask_babel import gettext as _

from govern.access import Permission, requires
from govern.errors import GovernError
from govern.extensions import db
from govern.register import forms
from govern.register.models import Membership
from govern.register.services import members
from govern.register.services.members import NewMember, PossibleDuplicate
from govern.register.views.blueprint import blueprint, today
from govern.register.views.writing.pages import (
    CONTACT,
    METHODS,
    contact_of,
    form_page,
    offer_categories,
    submit,
)


def _admission(form: Any) -> dict[str, Any]:
    return {
        "member_number": form.member_number.data or "",
        "joined_on": form.joined_on.data,
        "category": form.category.data,
        "contact": contact_of(form),
        "shares": form.shares.data or 0,
        "paid_cents": form.paid.data or 0,
        "accept_duplicate": form.accept_duplicate.data,
    }


def _begin_admission(form: Any) -> None:
    offer_categories(form)
    if request.method == "GET":
        form.joined_on.data = today()
        form.language.data = g.cooperative.languages[0]
        form.country.data = g.cooperative.country
        form.shares.data = 1


def _admit(form: Any, title: str, names: tuple[str, ...], make: Callable[[], NewMember]) -> Any:
    """Admit somebody; the box for a possible duplicate appears once it matters."""
    asks = bool(form.accept_duplicate.data)

    def page() -> str:
        return form_page(
            form,
            title,
            _("Admit the member"),
            shown=(*names, "accept_duplicate") if asks else names,
        )

    def service() -> Membership:
        nonlocal asks
        try:
            return members.add_member(db.session(), g.actor, g.cooperative, make())
        except PossibleDuplicate:
            asks = True
            raise
        except GovernError as error:
            if error.field == "amount":
                error.field = "paid"  # so it is called here
            raise

    return submit(form, page, service, _("The member was admitted."))


_TERMS = ("category", "joined_on", "shares", "paid", "member_number")


@blueprint.route("/<cooperative>/register/members/new/person", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def add_person(cooperative: str) -> Any:
    """Admit a natural person."""
    form = forms.PersonForm()
    _begin_admission(form)

    def make() -> NewMember:
        return NewMember(
            **_admission(form),
            given_name=form.given_name.data,
            family_name=form.family_name.data,
            birth_date=form.birth_date.data,
        )

    names = ("given_name", "family_name", "birth_date", *CONTACT, *_TERMS)
    return _admit(form, _("Admit a person"), names, make)


@blueprint.route("/<cooperative>/register/members/new/organisation", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def add_organisation(cooperative: str) -> Any:
    """Admit an organisation with its representative."""
    form = forms.OrganisationForm()
    _begin_admission(form)

    def make() -> NewMember:
        return NewMember(
            **_admission(form),
            organisation_name=form.organisation_name.data,
            enterprise_number=form.enterprise_number.data,
            representative_given_name=form.representative_given_name.data,
            representative_family_name=form.representative_family_name.data,
        )

    names = (
        "organisation_name",
        "enterprise_number",
        "representative_given_name",
        "representative_family_name",
        *CONTACT,
        *_TERMS,
    )
    return _admit(form, _("Admit an organisation"), names, make)
