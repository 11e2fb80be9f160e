"""What the tests of shares for somebody who is no member share."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select

from govern.access import SYSTEM
from govern.joining.models import Application
from govern.joining.services import deciding
from govern.mail.models import OutboxMail
from govern.mail.queueing import read_content
from govern.register.models import (
    Membership,
    TransferRequest,
)
from govern.register.services.holdings import holding_of


def invitation_mail(session: Any, request: TransferRequest) -> OutboxMail:
    key = f"transfer_invitation:{request.public_id}"
    return session.scalars(select(OutboxMail).where(OutboxMail.dedupe_key == key)).one()


def link_of(session: Any, request: TransferRequest) -> str:
    content = read_content(invitation_mail(session, request))
    assert content is not None
    found = re.search(r"(/smartcoop/join/transfer/\S+)", content.text)
    assert found is not None, content.text
    return found.group(1)


def told(session: Any, request: TransferRequest, template: str) -> str:
    """What a party of the transfer was told under that name."""
    key = f"{template}:{request.public_id}"
    mail = session.scalars(select(OutboxMail).where(OutboxMail.dedupe_key == key)).one()
    content = read_content(mail)
    assert content is not None
    return f"{mail.to_address}\n{content.text}"


def accept(session: Any, application: Application) -> None:
    deciding.accept_application(session, SYSTEM, application)
    session.commit()


def shares(session: Any, *memberships: Membership) -> list[int]:
    return [holding_of(session, item.id).issued for item in memberships]
