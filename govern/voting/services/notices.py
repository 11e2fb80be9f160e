"""Mails of an election: to trustees, auditors, the returning officer, and the voting codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import format_datetime
from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from govern.access import Role
from govern.accounts.models import Account
from govern.accounts.services.roles import open_grants
from govern.database import changed_rows
from govern.i18n import as_spoken, local_text, speaking
from govern.mail.models import DeliveryState, OutboxMail
from govern.mail.queueing import queue_letter, queue_mail
from govern.pdf import render_pdf
from govern.register.models import RollEntry
from govern.voting.letters import letter_data, origin_sentence
from govern.voting.models import Election, ElectionTrustee
from govern.voting.rules import CredentialMode

CODE_CATEGORY = "voting.code"
OFFICE_CATEGORY = "voting.office"


@dataclass(frozen=True)
class LocalTime:
    """An instant that is written in the reader's language and the cooperative's time zone."""

    value: datetime
    time_zone: str

    def __str__(self) -> str:
        local = self.value.astimezone(ZoneInfo(self.time_zone))
        return as_spoken(str(format_datetime(local, "d MMMM y, HH:mm", rebase=False)))


def election_url(election: Election, page: str = "") -> str:
    """The public address of a page of the election."""
    base = current_app.config["GOVERN"].public_url
    return f"{base}/elections/{election.uuid}" + (f"/{page}" if page else "")


def common_context(election: Election) -> dict[str, Any]:
    """What every mail about an election may say."""
    zone = election.cooperative.time_zone
    return {
        "cooperative_name": election.cooperative.name,
        "title": election.title,
        "is_trial": election.is_trial,
        "opens_at": LocalTime(election.opens_at, zone),
        "closes_at": LocalTime(election.closes_at, zone),
        "election_url": election_url(election),
        "trustees": len(election.trustees),
        "server_made": election.credential_mode == CredentialMode.SERVER.value,
    }


def _write(
    session: Session, election: Election, account: Account, template: str, key: str, **more: Any
) -> None:
    if account.email is None or account.disabled_at is not None:
        return
    queue_mail(
        session,
        cooperative_id=election.cooperative_id,
        to_address=account.email,
        to_name=account.name,
        language=account.language,
        template=template,
        context={**common_context(election), **more},
        dedupe_key=f"voting:{election.uuid}:{key}:{account.id}",
        category=OFFICE_CATEGORY,
    )


def ask_for_key(session: Session, election: Election, trustee: ElectionTrustee) -> None:
    """Ask one trustee to make a key. Asked again after the key was taken back."""
    asked = session.scalars(
        select(OutboxMail.id).where(
            OutboxMail.dedupe_key.startswith(f"voting:{election.uuid}:key-")
        )
    ).all()
    _write(
        session,
        election,
        trustee.account,
        "voting_trustee_key",
        f"key-{len(asked)}",
        trustee_url=election_url(election, "trustee"),
    )


def ask_for_decryption(session: Session, election: Election, trustee: ElectionTrustee) -> None:
    """Tell one trustee that the box is closed and their part is needed."""
    _write(
        session,
        election,
        trustee.account,
        "voting_trustee_count",
        "count",
        trustee_url=election_url(election, "trustee"),
    )


def announce_opening(session: Session, election: Election) -> None:
    """Lodge the digests with trustees and auditors before the first ballot."""
    for account in _people(
        session, election, (Role.AUDITOR, Role.RETURNING_OFFICER), with_trustees=True
    ):
        _write(
            session,
            election,
            account,
            "voting_opened",
            "opened",
            heads=election.heads,
            roll_digest=election.roll_digest,
            credentials_digest=election.credentials_digest,
            fingerprint=election.fingerprint,
            setup_hash=election.setup_hash,
            receipt_key=election.receipt_key,
        )


def report_opening_failed(session: Session, election: Election, reasons: Iterable[str]) -> None:
    """Tell the returning officers that an election could not open at its time, and why."""
    for account in _people(session, election, (Role.RETURNING_OFFICER,)):
        _write(
            session,
            election,
            account,
            "voting_not_opened",
            f"not-opened-{election.opens_at.isoformat()}",
            reasons=list(reasons),
            manage_url=election_url(election, "manage"),
        )


def report_unsound(session: Session, election: Election) -> None:
    """Tell everybody with an office that the box is not what was written."""
    for account in _people(
        session, election, (Role.RETURNING_OFFICER, Role.AUDITOR), with_trustees=True
    ):
        _write(session, election, account, "voting_unsound", "unsound")


def _people(
    session: Session, election: Election, roles: tuple[Role, ...], *, with_trustees: bool = False
) -> list[Account]:
    """Who holds one of ``roles`` in the cooperative (each person once)."""
    wanted = {role.value for role in roles}
    found = {
        grant.account_id: grant.account
        for grant in open_grants(session, election.cooperative_id)
        if grant.role in wanted
    }
    if with_trustees:
        found |= {trustee.account_id: trustee.account for trustee in election.trustees}
    return [found[key] for key in sorted(found)]


# -- voting codes ----------------------------------------------------------------------------


def send_code(
    session: Session,
    election: Election,
    entry: RollEntry,
    code: str,
    *,
    run_number: int,
    attempt: str = "first",
) -> None:
    """Send one member their voting code: by mail, or as a letter where there is no address.

    The outbox keeps it encrypted until it is sent and wipes it then. ``attempt`` tells a code
    sent again from the first sending.
    """
    context = {
        **common_context(election),
        "code": code,
        "member_name": entry.display_name,
        "member_number": entry.member_number,
        "booth_url": election_url(election, "booth"),
        "replaces": run_number > 1,
        "again": attempt != "first",
    }
    with speaking(entry.language):
        context["origin"] = origin_sentence(_, context["server_made"])
    key = f"voting:{election.uuid}:code:{run_number}:{attempt}:{entry.id}"
    about = f"membership:{entry.membership.public_id}"
    if entry.email:
        queue_mail(
            session,
            cooperative_id=election.cooperative_id,
            to_address=entry.email,
            to_name=entry.representative or entry.display_name,
            language=entry.language,
            template="voting_code",
            context=context,
            dedupe_key=key,
            category=CODE_CATEGORY,
            about=about,
            secret=True,
        )
        return
    with speaking(entry.language):
        subject, pdf = render_code_letter(election, entry, context)
    queue_letter(
        session,
        cooperative_id=election.cooperative_id,
        to_name=entry.display_name,
        language=entry.language,
        subject=subject,
        pdf=pdf,
        filename=f"{entry.member_number}.pdf",
        dedupe_key=key,
        category=CODE_CATEGORY,
        about=about,
        secret=True,
    )


def render_code_letter(
    election: Election, entry: RollEntry, context: dict[str, Any]
) -> tuple[str, bytes]:
    """Subject and PDF of a letter with a voting code, in the language in force."""
    data = letter_data(
        _,
        election_title=local_text(election.title),
        cooperative_name=election.cooperative.name,
        name=entry.display_name,
        representative=entry.representative,
        member_number=entry.member_number,
        address=entry.address,
        opens_at=str(context["opens_at"]),
        closes_at=str(context["closes_at"]),
        booth_url=context["booth_url"],
        code=context["code"],
        server_made=context["server_made"],
        replaces=context["replaces"],
        again=context["again"],
        is_trial=context["is_trial"],
    )
    return data["subject"], render_pdf("voting_code_letter", data, entry.language)


@dataclass(frozen=True)
class Withdrawn:
    """How many code mails and letters were stopped, and how many may have gone out all the same."""

    stopped: int
    possibly_out: int

    def details(self) -> dict[str, int]:
        """For the log of the election."""
        return {"stopped": self.stopped, "possibly_out": self.possibly_out}


WITHDRAWN_MEANWHILE = "The voting code was withdrawn while the mail was being handed over."


def withdraw_codes(session: Session, election: Election) -> Withdrawn:
    """Stop codes that have not left yet, and wipe them.

    A mail whose handing over had begun cannot be stopped: it becomes ``unclear`` (as those are
    that were unclear before), is wiped, and whatever the mail server answers now does not put it
    back into the queue. Its code is void like the others, and the officers are told the number.
    """
    ours = [
        OutboxMail.cooperative_id == election.cooperative_id,
        OutboxMail.category == CODE_CATEGORY,
        OutboxMail.dedupe_key.startswith(f"voting:{election.uuid}:code:"),
    ]
    waiting = (DeliveryState.QUEUED.value, DeliveryState.FAILED.value)
    is_sending = OutboxMail.state == DeliveryState.SENDING.value
    stopped = session.execute(
        update(OutboxMail)
        .where(
            *ours,
            # What is only claimed has not begun to leave, and cannot without its claim.
            OutboxMail.state.in_(waiting) | (is_sending & OutboxMail.handover_at.is_(None)),
        )
        .values(state=DeliveryState.CANCELLED.value, claim=None, sealed=None)
    )
    leaving = session.execute(
        update(OutboxMail)
        .where(*ours, is_sending)
        .values(
            state=DeliveryState.UNCLEAR.value,
            claim=None,
            sealed=None,
            last_error=WITHDRAWN_MEANWHILE,
        )
    )
    unclear = session.execute(
        update(OutboxMail)
        .where(
            *ours,
            OutboxMail.state == DeliveryState.UNCLEAR.value,
            OutboxMail.sealed.is_not(None),
        )
        .values(sealed=None)
    )
    return Withdrawn(changed_rows(stopped), changed_rows(leaving) + changed_rows(unclear))


def count_codes(session: Session, election: Election, run_number: int) -> dict[str, int]:
    """How many code mails and letters of a run are in which state of delivery."""
    states = session.execute(
        select(OutboxMail.channel, OutboxMail.state).where(
            OutboxMail.category == CODE_CATEGORY,
            OutboxMail.dedupe_key.startswith(f"voting:{election.uuid}:code:{run_number}:"),
        )
    )
    counts: dict[str, int] = {}
    for channel, state in states:
        name = f"{channel}_{state}"
        counts[name] = counts.get(name, 0) + 1
    return counts
