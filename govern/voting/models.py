"""What is stored about elections.

The ballot box is two append-only tables: ``ElectionEvent`` (the chain) and ``ElectionRecord``
(the data that events refer to), byte for byte as published. Each event names the hash of its
predecessor under a unique constraint, so the chain cannot fork, and events that happen once per
election carry a unique ``singleton``.

Who has voted (``Attendance``) and what lies in the box are written in one transaction and share
nothing: no key, no order, no time (protocol.md §6).
"""

from __future__ import annotations

import secrets
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.accounts.models import Account
from govern.cooperatives.models import Cooperative
from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.register.models import Roll
from govern.voting.rules import CredentialMode, ElectionState, QuestionKind


def _one_of(column: str, values: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


class Election(db.Model):  # type: ignore[name-defined]
    """One vote held with sealed ballots.

    ``public_id`` is the protocol's uuid. ``data`` (the election's bytes) and ``trustees_data``
    are written when all keys are there and never change afterwards. ``attendance_salt`` exists
    from opening to closing only.
    """

    __tablename__ = "election"
    __table_args__ = (
        CheckConstraint(_one_of("state", ElectionState), name="state_known"),
        CheckConstraint(_one_of("credential_mode", CredentialMode), name="credential_mode_known"),
        CheckConstraint("closes_at >= opens_at", name="closes_not_before_opening"),
        CheckConstraint("minimum_group >= 1", name="minimum_group_positive"),
        CheckConstraint("(state = 'cancelled') = (cancel_reason <> '')", name="cancelled_says_why"),
        CheckConstraint(
            "state IN ('draft', 'keys', 'cancelled') OR fingerprint IS NOT NULL",
            name="fixed_has_fingerprint",
        ),
        CheckConstraint(
            "state NOT IN ('open', 'closed', 'tallying', 'published') OR setup_hash IS NOT NULL",
            name="opened_has_setup",
        ),
        CheckConstraint("attendance_salt IS NULL OR state = 'open'", name="salt_only_while_open"),
        Index("ix_election_state_opens_at", "state", "opens_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(64), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"), index=True)
    roll_id: Mapped[int] = mapped_column(ForeignKey("roll.id"), index=True)
    title: Mapped[dict[str, str]] = mapped_column(JSON)
    description: Mapped[dict[str, str]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(12), default=ElectionState.DRAFT.value)
    group: Mapped[str] = mapped_column("group_name", String(20))
    opens_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revote_allowed: Mapped[bool] = mapped_column(default=True)
    is_trial: Mapped[bool] = mapped_column(default=False)
    credential_mode: Mapped[str] = mapped_column(String(10))
    credential_authority: Mapped[str] = mapped_column(String(200))
    minimum_group: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    data: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    trustees_data: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    fingerprint: Mapped[str | None] = mapped_column(String(43))
    roll_digest: Mapped[str | None] = mapped_column(String(64))
    heads: Mapped[int | None]
    credentials_digest: Mapped[str | None] = mapped_column(String(64))
    setup_hash: Mapped[str | None] = mapped_column(String(64))
    archive_timestamp: Mapped[int | None]
    receipt_key: Mapped[str | None] = mapped_column(String(64))
    attendance_salt: Mapped[bytes | None] = mapped_column(LargeBinary, info={"backup": False})
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attendance_scrubbed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    checked_height: Mapped[int | None]
    recounted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unsound_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_reason: Mapped[str] = mapped_column(Text, default="")

    cooperative: Mapped[Cooperative] = relationship()
    roll: Mapped[Roll] = relationship()
    questions: Mapped[list[ElectionQuestion]] = relationship(
        back_populates="election", order_by="ElectionQuestion.position"
    )
    trustees: Mapped[list[ElectionTrustee]] = relationship(
        back_populates="election", order_by="ElectionTrustee.position"
    )

    @property
    def uuid(self) -> str:
        """The protocol's name for ``public_id``."""
        return self.public_id

    @property
    def stage(self) -> ElectionState:
        """The state as an enum."""
        return ElectionState(self.state)


class ElectionQuestion(db.Model):  # type: ignore[name-defined]
    """One question. ``key`` names it to whoever asked (a resolution's public id)."""

    __tablename__ = "election_question"
    __table_args__ = (
        UniqueConstraint("election_id", "position"),
        UniqueConstraint("election_id", "key"),
        CheckConstraint(_one_of("kind", QuestionKind), name="kind_known"),
        CheckConstraint("0 <= minimum AND minimum <= maximum", name="limits_in_order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    election_id: Mapped[int] = mapped_column(ForeignKey("election.id"))
    position: Mapped[int]
    key: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(12))
    texts: Mapped[dict[str, str]] = mapped_column(JSON)
    answers: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    minimum: Mapped[int]
    maximum: Mapped[int]
    blank: Mapped[bool] = mapped_column(default=False)

    election: Mapped[Election] = relationship(back_populates="questions")


class TrusteeState(StrEnum):
    """``invited`` → ``key_registered`` → ``decrypted``."""

    INVITED = "invited"
    KEY_REGISTERED = "key_registered"
    DECRYPTED = "decrypted"


class ElectionTrustee(db.Model):  # type: ignore[name-defined]
    """One holder of a mandatory key. ``position`` is the protocol's ``owner``, from 1."""

    __tablename__ = "election_trustee"
    __table_args__ = (
        UniqueConstraint("election_id", "position"),
        UniqueConstraint("election_id", "account_id"),
        CheckConstraint(_one_of("state", TrusteeState), name="state_known"),
        CheckConstraint("position >= 1", name="position_positive"),
        CheckConstraint("(state = 'invited') = (key_message IS NULL)", name="key_when_registered"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    election_id: Mapped[int] = mapped_column(ForeignKey("election.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16), default=TrusteeState.INVITED.value)
    key_message: Mapped[bytes | None] = mapped_column(LargeBinary)
    public_key: Mapped[str | None] = mapped_column(Text)
    key_registered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decrypted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    election: Mapped[Election] = relationship(back_populates="trustees")
    account: Mapped[Account] = relationship()


class ElectionRecord(db.Model):  # type: ignore[name-defined]
    """One ``.data.json`` of the archive: stands before the event of that height."""

    __tablename__ = "election_record"
    __table_args__ = (
        UniqueConstraint("election_id", "hash"),
        UniqueConstraint("election_id", "height", "position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    election_id: Mapped[int] = mapped_column(ForeignKey("election.id"))
    height: Mapped[int]
    position: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ElectionEvent(db.Model):  # type: ignore[name-defined]
    """One link of an election's chain, byte for byte.

    ``tracker``, ``credential`` (public) and ``day`` are set for ballots only; the day is the
    finest time that is kept about a ballot. ``parent`` of the first event is the election's uuid,
    so that the unique constraint also covers a second beginning.
    """

    __tablename__ = "election_event"
    __table_args__ = (
        UniqueConstraint("election_id", "height"),
        UniqueConstraint("election_id", "parent"),
        UniqueConstraint("election_id", "singleton"),
        UniqueConstraint("election_id", "tracker"),
        ForeignKeyConstraint(
            ["election_id", "payload"], ["election_record.election_id", "election_record.hash"]
        ),
        CheckConstraint("(kind = 'Ballot') = (tracker IS NOT NULL)", name="ballot_has_tracker"),
        CheckConstraint("(kind = 'Ballot') = (singleton IS NULL)", name="only_ballots_repeat"),
        CheckConstraint("(kind = 'EndBallots') = (payload IS NULL)", name="payload_present"),
        CheckConstraint("height >= 0", name="height_not_negative"),
        Index("ix_election_event_credential", "election_id", "credential", "height"),
    )

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    election_id: Mapped[int] = mapped_column(ForeignKey("election.id"))
    height: Mapped[int]
    parent: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(20))
    payload: Mapped[str | None] = mapped_column(String(64))
    singleton: Mapped[str | None] = mapped_column(String(40))
    tracker: Mapped[str | None] = mapped_column(String(43))
    credential: Mapped[str | None] = mapped_column(Text)
    day: Mapped[date | None]
    data: Mapped[bytes] = mapped_column(LargeBinary)


class BoxState(db.Model):  # type: ignore[name-defined]
    """The end of the chain and the running product; its row lock puts casts one after another."""

    __tablename__ = "election_box"
    __table_args__ = (CheckConstraint("voters <= ballots", name="voters_within_ballots"),)

    election_id: Mapped[int] = mapped_column(ForeignKey("election.id"), primary_key=True)
    height: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(20))
    ballots: Mapped[int] = mapped_column(default=0)
    voters: Mapped[int] = mapped_column(default=0)
    tally: Mapped[bytes] = mapped_column(LargeBinary)


def make_attendance_key() -> bytes:
    """A random key: rows of attendance are in no order."""
    return secrets.token_bytes(16)


class Attendance(db.Model):  # type: ignore[name-defined]
    """This member of the roll has voted. Nothing else, and nothing that leads to a ballot.

    ``tag`` keeps a member to one credential while the vote is open; it is emptied, and the key
    drawn again, when the table is rewritten at closing.
    """

    __tablename__ = "election_attendance"
    __table_args__ = (
        UniqueConstraint("election_id", "roll_entry_id"),
        UniqueConstraint("election_id", "tag"),
        {"sqlite_with_rowid": False},
    )

    election_id: Mapped[int] = mapped_column(ForeignKey("election.id"), primary_key=True)
    key: Mapped[bytes] = mapped_column(
        LargeBinary(16), primary_key=True, default=make_attendance_key
    )
    roll_entry_id: Mapped[int] = mapped_column(ForeignKey("roll_entry.id"))
    tag: Mapped[bytes | None] = mapped_column(LargeBinary(32), info={"backup": False})


class PublicCredential(db.Model):  # type: ignore[name-defined]
    """One public credential on an election's list, in no order but its own value's."""

    __tablename__ = "election_credential"
    __table_args__ = ({"sqlite_with_rowid": False},)

    election_id: Mapped[int] = mapped_column(ForeignKey("election.id"), primary_key=True)
    public_key: Mapped[str] = mapped_column(String(640), primary_key=True)


class CredentialRunState(StrEnum):
    """``discarded``: the codes are void, others were or will be made."""

    RUNNING = "running"
    DONE = "done"
    DISCARDED = "discarded"


class CredentialRun(db.Model):  # type: ignore[name-defined]
    """One making of an election's credentials, by the server or uploaded by the authority.

    Server-made: ``recipient`` is an age public key whose identity is kept encrypted to the
    returning officer's passphrase in ``identity``; every part of the list is encrypted to it.
    So the work can go on after a crash without the passphrase, and only the passphrase opens it.
    """

    __tablename__ = "election_credential_run"
    __table_args__ = (
        UniqueConstraint("election_id", "number"),
        CheckConstraint(_one_of("state", CredentialRunState), name="state_known"),
        CheckConstraint(_one_of("mode", CredentialMode), name="mode_known"),
        CheckConstraint("(mode = 'server') = (recipient IS NOT NULL)", name="server_has_list"),
        Index(
            "uq_election_credential_run_current",
            "election_id",
            unique=True,
            sqlite_where=db.text("state <> 'discarded'"),
            postgresql_where=db.text("state <> 'discarded'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    election_id: Mapped[int] = mapped_column(ForeignKey("election.id"))
    number: Mapped[int]
    mode: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    roll_digest: Mapped[str] = mapped_column(String(64))
    total: Mapped[int]
    recipient: Mapped[str | None] = mapped_column(String(100))
    identity: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    election: Mapped[Election] = relationship()


class CredentialIssue(db.Model):  # type: ignore[name-defined]
    """A code was made for this member in this run: the constraint keeps it to one.

    ``part`` says in which part of the encrypted list the code stands.
    """

    __tablename__ = "election_credential_issue"

    run_id: Mapped[int] = mapped_column(ForeignKey("election_credential_run.id"), primary_key=True)
    roll_entry_id: Mapped[int] = mapped_column(ForeignKey("roll_entry.id"), primary_key=True)
    part: Mapped[int]


class CredentialPart(db.Model):  # type: ignore[name-defined]
    """One part of a list: ``sealed`` holds the codes, encrypted (age), if the server made them.

    ``checked``: the public keys are known to be elements of the group (uploaded ones are not yet).

    ``public_keys`` waits here, sorted, until all parts are made; then the keys of all parts are
    pooled into ``PublicCredential`` in one statement and this column is emptied, so that no part
    (and no group of members mailed together) can be told from the list.
    """

    __tablename__ = "election_credential_part"

    run_id: Mapped[int] = mapped_column(ForeignKey("election_credential_run.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    public_keys: Mapped[list[str]] = mapped_column(JSON)
    checked: Mapped[bool] = mapped_column(default=False)


class Incident(db.Model):  # type: ignore[name-defined]
    """One line of an election's public log: every step, and everything out of the ordinary.

    ``code`` is a word that ``govern.voting.texts`` turns into a sentence with ``details``
    (numbers, hashes and times, never a name); ``reason`` is what a person wrote.
    """

    __tablename__ = "election_incident"
    __table_args__ = (Index("ix_election_incident_election_id_id", "election_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    election_id: Mapped[int] = mapped_column(ForeignKey("election.id"))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    code: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(Text, default="")
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
