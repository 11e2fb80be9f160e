"""What is decided about an election: its states, what a step needs, which texts it may hold.

Pure functions over frozen values; no database, no clock, no translation. What is missing for a
step is returned as data (``Missing``); ``govern.voting.texts`` turns it into sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

Texts = Mapping[str, str]
"""One text per language code."""


class ElectionState(StrEnum):
    """The life of an election. Nothing leads out of ``published`` and ``cancelled``."""

    DRAFT = "draft"
    KEYS = "keys"
    CREDENTIALS = "credentials"
    OPEN = "open"
    CLOSED = "closed"
    TALLYING = "tallying"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


TRANSITIONS: Mapping[ElectionState, frozenset[ElectionState]] = {
    ElectionState.DRAFT: frozenset({ElectionState.KEYS, ElectionState.CANCELLED}),
    ElectionState.KEYS: frozenset({ElectionState.CREDENTIALS, ElectionState.CANCELLED}),
    ElectionState.CREDENTIALS: frozenset({ElectionState.OPEN, ElectionState.CANCELLED}),
    ElectionState.OPEN: frozenset({ElectionState.CLOSED, ElectionState.CANCELLED}),
    ElectionState.CLOSED: frozenset({ElectionState.TALLYING, ElectionState.CANCELLED}),
    ElectionState.TALLYING: frozenset({ElectionState.PUBLISHED, ElectionState.CANCELLED}),
    ElectionState.PUBLISHED: frozenset(),
    ElectionState.CANCELLED: frozenset(),
}
"""From each state, the states that may follow. Everything else is refused."""

NEXT_STATE: Mapping[ElectionState, ElectionState] = {
    ElectionState.DRAFT: ElectionState.KEYS,
    ElectionState.KEYS: ElectionState.CREDENTIALS,
    ElectionState.CREDENTIALS: ElectionState.OPEN,
    ElectionState.OPEN: ElectionState.CLOSED,
    ElectionState.CLOSED: ElectionState.TALLYING,
    ElectionState.TALLYING: ElectionState.PUBLISHED,
}
"""The regular way, without cancellation."""

BEFORE_OPENING = frozenset({ElectionState.DRAFT, ElectionState.KEYS, ElectionState.CREDENTIALS})
AFTER_CLOSING = frozenset({ElectionState.CLOSED, ElectionState.TALLYING, ElectionState.PUBLISHED})
HAS_BOX = frozenset({ElectionState.OPEN}) | AFTER_CLOSING
"""States in which there is a chain of events to read (a cancelled election may have one too)."""


class CredentialMode(StrEnum):
    """Who makes the voting codes: an authority that is not the server, or the server itself."""

    OFFLINE = "offline"
    SERVER = "server"


class QuestionKind(StrEnum):
    """``resolution``: exactly one of for, against, abstain, in this order. ``choice``: k of n."""

    RESOLUTION = "resolution"
    CHOICE = "choice"


FOR, AGAINST, ABSTAIN = 0, 1, 2
"""Positions of the answers of a resolution."""

SEPARATOR = " / "
"""What joins the languages of a text inside the election; no single text may hold it."""

MAXIMUM_TEXT = 2000
MAXIMUM_ANSWERS = 100
MAXIMUM_QUESTIONS = 60
MINIMUM_GROUP = 3
"""No election may set a smaller minimum group, trial elections excepted."""

STANDARD_ANSWERS: tuple[Texts, Texts, Texts] = (
    {"fr": "Pour", "nl": "Voor", "de": "Dafür", "en": "For"},
    {"fr": "Contre", "nl": "Tegen", "de": "Dagegen", "en": "Against"},
    {"fr": "Abstention", "nl": "Onthouding", "de": "Enthaltung", "en": "Abstention"},
)
"""The answers to a resolution. They stand inside the fingerprint, so they are not translated by
catalogue: a later correction of the catalogue must not change an election."""

TRIAL_LABEL: Texts = {
    "fr": "Scrutin d’essai, qui ne lie personne",
    "nl": "Proefstemming, bindt niemand",
    "de": "Probeabstimmung, bindet niemanden",
    "en": "Trial election, binds nobody",
}
"""Stands in the description of a trial election, inside the fingerprint."""


@dataclass(frozen=True)
class QuestionSpec:
    """One question as it is asked for.

    ``texts`` and each of ``answers`` hold one text per language. Between ``minimum`` and
    ``maximum`` answers are chosen, or none of them where ``blank`` is allowed.
    ``key`` names the question to whoever asked for it (a resolution's public id).
    """

    key: str
    texts: Texts
    answers: Sequence[Texts]
    minimum: int = 1
    maximum: int = 1
    blank: bool = False
    kind: QuestionKind = QuestionKind.CHOICE


def resolution_question(key: str, texts: Texts) -> QuestionSpec:
    """The question of a resolution: for, against or abstain, in the languages of ``texts``."""
    languages = [code for code in texts if texts[code]]
    return QuestionSpec(
        key=key,
        texts=texts,
        answers=tuple(
            {code: answer[code] for code in languages if code in answer}
            for answer in STANDARD_ANSWERS
        ),
        kind=QuestionKind.RESOLUTION,
    )


@dataclass(frozen=True)
class Problem:
    """Something in an election's definition that cannot stay. ``field`` names the input."""

    code: str
    field: str
    value: str = ""


def clean_texts(texts: Texts) -> dict[str, str]:
    """The texts with runs of white space made one space; empty languages left out."""
    cleaned = {code: " ".join(text.split()) for code, text in texts.items()}
    return {code: text for code, text in cleaned.items() if text}


def problems_of_texts(texts: Texts, field: str) -> list[Problem]:
    """What is wrong with one text in several languages."""
    problems = []
    if not texts:
        problems.append(Problem("text_missing", field))
    for text in texts.values():
        if SEPARATOR in text:
            problems.append(Problem("separator_in_text", field, text))
        if len(text) > MAXIMUM_TEXT:
            problems.append(Problem("text_too_long", field, str(MAXIMUM_TEXT)))
        if any(0xD800 <= ord(character) <= 0xDFFF or ord(character) < 32 for character in text):
            problems.append(Problem("text_not_plain", field))
    return problems


def problems_of_question(question: QuestionSpec, position: int) -> list[Problem]:
    """What is wrong with one question (already cleaned)."""
    field = f"questions-{position}"
    problems = problems_of_texts(question.texts, f"{field}-texts")
    for index, answer in enumerate(question.answers):
        problems += problems_of_texts(answer, f"{field}-answers-{index}")
    count = len(question.answers)
    if not 1 <= count <= MAXIMUM_ANSWERS:
        problems.append(Problem("answer_count", field, str(MAXIMUM_ANSWERS)))
    elif not (0 <= question.minimum <= question.maximum <= count and question.maximum >= 1):
        problems.append(Problem("choice_limits", field, str(count)))
    if question.kind is QuestionKind.RESOLUTION and (
        count != 3 or question.minimum != 1 or question.maximum != 1
    ):
        problems.append(Problem("resolution_shape", field))
    return problems


def problems_of_questions(questions: Sequence[QuestionSpec]) -> list[Problem]:
    """What is wrong with the questions of an election."""
    problems = []
    if not 1 <= len(questions) <= MAXIMUM_QUESTIONS:
        problems.append(Problem("question_count", "questions", str(MAXIMUM_QUESTIONS)))
    keys = [question.key for question in questions]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        problems.append(Problem("question_twice", "questions", key))
    for position, question in enumerate(questions):
        problems += problems_of_question(question, position)
    return problems


def problems_of_schedule(opens_at: datetime, closes_at: datetime) -> list[Problem]:
    """What is wrong with the times."""
    if closes_at <= opens_at:
        return [Problem("closes_before_opening", "closes_at")]
    if closes_at - opens_at > timedelta(days=92):
        return [Problem("open_too_long", "closes_at")]
    return []


@dataclass(frozen=True)
class Missing:
    """One thing that a step still lacks: ``code`` says what, ``have`` of ``need`` how much."""

    code: str
    have: int = 0
    need: int = 0


@dataclass(frozen=True)
class ElectionFacts:
    """Everything that decides whether an election may take its next step."""

    state: ElectionState
    now: datetime
    opens_at: datetime
    closes_at: datetime
    is_trial: bool = False
    questions: int = 0
    trustees: int = 0
    keys: int = 0
    heads: int = 0
    roll_is_frozen: bool = False
    credentials: int = 0
    credentials_fit_roll: bool = False
    credentials_are_complete: bool = False
    minimum_group: int = MINIMUM_GROUP
    ballots: int = 0
    decryptions: int = 0
    box_is_recounted: bool = False
    box_is_sound: bool = True


def missing_for_keys(facts: ElectionFacts) -> list[Missing]:
    """What a draft lacks before the trustees make their keys."""
    missing = []
    if facts.questions == 0:
        missing.append(Missing("questions"))
    if facts.trustees == 0:
        missing.append(Missing("trustees"))
    if not facts.roll_is_frozen:
        missing.append(Missing("frozen_roll"))
    missing += _missing_group(facts)
    if facts.closes_at <= facts.now:
        missing.append(Missing("future_closing"))
    return missing


def missing_for_credentials(facts: ElectionFacts) -> list[Missing]:
    """What is missing before the election is fixed and credentials can be made for it."""
    if facts.keys < facts.trustees or facts.trustees == 0:
        return [Missing("keys", facts.keys, facts.trustees)]
    return []


def missing_for_opening(facts: ElectionFacts) -> list[Missing]:
    """What is missing before the first ballot can be accepted."""
    missing = missing_for_credentials(facts)
    if facts.questions == 0:
        missing.append(Missing("questions"))
    if not facts.roll_is_frozen:
        missing.append(Missing("frozen_roll"))
    if facts.credentials == 0 or not facts.credentials_are_complete:
        missing.append(Missing("credentials", facts.credentials, facts.heads))
    elif facts.credentials != facts.heads:
        missing.append(Missing("credential_count", facts.credentials, facts.heads))
    elif not facts.credentials_fit_roll:
        missing.append(Missing("credentials_of_this_roll"))
    missing += _missing_group(facts)
    if facts.now < facts.opens_at:
        missing.append(Missing("opening_time"))
    if facts.now >= facts.closes_at:
        missing.append(Missing("future_closing"))
    return missing


def missing_for_closing(facts: ElectionFacts) -> list[Missing]:
    """What is missing before the box closes by itself: the time."""
    return [] if facts.now >= facts.closes_at else [Missing("closing_time")]


def missing_for_tally(facts: ElectionFacts) -> list[Missing]:
    """What is missing before the sealed ballots are added up: nothing but a sound box."""
    return [] if facts.box_is_sound else [Missing("sound_box")]


def missing_for_decryption(facts: ElectionFacts) -> list[Missing]:
    """What is missing before a trustee may open the tally.

    The minimum group counts ballots here: the result is public, and of two ballots it tells
    each of the two voters how the other one voted. An empty box tells nothing and may be opened.
    The recount comes first: a tally that is not the sum of the ballots may not be opened, since
    opening it could tell how a single member voted.
    """
    missing = []
    if facts.state is not ElectionState.TALLYING:
        missing.append(Missing("encrypted_tally"))
    if not facts.box_is_sound:
        missing.append(Missing("sound_box"))
    elif facts.state is ElectionState.TALLYING and not facts.box_is_recounted:
        missing.append(Missing("recount"))
    if 0 < facts.ballots < facts.minimum_group:
        missing.append(Missing("ballots_for_group", facts.ballots, facts.minimum_group))
    return missing


def missing_for_publication(facts: ElectionFacts) -> list[Missing]:
    """What is missing before the result is published."""
    missing = missing_for_decryption(facts)
    if facts.decryptions < facts.trustees:
        missing.append(Missing("decryptions", facts.decryptions, facts.trustees))
    return missing


_MISSING_FOR = {
    ElectionState.KEYS: missing_for_keys,
    ElectionState.CREDENTIALS: missing_for_credentials,
    ElectionState.OPEN: missing_for_opening,
    ElectionState.CLOSED: missing_for_closing,
    ElectionState.TALLYING: missing_for_tally,
    ElectionState.PUBLISHED: missing_for_publication,
}


def missing_for(target: ElectionState, facts: ElectionFacts) -> list[Missing]:
    """What is missing before ``target`` (nothing is ever missing for a cancellation)."""
    check = _MISSING_FOR.get(target)
    return check(facts) if check is not None else []


def may_follow(state: ElectionState, target: ElectionState) -> bool:
    """Whether the transition table has ``state`` → ``target``."""
    return target in TRANSITIONS[state]


def _missing_group(facts: ElectionFacts) -> list[Missing]:
    if facts.heads < facts.minimum_group:
        return [Missing("group", facts.heads, facts.minimum_group)]
    return []


@dataclass(frozen=True)
class AnswerCount:
    """One answer's votes, with its share of all ballots and of the votes that count in law."""

    votes: int
    of_ballots: Fraction
    of_expressed: Fraction | None
    """None for an abstention, and where nothing was expressed."""


def count_question(
    kind: QuestionKind, counts: Sequence[int], ballots: int, blank: bool
) -> tuple[list[AnswerCount], int, int]:
    """Shares of each answer; the abstentions; the ballots that express something.

    ``counts`` is the protocol's result: the blank ones first where ``blank`` is allowed.
    Abstentions are blank ballots and, in a resolution, the answer "abstain"; they count in the
    first percentage and not in the second (domain.md, "Assembly").
    """
    blanks = counts[0] if blank else 0
    answers = list(counts[1:] if blank else counts)
    abstentions = blanks + (answers[ABSTAIN] if kind is QuestionKind.RESOLUTION else 0)
    expressed = ballots - abstentions
    shares = []
    for position, votes in enumerate(answers):
        is_abstention = kind is QuestionKind.RESOLUTION and position == ABSTAIN
        shares.append(
            AnswerCount(
                votes,
                Fraction(votes, ballots) if ballots else Fraction(0),
                Fraction(votes, expressed) if expressed and not is_abstention else None,
            )
        )
    return shares, abstentions, expressed


GROUP_READERS: Mapping[str, str] = {"BELENIOS-2048": "2.0", "Ed25519": "2.1"}
"""The oldest version of belenios-tool that reads each group."""
