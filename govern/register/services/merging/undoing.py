"""Taking a merge back: everything that it moved returns to where it was."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.accounts.models import Account
from govern.errors import Conflict
from govern.register.models import (
    EndReason,
    Membership,
    Merge,
    MergeKind,
    Person,
    Representative,
    ShareEntry,
)
from govern.register.rules.erasure import ERASED_NAME
from govern.register.services import ledger
from govern.register.services.chain import commitment_for, has_openings, lock_register
from govern.register.services.members.finding import index_membership
from govern.register.services.quality.duplicates import checked_reason


def undo_merge(session: Session, actor: Actor, merge: Merge, reason: str) -> Merge:
    """Take ``merge`` back, with a reason. The latest one first, where one rests on another.

    Raises Conflict when it was taken back already or what it moved has moved on since, Forbidden
    unless the actor keeps every register concerned, RuleViolation when shares that were brought
    together have been given on.
    """
    actor.require(Permission.REGISTER_WRITE, merge.cooperative_id)
    lock_register(session, merge.cooperative_id)
    session.refresh(merge, with_for_update=True)
    if not merge.is_open:
        raise Conflict(
            _("This merge was taken back already."), remedy=_("Nothing needs to be done.")
        )
    reason = checked_reason(reason)
    # Before anything is written anew, so that what was written while it held can be told apart.
    now = clock.now()
    if merge.kind == MergeKind.MEMBERSHIP.value:
        _part_memberships(session, actor, merge, reason)
    else:
        _part_holders(session, actor, merge)
    merge.undone_at = now
    merge.undone_by_id = actor.account_id
    merge.undo_reason = reason
    session.flush()
    audit.record(
        session,
        actor,
        f"register:{merge.kind}:parted",
        cooperative_id=merge.cooperative_id,
        subject=f"merge:{merge.public_id}",
        data={"kept": merge.kept_id, "merged": merge.merged_id},
    )
    return merge


def _part_holders(session: Session, actor: Actor, merge: Merge) -> None:
    is_person = merge.kind == MergeKind.PERSON.value
    _refuse_later(session, merge)
    moved: dict[str, Any] = merge.moved
    memberships = list(
        session.scalars(
            select(Membership)
            .where(Membership.id.in_([item["id"] for item in moved["memberships"]]))
            .order_by(Membership.id)
        )
    )
    for cooperative_id in sorted({row.cooperative_id for row in memberships}):
        actor.require(Permission.REGISTER_WRITE, cooperative_id)
        lock_register(session, cooperative_id)
    roles = session.scalars(
        select(Representative).where(Representative.id.in_(moved["representatives"]))
    ).all()
    column = "person_id" if is_person else "organisation_id"
    for row in (*memberships, *roles):
        if getattr(row, column) != merge.kept_id:
            raise _moved_on()
        setattr(row, column, merge.merged_id)
    session.flush()
    if is_person:
        _part_accounts(session, merge)
    for membership in memberships:
        membership.changed_at = clock.now()
        session.flush()
        session.refresh(membership)
        index_membership(session, membership)
        # What was committed to meanwhile stays: the book of that time is read from it.
        if has_openings(session, membership):
            commitment_for(session, membership)
    _index_represented(session, roles)


def _refuse_later(session: Session, merge: Merge) -> None:
    """A merge of the two memberships, or of the kept holder into a third, has to go first."""
    members = [item["id"] for item in merge.moved["memberships"]]
    later = session.scalar(
        select(Merge.id).where(
            Merge.undone_at.is_(None),
            Merge.id > merge.id,
            (
                (Merge.kind == MergeKind.MEMBERSHIP.value)
                & (Merge.kept_id.in_(members) | Merge.merged_id.in_(members))
            )
            | ((Merge.kind == merge.kind) & (Merge.merged_id == merge.kept_id)),
        )
    )
    if later is not None:
        raise Conflict(
            _("A later merge rests on this one."), remedy=_("Take the later one back first.")
        )


def _part_accounts(session: Session, merge: Merge) -> None:
    kept = session.get_one(Person, merge.kept_id)
    merged = session.get_one(Person, merge.merged_id)
    account = merge.moved["account"]
    if account is not None:
        if kept.account_id != account or merged.account_id is not None:
            raise _moved_on()
        kept.account_id = None
        session.flush()
        merged.account_id = account
    closed = merge.moved["closed_account"]
    if closed is not None:
        account_row = session.get_one(Account, closed)
        # One that was erased meanwhile has nobody behind it any more.
        if account_row.name != ERASED_NAME:
            account_row.disabled_at = None
    session.flush()


def _index_represented(session: Session, roles: Any) -> None:
    organisations = {role.organisation_id for role in roles}
    for row in session.scalars(
        select(Membership).where(Membership.organisation_id.in_(organisations))
    ):
        index_membership(session, row)


def _part_memberships(session: Session, actor: Actor, merge: Merge, reason: str) -> None:
    merged = session.get_one(Membership, merge.merged_id)
    ended_on = merge.moved["ended_on"]
    if ended_on is not None:
        if (
            merged.ended_on != date.fromisoformat(ended_on)
            or merged.end_reason != EndReason.TRANSFER.value
        ):
            raise _moved_on()
        merged.ended_on = None
        merged.end_reason = None
        merged.changed_at = clock.now()
        session.flush()
    act = merge.moved["act"]
    if act:
        entry = session.scalars(
            select(ShareEntry)
            .where(ShareEntry.act_id == act, ShareEntry.membership_id == merged.id)
            .order_by(ShareEntry.sequence)
        ).first()
        if entry is None:
            raise _moved_on()
        ledger.reverse_act(session, actor, entry, reason)


def _moved_on() -> Conflict:
    return Conflict(
        _("What this merge moved has been changed since."),
        remedy=_("Look at the history of the member; take later acts back first."),
    )
