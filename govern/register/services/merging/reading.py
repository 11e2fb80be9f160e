"""What a merge would do, which ones there are, and what becomes of a second account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from govern.accounts.models import Account
from govern.cooperatives.models import Cooperative
from govern.errors import NotFound
from govern.register.models import (
    Membership,
    Merge,
    MergeKind,
    Person,
    Representative,
    Roll,
    RollEntry,
)


@dataclass(frozen=True)
class Preview:
    """What will happen. ``memberships`` and ``organisations`` go to the kept one; of ``rolls``
    with both on them the locked ones stay as they are and the others want a correction."""

    same_holder: bool
    memberships: Sequence[Membership]
    organisations: Sequence[str]
    account_moves: bool
    account_closes: bool
    rolls: Sequence[Roll]


def preview_merge(session: Session, kept: Membership, merged: Membership) -> Preview:
    """What merging the holder of ``merged`` into that of ``kept`` would move and touch."""
    same = (kept.person_id, kept.organisation_id) == (merged.person_id, merged.organisation_id)
    memberships: Sequence[Membership] = [merged]
    organisations: list[str] = []
    if not same and merged.person_id is not None:
        memberships = session.scalars(
            select(Membership).where(Membership.person_id == merged.person_id)
        ).all()
        organisations = [
            row.organisation.name
            for row in session.scalars(
                select(Representative).where(Representative.person_id == merged.person_id)
            )
        ]
    accounts = [row.person.account_id if row.person else None for row in (kept, merged)]
    on_first = select(RollEntry.roll_id).where(RollEntry.membership_id == kept.id)
    on_second = select(RollEntry.roll_id).where(RollEntry.membership_id == merged.id)
    rolls = session.scalars(
        select(Roll)
        .where(Roll.id.in_(on_first), Roll.id.in_(on_second))
        .order_by(Roll.record_date.desc())
        .limit(20)
    ).all()
    return Preview(
        same_holder=same,
        memberships=memberships,
        organisations=sorted(set(organisations)),
        account_moves=not same and accounts[1] is not None and accounts[0] is None,
        account_closes=not same and None not in accounts,
        rolls=rolls,
    )


def merges_of(cooperative_id: int) -> Select[tuple[Merge]]:
    """The merges made from that register, newest first."""
    return (
        select(Merge)
        .where(Merge.cooperative_id == cooperative_id)
        .order_by(Merge.made_at.desc(), Merge.id.desc())
    )


def merge_by_public_id(session: Session, cooperative: Cooperative, public_id: str) -> Merge:
    """The merge made from that register; NotFound otherwise."""
    found = session.scalar(
        select(Merge).where(Merge.public_id == public_id, Merge.cooperative_id == cooperative.id)
    )
    if found is None:
        raise NotFound(_("There is no such merge."), remedy=_("Choose one from the list."))
    return found


def merges_of_membership(session: Session, membership: Membership) -> Sequence[Merge]:
    """The merges that concern the membership or its holder, newest first."""
    about = [
        (Merge.kind == MergeKind.MEMBERSHIP.value)
        & or_(Merge.kept_id == membership.id, Merge.merged_id == membership.id)
    ]
    for kind, holder in (
        (MergeKind.PERSON, membership.person_id),
        (MergeKind.ORGANISATION, membership.organisation_id),
    ):
        if holder is not None:
            about.append(
                (Merge.kind == kind.value) & or_(Merge.kept_id == holder, Merge.merged_id == holder)
            )
    return session.scalars(select(Merge).where(or_(*about)).order_by(Merge.id.desc())).all()


def merged_memberships_of(session: Session, merge: Merge) -> Sequence[Membership]:
    """The memberships that the merge moved or ended."""
    ids = (
        [merge.merged_id]
        if merge.kind == MergeKind.MEMBERSHIP.value
        else [item["id"] for item in merge.moved["memberships"]]
    )
    return session.scalars(select(Membership).where(Membership.id.in_(ids))).all()


def merged_accounts_of(session: Session, person_id: int) -> Sequence[int]:
    """The accounts that were closed because this person has another one."""
    return session.scalars(
        select(Merge.closed_account_id).where(
            Merge.kind == MergeKind.PERSON.value,
            Merge.kept_id == person_id,
            Merge.undone_at.is_(None),
            Merge.closed_account_id.is_not(None),
        )
    ).all()  # type: ignore[return-value]


def closed_account_words(session: Session, account_id: int) -> str:
    """Why an account that was closed by a merge takes no sign-in, "" for any other account."""
    merge = session.scalar(
        select(Merge).where(Merge.closed_account_id == account_id, Merge.undone_at.is_(None))
    )
    if merge is None:
        return ""
    account = session.get(Account, account_id)
    if account is None or account.disabled_at is None:
        return ""
    kept = session.get(Person, merge.kept_id)
    if kept is None or kept.account_id is None:
        return ""
    return _(
        "You had two accounts, and this one was closed when your entries in the register were "
        "brought together. Sign in with the password of the other one, or ask for a sign-in link "
        "by mail. If these entries are not both yours, write to your cooperative."
    )
