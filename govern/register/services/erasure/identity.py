"""Erasing who somebody was: the account, the person, and the contact data on rolls."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from govern import clock
from govern.accounts.models import Account, RoleGrant
from govern.accounts.services import end_all_sessions
from govern.register.models import (
    HolderOpening,
    Membership,
    Merge,
    MergeKind,
    Person,
    Representative,
    RollEntry,
)
from govern.register.rules.erasure import ERASED_NAME
from govern.register.rules.folding import search_text
from govern.register.services.members.finding import index_membership


def erase_account(session: Session, membership: Membership) -> int:
    """Empty and close the account of the person, unless something else needs it; 0 or 1.

    Needed by: another membership that lasts, an organisation that is represented, an office.
    Its number stays in the record of who did what.
    """
    person = membership.person
    if person is None:
        return 0
    accounts = [
        number
        for number in (person.account_id, *_closed_accounts(session, person))
        if number is not None
    ]
    if not accounts or _is_needed(session, person, membership, accounts):
        return 0
    person.account_id = None
    for number in accounts:
        account = session.get_one(Account, number)
        account.name = ERASED_NAME
        account.email = account.email_key = account.password_hash = None
        account.disabled_at = account.disabled_at or clock.now()
        end_all_sessions(session, account)
    session.flush()
    return len(accounts)


def _closed_accounts(session: Session, person: Person) -> Sequence[int | None]:
    return session.scalars(
        select(Merge.closed_account_id).where(
            Merge.kind == MergeKind.PERSON.value,
            Merge.kept_id == person.id,
            Merge.closed_account_id.is_not(None),
            Merge.undone_at.is_(None),
        )
    ).all()


def _is_needed(
    session: Session, person: Person, membership: Membership, accounts: Sequence[int]
) -> bool:
    today = clock.today()
    lasts = select(Membership.id).where(
        Membership.person_id == person.id,
        Membership.id != membership.id,
        or_(Membership.ended_on.is_(None), Membership.ended_on > today),
    )
    represents = select(Representative.id).where(
        Representative.person_id == person.id,
        or_(Representative.ends_on.is_(None), Representative.ends_on > today),
    )
    office = select(RoleGrant.id).where(
        RoleGrant.account_id.in_(accounts), RoleGrant.ends_at.is_(None)
    )
    return any(session.scalar(query.limit(1)) is not None for query in (lasts, represents, office))


def erase_identity(session: Session, membership: Membership) -> None:
    """Take the holder's name off the membership.

    A person who is known for something else too (another membership, an organisation that is
    represented) keeps it there; this membership then gets a holder without a name.
    """
    if membership.person is not None:
        person = membership.person
        if _is_known_otherwise(session, person, membership):
            nameless = _make_nameless()
            session.add(nameless)
            session.flush()
            membership.person_id = nameless.id
            session.flush()
            session.refresh(membership)
        else:
            _erase_from_parted(session, person)
            _blank(person)
            for merged in _merged_into(session, person):
                _blank(merged)
    else:
        _blank_representatives(session, membership)
    index_membership(session, membership)


def erase_rolls(session: Session, membership: Membership) -> int:
    """Take the contact data and the representative off every roll; how many entries that were.

    Locked rolls too: neither the trigger nor the digest covers these columns.
    """
    entries = session.scalars(
        select(RollEntry).where(RollEntry.membership_id == membership.id)
    ).all()
    for entry in entries:
        entry.email = None
        entry.address = {}
        entry.representative = ""
        entry.search_text = search_text(entry.member_number, entry.display_name)
    session.flush()
    return len(entries)


def _is_known_otherwise(session: Session, person: Person, membership: Membership) -> bool:
    other = select(Membership.id).where(
        Membership.person_id == person.id, Membership.id != membership.id
    )
    represents = select(Representative.id).where(Representative.person_id == person.id)
    return person.account_id is not None or any(
        session.scalar(query.limit(1)) is not None for query in (other, represents)
    )


def _merged_into(session: Session, person: Person) -> Sequence[Person]:
    """The rows that a merge emptied into this one: they still hold a name."""
    return session.scalars(
        select(Person).where(
            Person.id.in_(
                select(Merge.merged_id).where(
                    Merge.kind == MergeKind.PERSON.value,
                    Merge.kept_id == person.id,
                    Merge.undone_at.is_(None),
                )
            )
        )
    ).all()


def _erase_from_parted(session: Session, person: Person) -> None:
    """Take away what the ledger noted of this person about memberships that turned out to be
    somebody else's: the statements from the time of a merge that was taken back."""
    merges = session.scalars(
        select(Merge).where(
            Merge.kind == MergeKind.PERSON.value,
            Merge.kept_id == person.id,
            Merge.undone_at.is_not(None),
        )
    )
    for merge in merges.all():
        for item in merge.moved["memberships"]:
            before = session.get(HolderOpening, item["commitment"]) if item["commitment"] else None
            session.execute(
                delete(HolderOpening).where(
                    HolderOpening.membership_id == item["id"],
                    HolderOpening.recorded_at < merge.undone_at,
                    *([HolderOpening.recorded_at > before.recorded_at] if before else []),
                )
            )


def _blank_representatives(session: Session, membership: Membership) -> None:
    """The organisation is no person and keeps its name; who represented it loses theirs."""
    others = select(Membership.id).where(
        Membership.organisation_id == membership.organisation_id, Membership.id != membership.id
    )
    if session.scalar(others.limit(1)) is not None:
        return
    people = session.scalars(
        select(Person)
        .join(Representative, Representative.person_id == Person.id)
        .where(Representative.organisation_id == membership.organisation_id)
    ).all()
    for person in people:
        elsewhere = select(Representative.id).where(
            Representative.person_id == person.id,
            Representative.organisation_id != membership.organisation_id,
        )
        own = select(Membership.id).where(Membership.person_id == person.id)
        if person.account_id is None and not any(
            session.scalar(query.limit(1)) is not None for query in (elsewhere, own)
        ):
            _blank(person)


def _make_nameless() -> Person:
    return Person(given_name="", family_name=ERASED_NAME, name_key="", created_at=clock.now())


def _blank(person: Person) -> None:
    person.given_name = ""
    person.family_name = ERASED_NAME
    person.birth_date = None
    person.name_key = ""
