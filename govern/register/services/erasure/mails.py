"""Emptying the mails and letters that went to a member: only that one left on a day stays."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from govern.mail import Channel, DeliveryState, OutboxMail
from govern.mail.models import ERASED_ADDRESS, OutboxAttachment, OutboxFile
from govern.register.models import Membership
from govern.register.services.own_mails import about_membership, mails_to
from govern.register.services.own_sections import memberships_of_person


def erase_mails(session: Session, membership: Membership) -> int:
    """Empty what this cooperative (and the house) wrote to the member; how many that were.

    What still waits is stopped. A mail that is being handed over this moment keeps its text until
    the next step of the erasure.
    """
    others = (
        []
        if membership.person is None
        else [
            row
            for row in memberships_of_person(session, membership.person)
            if row.id != membership.id
        ]
    )
    theirs = mails_to(session, [membership], membership.person, erasing=True)
    if any(
        (row.cooperative_id, row.email_key) == (membership.cooperative_id, membership.email_key)
        for row in others
    ):
        # By name and address, another membership of the same person has the same mails.
        theirs = OutboxMail.about == about_membership(membership)
    senders = [OutboxMail.cooperative_id == membership.cooperative_id]
    if not others:
        # What no cooperative sent (about the account) belongs to nothing else then.
        senders.append(OutboxMail.cooperative_id.is_(None))
    rows = session.scalars(
        select(OutboxMail.id).where(
            theirs,
            or_(*senders),
            OutboxMail.state != DeliveryState.SENDING.value,
        )
    ).all()
    return empty_mails(session, rows)


def empty_mails(session: Session, rows: Sequence[int]) -> int:
    """Empty these mails (by their ids), and stop those that still wait; how many."""
    if not rows:
        return 0
    files = session.scalars(
        select(OutboxAttachment.digest).where(OutboxAttachment.mail_id.in_(rows)).distinct()
    ).all()
    session.execute(delete(OutboxAttachment).where(OutboxAttachment.mail_id.in_(rows)))
    session.execute(
        delete(OutboxFile).where(
            OutboxFile.digest.in_(files),
            ~exists().where(OutboxAttachment.digest == OutboxFile.digest),
        )
    )
    emptied = {
        "to_name": "",
        "subject": "",
        "text_body": "",
        "html_body": "",
        "sealed": None,
        "last_error": "",
    }
    mine = update(OutboxMail).where(OutboxMail.id.in_(rows))
    session.execute(mine.values(**emptied))
    session.execute(
        mine.where(OutboxMail.channel == Channel.EMAIL.value).values(to_address=ERASED_ADDRESS)
    )
    session.execute(
        mine.where(OutboxMail.state != DeliveryState.SENT.value).values(
            state=DeliveryState.CANCELLED.value
        )
    )
    return len(rows)
