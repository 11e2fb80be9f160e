"""A member who has lost the code gets the same one again."""

from __future__ import annotations

import json

import pyrage
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit
from govern.access import Actor, Permission
from govern.database import make_public_id
from govern.errors import InvalidInput, NotFound
from govern.register.models import RollEntry
from govern.voting import agefile
from govern.voting.models import CredentialIssue, CredentialPart, Election
from govern.voting.rules import CredentialMode, ElectionState
from govern.voting.services import notices
from govern.voting.services.steps import current_run, log_incident, require_state

NEEDS_CODES = (ElectionState.CREDENTIALS, ElectionState.OPEN)


def find_entry(session: Session, election: Election, member_number: str) -> RollEntry:
    """The member of the election's roll with that number; InvalidInput if there is none."""
    found = session.scalar(
        select(RollEntry).where(
            RollEntry.roll_id == election.roll_id, RollEntry.member_number == member_number.strip()
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
