"""Writing the plan of an import into the register in one go."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.cooperatives.models import Cooperative
from govern.register.importing.comparing import Change, Plan, Register
from govern.register.importing.rows import Context, RegisterRow
from govern.register.models import (
    EndReason,
    EntryKind,
    HolderOpening,
    MemberKind,
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    Representative,
)
from govern.register.rules import chain
from govern.register.rules.folding import email_key, fold, name_key, number_key
from govern.register.services.bulk import insert_rows, make_public_ids, reserve_ids
from govern.register.services.chain import NewEntry, append_entries
from govern.register.services.members import member_search_text

CHUNK = 2000

Progress = Callable[[int], None]


def apply_plan(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    plan: Plan,
    context: Context,
    register: Register,
    source: str,
    progress: Progress | None = None,
) -> None:
    """Write new members with their shares, and the changes of known ones. All or nothing is the
    caller's transaction; the caller holds the lock of the register."""
    tell = progress or (lambda _done: None)
    _change_members(session, register, plan.changes)
    done = 0
    entries: list[NewEntry] = []
    for start in range(0, len(plan.new), CHUNK):
        part = plan.new[start : start + CHUNK]
        entries += insert_members(session, cooperative, part, context, source)
        done += len(part)
        tell(done)
    # The whole chain is written last, in the order of the file.
    append_entries(session, cooperative, entries, recorded_by_id=actor.account_id)
    session.expire_all()


def insert_members(
    session: Session,
    cooperative: Cooperative,
    rows: list[RegisterRow],
    context: Context,
    source: str,
) -> list[NewEntry]:
    """Write members with their holders, categories and commitments; the entries of their shares."""
    now = clock.now()
    person_ids, organisation_ids = _insert_holders(session, rows, context)
    ids = reserve_ids(session, Membership, len(rows))
    public_ids = make_public_ids(len(rows))
    insert_rows(
        session,
        Membership,
        [
            {
                "id": ids[n],
                "public_id": public_ids[n],
                "cooperative_id": cooperative.id,
                "member_number": row.member_number,
                "number_key": number_key(row.member_number),
                "person_id": person_ids[n],
                "organisation_id": organisation_ids[n],
                "joined_on": row.joined_on,
                "ended_on": row.ended_on,
                "end_reason": EndReason.UNSTATED.value if row.ended_on else None,
                "end_note": "",
                "language": row.language,
                "email": row.email or None,
                "email_key": email_key(row.email) if row.email else None,
                "street": row.street,
                "postal_code": row.postal_code,
                "town": row.town,
                "country": row.country,
                "sort_name": (
                    fold(row.organisation_name)
                    if row.is_organisation
                    else fold(f"{row.family_name} {row.given_name}")
                ),
                "search_text": member_search_text(
                    row.member_number,
                    row.name,
                    row.representative,
                    row.email,
                    row.town,
                    row.enterprise_number,
                ),
                "created_at": now,
                "changed_at": now,
            }
            for n, row in enumerate(rows)
        ],
    )
    insert_rows(
        session,
        MembershipCategory,
        [
            {
                "membership_id": membership_id,
                "code": row.category,
                "starts_on": row.joined_on,
                "recorded_at": now,
            }
            for row, membership_id in zip(rows, ids, strict=True)
        ],
    )
    openings = [_opening(row, membership_id) for row, membership_id in zip(rows, ids, strict=True)]
    insert_rows(session, HolderOpening, openings)
    entries: list[NewEntry] = []
    for row, membership_id, public_id, opening in zip(rows, ids, public_ids, openings, strict=True):
        entries += _entries_of(
            row, membership_id, public_id, opening["commitment"], context, source
        )
    return entries


def _insert_holders(
    session: Session, rows: list[RegisterRow], context: Context
) -> tuple[list[int | None], list[int | None]]:
    """Insert persons, organisations and representatives; ids per row, None where not applicable."""
    now = clock.now()
    with_person = [row for row in rows if not row.is_organisation or row.representative]
    firms = [row for row in rows if row.is_organisation]
    new_people = dict(
        zip(
            (row.row for row in with_person),
            reserve_ids(session, Person, len(with_person)),
            strict=True,
        )
    )
    new_firms = dict(
        zip(
            (row.row for row in firms),
            reserve_ids(session, Organisation, len(firms)),
            strict=True,
        )
    )
    people = []
    for row in with_person:
        given, family = (
            row.representative_names() if row.is_organisation else (row.given_name, row.family_name)
        )
        people.append(
            {
                "id": new_people[row.row],
                "given_name": given,
                "family_name": family,
                "birth_date": row.birth_date,
                "name_key": name_key(given, family),
                "created_at": now,
            }
        )
    insert_rows(session, Person, people)
    insert_rows(
        session,
        Organisation,
        [
            {
                "id": new_firms[row.row],
                "name": row.organisation_name,
                "enterprise_number": row.enterprise_number,
                "country": row.country or context.country,
                "created_at": now,
            }
            for row in firms
        ],
    )
    insert_rows(
        session,
        Representative,
        [
            {
                "organisation_id": new_firms[row.row],
                "person_id": new_people[row.row],
                "starts_on": row.joined_on,
                "recorded_at": now,
            }
            for row in firms
            if row.representative
        ],
    )
    return (
        [None if row.is_organisation else new_people[row.row] for row in rows],
        [new_firms.get(row.row) for row in rows],
    )


def _opening(row: RegisterRow, membership_id: int) -> dict[str, Any]:
    salt = secrets.token_hex(32)
    statement = chain.holder_statement(
        member_number=row.member_number,
        kind=(MemberKind.LEGAL if row.is_organisation else MemberKind.NATURAL).value,
        name=row.name,
        birth_date=row.birth_date,
        enterprise_number=row.enterprise_number,
    )
    return {
        "commitment": chain.commit_to(salt, statement),
        "membership_id": membership_id,
        "salt": salt,
        "statement": statement,
        "is_current": True,
        "recorded_at": clock.now(),
    }


def _entries_of(
    row: RegisterRow,
    membership_id: int,
    public_id: str,
    commitment: str,
    context: Context,
    source: str,
) -> list[NewEntry]:
    """A subscription and, if anything was paid, a payment, both on the joining day."""
    if not row.shares or row.joined_on is None:
        return []
    amounts = [(EntryKind.SUBSCRIPTION, row.shares, 0)]
    if row.paid_cents:
        amounts.append((EntryKind.PAYMENT, 0, row.paid_cents))
    return [
        NewEntry(
            membership_id=membership_id,
            membership_public_id=public_id,
            commitment=commitment,
            kind=kind,
            share_class=row.share_class,
            nominal_cents=context.nominal_on(row.joined_on, row.share_class),
            shares=shares,
            amount_cents=cents,
            effective_on=row.joined_on,
            act_id=act_id,
            source=source,
        )
        for act_id, (kind, shares, cents) in zip(
            make_public_ids(len(amounts)), amounts, strict=True
        )
    ]


def _change_members(session: Session, register: Register, changes: list[Change]) -> None:
    """Write the contact data and endings that a later file brings."""
    by_member: dict[int, dict[str, str]] = defaultdict(dict)
    for change in changes:
        by_member[change.membership_id][change.field] = change.after
    known = {member.membership_id: member for member in register.members.values()}
    now = clock.now()
    contact, endings = [], []
    for membership_id, after in by_member.items():
        member = known[membership_id]
        ended_on = after.pop("ended_on", None)
        if ended_on is not None:
            endings.append({"key": membership_id, "ended_on_": _day(ended_on), "changed_at_": now})
        if not after:
            continue
        email = after.get("email", member.email)
        town = after.get("town", member.town)
        contact.append(
            {
                "key": membership_id,
                "email_": email or None,
                "email_key_": email_key(email) if email else None,
                "language_": after.get("language", member.language),
                "street_": after.get("street", member.street),
                "postal_code_": after.get("postal_code", member.postal_code),
                "town_": town,
                "country_": after.get("country", member.country),
                "search_text_": member_search_text(
                    member.member_number,
                    member.name,
                    member.representative,
                    email,
                    town,
                    member.enterprise_number,
                ),
                "changed_at_": now,
            }
        )
    connection = session.connection()
    table = Membership.__table__
    if contact:
        columns = [name.rstrip("_") for name in contact[0] if name != "key"]
        connection.execute(
            update(table)
            .where(table.c.id == bindparam("key"))
            .values({name: bindparam(f"{name}_") for name in columns}),
            contact,
        )
    if endings:
        connection.execute(
            update(table)
            .where(table.c.id == bindparam("key"))
            .values(
                ended_on=bindparam("ended_on_"),
                end_reason=EndReason.UNSTATED.value,
                changed_at=bindparam("changed_at_"),
            ),
            endings,
        )


def _day(text: str) -> date:
    return date.fromisoformat(text)
