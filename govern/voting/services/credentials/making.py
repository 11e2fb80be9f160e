"""Voting codes made by this server, in batches that are there as a whole or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pyrage
from flask_babel import gettext as _
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session, selectinload

from govern.access import SYSTEM, Actor, Permission
from govern.errors import InvalidInput
from govern.jobs import enqueue
from govern.register.models import RollEntry
from govern.voting import agefile
from govern.voting.keyfile import MINIMUM_PASSPHRASE
from govern.voting.models import (
    CredentialIssue,
    CredentialPart,
    CredentialRun,
    CredentialRunState,
    Election,
)
from govern.voting.protocol.credentials import derive_credential, generate_code
from govern.voting.protocol.groups import group_named
from govern.voting.rules import CredentialMode
from govern.voting.services import notices
from govern.voting.services.credentials.runs import new_run, require_mode, void_run
from govern.voting.services.steps import lock_election, log_incident

BATCH = 50


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
    require_mode(election, CredentialMode.SERVER)
    run = new_run(session, election, election.roll.heads)
    run.recipient, run.identity = key.recipient, key.identity
    session.add(run)
    session.flush()
    log_incident(session, actor, election, "credentials_started", details={"count": run.total})
    enqueue(session, "voting.make_credentials", run.id)
    return run


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
        withdrawn = void_run(session, election, run)
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
