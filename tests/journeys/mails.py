"""Reading one's mails: in the demonstration they stand on a page of the site."""

from __future__ import annotations

import re
from typing import Any

from tests.journeys.people import Person

CODE = re.compile(r"\b[1-9A-HJ-NP-Za-km-z]{5}(?:-[1-9A-HJ-NP-Za-km-z]{5,6}){3}\b")


def signs_in_by_link(person: Person, identifier: str) -> None:
    """Ask for a link with a number or an address, open the mail, follow the link."""
    person.opens(person.url)
    person.on("Governing together")
    person.follows("Sign in")
    person.on("Sign in")
    person.fills("Member number or e-mail address", identifier)
    person.presses("Send me a link by mail")
    person.on("Look in your mailbox")
    reads_mail(person, "Your sign-in link")
    person.page.get_by_role("link").filter(has_text=f"{person.url}/sign-in/link/").click()
    person.on("Sign in as %(name)s", name=person.name)
    person.presses("Sign in")
    person.on("Hello %(name)s", name=person.name)


def reads_mail(person: Person, subject: str, **values: Any) -> None:
    """Open the newest mail to the person's address with that subject, as soon as it is there."""
    person.opens(f"{person.url}/mailbox")
    mails = person.page.get_by_role("row").filter(has_text=person.address)
    newest = person.reloads_until(lambda: person.link(subject, mails, **values).first)
    person.on("Mailbox of the demonstration")
    newest.click()
    person.on(subject, **values)


def reads_code(person: Person, title: str) -> str:
    """The voting code in the mail that brought it."""
    reads_mail(person, "Your voting code for “%(title)s”", title=title)
    found = CODE.search(person.text())
    assert found is not None, person.text()
    return found.group()
