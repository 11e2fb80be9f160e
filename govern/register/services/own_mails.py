"""Which mails and letters of the outbox went to a member: by what they are about, else by name.

Who queues a mail about a membership says so (``OutboxMail.about``). Rows that nobody said it of
(older ones, those about an account) are found by name and address; a letter has only a name, and
where somebody else in the cooperative has the same, it is left to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import and_, exists, false, func, or_, select
from sqlalchemy.orm import Session

from govern.accounts.models import Account
from govern.mail import Channel, DeliveryState, OutboxMail
from govern.register.models import Membership, Organisation, Person, Representative
from govern.register.rules.folding import fold, name_key

ABOUT = "membership:"

TO_MEMBERS = ("certificate", "notice")
"""Kinds of mails that nobody gets who is not a member yet."""


def mails_to(
    session: Session,
    memberships: Sequence[Membership],
    person: Person | None,
    *,
    erasing: bool = False,
) -> Any:
    """The condition of the mails and letters that went to the holder of ``memberships``.

    Those about one of them. Of those that are not known to be about a membership: mails to that
    name at an address of theirs, unless a namesake has that address too; letters to that name where
    nobody else in the cooperative has it. ``erasing``: the person's other roles count as somebody
    else (what they got as a representative stays), and mails that have left for an address that is
    nobody's now are among them, since it may be an earlier one. (What still waits to go there stays
    unless only members get such mails: it may be for an applicant.)
    """
    holders = _holders(memberships, person)
    addresses = {(row.email or "").lower() for row in memberships} - {""}
    account = person.account if person is not None else None
    if account is not None and account.email:
        addresses.add(account.email.lower())
    cooperatives = {row.cooperative_id for row in memberships}
    own = {row.id for row in memberships}
    to_address = func.lower(OutboxMail.to_address)
    by_mail = OutboxMail.channel == Channel.EMAIL.value
    found: list[Any] = []
    for holder in holders:
        others = _namesakes(session, holder, cooperatives, own)
        shared = {row.email_key for row, same in others if row.email_key and not same}
        is_theirs = OutboxMail.to_name == holder.name
        found.append(is_theirs & by_mail & to_address.in_(addresses - shared))
        taken = {row.cooperative_id for row, same in others if erasing or not same}
        alone = is_theirs & OutboxMail.cooperative_id.in_(cooperatives - taken)
        found.append(alone & (OutboxMail.channel == Channel.LETTER.value))
        if erasing:
            found.append(alone & by_mail & _left_for_nobody(to_address, own, account))
    untold = _untold(session, memberships, None if erasing else person)
    mine = OutboxMail.about.in_([about_membership(row) for row in memberships])
    return or_(mine, and_(untold, or_(false(), *found)))


def about_membership(membership: Membership) -> str:
    """What a mail about that membership says that it is about."""
    return f"{ABOUT}{membership.public_id}"


def _untold(session: Session, memberships: Sequence[Membership], person: Person | None) -> Any:
    """Mails of which nobody said whose membership they are about; for the export of a ``person``
    also those about an organisation, which may have gone to that person."""
    found = [OutboxMail.about.is_(None), ~OutboxMail.about.startswith(ABOUT)]
    if person is not None:
        represented = session.scalars(
            select(Membership)
            .join(Representative, Representative.organisation_id == Membership.organisation_id)
            .where(
                Representative.person_id == person.id,
                Membership.id.not_in([row.id for row in memberships]),
            )
        )
        found.append(OutboxMail.about.in_([about_membership(row) for row in represented]))
    return or_(*found)


def _holders(
    memberships: Sequence[Membership], person: Person | None
) -> Iterable[Person | Organisation]:
    """Under whose names the memberships are written to."""
    found: dict[tuple[str, int], Person | Organisation] = {}
    if person is not None:
        found["person", person.id] = person
    for row in memberships:
        if row.person is not None:
            found["person", row.person.id] = row.person
        if row.organisation is not None:
            found["organisation", row.organisation.id] = row.organisation
            for item in row.organisation.representatives:
                found["person", item.person_id] = item.person
    return found.values()


def _namesakes(
    session: Session, holder: Person | Organisation, cooperatives: set[int], own: set[int]
) -> list[tuple[Membership, bool]]:
    """Other memberships that are written to under that name, and whether it is the same holder."""
    here = (Membership.cooperative_id.in_(cooperatives), Membership.id.not_in(own))
    if isinstance(holder, Organisation):
        key = fold(holder.name)
    else:
        key = fold(f"{holder.family_name} {holder.given_name}")
    rows = session.scalars(select(Membership).where(*here, Membership.sort_name == key))
    found = [(row, holder in (row.person, row.organisation)) for row in rows]
    if isinstance(holder, Organisation):
        return found
    represented = session.execute(
        select(Membership, Person.id)
        .join(Representative, Representative.organisation_id == Membership.organisation_id)
        .join(Person, Person.id == Representative.person_id)
        .where(*here, Person.name_key == name_key(holder.given_name, holder.family_name))
    )
    return found + [(row, person_id == holder.id) for row, person_id in represented]


def _left_for_nobody(to_address: Any, own: set[int], account: Account | None) -> Any:
    """Whether a mail has left, for an address that no other member and no other account has."""
    member = exists().where(Membership.email_key == to_address, Membership.id.not_in(own))
    reader = exists().where(
        Account.email_key == to_address, Account.id != (account.id if account is not None else 0)
    )
    waits = OutboxMail.state.in_([DeliveryState.QUEUED.value, DeliveryState.SENDING.value])
    return and_(~waits | OutboxMail.category.in_(TO_MEMBERS), ~member, ~reader)
