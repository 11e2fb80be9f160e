"""Data quality of a side: a merge, a flagged address, an announced representative, erasures."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM
from govern.cooperatives.models import Cooperative
from govern.register.models import ContactChannel, EndReason, Erasure, Membership
from govern.register.services import members, merging
from govern.register.services.members import Contact, NewMember
from govern.register.services.quality import addresses
from tests.access.world import BUILDERS, Side


def make_quality(session: Session, side: Side) -> None:
    cooperative = session.get_one(Cooperative, side.cooperative_id)

    def admit(number: str) -> Membership:
        return members.add_member(
            session,
            SYSTEM,
            cooperative,
            NewMember(
                member_number=f"{side.code}-q{number}",
                joined_on=date(2017, 6, 1),
                category="A",
                contact=Contact("en", f"q{number}@{side.code}.example.org", town="Gent"),
                given_name="Quinn",
                family_name=f"{side.code} q{number}",
                accept_duplicate=True,
            ),
        )

    one, two, flagged, former = (admit(number) for number in "1234")
    side.merge = merging.merge_holders(session, SYSTEM, one, two, "the same person").public_id
    addresses.flag_address(session, SYSTEM, flagged, ContactChannel.EMAIL, "unknown there")
    members.end_membership(session, SYSTEM, former, date(2018, 3, 1), EndReason.RESIGNATION)
    side.flagged, side.former = flagged.public_id, former.public_id
    waiting = Erasure(
        cooperative_id=cooperative.id,
        membership_id=one.id,
        requested_at=clock.now(),
        by_person_concerned=True,
        counts={},
    )
    session.add(waiting)
    session.flush()
    side.erasure = waiting.public_id
    organisation = session.scalars(
        select(Membership).where(Membership.public_id == side.organisation)
    ).one()
    side.announced = members.change_representative(
        session,
        SYSTEM,
        organisation,
        date(2019, 1, 1),
        given_name="Yara",
        family_name=f"Next of {side.code}",
    ).id


BUILDERS.append(make_quality)
