"""The register of a side: members, an organisation, imports at every step, rolls."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Role
from govern.cooperatives.models import Cooperative
from govern.register import jobs
from govern.register.models import ImportBatch, Membership, Person, ShareEntry
from govern.register.models.api import ApiClient, ApiScope
from govern.register.services import freeze_roll, take_roll
from govern.register.services.api import note_use
from govern.register.services.api.clients import hash_token
from govern.register.services.certificates import issue_certificate
from govern.register.services.imports import confirm_import, start_import
from govern.register.services.members import Contact, NewMember, add_member
from govern.register.services.transfers import Proposal, propose_transfer
from tests.access.world import BUILDERS, Side
from tests.register.conftest import csv_file, row

RECORD_DATE = date(2018, 5, 20)


def _contact(number: int, side: Side) -> Contact:
    return Contact(
        language="en",
        email="" if number == 4 else f"{number}@{side.code}.example.org",
        street="Kerkstraat 1",
        postal_code="9000",
        town="Gent",
        country="BE",
    )


def make_members(session: Session, side: Side) -> None:
    """Six members with one paid share of two; the first is the account with that role, the
    fourth has no address, the last is an organisation."""
    cooperative = session.get_one(Cooperative, side.cooperative_id)
    made: list[Membership] = []
    for number in range(1, 7):
        names = (
            {"given_name": "Camille", "family_name": f"{side.code} {number}"}
            if number < 6
            else {
                "organisation_name": f"Firm of {side.code}",
                "enterprise_number": "0871985062",
                "representative_given_name": "Victor",
                "representative_family_name": f"Of {side.code}",
            }
        )
        made.append(
            add_member(
                session,
                SYSTEM,
                cooperative,
                NewMember(
                    member_number=f"{side.code}-{number}",
                    joined_on=date(2017, 6, 1),
                    category="A" if number < 6 else "B",
                    contact=_contact(number, side),
                    shares=2,
                    paid_cents=3000,
                    accept_duplicate=True,
                    **names,
                ),
            )
        )
    session.get_one(Person, made[0].person_id).account_id = side.accounts[Role.MEMBER]
    side.own_membership, side.membership = made[0].public_id, made[1].public_id
    side.own_number, side.number = made[0].member_number, made[1].member_number
    side.other_number, side.without_email = made[2].member_number, made[3].member_number
    side.organisation = made[5].public_id
    issue_certificate(session, SYSTEM, made[0])
    side.certificate = issue_certificate(session, SYSTEM, made[1]).code
    entries = select(ShareEntry.sequence).where(ShareEntry.membership_id == made[1].id)
    side.sequence = max(session.scalars(entries))


def make_transfers(session: Session, side: Side) -> None:
    """One transfer that waits for its receiver, one whose receiver is no member yet."""
    known = {item.public_id: item for item in session.scalars(select(Membership))}
    giver, other = known[side.own_membership], known[side.membership]
    side.transfer = propose_transfer(
        session, SYSTEM, giver, Proposal(1, "gift", receiver_number=side.number)
    ).public_id
    side.awaiting_transfer = propose_transfer(
        session,
        SYSTEM,
        other,
        Proposal(1, "gift", receiver_name="Dora", receiver_email=f"dora@{side.code}.example.org"),
    ).public_id


def make_imports(session: Session, side: Side) -> None:
    """One import whose columns are to be named, one that was checked, one that is done."""
    cooperative = session.get_one(Cooperative, side.cooperative_id)

    def start(content: bytes) -> ImportBatch:
        batch = start_import(session, SYSTEM, cooperative, "register.csv", content, "en")
        session.commit()
        return batch

    unnamed = csv_file(row("901"), header=";".join(f"column {n}" for n in range(17)))
    side.unnamed_import = start(unnamed).public_id
    checked = start(csv_file(row("902", "Peeters", "Bo", email="bo@example.org")))
    jobs.check_import(session, checked.id)
    session.commit()
    side.checked_import, side.plan_digest = checked.public_id, checked.plan_digest
    # Its second row stays out: there is something to mend.
    done = start(csv_file(row("903", "Maes", "Cis", email=""), row("904", category="nowhere")))
    jobs.check_import(session, done.id)
    session.commit()
    confirm_import(session, SYSTEM, done, done.plan_digest)
    session.commit()
    jobs.run_import(session, done.id)
    side.done_import = done.public_id


def make_roll(session: Session, side: Side) -> None:
    """A frozen roll on which nothing is voted yet."""
    cooperative = session.get_one(Cooperative, side.cooperative_id)
    roll = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "AG")
    freeze_roll(session, SYSTEM, roll)
    side.roll = roll.public_id


def token_of(code: str) -> str:
    """The token of the program that reads the register of that side."""
    return f"govern_{code}".ljust(50, "x")


def make_program(session: Session, side: Side) -> None:
    """A program that may read everything, and did so today: its requests write nothing more."""
    token = token_of(side.code)
    program = ApiClient(
        cooperative_id=side.cooperative_id,
        name=f"Program of {side.code}",
        token_hash=hash_token(token),
        hint=token[-4:],
        scopes=" ".join(ApiScope),
        created_at=clock.now(),
        expires_on=date(2019, 6, 1),
    )
    session.add(program)
    session.flush()
    for resource in ("members", "holdings"):
        note_use(session, program, resource, clock.today())
    side.program = program.public_id


BUILDERS += [make_members, make_transfers, make_imports, make_roll, make_program]
