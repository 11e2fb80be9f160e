"""Data quality: what blocks voting, addresses that do not work, likely duplicates, merges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _

from govern.access import Permission, requires
from govern.errors import GovernError, InvalidInput, NotFound
from govern.extensions import db
from govern.i18n import local_text
from govern.navigation import NavItem
from govern.paging import paginate, requested_page
from govern.register import quality_forms as forms
from govern.register.models import ContactChannel, Membership
from govern.register.rules.privacy import FieldGroup
from govern.register.rules.quality import REASONS, Blocker, Trouble
from govern.register.services import merging
from govern.register.services.holdings import holding_of
from govern.register.services.listing import category_on
from govern.register.services.members import categories_on
from govern.register.services.members.representatives import withdraw_representative
from govern.register.services.privacy import sees
from govern.register.services.quality import addresses, blockers, duplicates
from govern.register.spreadsheets import write_csv
from govern.register.texts.privacy import (
    BLOCKER_MEANINGS,
    BLOCKER_NAMES,
    LIKENESS_NAMES,
    MERGE_NAMES,
)
from govern.register.views.blueprint import attachment, blueprint, here, member_of, today
from govern.register.views.traces import leave_trace
from govern.submitting import put_error

METHODS = ["GET", "POST"]


def _shown_blockers() -> list[Blocker]:
    """The reasons that the actor may read: addresses that fail are contact data."""
    if sees(g.actor, g.cooperative.id, FieldGroup.ADDRESS_PROBLEMS):
        return list(Blocker)
    hidden = (Blocker.EMAIL_REFUSED, Blocker.LETTER_RETURNED)
    return [item for item in Blocker if item not in hidden]


def _asked(shown: list[Blocker]) -> Blocker | Trouble | None:
    """What the address asks for: one reason, all reasons of a kind, or None for everything."""
    asked = request.args.get("blocker", "")
    if asked in tuple(Trouble):
        return Trouble(asked)
    return Blocker(asked) if asked in [item.value for item in shown] else None


def _wanted(shown: list[Blocker], asked: Blocker | Trouble | None) -> list[Blocker]:
    if isinstance(asked, Blocker):
        return [asked]
    return [item for item in shown if asked is None or item in REASONS[asked]]


def _sections(findings: blockers.Findings, shown: list[Blocker]) -> list[dict[str, Any]]:
    """Each kind of trouble with the reasons that somebody is met by, or a word that all is well.

    Where some reasons may not be read nothing is said to be well, and what nobody is met by and
    has no word of its own is left out.
    """
    words = {
        Trouble.VOTING: (
            _("What blocks voting"),
            _("Nothing: every member can vote today."),
        ),
        Trouble.TWO_VOTES: (_("Who would have two votes"), ""),
        Trouble.CONVENING: (
            _("What blocks convening"),
            _("Nothing: a notice would reach every member."),
        ),
    }
    found = []
    for trouble, reasons in REASONS.items():
        met = [item for item in reasons if item in shown and findings.counts[item]]
        title, well = words[trouble]
        if not set(reasons) <= set(shown):
            well = ""
        if met or well:
            found.append({"key": trouble.value, "title": title, "reasons": met, "well": well})
    return found


@blueprint.get("/<cooperative>/register/quality")
@requires(Permission.REGISTER_READ)
def quality_list(cooperative: str) -> Any:
    """What blocks voting and convening, how many it concerns, and whom."""
    session, shown = db.session(), _shown_blockers()
    asked = _asked(shown)
    findings = blockers.find_blockers(session, g.actor, g.cooperative.id, today())
    page = blockers.list_blocked(session, findings, _wanted(shown, asked), requested_page())
    return render_template(
        "register/quality.html",
        page=page,
        counts=findings.counts,
        shown=shown,
        sections=_sections(findings, shown),
        asked=asked.value if asked is not None else "",
        names=BLOCKER_NAMES,
        meanings=BLOCKER_MEANINGS,
        steps_of=next_steps,
        may_write=g.actor.may(Permission.REGISTER_WRITE, g.cooperative.id),
    )


def next_steps(membership: Membership, blocker: Blocker) -> list[tuple[str, str]]:
    """(what to do, where) about one reason, for a registrar; of two steps either one mends it."""
    if blocker is Blocker.TWICE:
        return [(_("Look at both"), here("duplicate_list"))]
    steps: dict[Blocker, list[tuple[str, str]]] = {
        Blocker.NO_SHARE: [
            (_("Subscribe shares"), "add_subscription"),
            (_("Request, death, exclusion"), "leaving.member_leaving"),
        ],
        Blocker.NO_PAID_SHARE: [(_("Record a payment"), "add_payment")],
        Blocker.NO_CATEGORY: [(_("Give a category"), "change_category")],
        Blocker.NO_REPRESENTATIVE: [(_("Name a representative"), "change_representative")],
        Blocker.UNREACHABLE: [(_("Add an address"), "change_contact")],
        Blocker.EMAIL_REFUSED: [(_("Change the address"), "change_contact")],
        Blocker.LETTER_RETURNED: [(_("Change the address"), "change_contact")],
    }
    return [
        (
            label,
            flask.url_for(
                name if "." in name else f"register.{name}",
                cooperative=g.cooperative.code,
                member=membership.public_id,
            ),
        )
        for label, name in steps[blocker]
    ]


@blueprint.get("/<cooperative>/register/quality.csv")
@requires(Permission.REGISTER_READ)
def quality_csv(cooperative: str) -> Any:
    """The list as CSV: one row per member and reason."""
    session, shown = db.session(), _shown_blockers()
    wanted = _wanted(shown, _asked(shown))
    findings = blockers.find_blockers(session, g.actor, g.cooperative.id, today())
    rows = [
        [
            item.membership.member_number,
            item.membership.display_name,
            str(BLOCKER_NAMES[reason]),
            str(BLOCKER_MEANINGS[reason]),
        ]
        for item in blockers.export_blocked(session, findings, wanted)
        for reason in item.blockers
        if reason in wanted
    ]
    headings = [_("Member number"), _("Name"), _("What blocks"), _("Why it matters")]
    return attachment(
        b"".join(write_csv(headings, rows)),
        f"{g.cooperative.code}-quality-{today().isoformat()}.csv",
        "text/csv",
    )


# -- duplicates and merges --------------------------------------------------------------------


@blueprint.get("/<cooperative>/register/quality/duplicates")
@requires(Permission.REGISTER_READ)
def duplicate_list(cooperative: str) -> Any:
    """Pairs that may be the same, and the merges made so far."""
    session = db.session()
    pairs = duplicates.list_pairs(session, g.actor, g.cooperative.id, today(), requested_page())
    merges = paginate(session, merging.merges_of(g.cooperative.id), 1, 20)
    return render_template(
        "register/duplicates.html",
        page=pairs,
        merges=merges,
        members_of=lambda merge: merging.merged_memberships_of(session, merge),
        likenesses=LIKENESS_NAMES,
        merge_names=MERGE_NAMES,
        may_write=g.actor.may(Permission.REGISTER_WRITE, g.cooperative.id),
    )


@blueprint.route("/<cooperative>/register/quality/duplicates/<first>/<second>", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def pair_page(cooperative: str, first: str, second: str) -> Any:
    """Two members side by side: one and the same, or two."""
    one, two = duplicates.pair_of(db.session(), g.cooperative, first, second)
    if request.method == "GET":
        leave_trace(one)
        leave_trace(two)
    merge_form, distinct_form = forms.MergeForm(), forms.DistinctForm(prefix="distinct")
    merge_form.keep.choices = [
        (row.public_id, _("%(name)s, member %(number)s", name=row.display_name,
                          number=row.member_number))
        for row in (one, two)
    ]  # fmt: skip
    act = request.form.get("act", "")
    if request.method == "POST":
        work: dict[str, tuple[Any, Callable[[], Any], str]] = {
            "merge": (merge_form, lambda: _merge(one, two, merge_form), _("They are one now.")),
            "distinct": (
                distinct_form,
                lambda: duplicates.say_distinct(
                    db.session(), g.actor, one, two, distinct_form.reason.data or ""
                ),
                _("Noted: the pair is not shown again."),
            ),
            "forget": (
                None,
                lambda: duplicates.forget_distinct(db.session(), g.actor, one, two),
                _("The pair is shown in the list again."),
            ),
        }
        if act not in work:
            raise InvalidInput(_("Nothing was chosen."), remedy=_("Go back and choose again."))
        form, service, done = work[act]
        if form is None or form.validate():
            try:
                service()
            except GovernError as error:
                db.session.rollback()
                if form is None:
                    raise
                put_error(form, error)
            else:
                db.session.commit()
                flash(done, "good")
                return flask.redirect(here("duplicate_list"))
        status = 422
    else:
        status = 200
        merge_form.keep.data, merge_form.effective_on.data = one.public_id, today()
    return _pair(one, two, merge_form, distinct_form), status


def _pair(one: Membership, two: Membership, merge_form: Any, distinct_form: Any) -> str:
    session, day = db.session(), today()
    return render_template(
        "register/pair.html",
        pair=[_side(row) for row in (one, two)],
        likenesses=[LIKENESS_NAMES[item] for item in duplicates.likenesses_of(one, two)],
        preview=merging.preview_merge(session, one, two),
        reverse=merging.preview_merge(session, two, one),
        said=duplicates.said_distinct(session, one, two),
        merge_form=merge_form,
        distinct_form=distinct_form,
        day_shown=day,
    )


def _side(membership: Membership) -> dict[str, Any]:
    session, day = db.session(), today()
    code = category_on(membership, day)
    names = {item.code: local_text(item.names) for item in categories_on(
        session, g.cooperative.id, day)}  # fmt: skip
    return {
        "membership": membership,
        "holding": holding_of(session, membership.id, day),
        "category": f"{code} – {names[code]}" if code in names else code,
        "has_account": membership.person is not None and membership.person.account_id is not None,
    }


def _merge(one: Membership, two: Membership, form: Any) -> Any:
    kept, merged = (one, two) if form.keep.data == one.public_id else (two, one)
    session, reason = db.session(), form.reason.data or ""
    if (one.person_id, one.organisation_id) == (two.person_id, two.organisation_id):
        return merging.merge_memberships(
            session, g.actor, kept, merged, reason, form.effective_on.data
        )
    return merging.merge_holders(session, g.actor, kept, merged, reason)


@blueprint.route("/<cooperative>/register/quality/merges/<merge>/undo", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def undo_merge(cooperative: str, merge: str) -> Any:
    """Take a merge back, with a reason."""
    row = merging.merge_by_public_id(db.session(), g.cooperative, merge)
    form = forms.UndoForm()
    moved = [
        _("Member %(number)s, %(name)s", number=item.member_number, name=item.display_name)
        for item in merging.merged_memberships_of(db.session(), row)
    ]
    return simple_form(
        form,
        _("Take the merge back"),
        _("Take it back"),
        lambda: merging.undo_merge(db.session(), g.actor, row, form.reason.data or ""),
        _("The merge was taken back."),
        here("duplicate_list"),
        consequences=(
            _("What went from one entry to the other goes back: %(moved)s.",
              moved="; ".join(moved)),
            _("Shares that were brought together return, and an account that was closed opens."),
            _("A roll that was taken does not change."),
        ),
        back_label=_("Back to the pairs"),
    )  # fmt: skip


def simple_form(
    form: Any,
    title: str,
    action: str,
    service: Callable[[], Any],
    done: str,
    back: str,
    *,
    membership: Membership | None = None,
    lead: str = "",
    consequences: tuple[str, ...] = (),
    back_label: str = "",
) -> Any:
    """A page with one form: validate, one service call, one commit, back.

    ``back_label``: what stands at ``back``; the member or the member list where nothing is said.
    """
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                service()
            except GovernError as error:
                db.session.rollback()
                put_error(form, error)
                status = error.status
            else:
                db.session.commit()
                flash(done, "good")
                return flask.redirect(back)
    page = render_template(
        "register/form.html",
        form=form,
        fields=[field for field in form if field.name != "csrf_token"],
        title=title,
        action_label=action,
        membership=membership,
        lead=lead,
        consequences=consequences,
        back=back,
        back_label=back_label,
    )
    return page, status


# -- addresses and representatives ------------------------------------------------------------


def _channel(text: str) -> ContactChannel:
    if text not in tuple(ContactChannel):
        raise NotFound(_("There is no such address."), remedy=_("Go back to the member."))
    return ContactChannel(text)


@blueprint.route("/<cooperative>/register/members/<member>/addresses/<channel>", methods=METHODS)
@requires(Permission.REGISTER_WRITE)
def flag_address(cooperative: str, member: str, channel: str) -> Any:
    """Note that mails or letters to a member come back."""
    membership, form, way = member_of(member), forms.FlagForm(), _channel(channel)
    return simple_form(
        form,
        _("Letters come back") if way is ContactChannel.POST else _("Mails come back"),
        _("Flag the address"),
        lambda: addresses.flag_address(
            db.session(), g.actor, membership, way, form.reason.data or ""
        ),
        _("The address is flagged until it is changed or works again."),
        here("member_page", member=membership.public_id),
        membership=membership,
        lead=_("The member is asked for another address on their own page."),
    )


@blueprint.post("/<cooperative>/register/members/<member>/addresses/<channel>/works")
@requires(Permission.REGISTER_WRITE)
def clear_address(cooperative: str, member: str, channel: str) -> Any:
    """Say that a flagged address works after all."""
    membership = member_of(member)
    addresses.clear_address(db.session(), g.actor, membership, _channel(channel))
    back = here("member_page", member=membership.public_id)
    db.session.commit()
    flash(_("The address counts as working again."), "good")
    return flask.redirect(back)


@blueprint.post("/<cooperative>/register/members/<member>/representatives/<int:row>/withdraw")
@requires(Permission.REGISTER_WRITE)
def withdraw_representative_change(cooperative: str, member: str, row: int) -> Any:
    """Take back a change of representative that has not happened yet."""
    membership = member_of(member)
    withdraw_representative(db.session(), g.actor, membership, row)
    back = here("member_page", member=membership.public_id)
    db.session.commit()
    flash(_("The change was taken back."), "good")
    return flask.redirect(back)


def offer_quality(actor: Any, cooperative: Any) -> list[NavItem]:
    """The tab of data quality, to who may read the register."""
    if not actor.may(Permission.REGISTER_READ, cooperative.id):
        return []
    href = flask.url_for("register.quality_list", cooperative=cooperative.code)
    return [NavItem(_("Data quality"), href, order=70)]
