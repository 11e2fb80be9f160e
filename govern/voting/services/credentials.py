"""Voting codes: made by the server (and labelled so), or made elsewhere and uploaded.

Server-made: the work is cut into batches, each one transaction that holds the codes' mails and
letters (encrypted in the outbox), the part of the list for the returning officer (encrypted), the
public keys, and which members are done. A batch that dies leaves nothing, so no code is lost and
nobody gets two. The passphrase is needed only to open the list: its key pair is made when the run
is started, and only the encrypted private half is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyrage
from flask_babel import gettext as _
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session, selectinload

from govern import audit, clock
from govern.access import SYSTEM, Actor, Permission
from govern.database import make_public_id
from govern.errors import Conflict, InvalidInput, NotFound
from govern.jobs import enqueue
from govern.register.models import RollEntry
from govern.voting import agefile, rollfile
from govern.voting.models import (
    CredentialIssue,
    CredentialPart,
    CredentialRun,
    CredentialRunState,
    Election,
    PublicCredential,
)
from govern.voting.protocol.credentials import (
    check_public_credentials,
    derive_credential,
    generate_code,
    make_public_credentials,
)
from govern.voting.protocol.encoding import sha256_hex
from govern.voting.protocol.errors import EncodingError
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

BATCH = 50
UPLOAD_BATCH = 250
MINIMUM_PASSPHRASE = 12

NEEDS_CODES = (ElectionState.CREDENTIALS, ElectionState.OPEN)


@dataclass(frozen=True)
class ListKey:
    """The key pair of a list of codes: the private half encrypted to a passphrase."""

    recipient: str
    identity: bytes


def make_list_key(passphrase: str) -> ListKey:
    """A key pair for a list of codes. Takes a second on purpose: call it outside a transaction.

    ``passphrase`` (at least 12 characters) will open the list for a lost code; it is not kept.
    """
    if len(passphrase) < MINIMUM_PASSPHRASE:
        raise InvalidInput(
            _("The passphrase needs at least %(count)s characters.", count=MINIMUM_PASSPHRASE),
            remedy=_("Four or five words that do not belong together are easy to remember."),
            field="passphrase",
        )
    identity = pyrage.x25519.Identity.generate()
    return ListKey(str(identity.to_public()), agefile.encrypt(str(identity).encode(), passphrase))


def start_server_run(
    session: Session, actor: Actor, election: Election, key: ListKey
) -> CredentialRun:
    """Begin to make the codes on this server; a job goes on. ``key`` is from ``make_list_key``."""
    actor.require(Permission.CREDENTIALS_MANAGE, election.cooperative_id)
    _require_mode(election, CredentialMode.SERVER)
    run = _new_run(session, election, election.roll.heads)
    run.recipient, run.identity = key.recipient, key.identity
    session.add(run)
    session.flush()
    log_incident(session, actor, election, "credentials_started", details={"count": run.total})
    enqueue(session, "voting.make_credentials", run.id)
    return run


def upload_public_credentials(
    session: Session, actor: Actor, election: Election, data: bytes
) -> CredentialRun:
    """Take the public keys that the credential authority made; a job checks each of them.

    Refused unless they were made for this election, for the roll as it stands, one per member.
    """
    actor.require(Permission.CREDENTIALS_MANAGE, election.cooperative_id)
    _require_mode(election, CredentialMode.OFFLINE)
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
    run = _new_run(session, election, len(uploaded.public_credentials))
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


def _require_mode(election: Election, mode: CredentialMode) -> None:
    if election.credential_mode != mode.value:
        raise Conflict(
            _("The voting codes of this election are made in another way."),
            remedy=_("Reload the page to see how."),
        )


def _new_run(session: Session, election: Election, total: int) -> CredentialRun:
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


def make_batch(session: Session, run: CredentialRun) -> int:
    """Make the codes of the next members and queue their mails; how many were made.

    One transaction of the caller: all of a batch is there afterwards, or nothing.
    """
    election = lock_election(session, run.election)
    session.refresh(run)
    if run.state != CredentialRunState.RUNNING.value:
        return 0
    session.refresh(election.roll)
    if election.roll.digest != run.roll_digest:
        withdrawn = _void(session, election, run)
        log_incident(session, SYSTEM, election, "credentials_outdated", details=withdrawn.details())
        return 0
    done = select(CredentialIssue.roll_entry_id).where(CredentialIssue.run_id == run.id)
    entries = session.scalars(
        select(RollEntry)
        .where(RollEntry.roll_id == election.roll_id, RollEntry.id.not_in(done))
        .order_by(RollEntry.id)
        .limit(BATCH)
        .options(selectinload(RollEntry.membership))
    ).all()
    if not entries:
        return 0
    number = (
        session.scalar(
            select(func.max(CredentialPart.number)).where(CredentialPart.run_id == run.id)
        )
        or 0
    ) + 1
    group = group_named(election.group)
    lines, keys = [], []
    for entry in entries:
        code = generate_code()
        keys.append(derive_credential(group, election.uuid, code).public.text)
        lines.append({"entry": entry.id, "member_number": entry.member_number, "code": code})
        notices.send_code(session, election, entry, code, run_number=run.number)
    recipient = pyrage.x25519.Recipient.from_str(run.recipient)
    session.add(
        CredentialPart(
            run_id=run.id,
            number=number,
            sealed=pyrage.encrypt(json.dumps(lines).encode(), [recipient]),
            public_keys=sorted(keys),
            checked=True,
        )
    )
    session.flush()
    session.execute(
        insert(CredentialIssue),
        [
            {"run_id": run.id, "roll_entry_id": entry.id, "part": number}
            for entry in sorted(entries, key=lambda entry: entry.id)
        ],
    )
    return len(entries)


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
    withdrawn = _void(session, election, run)
    log_incident(
        session,
        actor,
        election,
        "credentials_discarded",
        reason=require_reason(reason),
        details=withdrawn.details(),
    )
    return withdrawn


def _void(session: Session, election: Election, run: CredentialRun) -> notices.Withdrawn:
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


def find_entry(session: Session, election: Election, member_number: str) -> RollEntry:
    """The member of the election's roll with that number; InvalidInput if there is none."""
    found = session.scalar(
        select(RollEntry).where(
            RollEntry.roll_id == election.roll_id,
            RollEntry.member_number == member_number.strip(),
        )
    )
    if found is None:
        raise InvalidInput(
            _("There is no member %(number)s on the roll of this election.", number=member_number),
            remedy=_("Check the number in the register."),
            field="member_number",
        )
    return found


def find_code(
    session: Session, actor: Actor, election: Election, entry: RollEntry, passphrase: str
) -> str:
    """The code of one member, from the encrypted list; InvalidInput on a wrong passphrase.

    Takes a second on purpose: call it outside a writing transaction.
    """
    actor.require(Permission.CREDENTIALS_MANAGE, election.cooperative_id)
    require_state(election, *NEEDS_CODES)
    run = current_run(session, election)
    if run is None or run.mode != CredentialMode.SERVER.value or run.identity is None:
        raise NotFound(
            _("This server does not have the voting codes of this election."),
            remedy=_("Ask the authority that made them."),
        )
    try:
        opened = agefile.decrypt(bytes(run.identity), passphrase)
    except agefile.WrongPassphrase as error:
        raise InvalidInput(
            _("The passphrase does not open the list of voting codes."),
            remedy=_("It is the one that was set when the codes were made."),
            field="passphrase",
        ) from error
    identity = pyrage.x25519.Identity.from_str(opened.decode())
    sealed = session.scalar(
        select(CredentialPart.sealed)
        .join(
            CredentialIssue,
            (CredentialIssue.run_id == CredentialPart.run_id)
            & (CredentialIssue.part == CredentialPart.number),
        )
        .where(CredentialIssue.run_id == run.id, CredentialIssue.roll_entry_id == entry.id)
    )
    if sealed is not None:
        for line in json.loads(pyrage.decrypt(bytes(sealed), [identity])):
            if line["entry"] == entry.id:
                return str(line["code"])
    raise NotFound(_("No voting code has been made for this member."))


def send_code_again(
    session: Session, actor: Actor, election: Election, entry: RollEntry, code: str
) -> None:
    """Send a member their own, same code again (from ``find_code``).

    Logged: in public that it happened, in the audit log for whom.
    """
    actor.require(Permission.CREDENTIALS_MANAGE, election.cooperative_id)
    require_state(election, *NEEDS_CODES)
    run = current_run(session, election)
    notices.send_code(
        session,
        election,
        entry,
        code,
        run_number=run.number if run is not None else 1,
        attempt=make_public_id(),
    )
    log_incident(session, actor, election, "code_sent_again")
    audit.record(
        session,
        actor,
        "voting:code:sent_again",
        cooperative_id=election.cooperative_id,
        subject=f"election:{election.uuid}",
        data={"membership": entry.membership_id},
    )


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
