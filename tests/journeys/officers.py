"""What administrator, registrar, secretary and returning officer do, page by page."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from tests.journeys.mails import signs_in_by_link
from tests.journeys.people import Person

COOPERATIVE = "La Maison commune"
CODE = "maison"
TIME_ZONE = ZoneInfo("Europe/Brussels")
ASSEMBLY = {"fr": "Assemblée générale de printemps", "en": "Spring general assembly"}
ACCOUNTS = {"fr": "Comptes annuels", "en": "Annual accounts"}
BOARD = {"fr": "Deux sièges au conseil", "en": "Two seats on the board"}
ON_ROLL = 6
"""Of the eight rows of the register one cannot be read, and one has no share paid in full."""
BY_LETTER = 3
CANDIDATES = ("Awa Diop", "Luc Simon", "Mia Vos")
NAMES = {"fr": "Français", "en": "English"}
PASSWORD = "vingt-trois cerises sur le toit"
LIST_PASSPHRASE = "un tiroir bleu fermé à clef"
TYPED = "%Y-%m-%dT%H:%M"


def goes_to_cooperative(person: Person) -> None:
    """From one's own page to the pages of the cooperative."""
    person.goes_home()
    person.on("Hello %(name)s", name=person.name)
    person.follows(COOPERATIVE)
    person.on(COOPERATIVE)


# -- administrator --------------------------------------------------------------------------------


def gives_roles(administrator: Person, roles: Mapping[str, Person]) -> None:
    """Sign in with a password and give each of the others a role."""
    person = administrator
    person.opens(person.url)
    person.on("Governing together")
    person.follows("Sign in")
    person.on("Sign in")
    person.fills("Member number or e-mail address", person.address)
    person.fills("Password", PASSWORD)
    person.presses("Sign in")
    person.on("Hello %(name)s", name=person.name)
    person.follows(COOPERATIVE)
    person.on(COOPERATIVE)
    person.goes_to("Roles")
    person.on("Roles")
    for role, officer in roles.items():
        person.fills("Member number or e-mail address", officer.address)
        person.fills("Name", officer.name)
        person.chooses("Role", role)
        person.presses("Give the role")
        person.is_told("%(name)s is now: %(role)s.", name=officer.name, role=person.words(role))
    person.look("Roles given")


# -- registrar ------------------------------------------------------------------------------------


def imports_register(registrar: Person, file: Path) -> None:
    """Upload the register that was kept so far, look at what is odd, confirm."""
    person = registrar
    signs_in_by_link(person, person.address)
    goes_to_cooperative(person)
    person.goes_to("Members")
    person.on("Members")
    person.sees("The register is empty")
    person.follows("Import a register")
    person.on("Import a register")
    person.field("File").set_input_files(file)
    person.presses("Check the file")
    expect(person.button("Import now")).to_be_visible()
    person.look("Preview of the import")
    bad = person.page.get_by_role("row").filter(has_text=person.words("To mend"))
    expect(bad).to_have_count(1)
    expect(bad).to_contain_text("2022")
    expect(bad.get_by_role("rowheader", name=re.compile(r"\b8$"))).to_be_visible()
    person.presses("Import now")
    expect(person.page.get_by_text(person.words.like("Imported")).first).to_be_visible()
    person.look("Imported")
    mend = person.downloads("Download the rows to mend (CSV)")
    assert "Marchal" in Path(mend.path()).read_text("utf-8-sig")
    person.goes_to("Members")
    person.on("Members")
    search = person.page.get_by_role("search")
    search.get_by_role("searchbox").fill("oZdemir selin")
    search.get_by_role("button", name=person.words("Search"), exact=True).click()
    person.follows("Selin Özdemir")
    person.on("Selin Özdemir")


# -- secretary ------------------------------------------------------------------------------------


def convenes_assembly(secretary: Person) -> None:
    """Plan an assembly with one decision and one election of people; publish, roll, notice."""
    person = secretary
    signs_in_by_link(person, person.address)
    goes_to_cooperative(person)
    person.goes_to("Assemblies")
    person.on("Assemblies")
    person.follows("Plan an assembly")
    person.on("Plan an assembly")
    # The cooperative has three languages, this assembly two.
    person.page.get_by_role("checkbox", name="Nederlands").uncheck()
    today = datetime.now(TIME_ZONE)
    fills_texts(person, "Title", ASSEMBLY)
    person.fills("Day", (today + timedelta(days=24)).date().isoformat())
    person.fills("Begins at", "18:30")
    person.fills("Place", "Rue du Moulin 4, 1000 Bruxelles")
    person.fills("Record date", (today - timedelta(days=1)).date().isoformat())
    person.presses("Save")
    person.on("Agenda")
    person.is_told("The draft is saved. Now write its agenda.")
    puts_decision_on_agenda(person)
    puts_election_on_agenda(person)
    person.follows("Done")
    person.on(ASSEMBLY[person.words.language])
    publishes(person)
    sends_notice(person)
    takes_roll(person)


def fills_texts(person: Person, label: str, texts: Mapping[str, str]) -> None:
    """One text in each language of the assembly."""
    said = person.words(label)
    for language, text in texts.items():
        name = person.words("%(label)s (%(language)s)", label=said, language=NAMES[language])
        person.fills(name, text)


def puts_decision_on_agenda(person: Person) -> None:
    person.follows("Add an item")
    person.on("Add an agenda item")
    person.chooses("Kind", "Decision")
    fills_texts(person, "Title", ACCOUNTS)
    person.presses("Save")
    person.on("Add a resolution")
    fills_texts(person, "Title", ACCOUNTS)
    fills_texts(
        person,
        "Text",
        {
            "fr": "L’assemblée approuve les comptes de l’exercice écoulé.",
            "en": "The assembly approves the accounts of the past year.",
        },
    )
    # The label also says what the rule needs.
    person.page.get_by_role("radio").first.check()
    person.presses("Save")
    person.on("Agenda")
    person.is_told("The resolution is saved.")


def puts_election_on_agenda(person: Person) -> None:
    person.follows("Add an item")
    person.on("Add an agenda item")
    person.chooses("Kind", "Election of people")
    fills_texts(person, "Title", BOARD)
    person.presses("Save")
    person.on("Add an election of people")
    fills_texts(person, "Title", BOARD)
    person.fills("Seats to be filled", "2")
    person.page.get_by_role("radio").first.check()
    person.presses("Save")
    person.on("Edit the election of people")
    for name in CANDIDATES:
        person.follows("Add a candidate")
        person.on("Add a candidate")
        person.fills("Name", name)
        person.presses("Save")
        person.on("Edit the election of people")
        person.sees(name)
    person.follows("Done")
    person.on("Agenda")


def publishes(person: Person) -> None:
    person.follows("Publication")
    person.on("Publish the assembly")
    person.presses("Publish")
    person.is_told("The assembly is published. Members are not told by this: send the notice.")


def takes_roll(person: Person) -> None:
    person.follows("Roll")
    person.on("Roll of the assembly")
    person.presses("Take the roll")
    person.is_told("The roll is taken. Look at it, then freeze it.")
    person.look("Roll taken")
    person.presses("Freeze the roll")
    person.is_told("The roll is frozen and its digest published.")
    person.look("Roll frozen")
    person.follows("Back to the assembly")
    person.on(ASSEMBLY[person.words.language])


def sends_notice(person: Person) -> None:
    person.on("Send the notice")
    person.presses("Send the notice")
    person.on("Notice")
    expect(person.link("To the letters")).to_be_visible()
    posts_letters(person)
    goes_to_cooperative(person)
    person.follows(ASSEMBLY[person.words.language])
    person.on(ASSEMBLY[person.words.language])


def posts_letters(person: Person) -> None:
    """What goes to members without an address for mail is printed and put into envelopes."""
    person.follows("To the letters")
    person.on("Letters to post")
    letters = person.downloads("Download the letters")
    with zipfile.ZipFile(letters.path()) as archive:
        assert len(archive.namelist()) == BY_LETTER
    person.presses("They were posted")
    person.is_told(
        person.words.several(
            "%(num)s letter was noted as posted.",
            "%(num)s letters were noted as posted.",
            BY_LETTER,
        )
    )
    person.look("Letters posted")


# -- returning officer ----------------------------------------------------------------------------


def prepares_vote(officer: Person, group: str, trustee: Person) -> str:
    """Make the vote of the assembly, to open at once, and ask the trustee for a key.

    The address of the page where the vote is managed."""
    person = officer
    signs_in_by_link(person, person.address)
    person.follows("Prepare the vote: %(title)s", title=ASSEMBLY[person.words.language])
    person.on("Prepare the vote")
    opens = datetime.now(TIME_ZONE) - timedelta(minutes=1)
    person.fills("Opens", opens.strftime(TYPED))
    person.ticks("This server, which keeps only a list that a passphrase opens")
    person.ticks(
        {
            "Ed25519": "belenios-tool 2.1 and newer (quick on every telephone)",
            "BELENIOS-2048": "also belenios-tool 2.0, as in Debian 12 (slower to seal)",
        }[group]
    )
    person.presses("Make the draft of the vote")
    person.on("Manage the vote")
    person.is_told("The draft of the vote is made. Now name the trustees.")
    person.follows("Name the trustees")
    person.on("Trustees")
    person.ticks(trustee.name)
    person.presses("Name these trustees")
    person.on("Manage the vote")
    person.follows("Ask for the keys")
    person.on("Ask for the keys")
    person.presses("Ask for the keys")
    person.on("Manage the vote")
    person.is_told("The trustees are asked to make their keys.")
    return person.page.url


def opens_vote(officer: Person) -> None:
    """With the key there: fix the election, have the codes made, and see it open by itself."""
    person = officer
    person.page.reload()
    person.follows("Freeze the election")
    person.on("Freeze the election")
    person.presses("Freeze the election")
    person.on("Manage the vote")
    person.is_told("The election is fixed. Now the voting codes can be made.")
    person.follows("Make the voting codes")
    person.on("Make the voting codes")
    person.fills("Passphrase", LIST_PASSPHRASE)
    person.fills("The same passphrase again", LIST_PASSPHRASE)
    person.presses("Make and send the codes")
    person.on("Manage the vote")
    person.reloads_until(lambda: person.link("Close the vote now"))
    person.look("The vote is open")


def closes_vote(officer: Person, voters: int) -> None:
    """Close before the time, and say why."""
    person = officer
    person.page.reload()
    person.follows("Close the vote now")
    person.on("Close the vote now")
    person.sees(
        person.words.several(
            "One member has voted so far, of %(heads)s on the roll.",
            "%(num)s members have voted so far, of %(heads)s on the roll.",
            voters,
            heads=ON_ROLL,
        )
    )
    person.fills("Reason", "Tout le monde a voté. Everybody has voted.")
    person.presses("Close the vote now")
    person.on("Manage the vote")
    person.is_told("The vote is closed; the count begins.")
