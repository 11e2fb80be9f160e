"""What the parties of a transfer are told by mail, and forgetting who was invited by one."""

from __future__ import annotations

from typing import Any

import flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import mail
from govern.accounts.tags import make_token, token_hash
from govern.cooperatives.models import Cooperative
from govern.mail import DeliveryState, OutboxMail
from govern.register.hooks import invitations
from govern.register.models import (
    Membership,
    TransferRequest,
)
from govern.register.services.erasure.mails import empty_mails

MAIL_CATEGORY = "transfer"


def tell_receiver(session: Session, cooperative: Cooperative, request: TransferRequest) -> None:
    """Ask a member to confirm, or invite somebody who is none to become one.

    Where they can do so by themselves, the mail carries a secret link; else it asks them to get in
    touch with the cooperative.
    """
    if request.receiver is not None:
        tell(session, cooperative, request, request.receiver, "transfer_proposed")
        return
    token = make_token()
    link = next((found for offer in invitations if (found := offer(session, request, token))), "")
    if link:
        request.invitation_hash = token_hash(token)
        session.flush()
    language = request.receiver_language or request.giver.language
    _queue(
        session,
        cooperative,
        request,
        (request.receiver_email, request.receiver_name, language),
        "transfer_invitation",
        _about(request),
        link=link,
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


def forget_receiver(session: Session, request: TransferRequest) -> None:
    """Delete name and address of whoever was invited, also in the mail that invited them."""
    request.receiver_name = request.receiver_email = ""
    session.flush()
    mails = session.scalars(
        select(OutboxMail.id).where(
            OutboxMail.about == _about(request), OutboxMail.state != DeliveryState.SENDING.value
        )
    ).all()
    empty_mails(session, mails)


def _about(request: TransferRequest) -> str:
    return f"transfer:{request.public_id}"


def _queue(
    session: Session,
    cooperative: Cooperative,
    request: TransferRequest,
    to: tuple[str, str, str],
    template: str,
    about: str,
    link: str = "",
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
        "link": link,
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
        secret=bool(link),
    )
