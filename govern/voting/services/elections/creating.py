"""A draft: what is asked, of whom and when. Its times and description can still change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.accounts.models import Account
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import in_force, rules_from_json
from govern.database import make_public_id
from govern.errors import InvalidInput, RuleViolation
from govern.register.models import Roll
from govern.voting.models import Election, ElectionQuestion
from govern.voting.protocol.groups import GROUP_NAMES
from govern.voting.rules import (
    BEFORE_OPENING,
    MINIMUM_GROUP,
    CredentialMode,
    ElectionState,
    Problem,
    QuestionSpec,
    Texts,
    clean_texts,
    problems_of_questions,
    problems_of_schedule,
    problems_of_texts,
)
from govern.voting.services.elections.keys import name_trustees
from govern.voting.services.steps import lock_election, log_incident, require_state
from govern.voting.texts import problem_sentence

DEFAULT_GROUP = "Ed25519"

SERVER_AUTHORITY = "server"
"""What stands as credential authority inside an election whose codes this server makes."""


def create_election(
    session: Session,
    actor: Actor,
    *,
    cooperative: Cooperative,
    roll: Roll,
    title: Texts,
    questions: Sequence[QuestionSpec],
    opens_at: datetime,
    closes_at: datetime,
    trustees: Sequence[Account] = (),
    description: Texts | None = None,
    group: str = DEFAULT_GROUP,
    revote_allowed: bool = True,
    is_trial: bool = False,
    credential_mode: CredentialMode | str = CredentialMode.SERVER,
    credential_authority: str = "",
    minimum_group: int | None = None,
) -> Election:
    """Make a draft of an election on ``roll`` with ``questions``; times are aware instants.

    ``trustees`` may be named later (``name_trustees``). ``minimum_group`` is by default the one
    of the rule set in force on the day of opening. Raises InvalidInput naming the field.
    """
    actor.require(Permission.ELECTION_MANAGE, cooperative.id)
    if roll.cooperative_id != cooperative.id:
        raise InvalidInput(_("This roll belongs to another cooperative."), field="roll")
    if group not in GROUP_NAMES:
        raise InvalidInput(
            _("There is no group named “%(name)s”.", name=group),
            remedy=_("Use one of: %(known)s.", known=", ".join(GROUP_NAMES)),
            field="group",
        )
    mode = CredentialMode(credential_mode)
    authority = " ".join(credential_authority.split())
    if mode is CredentialMode.SERVER:
        authority = SERVER_AUTHORITY
    elif not authority:
        raise InvalidInput(
            _("Name the authority that makes the voting codes."), field="credential_authority"
        )
    cleaned = [_clean_question(question) for question in questions]
    titles, descriptions = clean_texts(title), clean_texts(description or {})
    problems = problems_of_texts(titles, "title") + problems_of_questions(cleaned)
    if descriptions:
        problems += problems_of_texts(descriptions, "description")
    _refuse(problems + problems_of_schedule(opens_at, closes_at))
    election = Election(
        public_id=make_public_id(),
        cooperative=cooperative,
        roll=roll,
        title=titles,
        description=descriptions,
        group=group,
        opens_at=opens_at,
        closes_at=closes_at,
        revote_allowed=revote_allowed,
        is_trial=is_trial,
        credential_mode=mode.value,
        credential_authority=authority[:200],
        minimum_group=_minimum_group(cooperative, opens_at, minimum_group, is_trial),
        created_at=clock.now(),
    )
    session.add(election)
    for position, question in enumerate(cleaned):
        election.questions.append(
            ElectionQuestion(
                position=position,
                key=question.key,
                kind=question.kind.value,
                texts=dict(question.texts),
                answers=[dict(answer) for answer in question.answers],
                minimum=question.minimum,
                maximum=question.maximum,
                blank=question.blank,
            )
        )
    session.flush()
    log_incident(session, actor, election, "created")
    if trustees:
        name_trustees(session, actor, election, trustees)
    return election


def _clean_question(question: QuestionSpec) -> QuestionSpec:
    return QuestionSpec(
        key=question.key,
        texts=clean_texts(question.texts),
        answers=tuple(clean_texts(answer) for answer in question.answers),
        minimum=question.minimum,
        maximum=question.maximum,
        blank=question.blank,
        kind=question.kind,
    )


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InvalidInput(
            problem_sentence(problems[0]),
            remedy=_("Correct it and try again. Nothing was changed."),
            field=problems[0].field,
        )


def _minimum_group(
    cooperative: Cooperative, opens_at: datetime, wanted: int | None, is_trial: bool
) -> int:
    """The least number of members (and of ballots) for which a result may be shown."""
    floor = 1 if is_trial else MINIMUM_GROUP
    try:
        # The legal day is the cooperative's: rules that begin on a day begin at its midnight.
        day = opens_at.astimezone(ZoneInfo(cooperative.time_zone)).date()
        rule_set = in_force(cooperative.rule_sets, day)
    except LookupError:
        rule_set = None
    of_rules = rules_from_json(rule_set.rules).minimum_group if rule_set is not None else floor
    if wanted is None:
        return max(1 if is_trial else of_rules, floor)
    least = floor if is_trial else max(floor, of_rules)
    if wanted < least:
        raise RuleViolation(
            _(
                "The minimum group is %(wanted)s; the rules ask for at least %(least)s.",
                wanted=wanted,
                least=least,
            ),
            remedy=_("Choose a larger minimum group."),
            field="minimum_group",
        )
    return wanted


def reschedule_election(
    session: Session, actor: Actor, election: Election, opens_at: datetime, closes_at: datetime
) -> None:
    """Set other times, before opening."""
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    lock_election(session, election)
    require_state(election, *BEFORE_OPENING)
    problems = problems_of_schedule(opens_at, closes_at)
    if closes_at <= clock.now():
        raise InvalidInput(
            _("The closing time is past."), remedy=_("Set a later one."), field="closes_at"
        )
    _refuse(problems)
    election.opens_at, election.closes_at = opens_at, closes_at
    log_incident(
        session,
        actor,
        election,
        "rescheduled",
        details={"opens_at": opens_at.isoformat(), "closes_at": closes_at.isoformat()},
    )


def describe_again(session: Session, election: Election, description: Texts) -> None:
    """Set another description before the election is fixed.

    Called by the feature from which the election was made, which has checked who may. Raises
    ForbiddenTransition once the fingerprint covers the description.
    """
    lock_election(session, election)
    require_state(election, ElectionState.DRAFT, ElectionState.KEYS)
    cleaned = clean_texts(description)
    _refuse(problems_of_texts(cleaned, "description"))
    election.description = cleaned
    session.flush()
