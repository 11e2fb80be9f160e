"""Rolls: how a member stands, what was corrected, and for officers the entries and files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from govern.access import Permission, requires
from govern.errors import GovernError, InvalidInput
from govern.extensions import db
from govern.i18n import local_text
from govern.paging import paginate
from govern.register.forms import CorrectionForm
from govern.register.models import MemberKind, Roll, RollEntry
from govern.register.rules.folding import search_words
from govern.register.services import members
from govern.register.services import rolls as services
from govern.register.spreadsheets import write_csv
from govern.register.texts import (
    CORRECTION_NAMES,
    KIND_NAMES,
    ROLL_STATE_NAMES,
    obstacle_text,
)
from govern.register.views.blueprint import attachment, blueprint, here
from govern.submitting import put_error


def _roll(public_id: str) -> Roll:
    return services.roll_by_public_id(db.session(), g.cooperative, public_id)


@blueprint.get("/<cooperative>/rolls")
@requires(Permission.ROLL_READ)
def roll_list(cooperative: str) -> Any:
    """The rolls of the cooperative, newest first."""
    page = paginate(
        db.session(),
        select(Roll)
        .where(Roll.cooperative_id == g.cooperative.id)
        .order_by(Roll.record_date.desc(), Roll.id.desc()),
        per_page=20,
    )
    return render_template("register/rolls.html", page=page, states=ROLL_STATE_NAMES)


@blueprint.get("/<cooperative>/rolls/<roll>")
@requires(Permission.ASSEMBLY_READ)
def roll_page(cooperative: str, roll: str) -> Any:
    """Totals, digest and corrections; whether the reader is on the roll, or why not."""
    found = _roll(roll)
    may_read = g.actor.may(Permission.ROLL_READ, g.cooperative.id)
    own = services.memberships_for_account(db.session(), g.actor.account_id or 0, g.cooperative.id)
    return render_template(
        "register/roll.html",
        roll=found,
        own=[(item, services.why_not_on_roll(db.session(), found, item)) for item in own],
        obstacle=lambda item: obstacle_text(item, found.record_date),
        corrections=paginate(db.session(), services.corrections_of(found)),
        correction_names=CORRECTION_NAMES,
        states=ROLL_STATE_NAMES,
        kinds=KIND_NAMES,
        categories=_category_names(found),
        doubled=services.held_twice(db.session(), found)
        if may_read and not found.is_locked
        else [],
        may_read=may_read,
        may_correct=g.actor.may(Permission.ROLL_CORRECT, g.cooperative.id)
        and found.is_frozen
        and not found.is_locked,
    )


def _category_names(roll: Roll) -> dict[str, str]:
    return {
        category.code: local_text(category.names)
        for category in members.categories_on(db.session(), roll.cooperative_id, roll.record_date)
    }


@blueprint.get("/<cooperative>/rolls/<roll>/entries")
@requires(Permission.ROLL_READ)
def roll_entries(cooperative: str, roll: str) -> Any:
    """The entries of a roll, in pages and searchable."""
    found = _roll(roll)
    text = request.args.get("q", "")[:200]
    query = select(RollEntry).where(RollEntry.roll_id == found.id)
    words = search_words(text)
    for word in words:
        query = query.where(RollEntry.search_text.like(f"%{word}%"))
    page = paginate(
        db.session(),
        query.order_by(RollEntry.sort_name, RollEntry.id),
        total=None if words else found.heads,
    )
    return render_template(
        "register/roll_entries.html", roll=found, page=page, text=text, kinds=KIND_NAMES
    )


@blueprint.get("/<cooperative>/rolls/<roll>/entries.csv")
@requires(Permission.ROLL_READ)
def roll_csv(cooperative: str, roll: str) -> Any:
    """The entries as CSV, without contact data."""
    found = _roll(roll)
    headers = [
        _("Member number"),
        _("Name"),
        _("Kind"),
        _("Category"),
        _("Shares issued"),
        _("Shares paid"),
    ]
    return attachment(
        b"".join(write_csv(headers, _csv_rows(found))), f"{_stem(found)}.csv", "text/csv"
    )


def _csv_rows(roll: Roll) -> Iterator[list[Any]]:
    rows = db.session.execute(
        select(
            RollEntry.member_number,
            RollEntry.display_name,
            RollEntry.kind,
            RollEntry.category,
            RollEntry.shares_issued,
            RollEntry.shares_paid,
        )
        .where(RollEntry.roll_id == roll.id)
        .order_by(RollEntry.sort_name, RollEntry.id)
        .execution_options(yield_per=2000)
    )
    for number, name, kind, category, issued, paid in rows:
        yield [number, name, str(KIND_NAMES[MemberKind(kind)]), category, issued, paid]


@blueprint.get("/<cooperative>/rolls/<roll>/canonical.jsonl")
@requires(Permission.ROLL_READ)
def roll_canonical(cooperative: str, roll: str) -> Any:
    """The canonical bytes: their SHA-256 is the digest of the roll."""
    found = _roll(roll)
    lines = services.roll_canonical_lines(db.session(), found)
    return attachment(b"".join(lines), f"{_stem(found)}-canonical.jsonl", "application/jsonl")


@blueprint.route("/<cooperative>/rolls/<roll>/correct", methods=["GET", "POST"])
@requires(Permission.ROLL_CORRECT)
def roll_correct(cooperative: str, roll: str) -> Any:
    """Correct one entry before the vote opens, with a reason that every member can read."""
    found, form = _roll(roll), CorrectionForm()

    def page() -> str:
        return render_template("register/roll_correct.html", roll=found, form=form)

    if request.method == "GET":
        form.member_number.data = request.args.get("member", "")[:40]
        return page()
    if not form.validate():
        return page(), 422
    try:
        membership = members.membership_by_number(
            db.session(), g.cooperative.id, form.member_number.data
        )
        if membership is None:
            raise InvalidInput(
                _("Nobody has the member number “%(number)s”.", number=form.member_number.data),
                remedy=_("Look the number up in the member list."),
                field="member_number",
            )
        services.correct_roll(
            db.session(),
            g.actor,
            found,
            membership,
            form.reason.data,
            remove=form.action.data == "remove",
        )
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        found = _roll(roll)
        return page(), error.status
    db.session.commit()
    flash(_("The roll was corrected; its digest has changed."), "good")
    return flask.redirect(here("roll_page", roll=roll))


def _stem(roll: Roll) -> str:
    return f"{g.cooperative.code}-roll-{roll.record_date.isoformat()}"
