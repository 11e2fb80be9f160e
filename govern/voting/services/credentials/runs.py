"""A run: the work of making (or checking) the voting codes of one election, once.

Its public keys are pooled when all parts are done; until the election opens it can be declared
void, and another one begun.
"""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Actor, Permission
from govern.errors import Conflict, NotFound
from govern.register.models import RollEntry
from govern.voting.models import (
    CredentialIssue,
    CredentialPart,
    CredentialRun,
    CredentialRunState,
    Election,
    PublicCredential,
)
from govern.voting.protocol.credentials import make_public_credentials
from govern.voting.protocol.encoding import sha256_hex
from govern.voting.protocol.groups import group_named
from govern.voting.rules import CredentialMode, ElectionState
from govern.voting.services import notices
from govern.voting.services.steps import (
    current_run,
    lock_election,
    log_incident,
    require_reason,
    require_state,
)

UPLOAD_BATCH = 250


def require_mode(election: Election, mode: CredentialMode) -> None:
    if election.credential_mode != mode.value:
        raise Conflict(
            _("The voting codes of this election are made in another way."),
            remedy=_("Reload the page to see how."),
        )


def new_run(session: Session, election: Election, total: int) -> CredentialRun:
    lock_election(session, election)
    require_state(election, ElectionState.CREDENTIALS)
    if current_run(session, election) is not None:
        raise Conflict(
            _("The voting codes of this election are made already, or being made."),
            remedy=_("Declare them void first if they must be made again."),
        )
    number = (
        session.scalar(
            select(func.max(CredentialRun.number)).where(CredentialRun.election_id == election.id)
        )
        or 0
    ) + 1
    return CredentialRun(
        election_id=election.id,
        number=number,
        mode=election.credential_mode,
        state=CredentialRunState.RUNNING.value,
        roll_digest=election.roll.digest,
        total=total,
        created_at=clock.now(),
    )


def count_done(session: Session, run: CredentialRun) -> int:
    """How many codes of a run are made (or uploaded keys checked)."""
    if run.mode == CredentialMode.SERVER.value:
        query = select(func.count()).where(CredentialIssue.run_id == run.id)
        return session.scalar(query) or 0
    if run.state == CredentialRunState.DONE.value:
        return run.total
    checked = session.scalar(
        select(func.count()).where(
            CredentialPart.run_id == run.id, CredentialPart.checked.is_(True)
        )
    )
    return min(run.total, (checked or 0) * UPLOAD_BATCH)


def finish_run(session: Session, run: CredentialRun) -> bool:
    """Pool the public keys of all parts into the election's list; False if parts are missing.

    The keys go in sorted, in one transaction, and leave the parts: afterwards nothing shows which
    keys were made together.
    """
    election = lock_election(session, run.election)
    session.refresh(run)
    if run.state != CredentialRunState.RUNNING.value:
        return run.state == CredentialRunState.DONE.value
    parts = session.execute(
        select(CredentialPart.public_keys, CredentialPart.checked).where(
            CredentialPart.run_id == run.id
        )
    ).all()
    texts = [key for keys, _checked in parts for key in keys]
    if len(texts) != run.total or not all(checked for _keys, checked in parts):
        return False
    group = group_named(election.group)
    data = make_public_credentials(group.decode_trusted(text) for text in texts)
    session.execute(
        insert(PublicCredential),
        [{"election_id": election.id, "public_key": text} for text in sorted(texts)],
    )
    session.execute(
        update(CredentialPart).where(CredentialPart.run_id == run.id).values(public_keys=[])
    )
    session.expire_all()
    run.state, run.finished_at = CredentialRunState.DONE.value, clock.now()
    log_incident(
        session,
        SYSTEM,
        election,
        "credentials_made",
        details={"count": run.total, "digest": sha256_hex(data)},
    )
    session.flush()
    return True


def discard_run(
    session: Session, actor: Actor, election: Election, reason: str
) -> notices.Withdrawn:
    """Declare all codes made so far void, before opening; they must then be made again.

    Codes that have not left yet are stopped; those that have will be refused by the box. Returns
    how many mails were stopped, and how many were being handed over in that moment.
    """
    actor.require(Permission.CREDENTIALS_MANAGE, election.cooperative_id)
    lock_election(session, election)
    require_state(election, ElectionState.CREDENTIALS)
    run = current_run(session, election)
    if run is None:
        raise NotFound(_("No voting codes have been made yet."))
    withdrawn = void_run(session, election, run)
    log_incident(
        session,
        actor,
        election,
        "credentials_discarded",
        reason=require_reason(reason),
        details=withdrawn.details(),
    )
    return withdrawn


def void_run(session: Session, election: Election, run: CredentialRun) -> notices.Withdrawn:
    """No code of this run counts any more; what has not left is stopped."""
    run.state = CredentialRunState.DISCARDED.value
    session.execute(delete(PublicCredential).where(PublicCredential.election_id == election.id))
    withdrawn = notices.withdraw_codes(session, election)
    session.flush()
    return withdrawn


def forget_issues(session: Session, entry: RollEntry) -> None:
    """The member is taken off the roll before opening: no code of any run is theirs any more.

    The codes were made for another roll then, and must be declared void before it can open.
    """
    session.execute(delete(CredentialIssue).where(CredentialIssue.roll_entry_id == entry.id))
