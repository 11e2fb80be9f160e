"""The mails of joining. Each has a key of its own, so that nobody gets one twice."""

from __future__ import annotations

from datetime import date
from typing import Any

import flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Role
from govern.accounts.models import Account, RoleGrant
from govern.cooperatives.models import Cooperative
from govern.joining.models import Application, ShareOrder
from govern.joining.rules import CONFIRMATION_LIFE
from govern.joining.services.guards import state_token
from govern.mail import queue_mail
from govern.payments.services import default_account, instruction_for
from govern.register.models import MemberKind, Membership

CATEGORY = "joining"


def answer_key(application: Application) -> str:
    """The key of the one mail that answers a form."""
    return f"joining:answer:{application.public_id}"


def about_application(application: Application) -> str:
    """What the outbox notes about a mail to an applicant."""
    return f"application:{application.public_id}"


def address(cooperative: Cooperative, path: str) -> str:
    """The whole address of a page of the cooperative, for mails."""
    public_url = flask.current_app.config["GOVERN"].public_url
    return f"{public_url}/{cooperative.code}/{path}"


def state_address(application: Application) -> str:
    """Where the applicant follows the application."""
    return address(application.cooperative, f"join/application/{state_token(application)}")


def addressee(application: Application) -> str:
    """Whom a mail greets: the person who asks, or the representative."""
    if application.kind == MemberKind.LEGAL.value:
        given, family = (
            application.representative_given_name,
            application.representative_family_name,
        )
        return f"{given} {family}".strip()
    return application.name


def giver_of(application: Application) -> str:
    """Who gives the shares, "" where they are subscribed, or the transfer was erased."""
    transfer = application.transfer
    return transfer.giver.display_name if transfer is not None else ""


def ask_to_confirm(session: Session, application: Application, token: str) -> None:
    """The link that confirms the address."""
    _send(
        session,
        application,
        "join_confirm",
        answer_key(application),
        secret=True,
        link=address(application.cooperative, f"join/confirm/{token}"),
        hours=int(CONFIRMATION_LIFE.total_seconds() // 3600),
    )


def tell_member(session: Session, application: Application, member: Membership) -> None:
    """Somebody filled in the form with a member's address and name: nothing to confirm."""
    cooperative = application.cooperative
    queue_mail(
        session,
        cooperative_id=cooperative.id,
        to_address=member.email or application.email,
        to_name=member.display_name,
        language=member.language,
        template="join_known",
        context={
            "cooperative": cooperative.name,
            "number": member.member_number,
            "sign_in": f"{flask.current_app.config['GOVERN'].public_url}/sign-in",
            "own_page": address(cooperative, "me"),
        },
        dedupe_key=answer_key(application),
        category=CATEGORY,
        about=f"membership:{member.public_id}",
    )


def tell_applicant(session: Session, application: Application, other: Application) -> None:
    """The same person has applied already: the way back to that application."""
    _send(
        session,
        application,
        "join_applied",
        answer_key(application),
        secret=True,
        link=state_address(other),
    )


def tell_received(session: Session, application: Application, *, is_automatic: bool) -> None:
    """The address is confirmed: how to pay, what comes next, and the applicant's own page."""
    _send(
        session,
        application,
        "join_received",
        f"joining:received:{application.public_id}",
        secret=True,
        is_automatic=is_automatic,
        **_how_to_pay(session, application),
    )


def tell_accepted(session: Session, application: Application) -> None:
    """Accepted: membership begins when the money arrives."""
    _send(
        session,
        application,
        "join_accepted",
        f"joining:accepted:{application.public_id}:{application.accepted_on}",
        secret=True,
        due_on=application.payment_due_on,
        **_how_to_pay(session, application),
    )


def tell_reopened(session: Session, application: Application) -> None:
    """The application that had ended goes on, with a new reference and a new last day."""
    _send(
        session,
        application,
        "join_accepted",
        f"joining:reopened:{application.public_id}:{application.payment_due_on}",
        secret=True,
        due_on=application.payment_due_on,
        **_how_to_pay(session, application),
    )


def remind(session: Session, application: Application) -> None:
    """The last day for paying comes near."""
    _send(
        session,
        application,
        "join_reminder",
        f"joining:reminder:{application.public_id}:{application.payment_due_on}",
        secret=True,
        due_on=application.payment_due_on,
        **_how_to_pay(session, application),
    )


def tell_refused(session: Session, application: Application) -> None:
    """Refused, and why."""
    _closing(session, application, "join_refused", reason=application.decision_reason)


def tell_withdrawn(session: Session, application: Application) -> None:
    """Withdrawn by the applicant."""
    _closing(session, application, "join_withdrawn")


def tell_expired(session: Session, application: Application) -> None:
    """Not paid in time."""
    _closing(
        session,
        application,
        "join_expired",
        apply_again=address(application.cooperative, "join"),
    )


def tell_lapsed(session: Session, application: Application) -> None:
    """The shares that were to be transferred will not be."""
    _closing(
        session,
        application,
        "join_lapsed",
        apply_again=address(application.cooperative, "join"),
    )


def _closing(session: Session, application: Application, template: str, **more: Any) -> None:
    paid = application.request.paid_cents if application.request is not None else 0
    _send(
        session,
        application,
        template,
        f"joining:closed:{application.public_id}:{application.state}:{application.closed_on}",
        secret=False,
        paid_cents=paid,
        **more,
    )


def welcome(session: Session, application: Application, membership: Membership) -> None:
    """A member from this day on: number, how to sign in, where the certificate is."""
    cooperative = application.cooperative
    _send(
        session,
        application,
        "join_welcome",
        f"joining:welcome:{application.public_id}",
        secret=False,
        number=membership.member_number,
        effective_on=application.admitted_on,
        giver=giver_of(application),
        shares=application.shares,
        amount_cents=application.amount_cents,
        sign_in=f"{flask.current_app.config['GOVERN'].public_url}/sign-in",
        own_page=address(cooperative, "me"),
    )


def tell_returned(session: Session, application: Application, reason: str) -> None:
    """Money of an applicant who was admitted is gone again: the member and registrars are told."""
    _send(
        session,
        application,
        "join_unpaid",
        f"joining:unpaid:{application.public_id}:{application.returned_on}",
        secret=True,
        **_how_to_pay(session, application),
    )
    _tell_registrars(
        session,
        application.cooperative,
        name=application.name,
        reason=reason,
        path=f"register/applications/{application.public_id}",
        key=f"joining:returned:{application.public_id}:{application.returned_on}",
    )


def tell_order_returned(
    session: Session, order: ShareOrder, reason: str, day: date, *, is_taken_back: bool
) -> None:
    """Money for more shares is gone again, and the shares too or not: the registrars are told."""
    membership = order.membership
    _tell_registrars(
        session,
        membership.cooperative,
        name=membership.display_name,
        reason=reason,
        path=f"register/members/{membership.public_id}",
        key=f"joining:order-returned:{order.public_id}:{day}",
        is_taken_back=is_taken_back,
    )


def _tell_registrars(
    session: Session,
    cooperative: Cooperative,
    *,
    name: str,
    reason: str,
    path: str,
    key: str,
    is_taken_back: bool = False,
) -> None:
    now = clock.now()
    accounts = session.scalars(
        select(Account)
        .join(RoleGrant, RoleGrant.account_id == Account.id)
        .where(
            RoleGrant.cooperative_id == cooperative.id,
            RoleGrant.role == Role.REGISTRAR.value,
            RoleGrant.starts_at <= now,
            (RoleGrant.ends_at.is_(None)) | (RoleGrant.ends_at > now),
            Account.email.is_not(None),
            Account.disabled_at.is_(None),
        )
    )
    for account in accounts:
        queue_mail(
            session,
            cooperative_id=cooperative.id,
            to_address=account.email or "",
            to_name=account.name,
            language=account.language,
            template="join_returned",
            context={
                "cooperative": cooperative.name,
                "name": name,
                "reason": reason,
                "link": address(cooperative, path),
                "is_taken_back": is_taken_back,
            },
            dedupe_key=f"{key}:{account.public_id}",
            category=CATEGORY,
        )


def _how_to_pay(session: Session, application: Application) -> dict[str, Any]:
    """The payment instruction, or None where nothing is due or no bank account is named yet."""
    request = application.request
    if request is None or not request.is_open:
        return {"pay": None}
    if default_account(session, application.cooperative_id) is None:
        return {"pay": None}
    return {"pay": instruction_for(session, request)}


def _send(
    session: Session,
    application: Application,
    template: str,
    key: str,
    *,
    secret: bool,
    **context: Any,
) -> None:
    queue_mail(
        session,
        cooperative_id=application.cooperative_id,
        to_address=application.email,
        to_name=addressee(application),
        language=application.language,
        template=template,
        context={
            "cooperative": application.cooperative.name,
            "name": application.name,
            "is_by_transfer": application.is_by_transfer,
            "state_link": state_address(application),
            **context,
        },
        dedupe_key=key,
        category=CATEGORY,
        about=about_application(application),
        secret=secret,
    )
