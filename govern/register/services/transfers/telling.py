"""What the parties of a transfer are told by mail."""

from __future__ import annotations

from typing import Any

import flask
from sqlalchemy.orm import Session

from govern import mail
from govern.cooperatives.models import Cooperative
from govern.register.models import (
    Membership,
    TransferRequest,
)

MAIL_CATEGORY = "transfer"


def tell_receiver(session: Session, cooperative: Cooperative, request: TransferRequest) -> None:
    if request.receiver is not None:
        tell(session, cooperative, request, request.receiver, "transfer_proposed")
        return
    _queue(
        session,
        cooperative,
        request,
        (request.receiver_email, request.receiver_name, request.giver.language),
        "transfer_invitation",
    )


def tell(
    session: Session,
    cooperative: Cooperative,
    request: TransferRequest,
    membership: Membership,
    template: str,
) -> None:
    """Mail a party that has an address; others see it on their page or hear from the other."""
    if membership.email:
        to = (membership.email, membership.display_name, membership.language)
        about = f"membership:{membership.public_id}"
        _queue(session, cooperative, request, to, template, about)


def _queue(
    session: Session,
    cooperative: Cooperative,
    request: TransferRequest,
    to: tuple[str, str, str],
    template: str,
    about: str | None = None,
) -> None:
    public_url = flask.current_app.config["GOVERN"].public_url
    address, name, language = to
    context: dict[str, Any] = {
        "cooperative": cooperative.name,
        "email": cooperative.email,
        "giver": request.giver.display_name,
        "shares": request.shares,
        "until": request.expires_at,
        "address": f"{public_url}/{cooperative.code}/me/transfers/{request.public_id}",
        "front": f"{public_url}/{cooperative.code}",
    }
    mail.queue_mail(
        session,
        cooperative_id=cooperative.id,
        to_address=address,
        to_name=name,
        language=language,
        template=template,
        context=context,
        dedupe_key=f"{template}:{request.public_id}",
        category=MAIL_CATEGORY,
        about=about,
    )
