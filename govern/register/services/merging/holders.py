"""Two rows of one person, or of one organisation, become one holder."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.accounts.models import Account, RoleGrant
from govern.accounts.services import end_all_sessions
from govern.errors import Conflict, RuleViolation
from govern.register.models import (
    HolderOpening,
    Membership,
    Merge,
    MergeKind,
    Organisation,
    Person,
    Representative,
)
from govern.register.services.chain import commitment_for, lock_register
from govern.register.services.members.finding import index_membership
from govern.register.services.quality.duplicates import checked_reason
from govern.register.services.telling import mail_member


def merge_holders(
    session: Session, actor: Actor, kept: Membership, merged: Membership, reason: str
) -> Merge:
    """Say that the holders of both memberships are one: the one of ``kept`` stays.

    Its name, birth date and number stay as they are. All memberships and representations of the
    other go to it, whatever the cooperative, so whoever asks must keep the register of each. Of
    two accounts the one of the kept person stays and the other is closed.
    Raises Forbidden, Conflict when both are one already, RuleViolation naming what stands against.
    """
    reason = checked_reason(reason)
    if (kept.person_id is None) != (merged.person_id is None):
        raise RuleViolation(
            _("A person and an organisation cannot be the same member."),
            remedy=_("Choose two people or two organisations."),
        )
    if kept.person is not None and merged.person is not None:
        return _merge_people(session, actor, kept, kept.person, merged.person, reason)
    if kept.organisation is None or merged.organisation is None:
        raise RuleViolation(_("This membership has no holder."))
    return _merge_organisations(
        session, actor, kept, kept.organisation, merged.organisation, reason
    )


def _merge_people(
    session: Session, actor: Actor, home: Membership, kept: Person, merged: Person, reason: str
) -> Merge:
    _refuse_same(kept.id == merged.id)
    for cooperative_id in _registers_of(session, kept, merged):
        actor.require(Permission.REGISTER_WRITE, cooperative_id)
        lock_register(session, cooperative_id)
    session.refresh(kept, with_for_update=True)
    session.refresh(merged, with_for_update=True)
    _refuse_merged_before(session, MergeKind.PERSON, kept.id, merged.id)
    _refuse_own(actor, kept, merged)
    memberships = list(
        session.scalars(
            select(Membership).where(Membership.person_id == merged.id).order_by(Membership.id)
        )
    )
    roles = session.scalars(
        select(Representative).where(Representative.person_id == merged.id)
    ).all()
    account, closed = _settle_accounts(session, kept, merged)
    moved: dict[str, Any] = {
        "memberships": [_moved_membership(session, row) for row in memberships],
        "representatives": [row.id for row in roles],
        "account": account,
        "closed_account": closed,
    }
    for row in memberships:
        row.person_id = kept.id
    for role in roles:
        role.person_id = kept.id
    session.flush()
    organisations = {role.organisation_id for role in roles}
    represented = session.scalars(
        select(Membership).where(Membership.organisation_id.in_(organisations))
    ).all()
    _write_again(session, memberships)
    for row in represented:
        index_membership(session, row)
    merge = _record(
        session, actor, home, MergeKind.PERSON, (kept.id, merged.id), reason, moved, closed
    )
    _tell(session, merge, [home, *memberships])
    return merge


def _merge_organisations(
    session: Session,
    actor: Actor,
    home: Membership,
    kept: Organisation,
    merged: Organisation,
    reason: str,
) -> Merge:
    _refuse_same(kept.id == merged.id)
    cooperatives = session.scalars(
        select(Membership.cooperative_id)
        .where(Membership.organisation_id.in_([kept.id, merged.id]))
        .distinct()
        .order_by(Membership.cooperative_id)
    ).all()
    for cooperative_id in cooperatives:
        actor.require(Permission.REGISTER_WRITE, cooperative_id)
        lock_register(session, cooperative_id)
    session.refresh(kept, with_for_update=True)
    session.refresh(merged, with_for_update=True)
    _refuse_merged_before(session, MergeKind.ORGANISATION, kept.id, merged.id)
    memberships = list(
        session.scalars(
            select(Membership)
            .where(Membership.organisation_id == merged.id)
            .order_by(Membership.id)
        )
    )
    # The kept organisation's own representatives count; only where it never had one do those of
    # the other come along.
    has_own = session.scalar(
        select(Representative.id).where(Representative.organisation_id == kept.id).limit(1)
    )
    roles = (
        []
        if has_own is not None
        else session.scalars(
            select(Representative).where(Representative.organisation_id == merged.id)
        ).all()
    )
    moved = {
        "memberships": [_moved_membership(session, row) for row in memberships],
        "representatives": [row.id for row in roles],
        "account": None,
        "closed_account": None,
    }
    for row in memberships:
        row.organisation_id = kept.id
    for role in roles:
        role.organisation_id = kept.id
    session.flush()
    _write_again(session, memberships)
    merge = _record(
        session, actor, home, MergeKind.ORGANISATION, (kept.id, merged.id), reason, moved, None
    )
    _tell(session, merge, [home, *memberships])
    return merge


# -- inside -----------------------------------------------------------------------------------


def _refuse_same(is_same: bool) -> None:
    if is_same:
        raise Conflict(
            _("Both memberships have the same holder already."),
            remedy=_("Bring the two memberships together instead."),
        )


def _registers_of(session: Session, *people: Person) -> list[int]:
    """The cooperatives in whose register one of ``people`` stands, in order of their numbers."""
    numbers = [person.id for person in people]
    own = session.scalars(
        select(Membership.cooperative_id).where(Membership.person_id.in_(numbers))
    )
    represented = session.scalars(
        select(Membership.cooperative_id)
        .join(Representative, Representative.organisation_id == Membership.organisation_id)
        .where(Representative.person_id.in_(numbers))
    )
    return sorted({*own, *represented})


def _refuse_merged_before(session: Session, kind: MergeKind, kept_id: int, merged_id: int) -> None:
    """A row that was merged already has nothing left, and must not become the kept one."""
    found = session.scalar(
        select(Merge.id).where(
            Merge.kind == kind.value,
            Merge.merged_id.in_([kept_id, merged_id]),
            Merge.undone_at.is_(None),
        )
    )
    if found is not None:
        raise Conflict(
            _("One of the two was made part of another one already."),
            remedy=_("Reload the list, and choose again."),
        )


def _refuse_own(actor: Actor, *people: Person) -> None:
    """Nobody gets hold of another membership, and of its vote, by a merge of their own making."""
    if actor.account_id is not None and any(
        person.account_id == actor.account_id for person in people
    ):
        raise RuleViolation(
            _("One of these two people is you."),
            remedy=_("Somebody else who keeps the register has to make this merge."),
        )


def _settle_accounts(
    session: Session, kept: Person, merged: Person
) -> tuple[int | None, int | None]:
    """(account that moved to the kept person, account that was closed); usually neither."""
    if merged.account_id is None:
        return None, None
    number = merged.account_id
    if kept.account_id is None:
        merged.account_id = None
        session.flush()
        kept.account_id = number
        session.flush()
        return number, None
    account = session.get_one(Account, number)
    office = session.scalar(
        select(RoleGrant.role)
        .where(RoleGrant.account_id == number, RoleGrant.ends_at.is_(None))
        .limit(1)
    )
    if office is not None:
        raise RuleViolation(
            _(
                "Both have an account, and the one that would be closed (of %(name)s) holds an "
                "office.",
                name=merged.name,
            ),
            remedy=_("Keep that person instead, or have an administrator end the office first."),
        )
    if account.disabled_at is not None:
        # It was closed before and for another reason: an undo must not open it.
        return None, None
    account.disabled_at = clock.now()
    end_all_sessions(session, account)
    return None, number


def _moved_membership(session: Session, membership: Membership) -> dict[str, Any]:
    """The membership and the commitment to its present holder, to come back to."""
    commitment = session.scalar(
        select(HolderOpening.commitment).where(
            HolderOpening.membership_id == membership.id, HolderOpening.is_current
        )
    )
    return {"id": membership.id, "commitment": commitment}


def _write_again(session: Session, memberships: list[Membership]) -> None:
    """Fold the names again; the ledger commits to the holder as the register now shows them."""
    for row in memberships:
        row.changed_at = clock.now()
        session.flush()
        session.refresh(row)
        index_membership(session, row)
        if _moved_membership(session, row)["commitment"] is not None:
            commitment_for(session, row)


def _record(
    session: Session,
    actor: Actor,
    home: Membership,
    kind: MergeKind,
    rows: tuple[int, int],
    reason: str,
    moved: dict[str, Any],
    closed_account_id: int | None,
) -> Merge:
    merge = Merge(
        cooperative_id=home.cooperative_id,
        kind=kind.value,
        kept_id=rows[0],
        merged_id=rows[1],
        reason=reason,
        moved=moved,
        closed_account_id=closed_account_id,
        made_at=clock.now(),
        made_by_id=actor.account_id,
    )
    session.add(merge)
    session.flush()
    audit.record(
        session,
        actor,
        f"register:{kind.value}:merged",
        cooperative_id=home.cooperative_id,
        subject=f"merge:{merge.public_id}",
        data={"kept": rows[0], "merged": rows[1], "memberships": len(moved["memberships"])},
    )
    return merge


def _tell(session: Session, merge: Merge, memberships: list[Membership]) -> None:
    """Tell every address concerned: whoever is not that person notices at once."""
    told: set[str] = set()
    numbers = ", ".join(row.member_number for row in memberships)
    for row in memberships:
        if row.email is None or row.email_key in told:
            continue
        told.add(row.email_key or "")
        mail_member(
            session,
            row,
            "records_merged",
            {"cooperative": row.cooperative, "numbers": numbers},
            dedupe_key=f"merged:{merge.public_id}:{row.public_id}",
            category="register",
        )
