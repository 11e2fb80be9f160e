"""Leaving, on a side: one departure of each kind at each step, refunds, a test of the board."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Role
from govern.accounts.models import Account
from govern.accounts.services import actor_for
from govern.accounts.tags import make_token, token_hash
from govern.cooperatives.models import Cooperative
from govern.leaving.models import Refund
from govern.leaving.rules.board import TestKind
from govern.leaving.services import board, excluding, recording, refunds, resigning
from govern.register.models import EndReason, Membership
from govern.register.services.members import (
    Contact,
    NewMember,
    add_member,
    end_membership,
)
from tests.access import world_register  # noqa: F401  (members come before departures)
from tests.access.world import BUILDERS, Side

IBAN = "BE71096123456769"
PDF = b"%PDF-1.7\nscan\n%%EOF\n"
LETTER = resigning.Upload("letter.pdf", PDF)
DAY = date(2018, 5, 30)
REASONS = "Three invoices of 2017 were forged."


def make_leaver(session: Session, side: Side, number: int) -> Membership:
    """A member of two paid shares who may leave."""
    return add_member(
        session,
        SYSTEM,
        session.get_one(Cooperative, side.cooperative_id),
        NewMember(
            member_number=f"{side.code}-leaving-{number}",
            joined_on=date(2017, 6, 1),
            category="A",
            contact=Contact(language="en", email=f"leaver{number}@{side.code}.example.org"),
            given_name="Lea",
            family_name=f"Leaver {number} of {side.code}",
            shares=2,
            paid_cents=6000,
            accept_duplicate=True,
        ),
    )


def make_own_departures(session: Session, side: Side) -> None:
    """Of the member with an account: a request that is not signed, a proposal that was sent."""
    own = session.scalars(select(Membership).filter_by(public_id=side.own_membership)).one()
    actor = actor_for(session, session.get_one(Account, side.accounts[Role.MEMBER]))
    request = resigning.request_resignation(session, actor, own, holder="Camille", iban=IBAN)
    side.signing_token = make_token()
    request.token_hash = token_hash(side.signing_token)
    request.token_expires_at = clock.now() + timedelta(hours=1)
    proposal = excluding.propose_exclusion(session, SYSTEM, own, proposed_on=DAY, reasons=REASONS)
    excluding.send_proposal(session, SYSTEM, proposal, posted_on=DAY, posted=LETTER)
    side.own_request, side.own_proposal = request.public_id, proposal.public_id
    side.own_paper = proposal.documents[0].public_id


def make_exclusions(session: Session, side: Side) -> None:
    """A procedure at each of its steps."""
    begun = date(2018, 4, 1)
    for number, name in enumerate(("proposed", "sent", "decided"), 50):
        made = excluding.propose_exclusion(
            session,
            SYSTEM,
            make_leaver(session, side, number),
            proposed_on=begun,
            reasons=REASONS,
        )
        setattr(side, f"exclusion_{name}", made.public_id)
        if name != "proposed":
            excluding.send_proposal(session, SYSTEM, made, posted_on=begun, posted=LETTER)
        if name == "decided":
            excluding.decide_exclusion(session, SYSTEM, made, decided_on=DAY, reasons=REASONS)


def make_departures(session: Session, side: Side) -> None:
    """A signed request, a death whose shares are left, an exclusion under way, refunds."""
    cooperative = session.get_one(Cooperative, side.cooperative_id)
    pending = resigning.record_paper_request(
        session,
        SYSTEM,
        make_leaver(session, side, 1),
        received_on=DAY,
        scan=resigning.Upload("letter.pdf", PDF),
    )
    side.pending, side.pending_paper = pending.public_id, pending.documents[0].public_id
    died = recording.record_death(session, SYSTEM, make_leaver(session, side, 2), died_on=DAY)
    side.died = died.public_id
    gone = make_leaver(session, side, 5)
    end_membership(session, SYSTEM, gone, DAY, EndReason.UNSTATED)
    side.former_member = gone.public_id
    for name, number in (("refund", 3), ("postponed", 4)):
        lost = recording.record_loss_of_status(
            session,
            SYSTEM,
            make_leaver(session, side, number),
            lost_on=DAY,
            reason="Has moved to another cooperative.",
            holder="Lea",
            iban=IBAN,
        )
        row = session.scalars(select(Refund).where(Refund.departure_id == lost.id)).one()
        setattr(side, name, row.public_id)
        if name == "postponed":
            refunds.postpone_refund(session, SYSTEM, row, reason="Liquidity is short.")
    for kind in TestKind:
        made = board.record_test(
            session,
            SYSTEM,
            cooperative,
            kind=kind,
            decided_on=DAY,
            passed=True,
            valid_until=date(2019, 1, 1),
            up_to_cents=1_000_000,
            text="Accounts of 2017",
            document=board.Upload("report.pdf", PDF),
        )
        side.board_test = made.public_id
    session.commit()


BUILDERS += [make_departures, make_own_departures, make_exclusions]
