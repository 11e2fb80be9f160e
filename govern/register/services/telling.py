"""Mails to a member about the membership: who they go to, and how an erasure finds them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from govern.mail import queue_mail
from govern.register.models import Membership


def mail_member(
    session: Session,
    membership: Membership,
    template: str,
    context: dict[str, Any],
    *,
    dedupe_key: str,
    category: str,
    **more: Any,
) -> None:
    """Queue a mail in the member's language; nothing where the register has no e-mail address.

    ``more`` is what ``queue_mail`` takes besides, such as ``attachments`` or ``secret``.
    """
    if not membership.email:
        return
    queue_mail(
        session,
        cooperative_id=membership.cooperative_id,
        to_address=membership.email,
        to_name=membership.display_name,
        language=membership.language,
        template=template,
        context=context,
        dedupe_key=dedupe_key,
        category=category,
        about=f"membership:{membership.public_id}",
        **more,
    )
