"""Certificates of shares: issued after each change, sent to the member, checked by anybody.

What is kept of a certificate is its digest, the day, the end of the ledger and how many shares: no
name. The PDF is made again from the ledger as it was then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from govern import audit, clock, mail
from govern.access import SYSTEM, Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, NotFound
from govern.i18n import speaking
from govern.mail import Attachment
from govern.register.models import EndReason, Membership, ShareCertificate, ShareEntry
from govern.register.services.certificate_document import (
    certified_facts,
    make_document,
    verification_address,
)
from govern.register.services.chain import commitment_for, lock_register
from govern.register.services.telling import mail_member

CATEGORY = "certificate"


def issue_certificate(session: Session, actor: Actor, membership: Membership) -> ShareCertificate:
    """The certificate of what the register shows today; the same one if nothing changed.

    The caller has checked that ``actor`` is an officer who may read the register, or passes SYSTEM
    for the member concerned.
    """
    actor.require(Permission.REGISTER_READ, membership.cooperative_id)
    head = lock_register(session, membership.cooperative_id)
    cooperative = session.get_one(Cooperative, membership.cooperative_id)
    commitment_for(session, membership)
    today = clock.today(cooperative.time_zone)
    newest = latest_certificate(session, membership)
    if newest is not None and newest.certified_on == today and _still_stands(session, newest):
        return newest
    facts = certified_facts(session, membership, today, head.sequence, head.hash)
    code = "-".join(re.findall("....", facts.digest[:16].upper()))
    certificate = ShareCertificate(
        code=code,
        digest=facts.digest,
        cooperative_id=cooperative.id,
        membership_id=membership.id,
        certified_on=today,
        issued_at=clock.now(),
        ledger_sequence=head.sequence,
        ledger_hash=head.hash,
        last_entry=_last_entry(session, membership.id),
        shares_issued=facts.holding.issued,
        shares_paid=facts.holding.paid,
    )
    session.add(certificate)
    session.flush()
    audit.record(
        session,
        actor,
        "register:certificate:issued",
        cooperative_id=cooperative.id,
        subject=f"membership:{membership.public_id}",
        data={"digest": certificate.digest},
    )
    return certificate


def send_certificate(
    session: Session, membership: Membership, entry: ShareEntry | None = None
) -> ShareCertificate:
    """Issue the certificate of today and send it to the member, by mail or else by letter.

    Called by whoever has recorded a change, in the same transaction; ``entry`` is the change, only
    for the reader of the calling code. Sent once per certificate. A member without any address
    finds it on their own page. Nothing is sent to the dead, whose heirs can be given it.
    """
    session.flush()
    certificate = issue_certificate(session, SYSTEM, membership)
    if membership.end_reason == EndReason.DEATH.value:
        return certificate
    cooperative = session.get_one(Cooperative, membership.cooperative_id)
    filename = file_name(cooperative, membership)
    key = f"certificate:{certificate.digest}"
    if membership.email:
        content = certificate_pdf(session, certificate, membership.language)
        mail_member(
            session,
            membership,
            "share_certificate",
            {
                "cooperative": cooperative.name,
                "shares": certificate.shares_issued,
                "paid": certificate.shares_paid,
                "code": certificate.code,
                "address": verification_address(cooperative, certificate.code),
            },
            dedupe_key=key,
            category=CATEGORY,
            attachments=(Attachment(filename, "application/pdf", content),),
        )
    elif membership.street:
        with speaking(membership.language):
            subject = _("Certificate of shares")
        mail.queue_letter(
            session,
            cooperative_id=cooperative.id,
            to_name=membership.display_name,
            language=membership.language,
            subject=subject,
            pdf=certificate_pdf(session, certificate, membership.language),
            filename=filename,
            dedupe_key=key,
            category=CATEGORY,
            about=f"membership:{membership.public_id}",
        )
    return certificate


def latest_certificate(session: Session, membership: Membership) -> ShareCertificate | None:
    """The newest certificate that was issued for the membership."""
    return session.scalar(
        select(ShareCertificate)
        .where(ShareCertificate.membership_id == membership.id)
        .order_by(ShareCertificate.id.desc())
        .limit(1)
    )


def certificate_pdf(session: Session, certificate: ShareCertificate, language: str) -> bytes:
    """The certificate as it was issued, in ``language``.

    Conflict when the name was corrected or the membership ended since: then only a new one can be
    made.
    """
    facts = certified_facts(
        session,
        certificate.membership,
        certificate.certified_on,
        certificate.ledger_sequence,
        certificate.ledger_hash,
    )
    if facts.digest != certificate.digest:
        raise Conflict(
            _("What the register says about this member has changed since this certificate."),
            remedy=_("Make a new certificate."),
        )
    return make_document(session, certificate, facts, language)


def file_name(cooperative: Cooperative, membership: Membership) -> str:
    """What the PDF is called."""
    number = re.sub(r"[^0-9A-Za-z._-]", "-", membership.member_number)
    return f"{cooperative.code}-certificate-{number}.pdf"


@dataclass(frozen=True)
class CheckedCertificate:
    """What anybody may know of a certificate, given its code: nothing about who holds it."""

    code: str
    digest: str
    certified_on: date
    issued_at: datetime
    ledger_sequence: int
    ledger_hash: str
    shares_issued: int
    shares_paid: int
    changed_since: bool


def check_certificate(session: Session, cooperative: Cooperative, typed: str) -> CheckedCertificate:
    """What was certified under a code (or whole digest) as typed; NotFound when nothing was."""
    letters = re.sub(r"[^0-9A-Fa-f]", "", typed)[:64].upper()
    code = "-".join(re.findall("....", letters[:16]))
    found = session.scalar(
        select(ShareCertificate).where(
            ShareCertificate.code == code, ShareCertificate.cooperative_id == cooperative.id
        )
    )
    is_digest = len(letters) == 64
    if (
        found is None
        or len(letters) not in (16, 64)
        or (is_digest and found.digest != letters.lower())
    ):
        raise NotFound(
            _("%(name)s has issued no certificate with this code.", name=cooperative.name),
            remedy=_("Compare the code letter by letter with the one on the certificate."),
        )
    return CheckedCertificate(
        code=found.code,
        digest=found.digest,
        certified_on=found.certified_on,
        issued_at=found.issued_at,
        ledger_sequence=found.ledger_sequence,
        ledger_hash=found.ledger_hash,
        shares_issued=found.shares_issued,
        shares_paid=found.shares_paid,
        changed_since=not _still_stands(session, found),
    )


def _still_stands(session: Session, certificate: ShareCertificate) -> bool:
    """Whether the ledger moved nothing of the member since, and the member is who they were."""
    later = session.scalar(
        select(
            exists().where(
                ShareEntry.membership_id == certificate.membership_id,
                ShareEntry.sequence > certificate.last_entry,
            )
        )
    )
    if later:
        return False
    facts = certified_facts(
        session,
        certificate.membership,
        certificate.certified_on,
        certificate.ledger_sequence,
        certificate.ledger_hash,
    )
    return facts.digest == certificate.digest


def _last_entry(session: Session, membership_id: int) -> int:
    return (
        session.scalar(
            select(func.max(ShareEntry.sequence)).where(ShareEntry.membership_id == membership_id)
        )
        or 0
    )
