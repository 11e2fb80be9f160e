"""The election structure and its fingerprint φ (specification 4.10)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from . import encoding
from .errors import EncodingError
from .groups import Element, FixedBase, Group, group_named
from .questions import MAXIMUM_QUESTIONS, Question, read_question

MAXIMUM_ELECTION_BYTES = 4_000_000

_FIELDS = (
    "version",
    "description",
    "name",
    "group",
    "public_key",
    "questions",
    "uuid",
    "administrator",
    "credential_authority",
)


@dataclass(frozen=True)
class Election:
    """A read election: cheap to share between threads, immutable.

    `data` are the bytes as published; `fingerprint` is φ, taken over exactly those bytes.
    """

    data: bytes = field(repr=False)
    uuid: str
    name: str
    description: str
    group: Group = field(repr=False)
    public_key: Element
    questions: tuple[Question, ...]
    administrator: str | None
    credential_authority: str | None

    @cached_property
    def fingerprint(self) -> str:
        """φ: unpadded Base64 of the SHA-256 of the election's bytes."""
        return encoding.sha256_base64(self.data)

    @cached_property
    def fixed_public_key(self) -> FixedBase:
        """The public key, prepared for many powers (made on first use)."""
        return self.group.fix(self.public_key)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Ciphertexts per question."""
        return tuple(question.ciphertext_count for question in self.questions)

    @cached_property
    def maximum_ballot_bytes(self) -> int:
        """What is longer is refused unread: twice the longest ballot that can be valid, so that
        an element too many is still refused for what it is."""
        element = self.group.element_text_length
        proof = 2 * len(str(self.group.order)) + 40
        size = 500 + element
        for question in self.questions:
            proofs = 2 * question.ciphertext_count + question.branch_count + 2
            size += 200 + question.ciphertext_count * (2 * element + 40) + proofs * proof
        return 2 * size


def generate_uuid(choose: Callable[[str], str] = secrets.choice) -> str:
    """A fresh election uuid: 14 Base58 characters."""
    return "".join(choose(encoding.BASE58) for _ in range(encoding.UUID_MINIMUM_LENGTH))


def make_election(
    *,
    uuid: str,
    name: str,
    description: str,
    group: Group,
    public_key: Element,
    questions: Sequence[Question],
    administrator: str | None = None,
    credential_authority: str | None = None,
) -> Election:
    """Make the election's bytes and read them back strictly."""
    message = {
        "version": 1,
        "description": description,
        "name": name,
        "group": group.name,
        "public_key": public_key.text,
        "questions": [question.message() for question in questions],
        "uuid": uuid,
    }
    if administrator is not None:
        message["administrator"] = administrator
    if credential_authority is not None:
        message["credential_authority"] = credential_authority
    return read_election(encoding.dump(message))


def read_election(data: bytes) -> Election:
    """Read an election strictly. Raises `EncodingError`."""
    value = encoding.parse(data, where="election", limit=MAXIMUM_ELECTION_BYTES)
    message = encoding.fields(
        value, _FIELDS, "election", optional=("administrator", "credential_authority")
    )
    encoding.integer(message["version"], "election.version", 1, 1)
    group = group_named(encoding.string(message["group"], "election.group"))
    questions = encoding.array(message["questions"], "election.questions")
    if not 1 <= len(questions) <= MAXIMUM_QUESTIONS:
        raise EncodingError("lengths", "election.questions", "too few or too many questions")
    texts = {
        name: encoding.string(message[name], f"election.{name}")
        for name in ("description", "name", "public_key", "administrator", "credential_authority")
        if name in message
    }
    return Election(
        data=data,
        uuid=encoding.uuid(message["uuid"], "election.uuid"),
        name=texts["name"],
        description=texts["description"],
        questions=tuple(
            read_question(question, f"election.questions[{index}]")
            for index, question in enumerate(questions)
        ),
        group=group,
        public_key=group.decode(texts["public_key"], "election.public_key"),
        administrator=texts.get("administrator"),
        credential_authority=texts.get("credential_authority"),
    )
