"""What the demonstration is made with: its clock, its accounts, its doing of the officers' part."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Actor, Role
from govern.accounts.models import Account
from govern.accounts.services import actor_for, create_account, grant_role
from govern.cooperatives.models import Cooperative
from govern.jobs import run_due_jobs
from govern.register.models import RollEntry
from govern.voting import rollfile
from govern.voting.models import Election
from govern.voting.protocol.ballots import seal_ballot
from govern.voting.protocol.credentials import (
    derive_credential,
    generate_code,
    make_public_credentials,
)
from govern.voting.protocol.decryption import make_partial_decryption
from govern.voting.protocol.elections import read_election as read_protocol_election
from govern.voting.protocol.groups import group_named
from govern.voting.protocol.trustees import make_trustee_key
from govern.voting.services import box, casting, credentials, elections, trustees

PASSWORD = "seventeen-swans-vote-at-noon"  # noqa: S105 (printed for everyone who tries it)
"""The password of every sample account, and the passphrase of every sample key file."""


class DemoClock:
    """A clock that the demonstration sets: time stands still in between, and never goes back."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def __call__(self) -> datetime:
        return self._instant

    def set(self, instant: datetime) -> None:
        if instant < self._instant:
            raise ValueError(f"the clock stands at {self._instant} and cannot go back to {instant}")
        self._instant = instant


@contextmanager
def demo_clock(start: datetime) -> Iterator[DemoClock]:
    """Put a ``DemoClock`` in force, and the former clock again afterwards."""
    own = DemoClock(start)
    former = clock.use_clock(own)
    try:
        yield own
    finally:
        clock.use_clock(former)


@dataclass
class Officers:
    """The accounts that hold a role in one cooperative."""

    cooperative: Cooperative
    accounts: dict[Role, Account] = field(default_factory=dict)

    def actor(self, session: Session, role: Role) -> Actor:
        return actor_for(session, self.accounts[role])


OFFICER_NAMES = {
    Role.ADMINISTRATOR: "Odile Verstraeten",
    Role.REGISTRAR: "Rita Goffin",
    Role.TREASURER: "Tamara Declercq",
    Role.SECRETARY: "Samuel Okonjo",
    Role.RETURNING_OFFICER: "Bea Lacroix",
    Role.TRUSTEE: "Tuur Vandamme",
    Role.AUDITOR: "Aline Fassbinder",
}


def officer_email(role: Role, cooperative_code: str) -> str:
    """The sign-in address of a sample officer, e.g. ``returning-officer@smartcoop.example.org``."""
    return f"{role.value.replace('_', '-')}@{cooperative_code}.example.org"


def appoint_officers(session: Session, cooperative: Cooperative, language: str) -> Officers:
    """One account for each role of the cooperative but that of member."""
    officers = Officers(cooperative)
    for role, name in OFFICER_NAMES.items():
        account = create_account(
            session,
            name=name,
            email=officer_email(role, cooperative.code),
            language=language,
            password=PASSWORD,
        )
        grant_role(session, SYSTEM, account, cooperative.id, role)
        officers.accounts[role] = account
    session.commit()
    return officers


def run_jobs(session: Session) -> None:
    """Commit, and do here and now what a worker would do."""
    session.commit()
    run_due_jobs()
    session.expire_all()


def register_keys(session: Session, election: Election, holders: Sequence[Account]) -> list[int]:
    """Each trustee makes a key and hands in its public part; returns the private keys in order."""
    elections.start_keys(session, SYSTEM, election)
    group = group_named(election.group)
    keys = [group.random_scalar() for _holder in holders]
    for key, holder in zip(keys, holders, strict=True):
        trustees.register_public_key(
            session, actor_for(session, holder), election, make_trustee_key(group, key)
        )
    elections.fix_election(session, SYSTEM, election)
    session.commit()
    return keys


def hand_in_offline_codes(session: Session, election: Election) -> dict[int, str]:
    """Make all codes as a credential authority would; roll entry number → code."""
    entries = session.scalars(
        select(RollEntry.id).where(RollEntry.roll_id == election.roll_id).order_by(RollEntry.id)
    )
    codes = {entry: generate_code() for entry in entries}
    group, uuid = group_named(election.group), election.uuid
    public = make_public_credentials(
        derive_credential(group, uuid, code).public for code in codes.values()
    )
    credentials.upload_public_credentials(
        session,
        SYSTEM,
        election,
        rollfile.write_public_file(uuid, election.group, election.roll.digest, public),
    )
    run_jobs(session)
    return codes


def _seal(task: tuple[bytes, str, list[list[int]]]) -> bytes:
    data, code, plaintexts = task
    return seal_ballot(read_protocol_election(data), code, plaintexts).data


def cast_ballots(
    session: Session,
    election: Election,
    ballots: Sequence[tuple[int, str, list[list[int]]]],
    pool: ProcessPoolExecutor,
    report: Callable[[int, int], None],
) -> None:
    """Seal, check and cast (roll entry, code, plaintexts) for each; in batches of fifty."""
    data = bytes(election.data or b"")
    for start in range(0, len(ballots), 50):
        batch = ballots[start : start + 50]
        sealed = pool.map(
            _seal, [(data, code, plain) for _entry, code, plain in batch], chunksize=5
        )
        checked = [casting.check_ballot(session, election, ballot) for ballot in sealed]
        casting.append_ballots(
            session,
            election,
            [(entry, ballot) for (entry, _c, _p), ballot in zip(batch, checked, strict=True)],
        )
        session.commit()
        report(min(start + 50, len(ballots)), len(ballots))


def open_tally(session: Session, election: Election, holder: Account, key: int) -> None:
    """A trustee opens their part of the count."""
    tally, _count = trustees.published_tally(session, election)
    trustees.register_partial_decryption(
        session,
        actor_for(session, holder),
        election,
        make_partial_decryption(box.read_election(election), tally, key),
    )
    session.commit()


def spread(count: int, parts: Sequence[int], chance: random.Random) -> list[int]:
    """``count`` indices into ``parts``, as many of each as their hundredths say, shuffled."""
    wanted: list[int] = []
    for index, part in enumerate(parts[1:], 1):
        wanted += [index] * round(count * part / 100)
    wanted += [0] * (count - len(wanted))
    chance.shuffle(wanted)
    return wanted


def one_of(chosen: int, answers: int) -> list[int]:
    """The plaintext of "exactly one of ``answers``"."""
    return [int(index == chosen) for index in range(answers)]
