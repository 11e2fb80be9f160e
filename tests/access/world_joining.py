"""Joining, on a side: statutes, applications at each step, an order of shares, a bank account."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.models import Account
from govern.accounts.services import actor_for
from govern.accounts.tags import make_token, token_hash
from govern.cooperatives.models import Cooperative
from govern.joining.models import Application
from govern.joining.services import applying, orders
from govern.joining.services.applying import ApplicationInput
from govern.joining.services.guards import state_token
from govern.joining.services.statutes import add_statutes
from govern.register.models import MemberKind, Membership
from govern.register.services.members import Contact
from tests.access import world_register  # noqa: F401  (members come before orders)
from tests.access.world import BUILDERS, Side


def make_application(session: Session, side: Side, number: int) -> tuple[Application, str]:
    """An application that was sent, and the token of its link."""
    cooperative = session.get_one(Cooperative, side.cooperative_id)
    made = applying.submit_application(
        session,
        cooperative,
        ApplicationInput(
            kind=MemberKind.NATURAL,
            contact=Contact(
                language="en",
                email=f"applicant{number}@{side.code}.example.org",
                street="Rue Haute 1",
                postal_code="1000",
                town="Bruxelles",
                country="BE",
            ),
            category="A",
            shares=1,
            given_name="Noa",
            family_name=f"Applicant {number} of {side.code}",
            birth_date=date(1990, 1, number),
            statutes_digest=side.statutes_digest,
            consents=True,
        ),
    )
    token = make_token()
    made.email_token_hash = token_hash(token)
    session.flush()
    return made, token


def make_joining(session: Session, side: Side) -> None:
    """The statutes, one application whose address is to be confirmed, one to be decided."""
    cooperative = session.get_one(Cooperative, side.cooperative_id)
    statutes = add_statutes(
        session,
        SYSTEM,
        cooperative,
        version="2017",
        adopted_on=date(2017, 1, 1),
        texts={"en": f"# Statutes of {side.code}".encode()},
    )
    side.statutes, side.statutes_digest = statutes.public_id, statutes.texts[0].digest
    waiting, _token = make_application(session, side, 1)
    side.unconfirmed = waiting.public_id
    _row, token = make_application(session, side, 2)
    row = applying.confirm_application(session, cooperative, token)
    side.application, side.application_link = row.public_id, state_token(row)


def make_order(session: Session, side: Side) -> None:
    """An order of the member who has the role's account."""
    membership = session.scalars(
        select(Membership).where(Membership.public_id == side.own_membership)
    ).one()
    actor = actor_for(session, session.get_one(Account, side.accounts[Role.MEMBER]))
    side.order = orders.order_shares(session, actor, membership, 1).public_id


BUILDERS += [make_joining, make_order]
