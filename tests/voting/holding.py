"""Holding elections in tests: everybody's part, played through the same services as the pages'."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from govern import clock as govern_clock
from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.jobs import run_due_jobs, tick
from govern.register.models import Membership, Roll, RollEntry
from govern.register.services.members import Contact, NewMember, add_member
from govern.register.services.rolls import freeze_roll, take_roll
from govern.voting import rollfile
from govern.voting.models import Election
from govern.voting.protocol.ballots import seal_ballot
from govern.voting.protocol.credentials import (
    derive_credential,
    generate_code,
    make_public_credentials,
)
from govern.voting.protocol.decryption import make_partial_decryption
from govern.voting.protocol.groups import group_named
from govern.voting.protocol.trustees import make_trustee_key
from govern.voting.rules import QuestionSpec, resolution_question
from govern.voting.services import box, casting, credentials, elections, trustees

TWO_QUESTIONS = (
    resolution_question(
        "accounts", {"fr": "Comptes annuels 2017", "nl": "Jaarrekening 2017", "en": "Accounts 2017"}
    ),
    QuestionSpec(
        key="themes",
        texts={"fr": "Thèmes", "en": "Themes"},
        answers=[{"fr": name, "en": name} for name in ("Réseaux", "Achats", "Impact", "Outils")],
        minimum=0,
        maximum=2,
        blank=True,
    ),
)


@dataclass
class Voter:
    """A member on the roll, with the code and (where the test signs in) the account."""

    entry_id: int
    code: str
    account: Any = None


@dataclass
class Held:
    """An election in a test, with the secrets of everybody who takes part."""

    session: Session
    election: Election
    keys: dict[int, int] = field(default_factory=dict)
    voters: list[Voter] = field(default_factory=list)
    trustee_accounts: list[Any] = field(default_factory=list)

    def seal(self, voter: Voter, *plaintexts: Sequence[int]) -> bytes:
        """A sealed ballot of ``voter``; random lawful choices if none are given."""
        protocol = box.read_election(self.election)
        return seal_ballot(
            protocol, voter.code, plaintexts or random_choices(protocol.questions)
        ).data

    def cast(self, voter: Voter, *plaintexts: Sequence[int], data: bytes | None = None):
        """Seal (or take ``data``), check and cast, as a page would; committed."""
        ballot = casting.check_ballot(
            self.session, self.election, data or self.seal(voter, *plaintexts)
        )
        receipt = casting.cast_ballot(self.session, self.election, voter.entry_id, ballot)
        self.session.commit()
        return receipt

    def part_of(self, position: int) -> bytes:
        """The partial decryption that trustee ``position`` makes of the tally in the box."""
        tally, _count = trustees.published_tally(self.session, self.election)
        return make_partial_decryption(box.read_election(self.election), tally, self.keys[position])

    def decrypt(self, position: int) -> None:
        """Trustee ``position`` opens their part of the count."""
        actor = actor_for(self.session, self.trustee_accounts[position - 1])
        trustees.register_partial_decryption(
            self.session, actor, self.election, self.part_of(position)
        )
        self.session.commit()

    def archive(self) -> bytes:
        """The public archive as it stands."""
        return b"".join(box.stream_archive(self.session, self.election))

    def write_archive(self, folder: Path) -> Path:
        path = folder / f"{self.election.uuid}.bel"
        path.write_bytes(self.archive())
        return path


def random_choices(
    questions: Sequence[Any], source: random.Random | None = None
) -> list[list[int]]:
    """A lawful choice for every question."""
    chooser = source or random.Random()
    choices = []
    for question in questions:
        count = len(question.answers)
        if question.blank and chooser.random() < 0.2:
            choices.append([1] + [0] * count)
            continue
        chosen = chooser.sample(range(count), chooser.randint(question.minimum, question.maximum))
        row = [int(index in chosen) for index in range(count)]
        choices.append([0, *row] if question.blank else row)
    return choices


class Holding:
    """Makes elections and leads them through their states, as the officers would."""

    def __init__(self, session, clock, cooperative, make_account) -> None:
        self.session = session
        self.clock = clock
        self.cooperative = cooperative
        self.make_account = make_account
        self._numbers = iter(range(1, 1_000_000))

    def make_roll(self, members: int = 6, emails: bool = True) -> Roll:
        """A frozen roll of invented members, each with two shares of which both are paid."""
        for _ in range(members):
            self.add_member(emails)
        record_date = govern_clock.today() - timedelta(days=1)
        roll = take_roll(self.session, SYSTEM, self.cooperative, record_date, "AG")
        freeze_roll(self.session, SYSTEM, roll)
        self.session.commit()
        return roll

    def add_member(self, email: bool = True, **fields: Any) -> Membership:
        """One more invented member (or organisation, if ``fields`` say so)."""
        number = next(self._numbers)
        values = {
            "member_number": f"M{number:05d}",
            "joined_on": date(2017, 3, 1),
            "category": "A",
            "contact": Contact(
                language="fr",
                email=f"member{number}@example.org" if email else "",
                street=f"Rue du Midi {number}",
                postal_code="1000",
                town="Bruxelles",
                country="BE",
            ),
            "given_name": "Camille",
            "family_name": f"Sample {number:05d}",
            "shares": 2,
            "paid_cents": 6000,
            "accept_duplicate": True,
        } | fields
        return add_member(self.session, SYSTEM, self.cooperative, NewMember(**values))

    def draft(self, members: int = 6, *, emails: bool = True, trustees: int = 1, **fields) -> Held:
        """A draft with its trustees named; opens tomorrow for two days unless ``fields`` say."""
        now = govern_clock.now()
        accounts = [
            self.make_account(
                f"Trustee {number}",
                email=f"trustee{number}-{next(self._numbers)}@example.org",
                roles=[(self.cooperative, Role.TRUSTEE)],
            )
            for number in range(1, trustees + 1)
        ]
        values = {
            "title": {"fr": "Assemblée générale 2018", "en": "General assembly 2018"},
            "questions": TWO_QUESTIONS,
            "opens_at": now + timedelta(days=1),
            "closes_at": now + timedelta(days=3),
            "credential_mode": "offline",
            "credential_authority": "Notary of the tests",
        } | fields
        roll = values.pop("roll", None) or self.make_roll(members, emails)
        election = elections.create_election(
            self.session,
            SYSTEM,
            cooperative=self.cooperative,
            roll=roll,
            trustees=accounts,
            **values,
        )
        self.session.commit()
        return Held(self.session, election, trustee_accounts=accounts)

    def with_keys(self, held: Held | None = None, **fields) -> Held:
        """An election whose trustees have registered their keys; fixed (state credentials)."""
        held = held or self.draft(**fields)
        elections.start_keys(self.session, SYSTEM, held.election)
        group = group_named(held.election.group)
        for position, account in enumerate(held.trustee_accounts, 1):
            held.keys[position] = group.random_scalar()
            trustees.register_public_key(
                self.session,
                actor_for(self.session, account),
                held.election,
                make_trustee_key(group, held.keys[position]),
            )
        elections.fix_election(self.session, SYSTEM, held.election)
        self.session.commit()
        return held

    def with_credentials(self, held: Held | None = None, **fields) -> Held:
        """An election that only waits for its opening time; codes made outside the server."""
        held = held or self.with_keys(**fields)
        election = held.election
        entries = self.session.query(RollEntry).filter_by(roll_id=election.roll_id).all()
        held.voters = [Voter(entry.id, generate_code()) for entry in entries]
        group = group_named(election.group)
        data = make_public_credentials(
            derive_credential(group, election.uuid, voter.code).public for voter in held.voters
        )
        credentials.upload_public_credentials(
            self.session,
            SYSTEM,
            election,
            rollfile.write_public_file(election.uuid, election.group, election.roll.digest, data),
        )
        self.run_jobs()
        return held

    def opened(self, held: Held | None = None, **fields) -> Held:
        """An open election (the clock is set to its opening time)."""
        held = held or self.with_credentials(**fields)
        self.clock.set(held.election.opens_at)
        tick()
        self.session.refresh(held.election)
        assert held.election.state == "open", held.election.state
        return held

    def closed(self, held: Held) -> Held:
        """The clock reaches the closing time; counting has not begun."""
        self.clock.set(held.election.closes_at)
        tick()
        self.session.refresh(held.election)
        assert held.election.state == "closed", held.election.state
        return held

    def tallied(self, held: Held) -> Held:
        """The sealed ballots are added up and counted again; the trustees are asked."""
        if held.election.state == "open":
            self.closed(held)
        self.run_jobs()
        self.session.refresh(held.election)
        assert held.election.state == "tallying", held.election.state
        return held

    def published(self, held: Held) -> Held:
        """All trustees open their part; the result is published."""
        if held.election.state != "tallying":
            self.tallied(held)
        for position in held.keys:
            held.decrypt(position)
        self.run_jobs()
        self.session.refresh(held.election)
        assert held.election.state == "published", held.election.state
        return held

    def account_of(self, voter: Voter) -> Any:
        """The account of the member behind a voter (made on first use)."""
        if voter.account is None:
            entry = self.session.get_one(RollEntry, voter.entry_id)
            person = entry.membership.person
            voter.account = self.make_account(entry.display_name, email=entry.email)
            person.account_id = voter.account.id
            self.session.commit()
        return voter.account

    def run_jobs(self) -> int:
        """Run every job that is due, here and now."""
        self.session.commit()
        count = run_due_jobs()
        self.session.expire_all()
        return count


def read_tar_names(data: bytes) -> list[str]:
    """Names of the members of an archive, in order."""
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return tar.getnames()
