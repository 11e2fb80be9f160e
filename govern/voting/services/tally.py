"""From a closed box to the published result.

The running product makes the encrypted tally at once; ``recount_box`` multiplies the box again
from its first entry, and nothing is published before both agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Actor, Permission
from govern.register.models import RollEntry
from govern.voting.models import (
    Attendance,
    BoxState,
    Election,
    ElectionEvent,
    ElectionQuestion,
)
from govern.voting.protocol.archive import EventType
from govern.voting.protocol.ballots import read_accepted_choices
from govern.voting.protocol.decryption import (
    RunningTally,
    check_partial_decryption,
    compute_result,
    make_result,
    make_sized_tally,
)
from govern.voting.protocol.decryption import read_result as read_protocol_result
from govern.voting.protocol.encoding import sha256_hex
from govern.voting.rules import (
    AnswerCount,
    ElectionState,
    QuestionKind,
    count_question,
)
from govern.voting.services import notices
from govern.voting.services.box import (
    BrokenBox,
    append_event,
    check_chain,
    lock_box,
    read_election,
    read_trustees,
    record_bytes,
)
from govern.voting.services.steps import check_step, log_incident, take_step
from govern.voting.services.trustees import (
    published_tally,
    read_decryptions,
    remind_trustees,
)
from govern.voting.signals import election_published

Progress = Callable[[int, int], None]


def tally_election(session: Session, actor: Actor, election: Election) -> None:
    """Add up the sealed ballots (closed → tallying) from the running product."""
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    box = lock_box(session, election)
    check_step(session, election, ElectionState.TALLYING)
    running = RunningTally.from_bytes(read_election(election), bytes(box.tally))
    if running.count != box.voters:
        raise BrokenBox(f"{running.count} ballots in the product, {box.voters} voters")
    tally = running.encrypted_tally()
    append_event(
        session,
        box,
        EventType.ENCRYPTED_TALLY,
        [tally, make_sized_tally(running.count, tally)],
        singleton=EventType.ENCRYPTED_TALLY.value,
    )
    take_step(
        session,
        actor,
        election,
        ElectionState.TALLYING,
        details={"voters": running.count, "hash": sha256_hex(tally)},
    )
    session.flush()


def count_again(
    session: Session, election: Election, progress: Progress = lambda done, total: None
) -> RunningTally:
    """Check the whole chain, then multiply the last ballot of every credential together."""
    check_chain(session, election)
    protocol_election = read_election(election)
    tally = RunningTally(protocol_election)
    last = (
        select(func.max(ElectionEvent.height))
        .where(
            ElectionEvent.election_id == election.id,
            ElectionEvent.kind == EventType.BALLOT.value,
        )
        .group_by(ElectionEvent.credential)
    )
    payloads = session.scalars(
        select(ElectionEvent.payload)
        .where(ElectionEvent.election_id == election.id, ElectionEvent.height.in_(last))
        .order_by(ElectionEvent.height)
    ).all()
    for number, payload in enumerate(payloads, 1):
        data = record_bytes(session, election, payload or "")
        tally.add(read_accepted_choices(protocol_election, data))
        if number % 100 == 0:
            progress(number, len(payloads))
    progress(len(payloads), len(payloads))
    return tally


def accept_recount(session: Session, election: Election, counted: RunningTally | None) -> None:
    """Compare what ``count_again`` found (None: a broken chain) with the tally in the box.

    Marks the election as recounted and asks the trustees for their parts, or marks it as unsound
    (it can then only be cancelled); both are logged. The second time changes nothing.
    """
    box = lock_box(session, election)
    if election.recounted_at is not None or election.stage is not ElectionState.TALLYING:
        return
    if counted is None:
        mark_unsound(session, election)
        return
    published, number = published_tally(session, election)
    if counted.encrypted_tally() != published.data or counted.count != number:
        mark_unsound(session, election)
        return
    election.recounted_at = clock.now()
    log_incident(session, SYSTEM, election, "recounted")
    if box.voters == 0 or box.voters >= election.minimum_group:
        remind_trustees(session, election)
    session.flush()


def mark_unsound(session: Session, election: Election, height: int | None = None) -> None:
    """Note in public that the box is not what was written. Nothing is published any more."""
    if election.unsound_since is not None:
        return
    election.unsound_since = clock.now()
    box = session.get_one(BoxState, election.id)
    log_incident(
        session,
        SYSTEM,
        election,
        "box_unsound",
        details={"height": box.height if height is None else height},
    )
    notices.report_unsound(session, election)
    session.flush()


def publish_result(session: Session, actor: Actor, election: Election) -> None:
    """Combine the parts of all trustees into the result (tallying → published), once and only once.

    Anyone who has the archive can compute the same numbers from the same parts.
    """
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    box = lock_box(session, election)
    check_step(session, election, ElectionState.PUBLISHED)
    protocol_election, trustees = read_election(election), read_trustees(election)
    tally, number = published_tally(session, election)
    decryptions = [
        check_partial_decryption(protocol_election, trustees, tally, owner, data)
        for owner, data in read_decryptions(session, election).items()
    ]
    result = compute_result(protocol_election, trustees, tally, number, decryptions)
    append_event(
        session,
        box,
        EventType.RESULT,
        [make_result(result)],
        singleton=EventType.RESULT.value,
    )
    election.published_at = clock.now()
    take_step(session, actor, election, ElectionState.PUBLISHED)
    session.flush()
    election_published.send(election, session=session)


@dataclass(frozen=True)
class QuestionResult:
    """The count of one question.

    ``counts`` has one number per answer, in the order of the question; ``blank`` the blank
    ballots. ``abstentions`` are the blank ballots plus the answer "abstain" of a resolution;
    ``expressed`` the ballots that are neither.
    """

    key: str
    position: int
    kind: QuestionKind
    texts: dict[str, str]
    answers: list[dict[str, str]]
    counts: list[int]
    shares: list[AnswerCount]
    blank: int
    blank_allowed: bool
    abstentions: int
    expressed: int


@dataclass(frozen=True)
class Turnout:
    """Who took part, against the whole roll. ``ballots`` are the ones that count."""

    ballots: int
    heads: int
    shares_issued: int
    shares_paid: int
    heads_on_roll: int
    shares_issued_on_roll: int
    shares_paid_on_roll: int

    @property
    def of_heads(self) -> Fraction:
        """The part of the roll that voted, 0 for an empty roll."""
        return Fraction(self.heads, self.heads_on_roll) if self.heads_on_roll else Fraction(0)


@dataclass(frozen=True)
class ElectionResult:
    """The published result of an election."""

    uuid: str
    ballots: int
    heads_on_roll: int
    turnout: Turnout
    questions: list[QuestionResult]

    def question(self, key: str) -> QuestionResult:
        """The question of that key; KeyError if there is none."""
        for question in self.questions:
            if question.key == key:
                return question
        raise KeyError(key)


def read_turnout(session: Session, election: Election) -> Turnout:
    """Heads and shares of those who voted; only sums, so it may be read after closing only."""
    box = session.get(BoxState, election.id)
    heads, issued, paid = session.execute(
        select(
            func.count(RollEntry.id),
            func.coalesce(func.sum(RollEntry.shares_issued), 0),
            func.coalesce(func.sum(RollEntry.shares_paid), 0),
        )
        .join(Attendance, Attendance.roll_entry_id == RollEntry.id)
        .where(Attendance.election_id == election.id)
    ).one()
    roll = election.roll
    return Turnout(
        ballots=box.voters if box is not None else 0,
        heads=heads,
        shares_issued=int(issued),
        shares_paid=int(paid),
        heads_on_roll=roll.heads,
        shares_issued_on_roll=roll.shares_issued,
        shares_paid_on_roll=roll.shares_paid,
    )


def read_result(session: Session, election: Election) -> ElectionResult:
    """The result of a published election; NotFound before."""
    payload = session.scalar(
        select(ElectionEvent.payload).where(
            ElectionEvent.election_id == election.id,
            ElectionEvent.singleton == EventType.RESULT.value,
        )
    )
    data = record_bytes(session, election, payload or "")
    turnout = read_turnout(session, election)
    rows = read_protocol_result(read_election(election), data)
    return ElectionResult(
        uuid=election.uuid,
        ballots=turnout.ballots,
        heads_on_roll=turnout.heads_on_roll,
        turnout=turnout,
        questions=[
            _question_result(question, list(row), turnout.ballots)
            for question, row in zip(election.questions, rows, strict=True)
        ],
    )


def _question_result(question: ElectionQuestion, row: list[int], ballots: int) -> QuestionResult:
    kind = QuestionKind(question.kind)
    shares, abstentions, expressed = count_question(kind, row, ballots, question.blank)
    return QuestionResult(
        key=question.key,
        position=question.position,
        kind=kind,
        texts=question.texts,
        answers=question.answers,
        counts=row[1:] if question.blank else row,
        shares=shares,
        blank=row[0] if question.blank else 0,
        blank_allowed=question.blank,
        abstentions=abstentions,
        expressed=expressed,
    )
