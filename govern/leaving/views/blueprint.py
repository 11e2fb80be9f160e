"""The blueprint that the modules of this folder add their routes to, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import flask
from flask import Blueprint, Response, g, render_template, request
from flask_babel import gettext as _

from govern import clock
from govern.errors import NotFound
from govern.extensions import db
from govern.leaving import forms, services
from govern.leaving.models import Departure, LeavingDocument
from govern.leaving.services import Upload
from govern.leaving.texts import (
    KIND_NAMES,
    REFUND_STATE_NAMES,
    REFUND_TONES,
    SIGNATURE_NAMES,
    STATE_NAMES,
    STATE_TONES,
    STEP_ACTIONS,
    STEP_NAMES,
)
from govern.payments.rules.bank import show_iban
from govern.register.models import Membership
from govern.register.services.members import membership_by_public_id
from govern.submitting import submit

blueprint = Blueprint("leaving", __name__)
METHODS = ["GET", "POST"]
SANDBOX = "default-src 'none'; sandbox"


def here(endpoint: str, **values: Any) -> str:
    """The address of a page of leaving of this cooperative."""
    return flask.url_for(f"leaving.{endpoint}", cooperative=g.cooperative.code, **values)


def departure_address(departure: Departure) -> str:
    """The address of a departure among the registrar's pages."""
    return here("departure_page", departure=departure.public_id)


def today() -> date:
    """The present day where the cooperative is."""
    return clock.today(g.cooperative.time_zone)


def member_of(public_id: str) -> Membership:
    """The member of the address; NotFound otherwise."""
    return membership_by_public_id(db.session(), g.cooperative, public_id)


def departure_of(public_id: str) -> Departure:
    """The departure of the address; NotFound otherwise."""
    return services.departure_by_public_id(db.session(), g.cooperative, public_id)


def shared_words() -> dict[str, Any]:
    """What every page of leaving names things with."""
    return {
        "kind_names": KIND_NAMES,
        "state_names": STATE_NAMES,
        "state_tones": STATE_TONES,
        "step_names": STEP_NAMES,
        "step_actions": STEP_ACTIONS,
        "signature_names": SIGNATURE_NAMES,
        "refund_state_names": REFUND_STATE_NAMES,
        "refund_tones": REFUND_TONES,
        "show_iban": show_iban,
        "to": here,
    }


@dataclass(frozen=True)
class Words:
    """What a form says: its heading, its button, what it will bring about (sentences), and what
    has been done at the end. ``kind`` "danger": something ends for somebody."""

    title: str
    action: str
    done: str
    consequences: Sequence[str] = ()
    lead: str = ""
    kind: str = "primary"


def ask_and_do(
    about: Membership | None,
    form: Any,
    words: Words,
    service: Callable[[], Any],
    *,
    back: str,
    then: Callable[[Any], str] | None = None,
) -> Any:
    """A form about a member (None: about nobody), after ``words``; once it is sent, one call of
    the service. ``then``: the address to go on to, from what the service made; else ``back``."""
    eyebrow = eyebrow_of(about) if about is not None else ""

    def page() -> str:
        return render_template(
            "leaving/form.html",
            form=form,
            fields=[field for field in form if field.name != "csrf_token"],
            words=words,
            back=back,
            eyebrow=eyebrow,
            has_file=any(field.type == "FileField" for field in form),
        )

    return submit(form, page, service, words.done, then or (lambda _made: back))


def typed(form: Any) -> dict[str, Any]:
    """What was typed, by the names of the fields: the services call it the same."""
    return {field.name: _value(field) for field in form if field.name != "csrf_token"}


def _value(field: Any) -> Any:
    if field.type == "FileField":
        return upload_of(field)
    is_text = field.type in ("StringField", "TextAreaField")
    return field.data or "" if is_text else field.data


def ask_for_account(departure: Departure, back: str) -> Any:
    """To which account the value is paid: asked of the member, the registrar or the treasurer."""
    form = forms.AccountForm()
    if request.method == "GET":
        form.holder.data = departure.holder or departure.membership.display_name[:70]
        form.iban.data = departure.iban
    return ask_and_do(
        departure.membership,
        form,
        Words(
            _("Where the money is to be paid"),
            _("Save"),
            _("The account is saved."),
            lead=_("For what is not paid or on its way yet."),
        ),
        lambda: services.put_payee(db.session(), g.actor, departure, **typed(form)),
        back=back,
    )


def upload_of(field: Any) -> Upload | None:
    """The file of a field, None where none was chosen."""
    if not field.data or not getattr(field.data, "filename", ""):
        return None
    return Upload(field.data.filename, field.data.read())


def eyebrow_of(membership: Membership) -> str:
    """Whom a page is about."""
    return _(
        "Member %(number)s, %(name)s",
        number=membership.member_number,
        name=membership.display_name,
    )


def paper_of(departure: Departure, public_id: str) -> Response:
    """A paper of the departure as a download; NotFound otherwise."""
    for document in departure.documents:
        if document.public_id == public_id:
            return download(document)
    raise NotFound(_("There is no such paper."), remedy=_("Choose one from the page."))


def download(document: LeavingDocument) -> Response:
    """The file, to be saved and never run."""
    response = Response(document.content, mimetype=document.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=document.filename)
    response.headers["Content-Security-Policy"] = SANDBOX
    return response
