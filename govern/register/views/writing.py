"""What a registrar does: each page is a form, one service call, and back to the member."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from wtforms.fields.choices import SelectChoice

from govern.access import Permission, requires
from govern.cooperatives.rules import ORDINARY
from govern.cooperatives.services import rules_on
from govern.errors import GovernError, NotFound
from govern.extensions import db
from govern.i18n import local_text
from govern.register import forms
from govern.register.models import EndReason, Membership, ShareEntry
from govern.register.services import ledger, members
from govern.register.services.certificates import send_certificate
from govern.register.services.members import Contact, NewMember, PossibleDuplicate
from govern.register.texts import ENTRY_KIND_NAMES
from govern.register.views.blueprint import blueprint, here, member_of, put_error, today
from govern.register.views.traces import leave_trace

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
    """Validate, call the service once, commit once; what was refused stands beside its field."""
    if request.method == "GET":
        return page()
    if not form.validate():
        return page(), 422
    public_id = membership.public_id if membership else None
    try:
        result = service()
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        return page(), error.status
    db.session.commit()
    flash(done, "good")
    target = public_id or result.public_id
    return flask.redirect(here("member_page", member=target))


# -- admission --------------------------------------------------------------------------------


def _contact(form: Any) -> Contact:
    return Contact(
        language=form.language.data,
        email=form.email.data or "",
        street=form.street.data or "",
        postal_code=form.postal_code.data or "",
        town=form.town.data or "",
        country=form.country.data or "",
    )


def _offer_categories(form: Any) -> None:
    form.category.choices = [
        SelectChoice(category.code, f"{category.code} – {local_text(category.names)}")
        for category in members.categories_on(db.session(), g.cooperative.id, today())
    ]


def _admission(form: Any) -> dict[str, Any]:
    return {
        "member_number": form.member_number.data or "",
        "joined_on": form.joined_on.data,
        "category": form.category.data,
        "contact": _contact(form),
        "shares": form.shares.data or 0,
        "paid_cents": form.paid.data or 0,
        "accept_duplicate": form.accept_duplicate.data,
    }


def _begin_admission(form: Any) -> None:
    _offer_categories(form)
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

    return submit(form, page, service, _("The member was admitted."))


_CONTACT = ("email", "language", "street", "postal_code", "town", "country")
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

    names = ("given_name", "family_name", "birth_date", *_CONTACT, *_TERMS)
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
        *_CONTACT,
        *_TERMS,
    )
    return _admit(form, _("Admit an organisation"), names, make)


# -- shares -----------------------------------------------------------------------------------


def _certified(membership: Membership, recorded: Any) -> Any:
    """Send the member a certificate of what they hold after what was recorded."""
    send_certificate(db.session(), membership)
    return recorded


def _taken_back(entries: list[ShareEntry]) -> list[ShareEntry]:
    """Send everybody concerned a certificate after an act was taken back."""
    for membership in dict.fromkeys(entry.membership for entry in entries):
        send_certificate(db.session(), membership)
    return entries


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
    if request.method == "GET":
        form[name].data = today()


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
    """Record shares given back and their capital repaid."""
    membership, form = member_of(member), forms.SharesForm()
    has_classes = offer_classes(form.share_class)
    default_day(form)
    return submit(
        form,
        lambda: form_page(
            form,
            _("Refund shares"),
            _("Record the refund"),
            membership,
            lead=_(
                "The shares are cancelled; what was paid on them, at most their nominal "
                "value, is repaid."
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


# -- the membership ---------------------------------------------------------------------------


@blueprint.route("/<cooperative>/register/members/<member>/end", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def end_membership(cooperative: str, member: str) -> Any:
    """End a membership, with a reason."""
    membership, form = member_of(member), forms.EndForm()
    default_day(form, "ended_on")
    return submit(
        form,
        lambda: form_page(
            form,
            _("End the membership"),
            _("End the membership"),
            membership,
            consequences=(
                _("From the end of that day the member is on no roll."),
                _("The shares stay in the ledger until they are refunded or transferred."),
                _("Whoever comes back is admitted again, under a new number."),
            ),
        ),
        lambda: members.end_membership(
            db.session(),
            g.actor,
            membership,
            form.ended_on.data,
            EndReason(form.reason.data),
            form.note.data or "",
        ),
        _("The membership was ended."),
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
        lambda: form_page(form, _("Change contact data"), _("Save"), membership, shown=_CONTACT),
        lambda: members.change_contact(db.session(), g.actor, membership, _contact(form)),
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
    _offer_categories(form)
    default_day(form, "starts_on")
    return submit(
        form,
        lambda: form_page(form, _("Change the category"), _("Save"), membership),
        lambda: members.change_category(
            db.session(), g.actor, membership, form.category.data, form.starts_on.data
        ),
        _("The category was changed."),
        membership,
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
