"""Changing the address of an account: only after a mail to the new address was answered.

For people who are not in a register (auditors, trustees, staff). A member's address is the
register's, since statutory notices go there. The link is signed rather than stored; it names the
address that it replaces, so that it works once.
"""

from __future__ import annotations

from datetime import UTC, datetime

import flask
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor
from govern.accounts.hooks import membership_sources
from govern.accounts.models import Account
from govern.accounts.rules import LINK_LIFE, fold_email
from govern.accounts.services.accounts import check_email, put_email
from govern.accounts.tags import token_hash
from govern.errors import InvalidInput, NotFound, RuleViolation
from govern.mail import queue_mail


def is_kept_by_register(session: Session, account: Account) -> bool:
    """Whether the address of this person is changed in a register rather than here."""
    return any(source(session, account.id) for source in membership_sources)


def request_email(session: Session, account: Account, email: str) -> None:
    """Mail a link to ``email``; opening it makes it the account's address.

    The caller has checked the password or a fresh link. Raises InvalidInput for no address or the
    present one, RuleViolation where a register keeps it.
    """
    _refuse_members(session, account)
    address = check_email(email)
    if fold_email(address) == account.email_key:
        raise InvalidInput(
            _("This is your address already."), remedy=_("Type another one."), field="email"
        )
    token = _serializer().dumps(
        {
            "account": account.public_id,
            "from": account.email_key or "",
            "to": address,
            "made": int(clock.now().timestamp()),
        }
    )
    public_url = flask.current_app.config["GOVERN"].public_url
    queue_mail(
        session,
        cooperative_id=None,
        to_address=address,
        to_name=account.name,
        language=account.language,
        template="confirm_address",
        context={
            "link": f"{public_url}/profile/email/{token}",
            "minutes": int(LINK_LIFE.total_seconds() // 60),
        },
        dedupe_key=f"confirm-address:{token_hash(token)[:40]}",
        category="account",
        secret=True,
    )


def read_email_link(account: Account, token: str) -> str:
    """The address that the link of ``token`` would give ``account``; NotFound if it is over."""
    over = NotFound(
        _("This link has been used or is too old."), remedy=_("Ask for a new one in your account.")
    )
    try:
        said = _serializer().loads(token)
        made = datetime.fromtimestamp(said["made"], UTC)
    except (BadSignature, KeyError, TypeError, ValueError) as error:
        raise over from error
    is_current = said["account"] == account.public_id and said["from"] == (account.email_key or "")
    if not is_current or clock.now() - made >= LINK_LIFE:
        raise over
    return str(said["to"])


def change_email(session: Session, actor: Actor, account: Account, token: str) -> None:
    """Use the link: the account has the new address; the old one is told."""
    address = read_email_link(account, token)
    _refuse_members(session, account)
    previous = account.email
    put_email(account, address)
    session.flush()
    if previous is not None:
        queue_mail(
            session,
            cooperative_id=None,
            to_address=previous,
            to_name=account.name,
            language=account.language,
            template="address_changed",
            context={},
            dedupe_key=f"address-changed:{token_hash(token)[:40]}",
            category="account",
        )
    audit.record(
        session, actor, "accounts:email:changed", cooperative_id=None, subject=account.public_id
    )


def _refuse_members(session: Session, account: Account) -> None:
    if is_kept_by_register(session, account):
        raise RuleViolation(
            _("The address of a member is kept in the register."),
            remedy=_("Write to your cooperative if it is wrong."),
            field="email",
        )


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(
        flask.current_app.config["GOVERN"].secret_key, salt="govern accounts address"
    )
