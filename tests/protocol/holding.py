"""Holds whole elections for the tests and the vectors, from given randomness."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from govern.voting.protocol import archive, ballots, credentials, decryption, elections, trustees
from govern.voting.protocol.archive import Event, EventType
from govern.voting.protocol.groups import Group
from govern.voting.protocol.questions import Question

ONE_OF_THREE = Question(
    "Comptes annuels / Jaarrekening / Jahresrechnung / Annual accounts",
    ("Pour / Voor / Für / For", "Contre / Tegen / Gegen / Against", "Abstention"),
    minimum=1,
    maximum=1,
)
UP_TO_TWO_OR_BLANK = Question(
    'Smart in Progress "été" / zomer \\ 2018',
    ("Réseaux / Netwerken", "Achats / Aankopen", "Impact"),
    minimum=1,
    maximum=2,
    blank=True,
)
UP_TO_THREE_OF_FIVE = Question("Administrateurs", ("A1", "A2", "A3", "A4", "A5"), 0, 3)
ONE_OR_BLANK = Question("Motion", ("Oui / Ja", "Non / Nee"), 1, 1, blank=True)


class Randomness:
    """A reproducible stream of scalars that remembers what it gave. Only for tests."""

    def __init__(self, group: Group, seed: str) -> None:
        self._group = group
        self._seed = seed
        self._count = 0
        self.given: list[int] = []

    def __call__(self) -> int:
        digest = hashlib.sha512(f"{self._seed}|{self._count}".encode()).digest()
        self._count += 1
        value = int.from_bytes(digest, "big") % (self._group.order - 1) + 1
        self.given.append(value)
        return value

    def choose(self, alphabet: str) -> str:
        """One character, for codes and uuids."""
        digest = hashlib.sha512(f"{self._seed}|character|{self._count}".encode()).digest()
        self._count += 1
        return alphabet[int.from_bytes(digest, "big") % len(alphabet)]

    def take(self) -> list[int]:
        """What was given since the last call."""
        given, self.given = self.given, []
        return given


@dataclass
class HeldElection:
    """An election with all its secrets, and the events so far."""

    group: Group
    election: elections.Election
    trustees: trustees.Trustees
    public_credentials: bytes
    private_keys: list[int]
    codes: list[str]
    timestamp: int
    events: list[Event] = field(default_factory=list)
    choices: dict[str, ballots.Choices] = field(default_factory=dict)
    tally: decryption.RunningTally = field(init=False)

    def __post_init__(self) -> None:
        self.tally = decryption.RunningTally(self.election)
        self.known = frozenset(credentials.read_public_credentials(self.public_credentials))

    def append(self, type: EventType, *data: bytes) -> Event:
        """Append an event."""
        parent = self.events[-1] if self.events else None
        self.events.append(archive.make_event(type, parent, data))
        return self.events[-1]

    def cast(self, ballot: bytes) -> ballots.CheckedBallot:
        """Check a ballot and put it into the box; the last one of a credential counts."""
        checked = ballots.check_ballot(self.election, ballot, self.known)
        self.append(EventType.BALLOT, ballot)
        replaced = self.choices.get(checked.credential)
        if replaced is not None:
            self.tally.remove(replaced)
        self.tally.add(checked.choices)
        self.choices[checked.credential] = checked.choices
        return checked

    def close(self) -> decryption.EncryptedTally:
        """End the ballots and publish the encrypted tally."""
        self.append(EventType.END_BALLOTS)
        data = self.tally.encrypted_tally()
        sized = decryption.make_sized_tally(self.tally.count, data)
        self.append(EventType.ENCRYPTED_TALLY, data, sized)
        return decryption.read_encrypted_tally(self.election, data)

    def publish_decryption(self, owner: int, data: bytes) -> None:
        """Append a partial decryption."""
        self.append(EventType.PARTIAL_DECRYPTION, data, decryption.make_owned(owner, data))

    def count(
        self, sealed: decryption.EncryptedTally, source: Randomness | None = None
    ) -> decryption.Result:
        """Decrypt with every key, publish, and publish the result."""
        parts = []
        for owner, private in enumerate(self.private_keys, 1):
            data = decryption.make_partial_decryption(self.election, sealed, private, source)
            parts.append(
                decryption.check_partial_decryption(
                    self.election, self.trustees, sealed, owner, data
                )
            )
            self.publish_decryption(owner, data)
        result = decryption.compute_result(
            self.election, self.trustees, sealed, self.tally.count, parts
        )
        self.append(EventType.RESULT, decryption.make_result(result))
        return result

    def archive(self) -> bytes:
        """The whole archive so far."""
        return archive.start_archive(self.timestamp) + b"".join(
            event.records(self.timestamp) for event in self.events
        )


def set_up(
    group: Group,
    questions: Sequence[Question],
    *,
    voters: int,
    trustee_count: int = 2,
    seed: str = "seed",
    timestamp: int = 1529409600,
) -> HeldElection:
    """Make keys, credentials and the election, and append `Setup`."""
    source = Randomness(group, f"{seed}|{group.name}")
    uuid = elections.generate_uuid(source.choose)
    private_keys = [source() for _ in range(trustee_count)]
    keys = [trustees.make_trustee_key(group, private, source) for private in private_keys]
    together = trustees.make_trustees(group, keys)
    codes = [credentials.generate_code(source.choose) for _ in range(voters)]
    public_credentials = credentials.make_public_credentials(
        credentials.derive_credential(group, uuid, code).public for code in codes
    )
    election = elections.make_election(
        uuid=uuid,
        name="AG / AV 2018",
        description="Assemblée générale ordinaire / Gewone algemene vergadering",
        group=group,
        public_key=together.public_key,
        questions=questions,
        administrator="Smart",
        credential_authority="Huissier de justice",
    )
    held = HeldElection(
        group, election, together, public_credentials, private_keys, codes, timestamp
    )
    held.events.append(archive.make_setup(election.data, together.data, public_credentials))
    return held
