"""What the trustee and the members do: keys, ballots, receipts."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyrage
from playwright.sync_api import expect

from tests.journeys.mails import reads_code, signs_in_by_link
from tests.journeys.officers import ACCOUNTS, ASSEMBLY, BOARD, COOPERATIVE
from tests.journeys.people import Person
from tests.journeys.wire import Request

KEY_PASSPHRASE = "cinq ânes gris mangent du trèfle"
LONG_WORK = 120_000


# -- trustee --------------------------------------------------------------------------------------


def makes_key(trustee: Person, folder: Path) -> Path:
    """Make a key in the browser, save its file, read it back; the file."""
    person = trustee
    signs_in_by_link(person, person.address)
    person.follows("Make your key: %(title)s", title=ASSEMBLY[person.words.language])
    person.on("Trustee page")
    person.fills("Passphrase", KEY_PASSPHRASE)
    person.fills("The same passphrase again", KEY_PASSPHRASE)
    with person.page.expect_download() as download:
        person.presses("Make the key and save the file")
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    person.sees("Read the file back")
    person.field("Key file").set_input_files(file)
    person.fills("Passphrase", "une autre phrase de passe")
    person.presses("Read the file back and send the public key")
    person.sees(
        "The file could not be opened. Either the passphrase is wrong or this is not the key file."
    )
    person.look("A wrong passphrase")
    person.fills("Passphrase", KEY_PASSPHRASE)
    person.presses("Read the file back and send the public key")
    person.sees("Your public key is registered")
    person.look("Key registered")
    return file


def opens_count(trustee: Person, file: Path) -> None:
    """After the close: check the box on this device and open one's part."""
    person = trustee
    person.goes_home()
    task = "Open your part of the count: %(title)s"
    title = ASSEMBLY[person.words.language]
    person.reloads_until(lambda: person.link(task, title=title))
    person.on("Hello %(name)s", name=person.name)
    person.follows(task, title=title)
    person.on("Trustee page")
    person.field("Key file").set_input_files(file)
    person.fills("Passphrase", KEY_PASSPHRASE)
    person.presses("Check the box and make my part")
    sent = person.page.get_by_role("heading", name=person.words("Your part of the count is sent"))
    expect(sent).to_be_visible(timeout=LONG_WORK)
    person.look("Part sent")


def private_key(file: Path) -> int:
    """The secret in a key file, to look for it where it must not be."""
    opened = pyrage.passphrase.decrypt(file.read_bytes(), KEY_PASSPHRASE)
    return int(json.loads(opened)["private_key"])


# -- members --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """What somebody means to vote: one answer, and candidates (none of them: a blank vote)."""

    accounts: str
    candidates: Sequence[str]


@dataclass(frozen=True)
class Vote:
    """What voting left behind: the tracker, and all that was sent between choosing and receipt."""

    tracker: str
    sent: list[Request]


def finds_code(member: Person, identifier: str) -> str:
    """Sign in with a member number, and read the code in the mailbox."""
    signs_in_by_link(member, identifier)
    return reads_code(member, ASSEMBLY[member.words.language])


def enters_booth(member: Person) -> None:
    """From one's own page to the page of the election and into the booth."""
    person, title = member, ASSEMBLY[member.words.language]
    person.goes_home()
    person.on("Hello %(name)s", name=person.name)
    person.follows("Vote: %(title)s", title=title)
    person.on(title)
    person.follows("Vote")
    expect(person.button("Review my choices")).to_be_visible()
    person.on(title)
    person.sees("Your vote is not yet cast.")


def votes(member: Person, choice: Choice, code: str, *, mistyped: str = "") -> Vote:
    """Choose, review, type the code (first ``mistyped``, if given), seal, cast."""
    person = member
    marks = person.wire.mark()
    chooses(person, choice)
    person.presses("Review my choices")
    review = person.page.locator(".booth-review")
    expect(review).to_contain_text(person.words(choice.accounts))
    for name in choice.candidates or [person.words("Blank vote")]:
        expect(review).to_contain_text(name)
    person.look("Review")
    person.presses("These are my choices")
    if mistyped:
        person.fills("Voting code", mistyped)
        person.presses("Seal my vote")
        person.sees(
            "This code does not belong to this election. Compare it with your letter or mail, "
            "capital and small letters too."
        )
        person.look("A mistyped code")
    person.fills("Voting code", code)
    person.presses("Seal my vote")
    expect(person.button("Cast my vote")).to_be_visible(timeout=LONG_WORK)
    person.sees("Your vote is not yet cast.")
    person.look("Sealed")
    person.presses("Cast my vote")
    person.sees("Your vote is in the ballot box.")
    person.look("Receipt")
    tracker = person.page.locator("[data-receipt=tracker]").inner_text()
    assert re.fullmatch(r"[A-Za-z0-9+/]{43}", tracker)
    return Vote(tracker, person.wire.requests(marks))


def chooses(person: Person, choice: Choice) -> None:
    accounts = person.page.get_by_role("group", name=ACCOUNTS[person.words.language])
    accounts.get_by_label(person.words.like(choice.accounts)).check()
    board = person.page.get_by_role("group", name=BOARD[person.words.language])
    for box in board.get_by_role("checkbox").all():
        box.uncheck()
    for name in choice.candidates or [person.words("Blank vote")]:
        board.get_by_label(name, exact=True).check()


def enters_booth_again(member: Person) -> None:
    """Whoever has voted is not asked to any more, and may do it again until the close."""
    person, title = member, ASSEMBLY[member.words.language]
    person.goes_home()
    person.on("Hello %(name)s", name=person.name)
    expect(person.link("Vote: %(title)s", title=title)).to_have_count(0)
    person.follows(COOPERATIVE)
    person.on(COOPERATIVE)
    person.goes_to("Votes")
    person.on("Votes")
    person.follows(title)
    person.on(title)
    person.sees("a vote was cast")
    person.follows("Vote")
    expect(person.button("Review my choices")).to_be_visible()
    person.on(title)
    person.sees(
        "A vote was already cast for this member. If you vote again, only the last vote counts."
    )


def saves_receipt(member: Person, tracker: str) -> None:
    """The receipt as a file: with the tracker, and nothing about the choices."""
    with member.page.expect_download() as download:
        member.presses("Save the receipt")
    receipt = json.loads(Path(download.value.path()).read_text())
    assert receipt["tracker"] == tracker
    assert not {"choices", "answers", "code", "credential"} & set(receipt)


def finds_ballot(member: Person, tracker: str) -> None:
    """From the receipt to the public board."""
    person = member
    person.follows("See my ballot on the public board")
    person.on("Public board")
    person.sees("This ballot is in the box, as entry %(height)s, and it counts.")
    person.reads(tracker)


def finds_replaced_ballot(member: Person, tracker: str) -> None:
    """An earlier ballot of one's own is found too, by the beginning of its tracker."""
    person = member
    search = person.page.get_by_role("search")
    search.get_by_role("searchbox").fill(tracker[:12])
    search.get_by_role("button", name=person.words("Search"), exact=True).click()
    person.sees(
        "This ballot is in the box, as entry %(height)s. A later ballot of the same voter, entry "
        "%(later)s, counts instead."
    )
    person.look("A replaced ballot")
