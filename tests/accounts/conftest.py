"""People of a register that is not there: what the register feature would tell about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from argon2 import PasswordHasher

from govern.access import Role
from govern.accounts import hooks, passwords
from govern.accounts.rules import SignInCandidate, fold_email
from govern.accounts.services import create_account

PASSWORD = "four quiet herons walk"


class Membership(NamedTuple):
    """Plain values: a row of the test's session must not be loaded inside a request."""

    cooperative_id: int
    code: str
    cooperative: str
    number: str


@dataclass
class InventedPerson:
    person_id: int
    name: str
    email: str | None
    memberships: list  # of Membership
    account_id: int | None = None


@dataclass
class InventedRegister:
    """Answers the hooks of accounts as a register does."""

    people: list[InventedPerson] = field(default_factory=list)

    def add(self, name, *memberships, email=None, account=None):
        person = InventedPerson(
            len(self.people) + 1,
            name,
            email,
            [Membership(item.id, item.code, item.name, number) for item, number in memberships],
            account and account.id,
        )
        self.people.append(person)
        return person

    def resolve(self, session, identifier):
        return [
            SignInCandidate(
                person.account_id,
                person.person_id,
                person.name,
                held.cooperative,
                held.number,
                person.email,
            )
            for person in self.people
            for held in person.memberships
            if identifier
            in (held.number, f"{held.code}/{held.number}", fold_email(person.email or "nobody"))
        ]

    def open_account(self, session, person_id):
        for person in self.people:
            if person.person_id == person_id:
                if person.account_id is None:
                    person.account_id = create_account(
                        session, name=person.name, email=person.email, language="fr"
                    ).id
                from govern.accounts.models import Account

                return session.get(Account, person.account_id)
        return None

    def roles(self, session, account_id):
        return {
            held.cooperative_id: {Role.MEMBER}
            for person in self.people
            if person.account_id == account_id
            for held in person.memberships
        }

    def lines(self, session, account_id):
        return [
            hooks.MembershipLine(
                held.code, held.cooperative, held.number, f"{held.cooperative} no. {held.number}"
            )
            for person in self.people
            if person.account_id == account_id
            for held in person.memberships
        ]


@pytest.fixture
def register(app, monkeypatch):
    """An invented register in place of whatever the features registered."""
    invented = InventedRegister()
    for hook, function in (
        (hooks.identifier_resolvers, invented.resolve),
        (hooks.account_openers, invented.open_account),
        (hooks.role_sources, invented.roles),
        (hooks.membership_sources, invented.lines),
    ):
        monkeypatch.setattr(hook, "_functions", {"invented": function})
    return invented


@pytest.fixture
def real_hashing():
    """Ask for it where the cost of the hashes is what the test is about."""


@pytest.fixture(autouse=True)
def quick_hashing(request, monkeypatch):
    """The same Argon2id with the least cost: many tests try many passwords."""
    if "real_hashing" in request.fixturenames:
        return
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    monkeypatch.setattr(passwords, "NOBODYS_HASH", hasher.hash("of nobody"))


@pytest.fixture
def comparisons(monkeypatch):
    """The Argon2 comparisons made, one entry each."""
    made = []
    verify = PasswordHasher.verify

    def counting(self, stored, password):
        made.append(stored)
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    return made


@pytest.fixture
def mails(session, run_jobs):
    """Call it to run what is due and get the mails of a category in the order of sending."""
    from sqlalchemy import select

    from govern.mail import OutboxMail

    def read(category="sign_in"):
        run_jobs()
        return list(
            session.scalars(
                select(OutboxMail).where(OutboxMail.category == category).order_by(OutboxMail.id)
            )
        )

    return read
