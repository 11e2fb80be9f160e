"""What the forms of a registrar share: a page, one service call, and back to the member."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import g, render_template, request
from wtforms.fields.choices import SelectChoice

from govern import submitting
from govern.cooperatives.rules import ORDINARY
from govern.cooperatives.services import rules_on
from govern.extensions import db
from govern.i18n import local_text
from govern.register.models import Membership
from govern.register.services import members
from govern.register.services.members import Contact
from govern.register.views.blueprint import here, today

METHODS = ["GET", "POST"]


def form_page(
    form: Any,
    title: str,
    action: str,
    membership: Membership | None = None,
    *,
    lead: str = "",
    consequences: tuple[str, ...] = (),
    shown: tuple[str, ...] | None = None,
) -> str:
    """A form in the look of all of them. ``shown``: its fields in order (None: as declared)."""
    names = shown or tuple(field.name for field in form if field.name != "csrf_token")
    return render_template(
        "register/form.html",
        form=form,
        fields=[form[name] for name in names],
        title=title,
        action_label=action,
        membership=membership,
        lead=lead,
        consequences=consequences,
        back=here("member_page", member=membership.public_id)
        if membership
        else here("member_list"),
    )


def submit(
    form: Any,
    page: Callable[[], str],
    service: Callable[[], Any],
    done: str,
    membership: Membership | None = None,
) -> Any:
    """``submitting.submit``, then to the page of the member (None: of the one that was made)."""
    return submitting.submit(
        form,
        page,
        service,
        done,
        lambda made: here("member_page", member=(membership or made).public_id),
    )


def offer_classes(field: Any, *, chosen: str = ORDINARY) -> bool:
    """Offer the classes of shares that the rules know; whether there is more than one."""
    _row, rules = rules_on(db.session(), g.cooperative.id, today())
    field.choices = [
        SelectChoice(item.code, local_text(item.names)) for item in rules.share_classes
    ]
    if request.method == "GET":
        field.data = chosen
    return len(rules.share_classes) > 1


def default_day(form: Any, name: str = "effective_on") -> None:
    """Suggest today."""
    if request.method == "GET":
        form[name].data = today()


def contact_of(form: Any) -> Contact:
    """What a form says about how a member is reached."""
    return Contact(
        language=form.language.data,
        email=form.email.data or "",
        street=form.street.data or "",
        postal_code=form.postal_code.data or "",
        town=form.town.data or "",
        country=form.country.data or "",
    )


def offer_categories(form: Any) -> None:
    """Offer the categories that the rules of today know."""
    form.category.choices = [
        SelectChoice(category.code, f"{category.code} – {local_text(category.names)}")
        for category in members.categories_on(db.session(), g.cooperative.id, today())
    ]


CONTACT = ("email", "language", "street", "postal_code", "town", "country")
