"""The one way in which an election changes its state, and the log that says so."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor
from govern.errors import ForbiddenTransition, InvalidInput, NotFound
from govern.register.models import Roll
from govern.voting.models import (
    BoxState,
    CredentialRun,
    CredentialRunState,
    Election,
    ElectionTrustee,
    Incident,
    PublicCredential,
    TrusteeState,
)
from govern.voting.rules import ElectionFacts, ElectionState, Missing, may_follow, missing_for
from govern.voting.texts import missing_sentence, state_label


class NotReady(ForbiddenTransition):
    """A step lacks something: ``missing`` lists what, the message says it in sentences."""

    def __init__(self, missing: list[Missing]) -> None:
        super().__init__(
            " ".join(missing_sentence(item) for item in missing),
            remedy=_("Do what is missing and try again. Nothing was changed."),
        )
        self.missing = missing


def find_election(session: Session, uuid: str) -> Election:
    """The election with that public id; NotFound otherwise."""
    found = session.scalar(select(Election).where(Election.public_id == uuid))
    if found is None:
        raise NotFound(
            _("There is no such election."), remedy=_("Check the address for a missing letter.")
        )
    return found


def lock_election(session: Session, election: Election) -> Election:
    """The election as it is now, locked until the transaction ends."""
    session.execute(select(Election.id).where(Election.id == election.id).with_for_update())
    session.refresh(election)
    return election


def current_run(session: Session, election: Election) -> CredentialRun | None:
    """The making of credentials that counts, if any."""
    return session.scalar(
        select(CredentialRun).where(
            CredentialRun.election_id == election.id,
            CredentialRun.state != CredentialRunState.DISCARDED.value,
        )
    )


def count_trustees(session: Session, election: Election, *states: TrusteeState) -> int:
    """How many trustees the election has (in one of ``states``, if any is given)."""
    query = select(func.count()).where(ElectionTrustee.election_id == election.id)
    if states:
        query = query.where(ElectionTrustee.state.in_([state.value for state in states]))
    return session.scalar(query) or 0


def gather_facts(session: Session, election: Election) -> ElectionFacts:
    """Everything that decides about the election's next step, read now."""
    roll: Roll = election.roll
    run = current_run(session, election)
    box = session.get(BoxState, election.id)
    credentials = (
        session.scalar(select(func.count()).where(PublicCredential.election_id == election.id)) or 0
    )
    return ElectionFacts(
        state=election.stage,
        now=clock.now(),
        opens_at=election.opens_at,
        closes_at=election.closes_at,
        is_trial=election.is_trial,
        questions=len(election.questions),
        trustees=count_trustees(session, election),
        keys=count_trustees(session, election, TrusteeState.KEY_REGISTERED, TrusteeState.DECRYPTED),
        heads=roll.heads,
        roll_is_frozen=roll.is_frozen,
        credentials=credentials,
        credentials_fit_roll=run is not None and run.roll_digest == roll.digest,
        credentials_are_complete=run is not None and run.state == CredentialRunState.DONE.value,
        minimum_group=election.minimum_group,
        ballots=box.voters if box is not None else 0,
        decryptions=count_trustees(session, election, TrusteeState.DECRYPTED),
        box_is_recounted=election.recounted_at is not None,
        box_is_sound=election.unsound_since is None,
    )


def require_state(election: Election, *states: ElectionState) -> None:
    """Raise ForbiddenTransition unless the election is in one of ``states``."""
    if election.stage not in states:
        raise ForbiddenTransition(
            _(
                "This is not possible now: the election is “%(state)s”.",
                state=state_label(election.stage),
            ),
            remedy=_("Reload the page to see what is possible."),
        )


def require_reason(reason: str) -> str:
    """The reason, tidied; InvalidInput when there is none."""
    text = " ".join(reason.split())
    if len(text) < 5:
        raise InvalidInput(
            _("Say why: the reason is shown in the public log of the election."), field="reason"
        )
    if len(text) > 1000:
        raise InvalidInput(_("The reason is longer than 1,000 characters."), field="reason")
    return text


def check_step(session: Session, election: Election, target: ElectionState) -> None:
    """Raise ForbiddenTransition if ``target`` may not follow, NotReady if something is missing."""
    if not may_follow(election.stage, target):
        raise ForbiddenTransition(
            _(
                "An election that is “%(state)s” cannot become “%(target)s”.",
                state=state_label(election.stage),
                target=state_label(target),
            ),
            remedy=_("Reload the page to see what is possible."),
        )
    missing = missing_for(target, gather_facts(session, election))
    if missing:
        raise NotReady(missing)


def take_step(
    session: Session,
    actor: Actor,
    election: Election,
    target: ElectionState,
    *,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> None:
    """Change the state (already checked with ``check_step``) and log it."""
    if not may_follow(election.stage, target):
        raise ForbiddenTransition(_("This step is not possible any more."))
    election.state = target.value
    log_incident(session, actor, election, target.value, reason=reason, details=details)


def log_incident(
    session: Session,
    actor: Actor,
    election: Election,
    code: str,
    *,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> Incident:
    """Write one line into the election's public log, and the same into the audit log."""
    incident = Incident(
        election_id=election.id,
        recorded_at=clock.now(),
        code=code,
        reason=reason,
        details=details or {},
    )
    session.add(incident)
    session.flush()
    audit.record(
        session,
        actor,
        f"voting:election:{code}",
        cooperative_id=election.cooperative_id,
        subject=f"election:{election.uuid}",
        data={"incident": incident.id},
    )
    return incident


def incidents_of(session: Session, election: Election) -> list[Incident]:
    """The public log, oldest first."""
    return list(
        session.scalars(
            select(Incident).where(Incident.election_id == election.id).order_by(Incident.id)
        )
    )
