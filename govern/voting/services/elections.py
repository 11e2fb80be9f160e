"""Making an election and preparing it until the first ballot may come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import delete
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.accounts.models import Account
from govern.accounts.services.roles import actor_for
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import in_force, rules_from_json
from govern.database import make_public_id
from govern.errors import InvalidInput, RuleViolation
from govern.i18n import joined_texts
from govern.jobs import enqueue
from govern.register.models import Roll
from govern.register.services.rolls import copy_frozen_roll
from govern.voting.models import (
    BoxState,
    Election,
    ElectionQuestion,
    ElectionTrustee,
    TrusteeState,
)
from govern.voting.protocol.elections import make_election
from govern.voting.protocol.groups import GROUP_NAMES, group_named
from govern.voting.protocol.questions import Question
from govern.voting.protocol.trustees import make_trustees
from govern.voting.rules import (
    BEFORE_OPENING,
    MINIMUM_GROUP,
    TRIAL_LABEL,
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
from govern.voting.services import notices
from govern.voting.services.attendance import forget_attendance_order
from govern.voting.services.box import lock_box
from govern.voting.services.steps import (
    check_step,
    lock_election,
    log_incident,
    require_reason,
    require_state,
    take_step,
)
from govern.voting.signals import election_cancelled
from govern.voting.texts import problem_sentence

DEFAULT_GROUP = "Ed25519"
SERVER_AUTHORITY = "server"
"""What stands as credential authority inside an election whose codes this server makes."""

MAXIMUM_TRUSTEES = 20


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
            remedy=_("Use one of %(names)s.", names=", ".join(GROUP_NAMES)),
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


def name_trustees(
    session: Session, actor: Actor, election: Election, accounts: Sequence[Account]
) -> None:
    """Name the trustees of a draft, in place of those named before. Each key will be needed."""
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    lock_election(session, election)
    require_state(election, ElectionState.DRAFT)
    if len({account.id for account in accounts}) != len(accounts):
        raise InvalidInput(_("One person is named twice as trustee."), field="trustees")
    if not 1 <= len(accounts) <= MAXIMUM_TRUSTEES:
        raise InvalidInput(
            _("Name between 1 and %(limit)s trustees.", limit=MAXIMUM_TRUSTEES), field="trustees"
        )
    for account in accounts:
        _check_trustee(session, election, account)
    session.execute(delete(ElectionTrustee).where(ElectionTrustee.election_id == election.id))
    for position, account in enumerate(accounts, 1):
        session.add(
            ElectionTrustee(
                election_id=election.id,
                account_id=account.id,
                position=position,
                name=account.name,
                state=TrusteeState.INVITED.value,
            )
        )
    session.flush()
    session.refresh(election, ["trustees"])
    log_incident(session, actor, election, "trustees_named", details={"count": len(accounts)})


def _check_trustee(session: Session, election: Election, account: Account) -> None:
    if not actor_for(session, account).may(Permission.TRUSTEE_ACT, election.cooperative_id):
        raise InvalidInput(
            _("%(name)s does not hold the role of trustee in this cooperative.", name=account.name),
            remedy=_("Ask an administrator to give the role first."),
            field="trustees",
        )


def start_keys(session: Session, actor: Actor, election: Election) -> None:
    """Ask the trustees to make their keys (draft → keys).

    From here on a trial has a copy of its roll: opening it locks the copy, so that the roll that
    it shared can still be corrected for the vote that binds.
    """
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    lock_election(session, election)
    check_step(session, election, ElectionState.KEYS)
    if election.is_trial:
        label = _("Copy for a trial election: %(label)s", label=election.roll.label)
        election.roll = copy_frozen_roll(session, actor, election.roll, label)
    take_step(session, actor, election, ElectionState.KEYS)
    for trustee in election.trustees:
        notices.ask_for_key(session, election, trustee)
    session.flush()


def find_trustee(session: Session, election: Election, position: int) -> ElectionTrustee:
    """The trustee with that number."""
    for trustee in election.trustees:
        if trustee.position == position:
            return trustee
    raise InvalidInput(
        _("This election has no trustee number %(number)s.", number=position), field="position"
    )


def reset_key(
    session: Session, actor: Actor, election: Election, position: int, reason: str
) -> None:
    """Let a trustee make another key, because the first one was lost before it was needed."""
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    lock_election(session, election)
    require_state(election, ElectionState.KEYS)
    trustee = find_trustee(session, election, position)
    _forget_key(trustee)
    log_incident(
        session,
        actor,
        election,
        "key_reset",
        reason=require_reason(reason),
        details={"position": position},
    )
    notices.ask_for_key(session, election, trustee)


def replace_trustee(
    session: Session,
    actor: Actor,
    election: Election,
    position: int,
    account: Account,
    reason: str,
) -> None:
    """Name somebody else in the place of a trustee, while keys are being made."""
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    lock_election(session, election)
    require_state(election, ElectionState.KEYS)
    trustee = find_trustee(session, election, position)
    _check_trustee(session, election, account)
    if any(other.account_id == account.id for other in election.trustees):
        raise InvalidInput(_("One person is named twice as trustee."), field="account")
    _forget_key(trustee)
    trustee.account_id, trustee.name = account.id, account.name
    session.flush()
    session.refresh(trustee)
    log_incident(
        session,
        actor,
        election,
        "trustee_replaced",
        reason=require_reason(reason),
        details={"position": position},
    )
    notices.ask_for_key(session, election, trustee)


def _forget_key(trustee: ElectionTrustee) -> None:
    trustee.key_message = trustee.public_key = trustee.key_registered_at = None
    trustee.state = TrusteeState.INVITED.value


def fix_election(session: Session, actor: Actor, election: Election) -> None:
    """All keys are there: write the election's bytes, once and for all (keys → credentials).

    From here on texts, keys and choices cannot change: the fingerprint φ covers them.
    """
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    lock_election(session, election)
    check_step(session, election, ElectionState.CREDENTIALS)
    group = group_named(election.group)
    keys = [bytes(trustee.key_message or b"") for trustee in election.trustees]
    trustees = make_trustees(group, keys)
    made = make_election(
        uuid=election.uuid,
        name=joined_texts(election.title),
        description=_published_description(election),
        group=group,
        public_key=trustees.public_key,
        questions=[
            Question(
                text=joined_texts(question.texts),
                answers=tuple(joined_texts(answer) for answer in question.answers),
                minimum=question.minimum,
                maximum=question.maximum,
                blank=question.blank,
            )
            for question in election.questions
        ],
        administrator=election.cooperative.name,
        credential_authority=election.credential_authority,
    )
    election.data, election.trustees_data = made.data, trustees.data
    election.fingerprint = made.fingerprint
    take_step(
        session,
        actor,
        election,
        ElectionState.CREDENTIALS,
        details={"fingerprint": made.fingerprint},
    )
    session.flush()


def _published_description(election: Election) -> str:
    """The description in all languages; a trial says so inside the fingerprint."""
    parts = []
    if election.is_trial:
        languages = [code for code in election.title if code in TRIAL_LABEL]
        parts.append(joined_texts({code: TRIAL_LABEL[code] for code in languages}))
    if election.description:
        parts.append(joined_texts(election.description))
    return " — ".join(parts)


def cancel_election(
    session: Session, actor: Actor, election: Election, reason: str
) -> notices.Withdrawn:
    """Stop an election for good, before its result is published. The reason is public.

    Returns how many mails with codes were stopped, and how many may be out all the same.

    A box that exists stays readable; nobody can open it any more through this server.
    """
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    _lock_with_box(session, election)
    check_step(session, election, ElectionState.CANCELLED)
    text = require_reason(reason)
    was_open = election.stage is ElectionState.OPEN
    withdrawn = notices.withdraw_codes(session, election)
    election.cancel_reason, election.cancelled_at = text, clock.now()
    election.attendance_salt = None
    take_step(
        session,
        actor,
        election,
        ElectionState.CANCELLED,
        reason=text,
        details=withdrawn.details(),
    )
    if was_open:
        forget_attendance_order(session, election)
        enqueue(session, "voting.scrub_attendance", election.id)
    session.flush()
    election_cancelled.send(election, session=session)
    return withdrawn


def _lock_with_box(session: Session, election: Election) -> None:
    """Lock the election and, once there is one, its box: first the box, as casting does.

    A ballot that is being cast holds the box; without this it would go in after the end.
    """
    has_box = session.get(BoxState, election.id) is not None
    if has_box:
        lock_box(session, election)
    lock_election(session, election)
    if not has_box and election.opened_at is not None:
        # It has opened while we waited.
        lock_box(session, election)
