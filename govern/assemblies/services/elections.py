"""From resolutions to an election: what is asked, in which words, on which roll."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.accounts.models import Account
from govern.assemblies.models import AgendaItem, Assembly, AssemblyElection, Resolution
from govern.assemblies.rules import AssemblyState
from govern.assemblies.services.editing import rules_of
from govern.assemblies.services.guards import lock_assembly
from govern.assemblies.services.resolutions import resolution_obstacles, resolutions_of
from govern.errors import RuleViolation
from govern.voting.models import Election
from govern.voting.rules import ElectionState, QuestionKind, QuestionSpec, resolution_question
from govern.voting.services import elections as voting

PER_HEAD = "per_head"
DIGEST_LABEL = {
    "fr": "SHA-256 des textes et des documents :",
    "nl": "SHA-256 van de teksten en documenten:",
    "de": "SHA-256 der Texte und Dokumente:",
    "en": "SHA-256 of the texts and documents:",
}
"""Stands inside the election's fingerprint, so it is not translated by catalogue."""

CANCELLED = ElectionState.CANCELLED.value


@dataclass(frozen=True)
class VoteInput:
    """What is chosen about the vote; times are aware instants."""

    opens_at: datetime
    closes_at: datetime
    group: str = voting.DEFAULT_GROUP
    is_trial: bool = False
    revote_allowed: bool = True
    credential_mode: str = "server"
    credential_authority: str = ""


def election_obstacles(
    session: Session, assembly: Assembly, *, is_trial: bool = False
) -> list[str]:
    """Sentences that say what is missing before a vote can be made of the agenda."""
    lacks: list[str] = []
    if assembly.state != AssemblyState.CONVENED.value:
        lacks.append(_("The assembly must be published and not be over."))
    _row, rules = rules_of(session, assembly)
    if rules.vote_weighting != PER_HEAD:
        # One election counts one roll as a whole; per-college results would need one each.
        lacks.append(
            _(
                "The rules of that day weigh votes per college. A sealed vote is counted as a "
                "whole here, so no lawful result could be computed from it."
            )
        )
    if assembly.roll is None:
        lacks.append(_("The roll has not been taken yet."))
    elif not assembly.roll.is_frozen:
        lacks.append(_("The roll is still a draft: freeze it first."))
    if not resolutions_of(assembly):
        lacks.append(_("Nothing on the agenda is put to the vote."))
    elif not open_resolutions(assembly, is_trial=is_trial):
        lacks.append(_("A vote has been prepared on every resolution already."))
    for resolution in resolutions_of(assembly):
        lacks += resolution_obstacles(rules, resolution)
    return lacks


def open_resolutions(assembly: Assembly, *, is_trial: bool) -> list[Resolution]:
    """What a vote would ask: in a trial everything, else what no other vote decides."""
    return [
        resolution
        for resolution in resolutions_of(assembly)
        if is_trial or resolution.election_id is None
    ]


def prepare_election(
    session: Session,
    actor: Actor,
    assembly: Assembly,
    given: VoteInput,
    trustees: Sequence[Account] = (),
) -> Election:
    """Make the draft of an election from the resolutions of ``assembly``.

    Each text is one question (for, against, abstain: exactly one), each election of people one
    (as many candidates as seats at most, blank allowed). A trial binds nobody: its result is
    never turned into an outcome. Raises RuleViolation saying what is missing.
    """
    actor.require(Permission.ELECTION_MANAGE, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    lacks = election_obstacles(session, assembly, is_trial=given.is_trial)
    if lacks:
        raise RuleViolation(_("The vote cannot be prepared yet."), remedy=" ".join(lacks))
    roll = assembly.roll
    assert roll is not None  # noqa: S101 - an obstacle otherwise
    asked = open_resolutions(assembly, is_trial=given.is_trial)
    election = voting.create_election(
        session,
        actor,
        cooperative=assembly.cooperative,
        roll=roll,
        title=assembly.titles,
        description=_description(asked, assembly.languages),
        questions=[question_for(resolution) for resolution in asked],
        opens_at=given.opens_at,
        closes_at=given.closes_at,
        trustees=trustees,
        group=given.group,
        revote_allowed=given.revote_allowed,
        is_trial=given.is_trial,
        credential_mode=given.credential_mode,
        credential_authority=given.credential_authority,
    )
    session.add(
        AssemblyElection(
            assembly_id=assembly.id,
            election_id=election.id,
            is_trial=given.is_trial,
            prepared_at=clock.now(),
        )
    )
    if not given.is_trial:
        for resolution in asked:
            resolution.election_id = election.id
    session.flush()
    session.expire(assembly, ["elections"])
    audit.record(
        session,
        actor,
        "assemblies:election:prepared",
        cooperative_id=assembly.cooperative_id,
        subject=assembly.public_id,
        data={"election": election.public_id, "is_trial": given.is_trial},
    )
    return election


def question_for(resolution: Resolution) -> QuestionSpec:
    """The question that asks about ``resolution``."""
    if not resolution.is_about_people:
        return resolution_question(resolution.question_key, resolution.titles)
    names = [candidate.name for candidate in resolution.candidates]
    return QuestionSpec(
        key=resolution.question_key,
        texts=dict(resolution.titles),
        # A name is the same in every language: one text, whichever language it is filed under.
        answers=[{next(iter(resolution.titles)): name} for name in names],
        minimum=1,
        maximum=min(resolution.seats or 1, len(names)),
        blank=True,
        kind=QuestionKind.CHOICE,
    )


def texts_digest(resolutions: Sequence[Resolution]) -> str:
    """SHA-256 (hexadecimal) over what voters decide on: texts, candidates and documents.

    Canonical JSON (sorted keys, no spaces, UTF-8) of a list with one object per resolution, in
    the order of the questions: documents (sorted digests), statements, texts, title.
    """
    return hashlib.sha256(_canonical([_subject_of(one) for one in resolutions])).hexdigest()


def _subject_of(resolution: Resolution) -> dict[str, Any]:
    return {
        "candidates": [
            {"name": one.name, "statements": dict(one.statements)} for one in resolution.candidates
        ],
        "documents": sorted(document.digest for document in resolution.item.documents),
        "texts": dict(resolution.texts),
        "titles": dict(resolution.titles),
    }


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _description(resolutions: Sequence[Resolution], languages: Sequence[str]) -> dict[str, str]:
    """Ties the full texts and documents, which do not fit into a question, to the fingerprint."""
    digest = texts_digest(resolutions)
    return {code: f"{DIGEST_LABEL[code]} {digest}" for code in languages}


def vote_is_fixed(item: AgendaItem) -> bool:
    """Whether a vote on ``item`` has its bytes, with the digest of texts and documents in them."""
    return any(
        resolution.election is not None
        and resolution.election.stage not in (ElectionState.DRAFT, ElectionState.KEYS)
        for resolution in item.resolutions
    )


def describe_votes_again(session: Session, item: AgendaItem) -> None:
    """The documents of ``item`` have changed: votes on it that are not fixed take the new digest.

    Raises Conflict when such a vote was fixed in this very moment.
    """
    elections = {
        resolution.election.id: resolution.election
        for resolution in item.resolutions
        if resolution.election is not None
    }
    for election in elections.values():
        asked = resolutions_decided_by(session, election)
        voting.describe_again(session, election, _description(asked, item.assembly.languages))


def binding_election(assembly: Assembly) -> Election | None:
    """The newest election that decides resolutions of ``assembly``, None before there is one."""
    binding = [link.election for link in assembly.elections if not link.is_trial]
    alive = [election for election in binding if election.state != CANCELLED]
    return alive[-1] if alive else None


def assembly_of_election(session: Session, election_id: int) -> Assembly | None:
    """The assembly from whose agenda an election was made."""
    return session.scalar(
        select(Assembly)
        .join(AssemblyElection, AssemblyElection.assembly_id == Assembly.id)
        .where(AssemblyElection.election_id == election_id)
    )


def resolutions_decided_by(session: Session, election: Election) -> list[Resolution]:
    """The resolutions that ``election`` binds, in the order of its questions."""
    order = {question.key: question.position for question in election.questions}
    found = session.scalars(select(Resolution).where(Resolution.election_id == election.id)).all()
    return sorted(found, key=lambda resolution: order[resolution.question_key])


def release_resolutions(session: Session, election: Election) -> None:
    """The election was cancelled: its resolutions may be edited and voted on again."""
    session.execute(
        update(Resolution)
        .where(Resolution.election_id == election.id)
        .values(election_id=None)
        .execution_options(synchronize_session="fetch")
    )
