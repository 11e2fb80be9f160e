"""What transfers and certificates keep about a person: for their own export, and for an erasure."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.database import changed_rows
from govern.i18n import day as in_words
from govern.i18n import instant
from govern.register.hooks import OwnSection
from govern.register.models import (
    Membership,
    Person,
    ShareCertificate,
    TransferCause,
    TransferRequest,
    TransferState,
)
from govern.register.rules.transfers import OPEN
from govern.register.services.certificate_document import spaced
from govern.register.services.transfers.ending import break_promise, lock_request
from govern.register.services.transfers.reading import transfers_of
from govern.register.texts import CAUSE_NAMES, TRANSFER_STATE_NAMES


def own_transfers(session: Session, person: Person) -> Sequence[OwnSection]:
    """Transfers that the person gives or receives, and certificates issued to them."""
    ids = session.scalars(select(Membership.id).where(Membership.person_id == person.id)).all()
    requests = transfers_of(session, ids, only_open=False)
    certificates = session.scalars(
        select(ShareCertificate)
        .where(ShareCertificate.membership_id.in_(ids))
        .order_by(ShareCertificate.id)
    ).all()
    sections = []
    if requests:
        sections.append(
            OwnSection(
                "transfers",
                _("Transfers"),
                [
                    _("Proposed on"),
                    _("From"),
                    _("To"),
                    _("Shares"),
                    _("Share numbers"),
                    _("Cause"),
                    _("State"),
                ],
                [
                    [
                        instant(row.proposed_at, "short"),
                        row.giver.display_name,
                        row.receiver.display_name if row.receiver else row.receiver_name or "–",
                        str(row.shares),
                        spaced(row.numbers) or "–",
                        str(CAUSE_NAMES[TransferCause(row.cause)]),
                        str(TRANSFER_STATE_NAMES[TransferState(row.state)]),
                    ]
                    for row in requests
                ],
            )
        )
    if certificates:
        sections.append(
            OwnSection(
                "certificates",
                _("Certificates of shares"),
                [_("Issued on"), _("Shares at the end of"), _("Shares"), _("Code"), "SHA-256"],
                [
                    [
                        instant(row.issued_at, "short"),
                        in_words(row.certified_on, "medium"),
                        str(row.shares_issued),
                        row.code,
                        row.digest,
                    ]
                    for row in certificates
                ],
            )
        )
    return sections


def erase_transfers(session: Session, membership: Membership, when: str) -> int:
    """End what is open and forget who was to receive it; at the end forget the requests too.

    The book itself says what was transferred. Certificates are kept: they name nobody.
    """
    session.flush()
    promised = session.scalars(
        select(TransferRequest).where(
            TransferRequest.giver_id == membership.id, TransferRequest.state.in_(sorted(OPEN))
        )
    ).all()
    for request in promised:
        cooperative = lock_request(session, request)
        if request.state in OPEN:
            break_promise(session, SYSTEM, cooperative, request, "transfer_void")
    if when != "end":
        return len(promised)
    return changed_rows(
        session.execute(
            delete(TransferRequest).where(
                TransferRequest.giver_id == membership.id, TransferRequest.state.not_in(OPEN)
            )
        )
    )
