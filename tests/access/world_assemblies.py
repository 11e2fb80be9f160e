"""Assemblies of a side at every step, each on a day that the other side does not use."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.models import Account
from govern.accounts.services import actor_for
from govern.assemblies import services
from govern.assemblies.models import Assembly
from govern.assemblies.services import (
    AssemblyInput,
    CandidateInput,
    ItemInput,
    ResolutionInput,
)
from govern.assemblies.services.calendars import feed_token, make_feed
from govern.cooperatives.models import Cooperative
from govern.jobs import run_due_jobs
from tests.access import world_register  # noqa: F401  (members come before assemblies)
from tests.access.world import BUILDERS, NOW, SPRING, Side

PDF = b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"


def _texts(text: str) -> dict[str, str]:
    return {"fr": text, "nl": text, "de": text, "en": text}


def _assembly(session: Session, side: Side, day: date, name: str) -> Assembly:
    """A draft with a decision, an election of people, and a document."""
    # Addresses name the day: two cooperatives that meet on the same day would hide a mix-up.
    day += timedelta(days=len(side.code) % 2)
    assembly = services.create_assembly(
        session,
        SYSTEM,
        session.get_one(Cooperative, side.cooperative_id),
        AssemblyInput(
            kind="ordinary",
            mode="hybrid",
            titles=_texts(name),
            languages=["fr", "nl", "de", "en"],
            starts_at=datetime(day.year, day.month, day.day, 15, 0, tzinfo=UTC),
            record_date=day - timedelta(days=30),
            place="Rue Émile Féron 70, Bruxelles",
        ),
    )
    item = services.add_item(session, SYSTEM, assembly, ItemInput("decision", _texts("Accounts")))
    services.add_resolution(
        session,
        SYSTEM,
        item,
        ResolutionInput(_texts("Approval of the accounts"), "ordinary", _texts("Approved.")),
    )
    people = services.add_item(session, SYSTEM, assembly, ItemInput("election", _texts("Board")))
    board = services.add_resolution(
        session,
        SYSTEM,
        people,
        ResolutionInput(_texts("Directors"), "ordinary", _texts("Two seats."), seats=2),
    )
    for candidate in ("Dora", "Emil", "Fay"):
        services.put_candidate(session, SYSTEM, board, CandidateInput(candidate))
    services.add_document(
        session, SYSTEM, assembly, title="Report", filename="report.pdf", content=PDF, item=item
    )
    session.commit()
    return assembly


def make_past_assemblies(session: Session, side: Side) -> None:
    """One that took place, and one that is marked as held: convened in spring."""
    side.clock.set(SPRING)
    past = _assembly(session, side, date(2018, 5, 28), "Took place")
    held = _assembly(session, side, date(2018, 5, 21), "Held")
    for assembly in (past, held):
        services.publish_assembly(session, SYSTEM, assembly)
    session.commit()
    side.clock.set(NOW)
    services.hold_assembly(session, SYSTEM, held)
    side.past, side.held = past.slug, held.slug


def make_coming_assemblies(session: Session, side: Side) -> None:
    """A draft, one that is published, one that is convened with its notice out and its roll."""
    draft = _assembly(session, side, date(2018, 6, 18), "Draft")
    side.draft = draft.slug
    first, second = services.agenda_list(draft)
    side.item, side.second_item = first.item.public_id, second.item.public_id
    side.resolution = first.item.resolutions[0].public_id
    board = second.item.resolutions[0]
    side.people, side.candidate = board.public_id, board.candidates[0].public_id
    side.document = draft.documents[0].public_id

    published = _assembly(session, side, date(2018, 6, 25), "Published")
    services.publish_assembly(session, SYSTEM, published)
    side.published = published.slug
    side.public_document = published.documents[0].public_id
    session.commit()

    convened = _assembly(session, side, date(2018, 6, 28), "Convened")
    services.publish_assembly(session, SYSTEM, convened)
    services.send_notice(session, SYSTEM, convened)
    services.take_assembly_roll(session, SYSTEM, convened)
    services.freeze_assembly_roll(session, SYSTEM, convened)
    session.commit()
    run_due_jobs()
    side.convened = convened.slug


def make_calendar(session: Session, side: Side) -> None:
    """The member's own calendar."""
    member = session.get_one(Account, side.accounts[Role.MEMBER])
    side.feed_token = feed_token(make_feed(session, actor_for(session, member), "en"))


def days_of(side: Side) -> dict[str, Any]:
    """A day for a new assembly, and its record date, as the form takes them."""
    return {"starts_on": "2018-09-18", "starts_time": "17:00", "record_date": "2018-08-20"}


BUILDERS += [make_past_assemblies, make_coming_assemblies, make_calendar]
