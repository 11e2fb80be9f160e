"""What everybody can see when the count is over, and take away."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.journeys.officers import ASSEMBLY, COOPERATIVE, ON_ROLL
from tests.journeys.people import Person


def sees_result(visitor: Person, folder: Path) -> Path:
    """Somebody who is not signed in finds the result; the archive that they take away."""
    person, title = visitor, ASSEMBLY[visitor.words.language]
    person.opens(person.url)
    person.on("Governing together")
    person.follows(COOPERATIVE)
    person.on(COOPERATIVE)
    person.goes_to("Votes")
    person.on("Votes")
    person.follows(title)
    result = person.page.get_by_role("heading", name=person.words("Result"), exact=True)
    person.reloads_until(lambda: result)
    person.on(title)
    for label, figure in (("Votes counted", "3"), ("Members on the roll", str(ON_ROLL))):
        expect(figure_of(person, label)).to_contain_text(figure)
    sees_decisions(person)
    assert person.fetches(person.link("Record of the count (PDF)")).startswith("%PDF-")
    download = person.downloads("Download the box (%(size)s)")
    file = folder / download.suggested_filename
    download.save_as(file)
    person.follows("Public board")
    person.on("Public board")
    return file


def figure_of(person: Person, label: str) -> Locator:
    """The block of a figure and what stands under it."""
    return person.page.locator(".figures > *").filter(has_text=person.words(label)).first


def sees_decisions(person: Person) -> None:
    """Two for and one abstention; Awa Diop twice, Luc Simon once, one blank."""
    person.reads(
        "Accepted: of %(expressed)s votes for or against, %(votes_for)s were for, that is "
        "%(share)s; more than %(threshold)s was needed.",
        expressed=2,
        votes_for=2,
    )
    person.reads(
        person.words.several(
            "Elected to the seat: %(names)s, named most often.",
            "Elected to the %(count)s seats: %(names)s, named most often.",
            2,
            count=2,
            names="Awa Diop, Luc Simon",
        )
    )


def sees_outcome(person: Person) -> None:
    """The page of the assembly says what was decided, also to whoever only passes by."""
    title = ASSEMBLY[person.words.language]
    person.goes_home()
    person.on("Hello %(name)s", name=person.name)
    person.follows(COOPERATIVE)
    person.on(COOPERATIVE)
    person.goes_to("Assemblies")
    person.on("Assemblies")
    person.follows(title)
    person.on(title)
    sees_decisions(person)
    person.follows("Result and verification")
    person.on(title)
    person.sees("a vote was cast")
