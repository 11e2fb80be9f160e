"""Signing in with a password.

Three steps, so that no transaction is open while Argon2 works and so that a crash, or many tries
at once, never forget a try: ``begin_attempt`` counts it and reads whom the identifier may mean
(commit), ``Attempt.matching`` compares (no database), ``complete_sign_in`` signs in (commit).
Each attempt makes the same number of comparisons, whoever is meant, if anybody.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from flask_babel import gettext as _
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import NOBODY, Role
from govern.accounts.hooks import account_openers, closed_accounts, identifier_resolvers
from govern.accounts.models import Account, SignInThrottle
from govern.accounts.passwords import hash_password, needs_rehash, verify_password
from govern.accounts.rules import (
    PASSWORD_WINDOWS,
    SignInCandidate,
    Window,
    fold_identifier,
    looks_like_email,
)
from govern.accounts.services.roles import actor_for
from govern.accounts.services.sessions import start_session
from govern.accounts.tags import keyed_tag
from govern.errors import Forbidden, NotFound, TooManyRequests

COMPARISONS = 4
"""How many hashes each attempt computes. A member number may exist in several cooperatives and an
address may be shared; beyond four only those who typed a very common number would take longer."""


def candidates_for(
    session: Session, identifier: str, *, with_explained: bool = False
) -> list[SignInCandidate]:
    """Everybody whom ``identifier`` may mean: accounts by address, and what features know.

    Accounts that are closed are left out; ``with_explained`` keeps those of which a feature can
    say why (``explain_closed``).
    """
    folded = fold_identifier(identifier)
    if not folded:
        return []
    found = [candidate for fn in identifier_resolvers for candidate in fn(session, folded)]
    if looks_like_email(folded):
        known = {candidate.account_id for candidate in found}
        query = select(Account).where(Account.email_key == folded)
        found += [
            SignInCandidate(account.id, None, account.name, email=account.email)
            for account in session.scalars(query)
            if account.id not in known
        ]
    numbers = {c.account_id for c in found if c.account_id is not None}
    accounts = {
        account.id: account
        for account in session.scalars(select(Account).where(Account.id.in_(numbers)))
    }
    return [
        _with_address(candidate, accounts.get(candidate.account_id or 0))
        for candidate in found
        if candidate.account_id is None
        or _is_open(accounts.get(candidate.account_id))
        or (with_explained and explain_closed(session, candidate.account_id))
    ]


def explain_closed(session: Session, account_id: int) -> str:
    """Why a closed account takes no sign-in, "" where there is nothing to tell."""
    return next((words for tell in closed_accounts if (words := tell(session, account_id))), "")


def _is_open(account: Account | None) -> bool:
    return account is not None and account.disabled_at is None


def _with_address(candidate: SignInCandidate, account: Account | None) -> SignInCandidate:
    """Where the register has no address, that of the account serves."""
    if candidate.email or account is None:
        return candidate
    return replace(candidate, email=account.email)


@dataclass(frozen=True)
class Attempt:
    """One try of a password: the accounts that may be meant, with their hashes."""

    identifier: str
    accounts: tuple[tuple[int, str | None], ...]

    def matching(self, password: str) -> tuple[int, ...]:
        """The accounts that ``password`` opens. No database, about 80 ms whatever the answer."""
        hashes: list[tuple[int | None, str | None]] = list(self.accounts)
        hashes += [(None, None)] * (COMPARISONS - len(hashes))
        opened = [
            number for number, stored in hashes if verify_password(stored, password) and number
        ]
        return tuple(opened)


def begin_attempt(session: Session, identifier: str) -> Attempt:
    """Count a try for ``identifier`` and read whom it may mean. The caller commits at once.

    Raises TooManyRequests, the same for identifiers that nobody goes by.
    """
    folded = fold_identifier(identifier)
    tag = keyed_tag("password attempts", folded)
    candidates = candidates_for(session, folded, with_explained=True)
    numbers = sorted({c.account_id for c in candidates if c.account_id is not None})
    # In the order of the numbers, so that of two concurrent tries none waits for the other's lock.
    for window in PASSWORD_WINDOWS:
        attempts = _count(session, tag, window)
        if attempts > window.limit:
            raise TooManyRequests(
                _("Too many wrong passwords were tried for this number or address."),
                remedy=_("Ask for a sign-in link by mail instead, or try again later."),
            )
        if attempts == window.limit:
            audit.record(
                session,
                NOBODY,
                "accounts:sign_in:throttled",
                cooperative_id=None,
                data={"accounts": numbers, "window": window.name, "attempts": attempts},
            )
    found = session.execute(
        select(Account.id, Account.password_hash).where(Account.id.in_(numbers))
    )
    hashes = {row.id: row.password_hash for row in found}
    return Attempt(folded, tuple((number, hashes.get(number)) for number in numbers))


def _count(session: Session, tag: str, window: Window) -> int:
    """Add one try in ``window`` and return how many there are; a window that is over restarts.

    One statement, so that tries at the same moment are all counted.
    """
    now = clock.now()
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(
        delete(SignInThrottle).where(
            SignInThrottle.identifier_tag == tag,
            SignInThrottle.window_name == window.name,
            SignInThrottle.started_at <= now - window.length,
        )
    )
    statement = insert(SignInThrottle).values(
        identifier_tag=tag, window_name=window.name, attempts=1, started_at=now
    )
    counted = session.execute(
        statement.on_conflict_do_update(
            index_elements=["identifier_tag", "window_name"],
            set_={"attempts": SignInThrottle.attempts + 1},
        ).returning(SignInThrottle.attempts)
    )
    return int(counted.scalar_one())


def forgive_attempts(session: Session, attempt: Attempt, opened: Collection[int]) -> None:
    """Forget the wrong tries for the identifier: the right person has signed in.

    Where it may also mean somebody with another password (one address, or one number in two
    cooperatives), only this try is forgotten: else whoever is one of them could guess the
    other's password without end.
    """
    tag = keyed_tag("password attempts", attempt.identifier)
    mine = SignInThrottle.identifier_tag == tag
    if any(stored and number not in opened for number, stored in attempt.accounts):
        session.execute(
            update(SignInThrottle).where(mine).values(attempts=SignInThrottle.attempts - 1)
        )
        mine = mine & (SignInThrottle.attempts <= 0)
    session.execute(delete(SignInThrottle).where(mine))


def tidy_attempts(session: Session) -> None:
    """Remove counters whose window is over, whoever's they were."""
    for window in PASSWORD_WINDOWS:
        session.execute(
            delete(SignInThrottle).where(
                SignInThrottle.window_name == window.name,
                SignInThrottle.started_at <= clock.now() - window.length,
            )
        )


def refresh_hash(session: Session, account: Account, password: str) -> None:
    """Hash ``password`` (just found right) again if the parameters have changed since."""
    if account.password_hash is not None and needs_rehash(account.password_hash):
        account.password_hash = hash_password(password)


def open_account(session: Session, key: str) -> Account:
    """The account of a chosen person (``account:12``), opened if it is the first time
    (``person:34``). NotFound if there is no such person any more."""
    kind, _colon, number = key.partition(":")
    if number.isdecimal():
        if kind == "account":
            account = session.get(Account, int(number))
            if account is not None:
                return account
        for opener in account_openers if kind == "person" else ():
            opened = opener(session, int(number))
            if opened is not None:
                return opened
    raise NotFound(_("This person cannot sign in any more."), remedy=_("Start again."))


def complete_sign_in(
    session: Session, account: Account, *, method: str = "password", device: str = ""
) -> str:
    """Sign ``account`` in and return the token for its cookie; Forbidden if it is closed.

    Whoever holds an office in a cooperative leaves an audit entry. A member does not: the order
    in which members sign in would help to guess who cast which ballot.
    """
    if account.disabled_at is not None:
        raise Forbidden(
            _("This account is closed."), remedy=_("Write to your cooperative if that is wrong.")
        )
    tidy_attempts(session)
    token = start_session(session, account, method=method, device=device)
    actor = actor_for(session, account)
    if any(held - {Role.MEMBER} for held in actor.roles.values()):
        audit.record(
            session,
            actor,
            "accounts:sign_in:done",
            cooperative_id=None,
            subject=account.public_id,
            data={"method": method},
        )
    return token
