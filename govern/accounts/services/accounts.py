"""Accounts come into being, change, and are closed."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor
from govern.accounts.hooks import membership_sources
from govern.accounts.models import Account
from govern.accounts.passwords import hash_password
from govern.accounts.rules import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    PasswordWeakness,
    find_weakness,
    fold_email,
)
from govern.accounts.services.sessions import end_all_sessions
from govern.config import LOCALES
from govern.errors import Forbidden, InvalidInput, NotFound


def create_account(
    session: Session,
    *,
    name: str,
    email: str | None,
    language: str,
    password: str | None = None,
) -> Account:
    """Open an account for one person and return it (flushed).

    Without a password the person signs in by a link sent to ``email``. Two accounts may share an
    address. Writes no audit entry: members open their account by signing in (``models``); whoever
    opens one for somebody else records that. Raises InvalidInput naming the field.
    """
    if not name.strip():
        raise InvalidInput(_("The name is missing."), remedy=_("Give a name."), field="name")
    account = Account(
        name=name.strip()[:200],
        language=check_language(language),
        created_on=clock.now().date(),
        session_version=1,
    )
    put_email(account, email)
    if password is not None:
        refuse_weak_password(password, (account.name, account.email or ""))
        account.password_hash = hash_password(password)
    session.add(account)
    session.flush()
    return account


def read_account(session: Session, account_id: int) -> Account:
    """The account with that number; NotFound otherwise."""
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound(_("There is no such account."), remedy=_("Sign in again."))
    return account


def accounts_by_email(session: Session, email: str) -> list[Account]:
    """The open accounts with that address (an address may be shared)."""
    query = select(Account).where(
        Account.email_key == fold_email(email), Account.disabled_at.is_(None)
    )
    return list(session.scalars(query.order_by(Account.name, Account.id)))


def contact_address(session: Session, account: Account) -> str | None:
    """Where mails about the account go: its own address, else that of a membership, else None."""
    if account.email is not None:
        return account.email
    lines = (line for source in membership_sources for line in source(session, account.id))
    return next((line.email for line in lines if line.email), None)


def put_email(account: Account, email: str | None) -> None:
    """Write ``email`` (None: no address) and its key; InvalidInput if it is not an address."""
    if email is None or not email.strip():
        account.email = account.email_key = None
        return
    account.email = check_email(email)
    account.email_key = fold_email(account.email)


def check_email(email: str) -> str:
    """``email`` as it is stored; InvalidInput if it is no address. Nothing is asked of the net."""
    try:
        checked = validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise InvalidInput(
            _("“%(address)s” is not an e-mail address.", address=email.strip()[:254]),
            remedy=_("Check the part before and after the @."),
            field="email",
        ) from error
    return str(checked.normalized)


def check_language(language: str) -> str:
    """``language`` if the application speaks it; InvalidInput otherwise."""
    if language not in LOCALES:
        raise InvalidInput(
            _("“%(language)s” is not a language of this application.", language=language[:20]),
            remedy=_("Use one or more of: %(known)s.", known=", ".join(LOCALES)),
            field="language",
        )
    return language


def change_language(session: Session, account: Account, language: str) -> None:
    """Let pages and mails speak ``language`` to this person."""
    account.language = check_language(language)
    session.flush()


def refuse_weak_password(password: str, personal: tuple[str, ...]) -> None:
    """Raise InvalidInput, with what to do, if the password could be guessed."""
    weakness = find_weakness(password, personal)
    if weakness is None:
        return
    explained = {
        PasswordWeakness.TOO_SHORT: (
            _("The password is shorter than %(length)s characters.", length=MIN_PASSWORD),
            _("Use a few words that do not belong together."),
        ),
        PasswordWeakness.TOO_LONG: (
            _("The password is longer than %(length)s characters.", length=MAX_PASSWORD),
            _("Use a shorter one."),
        ),
        PasswordWeakness.COMMON: (
            _("This password is among the first that are tried."),
            _("Use a few words that do not belong together."),
        ),
        PasswordWeakness.PREDICTABLE: (
            _("This password repeats itself or follows the keys."),
            _("Use a few words that do not belong together."),
        ),
        PasswordWeakness.PERSONAL: (
            _("This password is made of your name, your address or the cooperative's name."),
            _("Use a few words that do not belong together."),
        ),
    }
    message, remedy = explained[weakness]
    raise InvalidInput(message, remedy=remedy, field="password")


def set_password(session: Session, actor: Actor, account: Account, password: str) -> None:
    """Give the person's own account another password, and sign it out everywhere.

    The caller has checked the old password or a fresh link. Raises InvalidInput when it is weak.
    """
    if actor.account_id != account.id and not actor.is_system:
        raise Forbidden(_("A password is set by the person themself."))
    refuse_weak_password(password, (account.name, account.email or ""))
    account.password_hash = hash_password(password)
    end_all_sessions(session, account)
    audit.record(
        session, actor, "accounts:password:changed", cooperative_id=None, subject=account.public_id
    )


def disable_account(session: Session, actor: Actor, account: Account) -> None:
    """Refuse this account from now on, everywhere. Only the system (command line) may."""
    if not actor.is_system:
        raise Forbidden(_("An account is closed by whoever runs the server."))
    if account.disabled_at is not None:
        return
    account.disabled_at = clock.now()
    end_all_sessions(session, account)
    audit.record(
        session, actor, "accounts:account:disabled", cooperative_id=None, subject=account.public_id
    )
