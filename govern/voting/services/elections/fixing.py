"""The election's bytes are written, once and for all."""

from __future__ import annotations

from sqlalchemy.orm import Session

from govern.access import Actor, Permission
from govern.i18n import joined_texts
from govern.voting.models import Election
from govern.voting.protocol.elections import make_election
from govern.voting.protocol.groups import group_named
from govern.voting.protocol.questions import Question
from govern.voting.protocol.trustees import make_trustees
from govern.voting.rules import TRIAL_LABEL, ElectionState
from govern.voting.services.steps import check_step, lock_election, take_step


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
