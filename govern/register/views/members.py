"""The member list, its exports, and the page of one member."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import g, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from govern.access import Permission, requires
from govern.accounts.words import ROLE_NAMES
from govern.audit import AuditEntry
from govern.cooperatives.services import rules_on
from govern.extensions import db
from govern.i18n import local_text
from govern.paging import PER_PAGE, requested_page
from govern.register.models import MemberKind, Membership
from govern.register.rules.privacy import FieldGroup
from govern.register.rules.quality import Blocker
from govern.register.services.certificate_document import spaced
from govern.register.services.erasure import last_erasure
from govern.register.services.holdings import holding_of, numbers_of
from govern.register.services.listing import (
    MemberFilter,
    MemberState,
    category_on,
    export_columns,
    export_members,
    find_members,
    history_of,
    register_totals,
    shares_of,
)
from govern.register.services.members import categories_on, representatives_of
from govern.register.services.merging import merges_of_membership
from govern.register.services.privacy import readings_of
from govern.register.services.quality.addresses import problems_of
from govern.register.services.quality.blockers import blockers_of
from govern.register.spreadsheets import write_csv, write_xlsx
from govern.register.texts import (
    CAUSE_NAMES,
    END_REASON_NAMES,
    ENTRY_KIND_NAMES,
    FIELD_NAMES,
    KIND_NAMES,
    share_class_name,
)
from govern.register.texts.privacy import (
    BLOCKER_MEANINGS,
    BLOCKER_NAMES,
    CHANNEL_NAMES,
    ERASURE_STATE_NAMES,
    MERGE_NAMES,
)
from govern.register.views.blueprint import attachment, blueprint, here, member_of, today
from govern.register.views.traces import leave_trace, shown_fields


def _filter() -> MemberFilter:
    """What the address asks for; anything unknown narrows nothing."""
    state = request.args.get("state", "")
    return MemberFilter(
        query=request.args.get("q", "")[:200],
        category=request.args.get("category", "")[:20],
        kind=request.args.get("kind", "") if request.args.get("kind") in tuple(MemberKind) else "",
        state=MemberState(state) if state in tuple(MemberState) else MemberState.CURRENT,
        without_email=request.args.get("email") == "none",
        with_problem=request.args.get("email") == "problem"
        and FieldGroup.ADDRESS_PROBLEMS in shown_fields(),
        names_only=FieldGroup.CONTACT not in shown_fields(),
    )


@blueprint.get("/<cooperative>/register/members")
@requires(Permission.REGISTER_READ)
def member_list(cooperative: str) -> Any:
    """The members, found by any words of what whoever asks may see of names and addresses."""
    session, wanted, day = db.session(), _filter(), today()
    page = find_members(session, g.cooperative.id, wanted, day, requested_page(), PER_PAGE)
    # The figures of the whole register stand above its beginning, not above every search.
    is_beginning = wanted == MemberFilter(names_only=wanted.names_only) and page.page == 1
    return render_template(
        "register/members.html",
        page=page,
        wanted=wanted,
        shares=shares_of(session, [item.id for item in page], day),
        category_of=lambda item: category_on(item, day),
        categories=_category_names(),
        totals=register_totals(session, g.cooperative.id, day) if is_beginning else None,
        kinds=KIND_NAMES,
        day_shown=day,
        sees=shown_fields(),
        problems=(
            problems_of(session, [item.id for item in page])
            if FieldGroup.ADDRESS_PROBLEMS in shown_fields()
            else {}
        ),
    )


@blueprint.get("/<cooperative>/register/members.csv")
@requires(Permission.REGISTER_READ)
def export_csv(cooperative: str) -> Any:
    """The members of the list as CSV, in the columns that an import reads."""
    headers, rows = _export()
    return attachment(
        b"".join(write_csv(headers, rows)),
        f"{g.cooperative.code}-members-{today().isoformat()}.csv",
        "text/csv",
    )


@blueprint.get("/<cooperative>/register/members.xlsx")
@requires(Permission.REGISTER_READ)
def export_xlsx(cooperative: str) -> Any:
    """The members of the list as a workbook."""
    headers, rows = _export()
    return attachment(
        write_xlsx(_("Members"), headers, rows),
        f"{g.cooperative.code}-members-{today().isoformat()}.xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )


def _export() -> tuple[list[str], Any]:
    leave_trace(None)
    columns = export_columns(g.actor, g.cooperative.id)
    members = export_members(db.session(), g.cooperative.id, _filter(), today())
    return (
        [str(FIELD_NAMES[name]) for name in columns],
        ([_export_value(name, member[name]) for name in columns] for member in members),
    )


def _export_value(name: str, value: Any) -> Any:
    return Decimal(value).scaleb(-2) if name == "paid" else value


@blueprint.get("/<cooperative>/register/members/<member>")
@requires(Permission.REGISTER_READ)
def member_page(cooperative: str, member: str) -> Any:
    """One member: shares, category, contact, history, and what may be done."""
    membership = member_of(member)
    leave_trace(membership)
    m = member_facts(membership)
    return render_template(
        "register/member.html",
        m=m,
        membership=membership,
        acts=acts_on(membership),
        merges=merges_of_membership(db.session(), membership),
        merge_names=MERGE_NAMES,
        readings=(
            readings_of(db.session(), membership, 20) if FieldGroup.READINGS in m["sees"] else ()
        ),
        role_names=ROLE_NAMES,
        erasure=(
            last_erasure(db.session(), membership) if FieldGroup.ERASURE in m["sees"] else None
        ),
        erasure_states=ERASURE_STATE_NAMES,
        blockers=[
            (BLOCKER_NAMES[item], BLOCKER_MEANINGS[item])
            for item in blockers_of(db.session(), membership, today())
            if item not in (Blocker.EMAIL_REFUSED, Blocker.LETTER_RETURNED)
        ],
        has_classes=len(rules_on(db.session(), g.cooperative.id, today())[1].share_classes) > 1,
        withdraw_link=lambda row: here(
            "withdraw_representative_change", member=membership.public_id, row=row
        ),
        reverse_link=lambda sequence: here(
            "reverse_entry", member=membership.public_id, sequence=sequence
        ),
    )


def member_facts(membership: Membership, *, concerned: bool = False) -> dict[str, Any]:
    """What the registrar's page and the member's own page show.

    ``sees`` are the parts of the record that whoever asks may see (``rules.privacy``).
    """
    session, day = db.session(), today()
    sees = shown_fields(concerned=concerned)
    return {
        "sees": sees,
        "problems": (
            problems_of(session, [membership.id]).get(membership.id, ())
            if FieldGroup.ADDRESS_PROBLEMS in sees
            else ()
        ),
        "channel_names": CHANNEL_NAMES,
        "today": day,
        "membership": membership,
        "holding": holding_of(session, membership.id, day),
        "numbers": {
            share_class_name(session, g.cooperative.id, code, day): spaced(numbers)
            for code, numbers in numbers_of(session, membership.id, day).items()
        },
        "entries": history_of(session, membership),
        "causes": CAUSE_NAMES,
        "category": category_on(membership, day),
        "categories": _category_names(),
        "representatives": (
            representatives_of(session, membership.organisation.id)
            if membership.organisation
            else []
        ),
        "kinds": KIND_NAMES,
        "entry_kinds": ENTRY_KIND_NAMES,
        "end_reasons": END_REASON_NAMES,
        "has_ended": membership.ended_on is not None and membership.ended_on <= day,
        "may_write": g.actor.may(Permission.REGISTER_WRITE, g.cooperative.id),
    }


def acts_on(membership: Membership) -> list[tuple[AuditEntry, str]]:
    """What was done to the membership besides the ledger, newest first, in words."""
    words = {
        "register:membership:added": _("Admitted"),
        "register:membership:contact_changed": _("Contact data changed"),
        "register:membership:identity_corrected": _("Name or number corrected"),
        "register:membership:category_changed": _("Category changed"),
        "register:membership:representative_changed": _("Representative changed"),
        "register:membership:ended": _("Membership ended"),
        "register:membership:reopened": _("Membership goes on: the transfer was taken back"),
        "register:membership:representative_withdrawn": _("Announced representative taken back"),
        "register:membership:address_flagged": _("Address flagged"),
        "register:membership:address_cleared": _("Address works again"),
        "register:membership:merged": _("Brought together with another membership"),
        "register:erasure:requested": _("Erasure asked for"),
        "register:erasure:begun": _("What need not be kept was erased"),
        "register:erasure:completed": _("Identity erased"),
    }
    rows = db.session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.subject == f"membership:{membership.public_id}",
            AuditEntry.cooperative_id == membership.cooperative_id,
            AuditEntry.tag.in_(words),
        )
        .order_by(AuditEntry.position.desc())
        .limit(50)
    )
    return [(row, words[row.tag]) for row in rows]


def _category_names() -> dict[str, str]:
    return {
        category.code: local_text(category.names)
        for category in categories_on(db.session(), g.cooperative.id, today())
    }
