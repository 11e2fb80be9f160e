"""The entries of a roll: who is eligible in SQL, and the rows as the rules see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import Integer, Row, cast, func, insert, literal, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from govern import audit
from govern.access import Actor
from govern.register.models import (
    MemberKind,
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    Representative,
    Roll,
    RollEntry,
)
from govern.register.rules.folding import search_text
from govern.register.rules.roll import (
    RollLine,
)
from govern.register.services.bulk import CHUNK, by_bytes
from govern.register.services.holdings import holdings_on


def eligible_members(cooperative_id: int, day: date, membership_id: int | None = None) -> Any:
    """The members who are on a roll of ``day``: the SQL form of ``rules.roll.obstacles_on``."""
    holding = holdings_on(cooperative_id, day, None if membership_id is None else [membership_id])
    delegate = aliased(Person)
    query = (
        select(
            Membership.id,
            Membership.member_number,
            Membership.number_key,
            Membership.language,
            Membership.email,
            Membership.street,
            Membership.postal_code,
            Membership.town,
            Membership.country,
            Membership.sort_name,
            Person.given_name,
            Person.family_name,
            Organisation.name.label("organisation"),
            delegate.given_name.label("delegate_given_name"),
            delegate.family_name.label("delegate_family_name"),
            MembershipCategory.code.label("category"),
            holding.c.issued,
            holding.c.paid,
        )
        .join(holding, holding.c.membership_id == Membership.id)
        .join(
            MembershipCategory,
            (MembershipCategory.membership_id == Membership.id)
            & (MembershipCategory.starts_on <= day)
            & or_(MembershipCategory.ends_on.is_(None), MembershipCategory.ends_on > day),
        )
        .outerjoin(Person, Membership.person_id == Person.id)
        .outerjoin(Organisation, Membership.organisation_id == Organisation.id)
        .outerjoin(
            Representative,
            (Representative.organisation_id == Organisation.id)
            & (Representative.starts_on <= day)
            & or_(Representative.ends_on.is_(None), Representative.ends_on > day),
        )
        .outerjoin(delegate, Representative.person_id == delegate.id)
        .where(
            Membership.cooperative_id == cooperative_id,
            Membership.joined_on <= day,
            or_(Membership.ended_on.is_(None), Membership.ended_on > day),
            holding.c.paid >= 1,
        )
    )
    return query if membership_id is None else query.where(Membership.id == membership_id)


def insert_people(session: Session, roll: Roll) -> None:
    """Write the entries of all natural persons in one statement: those of ``entry_values``."""
    one = (
        eligible_members(roll.cooperative_id, roll.record_date)
        .where(Membership.organisation_id.is_(None))
        .subquery("eligible")
        .c
    )
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    make_object = func.json_build_object if is_postgresql else func.json_object
    address = make_object(
        literal_column("'street'"), one.street,
        literal_column("'postal_code'"), one.postal_code,
        literal_column("'town'"), one.town,
        literal_column("'country'"), one.country,
    )  # fmt: skip
    values: dict[str, Any] = {
        "roll_id": literal(roll.id),
        "membership_id": one.id,
        "member_number": one.member_number,
        "display_name": func.trim(one.given_name + " " + one.family_name),
        "kind": literal(MemberKind.NATURAL.value),
        "category": one.category,
        "shares_issued": cast(one.issued, Integer),
        "shares_paid": cast(one.paid, Integer),
        "language": one.language,
        "email": one.email,
        "representative": literal(""),
        "address": address,
        "sort_name": one.sort_name,
        "search_text": literal(" ") + one.number_key + " " + one.sort_name,
    }
    session.execute(insert(RollEntry.__table__).from_select(list(values), select(*values.values())))


def entry_values(row: Row[Any]) -> dict[str, Any]:
    """The columns of a roll entry (without its roll) from one row of ``eligible_members``."""
    is_person = row.organisation is None
    name = f"{row.given_name} {row.family_name}".strip() if is_person else row.organisation
    delegate = f"{row.delegate_given_name or ''} {row.delegate_family_name or ''}".strip()
    return {
        "membership_id": row.id,
        "member_number": row.member_number,
        "display_name": name,
        "kind": (MemberKind.NATURAL if is_person else MemberKind.LEGAL).value,
        "category": row.category,
        "shares_issued": int(row.issued),
        "shares_paid": int(row.paid),
        "language": row.language,
        "email": row.email,
        "representative": delegate,
        "address": {
            "street": row.street,
            "postal_code": row.postal_code,
            "town": row.town,
            "country": row.country,
        },
        "sort_name": row.sort_name,
        # The name is folded already, for ordering; the order of the words does not matter.
        "search_text": f" {row.number_key} {row.sort_name}{search_text(delegate).rstrip()}",
    }


def line_of(values: dict[str, Any]) -> RollLine:
    return RollLine(
        values["member_number"],
        values["display_name"],
        values["kind"],
        values["category"],
        values["shares_issued"],
        values["shares_paid"],
    )


def roll_lines(session: Session, roll: Roll) -> Iterator[RollLine]:
    """The lines of a roll in their canonical order, as a stream."""
    query = select(
        RollEntry.member_number,
        RollEntry.display_name,
        RollEntry.kind,
        RollEntry.category,
        RollEntry.shares_issued,
        RollEntry.shares_paid,
    ).where(RollEntry.roll_id == roll.id)
    rows = session.execute(
        query.order_by(by_bytes(session, RollEntry.member_number)).execution_options(
            yield_per=CHUNK
        )
    )
    return (RollLine(*row) for row in rows)


def entry_of(session: Session, roll: Roll, membership_id: int) -> RollEntry | None:
    return session.scalar(
        select(RollEntry).where(
            RollEntry.roll_id == roll.id, RollEntry.membership_id == membership_id
        )
    )


def lock_row(session: Session, roll: Roll) -> None:
    """Of two that act on the roll at once, one waits and then sees what the other did."""
    session.flush()
    session.refresh(roll, with_for_update=True)


def record_step(
    session: Session, actor: Actor, roll: Roll, action: str, data: dict[str, Any]
) -> None:
    audit.record(
        session,
        actor,
        f"register:roll:{action}",
        cooperative_id=roll.cooperative_id,
        subject=f"roll:{roll.public_id}",
        data={"heads": roll.heads, **data},
    )
