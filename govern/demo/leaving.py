"""The demonstration's departures: somebody who moved away, an exclusion, the board's tests."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import Role
from govern.demo.scene import Officers
from govern.leaving.rules.board import TestKind
from govern.leaving.services import (
    find_refunds,
    propose_exclusion,
    record_loss_of_status,
    record_test,
    send_proposal,
    split_refund,
)
from govern.register.models import Membership, Person
from govern.register.services.holdings import holdings_on

IBAN = "BE71096123456769"
"""An account number that banks print in their examples."""


def let_people_leave(session: Session, officers: Officers, today: date) -> None:
    """One member has lost the conditions and is owed in instalments, the first of them today; one
    is to answer a proposal to exclude; the board has made both tests."""
    moved, accused = _ordinary_members(session, officers, today)
    registrar = officers.actor(session, Role.REGISTRAR)
    treasurer = officers.actor(session, Role.TREASURER)
    record_loss_of_status(
        session,
        registrar,
        moved,
        lost_on=today,
        reason="N’utilise plus les services depuis deux ans (invention).",
        holder=moved.display_name[:70],
        iban=IBAN,
    )
    refund = session.scalars(find_refunds(officers.cooperative)).one()
    split_refund(session, treasurer, refund, count=3, first_due_on=today, months_between=12)
    procedure = propose_exclusion(
        session,
        registrar,
        accused,
        proposed_on=today - timedelta(days=7),
        reasons="Trois factures ne correspondent à aucune prestation (invention).",
    )
    send_proposal(session, registrar, procedure, posted_on=today)
    for kind in TestKind:
        record_test(
            session,
            treasurer,
            officers.cooperative,
            kind=kind,
            decided_on=today - timedelta(days=10),
            passed=True,
            valid_until=today + timedelta(days=180),
            up_to_cents=5_000_000,
            figure_cents=320_000_000,
            text="Comptes du dernier exercice, prévision des douze mois à venir (invention).",
        )
    session.commit()


def _ordinary_members(session: Session, officers: Officers, today: date) -> list[Membership]:
    """Two people of whom the demonstration tells nothing else: paid up, with no account."""
    holding = holdings_on(officers.cooperative.id, today)
    return list(
        session.scalars(
            select(Membership)
            .join(Person, Person.id == Membership.person_id)
            .join(holding, holding.c.membership_id == Membership.id)
            .where(
                Membership.cooperative_id == officers.cooperative.id,
                Membership.ended_on.is_(None),
                Person.account_id.is_(None),
                holding.c.paid_cents >= 100,
                holding.c.paid == holding.c.issued,
            )
            .order_by(Membership.id.desc())
            .limit(2)
        )
    )
