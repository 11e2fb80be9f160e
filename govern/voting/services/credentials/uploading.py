"""Voting codes made elsewhere: the roll goes out, public keys come back and are checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Actor, Permission
from govern.errors import Conflict, InvalidInput
from govern.jobs import enqueue
from govern.register.models import RollEntry
from govern.voting import rollfile
from govern.voting.models import CredentialPart, CredentialRun, CredentialRunState, Election
from govern.voting.protocol.credentials import check_public_credentials
from govern.voting.protocol.errors import EncodingError
from govern.voting.protocol.groups import group_named
from govern.voting.rules import CredentialMode, ElectionState
from govern.voting.services import notices
from govern.voting.services.credentials.runs import UPLOAD_BATCH, new_run, require_mode
from govern.voting.services.steps import lock_election, log_incident, require_state


def upload_public_credentials(
    session: Session, actor: Actor, election: Election, data: bytes
) -> CredentialRun:
    """Take the public keys that the credential authority made; a job checks each of them.

    Refused unless they were made for this election, for the roll as it stands, one per member.
    """
    actor.require(Permission.CREDENTIALS_MANAGE, election.cooperative_id)
    require_mode(election, CredentialMode.OFFLINE)
    try:
        uploaded = rollfile.read_public_file(data)
    except rollfile.FileProblem as error:
        raise InvalidInput(
            _(
                "This is not a file of public keys made by govern credentials: %(detail)s",
                detail=str(error),
            ),
            remedy=_("Choose the file public-credentials.json."),
            field="file",
        ) from error
    if uploaded.election_uuid != election.uuid or uploaded.group != election.group:
        raise InvalidInput(
            _("These public keys were made for another election."),
            remedy=_("Make them from the roll file of this election."),
            field="file",
        )
    if uploaded.roll_digest != election.roll.digest:
        raise Conflict(
            _("These public keys were made from another version of the roll."),
            remedy=_("Download the roll file again and make the codes from it."),
            field="file",
        )
    if len(uploaded.public_credentials) != election.roll.heads:
        raise Conflict(
            _(
                "The file holds %(count)s public keys for %(heads)s members on the roll.",
                count=len(uploaded.public_credentials),
                heads=election.roll.heads,
            ),
            remedy=_("Download the roll file again and make the codes from it."),
            field="file",
        )
    run = new_run(session, election, len(uploaded.public_credentials))
    session.add(run)
    session.flush()
    for number, start in enumerate(range(0, run.total, UPLOAD_BATCH)):
        session.add(
            CredentialPart(
                run_id=run.id,
                number=number,
                sealed=b"",
                public_keys=uploaded.public_credentials[start : start + UPLOAD_BATCH],
            )
        )
    session.flush()
    log_incident(session, actor, election, "credentials_uploaded", details={"count": run.total})
    enqueue(session, "voting.check_credentials", run.id)
    return run


def check_uploaded_batch(session: Session, run: CredentialRun) -> int:
    """Check that the next uploaded keys are elements of the group; how many were checked.

    A key that is not makes the whole run void, with a line in the log.
    """
    election = lock_election(session, run.election)
    session.refresh(run)
    if run.state != CredentialRunState.RUNNING.value:
        return 0
    part = session.scalar(
        select(CredentialPart)
        .where(CredentialPart.run_id == run.id, CredentialPart.checked.is_(False))
        .order_by(CredentialPart.number)
        .limit(1)
    )
    if part is None:
        return 0
    try:
        check_public_credentials(group_named(election.group), part.public_keys)
    except EncodingError:
        run.state = CredentialRunState.DISCARDED.value
        log_incident(session, SYSTEM, election, "credentials_refused")
        session.flush()
        return 0
    part.checked = True
    session.flush()
    return len(part.public_keys)


def write_roll_file(session: Session, actor: Actor, election: Election) -> Iterator[bytes]:
    """The roll for the credential authority: who gets a code, and where to send it."""
    actor.require(Permission.CREDENTIALS_MANAGE, election.cooperative_id)
    require_state(election, ElectionState.CREDENTIALS)
    header: dict[str, Any] = {
        "election_uuid": election.uuid,
        "group": election.group,
        "roll_digest": election.roll.digest,
        "heads": election.roll.heads,
        "title": election.title,
        "cooperative_name": election.cooperative.name,
        "time_zone": election.cooperative.time_zone,
        "opens_at": election.opens_at.isoformat(),
        "closes_at": election.closes_at.isoformat(),
        "booth_url": notices.election_url(election, "booth"),
        "is_trial": election.is_trial,
    }
    entries = session.scalars(
        select(RollEntry)
        .where(RollEntry.roll_id == election.roll_id)
        .order_by(RollEntry.member_number)
        .execution_options(yield_per=1000)
    )
    return rollfile.write_roll_file(
        header,
        (
            rollfile.Recipient(
                member_number=entry.member_number,
                name=entry.display_name,
                representative=entry.representative,
                language=entry.language,
                email=entry.email or "",
                address=entry.address,
            )
            for entry in entries
        ),
    )
