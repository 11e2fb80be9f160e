"""Places on the pages of an election that a higher feature may fill.

``voting`` knows questions, not resolutions: the documents beside a question, the way back to the
assembly and the legal outcome come from whoever asked for the election.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from govern.hooks import Hook
from govern.voting.models import Election, ElectionQuestion


@dataclass(frozen=True)
class QuorumGauge:
    """How many were present out of all, how many were needed; ``label`` says what is counted."""

    present: int
    total: int
    needed: int
    label: str
    sentence: str


@dataclass(frozen=True)
class OutcomeView:
    """What a result means in law: for one question, in words that cite the rule.

    ``tone`` is one of the pill's ("good", "bad", "neutral"); ``threshold`` the share of the votes
    expressed that must be reached or exceeded, drawn on the bar (None where there is none), and
    ``mark`` the words at it. ``elected`` are the numbers (from 0) of the answers that won a seat.
    ``details`` are further sentences, ``quorum`` the gauge (None where no quorum applies).
    """

    question_key: str
    label: str
    sentence: str
    tone: str = "neutral"
    threshold: float | None = None
    citation: str = ""
    mark: str = ""
    details: tuple[str, ...] = ()
    quorum: QuorumGauge | None = None
    elected: tuple[int, ...] = ()
    digest: str = ""


@dataclass(frozen=True)
class QuestionDocument:
    """A document to read before answering a question."""

    name: str
    href: str
    size: int = 0
    digest: str = ""


@dataclass(frozen=True)
class ContextLink:
    """Where an election comes from: the assembly that decides by it."""

    label: str
    href: str


outcome_providers: Hook[Callable[[Session, Election], Sequence[OutcomeView]]] = Hook(
    "the legal outcome of a published election"
)
document_providers: Hook[Callable[[Session, ElectionQuestion], Sequence[QuestionDocument]]] = Hook(
    "the documents beside a question"
)
context_providers: Hook[Callable[[Session, Election], Sequence[ContextLink]]] = Hook(
    "where an election comes from"
)


def outcomes_of(session: Session, election: Election) -> dict[str, list[OutcomeView]]:
    """What all providers say, by question key."""
    found: dict[str, list[OutcomeView]] = {}
    for provider in outcome_providers:
        for view in provider(session, election):
            found.setdefault(view.question_key, []).append(view)
    return found


def documents_of(session: Session, question: ElectionQuestion) -> list[QuestionDocument]:
    """The documents that all providers give for one question."""
    return [item for provider in document_providers for item in provider(session, question)]


def context_of(session: Session, election: Election) -> list[ContextLink]:
    """Where the election comes from, according to all providers."""
    return [item for provider in context_providers for item in provider(session, election)]
