"""Who held the shares: what the entries have committed to, opened where it can be."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.register.models import (
    HolderOpening,
    MemberKind,
    Membership,
    Organisation,
    Person,
    ShareEntry,
)
from govern.register.rules import chain
from govern.register.services.verifying.broken import broken


def verify_openings(session: Session, cooperative: Cooperative) -> int:
    """Check every commitment that can be opened; the number of those that were erased."""
    used = (
        select(
            ShareEntry.commitment,
            func.min(ShareEntry.membership_id).label("holder"),
            func.max(ShareEntry.membership_id).label("other"),
        )
        .where(ShareEntry.cooperative_id == cooperative.id)
        .group_by(ShareEntry.commitment)
        .subquery("used")
    )
    commitments, shared = session.execute(
        select(func.count(), func.count(case((used.c.holder != used.c.other, 1)))).select_from(used)
    ).one()
    if shared:
        raise broken(_("Two memberships share one commitment to their holder in the share ledger."))
    opened = 0
    for row in session.execute(_openings(cooperative, used).execution_options(yield_per=2000)):
        number = row.member_number
        if chain.commit_to(row.salt, row.statement) != row.commitment:
            raise broken(
                _(
                    "What the ledger recorded about the holder %(number)s was changed.",
                    number=number,
                )
            )
        if row.holder is not None:
            opened += 1
            if row.holder != row.id:
                raise broken(
                    _(
                        "Entries of the share ledger were moved to or from member %(number)s.",
                        number=number,
                    )
                )
        if row.is_current and row.statement != _statement_of(row):
            raise broken(
                _(
                    "The name or number of member %(number)s is not the one that the ledger "
                    "recorded.",
                    number=number,
                )
            )
    _refuse_without_current(session, cooperative)
    return int(commitments) - opened


def _refuse_without_current(session: Session, cooperative: Cooperative) -> None:
    """Of what can be opened of a holder of shares one statement is always the present one.

    Without it nobody would notice that the register shows another name.
    """
    without = (
        select(HolderOpening.membership_id)
        .group_by(HolderOpening.membership_id)
        .having(func.max(case((HolderOpening.is_current, 1), else_=0)) == 0)
    )
    number = session.scalar(
        select(Membership.member_number)
        .where(
            Membership.cooperative_id == cooperative.id,
            Membership.id.in_(without),
            exists().where(ShareEntry.membership_id == Membership.id),
        )
        .order_by(Membership.id)
        .limit(1)
    )
    if number is not None:
        raise broken(
            _("What the ledger recorded about the holder %(number)s was changed.", number=number)
        )


def _openings(cooperative: Cooperative, used: Any) -> Any:
    """What can be opened, who holds it now, and the holder that entries name for it (or none)."""
    return (
        select(
            HolderOpening.commitment,
            HolderOpening.salt,
            HolderOpening.statement,
            HolderOpening.is_current,
            Membership.id,
            Membership.member_number,
            Membership.person_id,
            Person.given_name,
            Person.family_name,
            Person.birth_date,
            Organisation.name,
            Organisation.enterprise_number,
            used.c.holder,
        )
        .join(Membership, HolderOpening.membership_id == Membership.id)
        .outerjoin(Person, Membership.person_id == Person.id)
        .outerjoin(Organisation, Membership.organisation_id == Organisation.id)
        .outerjoin(used, used.c.commitment == HolderOpening.commitment)
        .where(Membership.cooperative_id == cooperative.id)
    )


def _statement_of(row: Any) -> str:
    """``chain.statement_of`` without objects, for a million rows."""
    is_natural = row.person_id is not None
    return chain.holder_statement(
        member_number=row.member_number,
        kind=(MemberKind.NATURAL if is_natural else MemberKind.LEGAL).value,
        name=f"{row.given_name} {row.family_name}".strip() if is_natural else row.name,
        birth_date=row.birth_date,
        enterprise_number=row.enterprise_number or "",
    )
