"""The public pages: the form, the confirmed address, and the applicant's own page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from markupsafe import Markup
from wtforms.fields.choices import SelectChoice

from govern import clock
from govern.access import public
from govern.cooperatives.models import CooperativeStatus
from govern.cooperatives.rules import Category, Rules
from govern.cooperatives.services import rules_on
from govern.errors import GovernError
from govern.extensions import db, limiter
from govern.i18n import current_language, local_text
from govern.joining import forms
from govern.joining.models import StatutesText
from govern.joining.rules import ApplicationState, shares_for_joining
from govern.joining.services import applying, checking, deciding
from govern.joining.services.applying import ApplicationInput
from govern.joining.services.guards import application_by_token, applied_on, state_token
from govern.joining.services.letters import giver_of
from govern.joining.services.statutes import statutes_in_force, text_for
from govern.joining.texts import STATE_NAMES, STATE_TONES
from govern.joining.views.blueprint import (
    blueprint,
    chosen_class,
    here,
    instruction_of,
    offer_classes,
    today,
)
from govern.payments.services.entries import over_paid_cents
from govern.register.models import MemberKind
from govern.register.services.members import Contact
from govern.submitting import put_error

ADDRESS_LIMIT = "30 per minute; 300 per hour"
"""Forms per network address; mails per mailbox are counted by the service."""


@blueprint.route("/<cooperative>/join", methods=["GET", "POST"])
@limiter.limit(ADDRESS_LIMIT, methods=["POST"])
@public
def join(cooperative: str) -> Any:
    """The form. The answer is the same page, after the same work, whoever is meant."""
    session = db.session()
    statutes = statutes_in_force(session, g.cooperative.id, today())
    if statutes is None or g.cooperative.status == CooperativeStatus.ON_HOLD.value:
        return render_template("joining/closed.html", has_statutes=statutes is not None)
    _row, rules = rules_on(session, g.cooperative.id, today())
    kind = wanted_kind()
    form: Any = forms.OrganisationJoinForm() if kind is MemberKind.LEGAL else forms.PersonJoinForm()
    text = text_for(statutes)
    offer_classes(form, rules.share_classes)
    ready_form(form, rules.categories, text)
    if request.method == "GET":
        form.shares.data = shares_for_joining(rules.joining).least
    if request.method == "GET" or "show_total" in request.form:
        return form_page(form, kind, rules, text)
    if not is_sound(form, rules):
        return form_page(form, kind, rules, text), 422
    try:
        applying.submit_application(session, g.cooperative, read_application(form, kind))
    except GovernError as error:
        session.rollback()
        put_error(form, error)
        form.statutes_digest.data = text.digest
        return form_page(form, kind, rules, text), error.status
    session.commit()
    # Said to whoever typed it, known or not: a mistake in it would otherwise go unseen.
    flash(_("A mail is on its way to %(address)s.", address=form.email.data.strip()), "info")
    return flask.redirect(here("sent"))


def is_sound(form: Any, rules: Rules) -> bool:
    """Whether nothing is wrong with the form at sight; all that is is put beside its field."""
    is_whole = form.validate()
    found = checking.wrong_values(
        form.email.data or "" if "email" in form else "",
        form.country.data or "",
        form.enterprise_number.data or "" if "enterprise_number" in form else "",
        names={field.name: field.data or "" for field in form if field.name.endswith("_name")},
        birth_date=form.birth_date.data if "birth_date" in form else None,
        category=form.category.data or "",
        share_class=form.share_class.data or "" if "share_class" in form else "",
        shares=form.shares.data if "shares" in form else None,
        rules=rules,
        today=today(),
    )
    for error in found:
        # What is too long or no number at all is said already.
        if error.field not in form or not form[error.field].errors:
            put_error(form, error)
    return is_whole and not found


def wanted_kind() -> MemberKind:
    """Whether a person or an organisation joins, as the address or the form says."""
    wanted = request.values.get("kind", "")
    return MemberKind.LEGAL if wanted == MemberKind.LEGAL.value else MemberKind.NATURAL


def ready_form(form: Any, categories: Sequence[Category], text: StatutesText) -> None:
    """Put into the form what depends on the cooperative, and first values where none was sent."""
    form.category.choices = [SelectChoice(item.code, _described(item)) for item in categories]
    statutes = text.statutes
    form.consents.label.text = _(
        "I agree to the statutes, version “%(version)s”", version=statutes.version
    )
    if request.method == "GET":
        form.language.data = current_language()
        form.country.data = g.cooperative.country
        form.statutes_digest.data = text.digest
        if len(categories) == 1:
            form.category.data = categories[0].code


def _described(category: Category) -> Markup:
    name = local_text(category.names)
    if not category.explanations:
        return Markup("{}").format(name)
    return Markup("{}<br><small>{}</small>").format(name, local_text(category.explanations))


def form_page(
    form: Any,
    kind: MemberKind,
    rules: Rules,
    text: StatutesText,
    invitation: Mapping[str, Any] | None = None,
) -> str:
    """The page of the form. ``invitation``: the transfer by which the shares come."""
    range_ = shares_for_joining(rules.joining)
    price = chosen_class(form, rules.share_classes).nominal_cents
    wanted = form.shares.data if "shares" in form else None
    shares = wanted if isinstance(wanted, int) else range_.least
    return render_template(
        "joining/join.html",
        form=form,
        kind=kind.value,
        rules=rules,
        range=range_,
        price=price,
        total=price * max(0, shares) if shares <= range_.most else None,
        text=text,
        statutes=text.statutes,
        invitation=invitation,
    )


def read_application(form: Any, kind: MemberKind) -> ApplicationInput:
    """What was typed; "" and 0 where the form does not ask."""
    names: dict[str, Any]
    if kind is MemberKind.LEGAL:
        names = {
            "organisation_name": form.organisation_name.data,
            "enterprise_number": form.enterprise_number.data,
            "representative_given_name": form.representative_given_name.data,
            "representative_family_name": form.representative_family_name.data,
        }
    else:
        names = {
            "given_name": form.given_name.data,
            "family_name": form.family_name.data,
            "birth_date": form.birth_date.data,
        }
    return ApplicationInput(
        kind=kind,
        contact=Contact(
            language=form.language.data,
            email=form.email.data if "email" in form else "",
            street=form.street.data,
            postal_code=form.postal_code.data,
            town=form.town.data,
            country=form.country.data,
        ),
        category=form.category.data,
        shares=form.shares.data if "shares" in form else 0,
        share_class=form.share_class.data or "" if "share_class" in form else "",
        statutes_digest=form.statutes_digest.data or "",
        consents=form.consents.data,
        **names,
    )


@blueprint.get("/<cooperative>/join/sent")
@public
def sent(cooperative: str) -> Any:
    """What to expect after sending the form."""
    return render_template("joining/sent.html")


@blueprint.route("/<cooperative>/join/confirm/<token>", methods=["GET", "POST"])
@limiter.limit(ADDRESS_LIMIT, methods=["POST"])
@public
def confirm(cooperative: str, token: str) -> Any:
    """The page behind the link; only its button confirms the address."""
    session = db.session()
    if request.method == "GET":
        application = applying.read_confirmation(session, g.cooperative, token)
        return render_template("joining/confirm.html", application=application)
    application = applying.confirm_application(session, g.cooperative, token)
    session.commit()
    flash(_("Your address is confirmed."), "good")
    return flask.redirect(here("application", token=state_token(application)))


@blueprint.get("/<cooperative>/join/application/<token>")
@public
def application(cooperative: str, token: str) -> Any:
    """The applicant's own page: where the application stands, and how to pay."""
    row = application_by_token(db.session(), g.cooperative, token)
    unpaid = row.returned_on is not None and row.request is not None and row.request.is_open
    return render_template(
        "joining/application.html",
        application=row,
        token=token,
        state=row.status,
        states=STATE_NAMES,
        tones=STATE_TONES,
        applied_on=applied_on(row),
        instruction=instruction_of(row.request) if _expects_money(row.status) or unpaid else None,
        unpaid=unpaid,
        over_paid=over_paid_cents(db.session(), row.request) if row.request else 0,
        giver=giver_of(row),
        may_withdraw=_expects_money(row.status),
        category=_category_name(row.category),
        acceptance=deciding.joining_rules(db.session(), g.cooperative).acceptance,
    )


def _expects_money(state: ApplicationState) -> bool:
    return state in (ApplicationState.CONFIRMED, ApplicationState.ACCEPTED)


def _category_name(code: str) -> str:
    _row, rules = rules_on(db.session(), g.cooperative.id, clock.today(g.cooperative.time_zone))
    names = {item.code: local_text(item.names) for item in rules.categories}
    return f"{code} – {names[code]}" if code in names else code


@blueprint.route("/<cooperative>/join/application/<token>/withdraw", methods=["GET", "POST"])
@limiter.limit(ADDRESS_LIMIT, methods=["POST"])
@public
def withdraw(cooperative: str, token: str) -> Any:
    """The applicant gives up, after a page that says what that means."""
    session = db.session()
    row = application_by_token(session, g.cooperative, token)
    if request.method == "GET":
        return render_template("joining/withdraw.html", application=row, token=token)
    deciding.withdraw_application(session, row)
    session.commit()
    flash(_("Your application is withdrawn."), "good")
    return flask.redirect(here("application", token=token))
