"""Where somebody is signed in: one row per device, ended one by one or all at once."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session, contains_eager

from govern import clock
from govern.accounts.hooks import sign_in_traces
from govern.accounts.models import Account, AccountSession, SignInLink, SignInRequest
from govern.accounts.rules import SESSION_LIFE
from govern.accounts.tags import make_token, token_hash
from govern.database import changed_rows
from govern.mail import DeliveryState, OutboxMail

SIGN_IN_MAIL = "sign_in"
"""The category of mails that bring a link, in the outbox."""


def start_session(
    session: Session, account: Account, *, method: str = "password", device: str = ""
) -> str:
    """Sign ``account`` in on one device and return the token for its cookie.

    ``method`` is "password", "link" or "command". The token is stored nowhere else. Rows of
    sessions that are long over are removed on the way.
    """
    longest = clock.now() - SESSION_LIFE - timedelta(days=1)
    session.execute(delete(AccountSession).where(AccountSession.started_on < longest.date()))
    token = make_token()
    session.add(
        AccountSession(
            account_id=account.id,
            token_hash=token_hash(token),
            account_version=account.session_version,
            method=method,
            device=device[:60],
            started_on=clock.now().date(),
        )
    )
    session.flush()
    return token


def find_session(session: Session, token: str) -> AccountSession | None:
    """The running session of ``token``: not ended, and its account neither disabled nor
    signed out everywhere since."""
    query = (
        select(AccountSession)
        .join(AccountSession.account)
        .options(contains_eager(AccountSession.account))
        .where(
            AccountSession.token_hash == token_hash(token),
            AccountSession.account_version == Account.session_version,
            Account.disabled_at.is_(None),
        )
    )
    return session.scalar(query)


def running_sessions(session: Session, account: Account) -> list[AccountSession]:
    """The devices on which ``account`` is signed in, the latest days first."""
    query = select(AccountSession).where(
        AccountSession.account_id == account.id,
        AccountSession.account_version == account.session_version,
        AccountSession.started_on >= (clock.now() - SESSION_LIFE).date(),
    )
    return list(
        session.scalars(query.order_by(AccountSession.started_on.desc(), AccountSession.public_id))
    )


def end_session(session: Session, account: Account, public_id: str) -> bool:
    """Sign ``account`` out on one device; False if it had no such session."""
    ended = session.execute(
        delete(AccountSession).where(
            AccountSession.account_id == account.id, AccountSession.public_id == public_id
        )
    )
    return changed_rows(ended) > 0


def end_session_by_token(session: Session, token: str) -> None:
    """Sign out on the device that holds ``token``; doing it twice is no error."""
    session.execute(delete(AccountSession).where(AccountSession.token_hash == token_hash(token)))


def end_all_sessions(session: Session, account: Account) -> None:
    """Sign ``account`` out everywhere: no cookie made until now counts any more."""
    account.session_version += 1
    session.execute(delete(AccountSession).where(AccountSession.account_id == account.id))
    session.flush()


def forget_sign_in_order(session: Session) -> None:
    """Remove what still tells in which order people signed in; called when an election closes.

    Links and requests that are over go, and the traces of mails that brought a link. On
    PostgreSQL the rows of ``account`` and ``account_session`` are rewritten in one statement and
    laid down in the order of their random keys, since ``xmin`` and ``ctid`` would otherwise keep
    the order in which they were written.
    SQLite stores both by their random key already. Features above add their own rows.
    To be called by a job, in a transaction of its own.
    """
    now = clock.now()
    session.execute(delete(SignInLink).where(SignInLink.expires_at <= now))
    session.execute(
        delete(SignInRequest).where(SignInRequest.requested_at <= now - timedelta(hours=1))
    )
    session.execute(
        delete(OutboxMail).where(
            OutboxMail.category == SIGN_IN_MAIL, OutboxMail.state == DeliveryState.SENT.value
        )
    )
    if session.get_bind().dialect.name == "postgresql":
        # Everybody reads these tables and may then wait for something else: take them whole and
        # at once, in a transaction that holds nothing that others wait for.
        session.execute(text("LOCK TABLE account, account_session IN ACCESS EXCLUSIVE MODE"))
        session.execute(update(Account).values(name=Account.name))
        session.execute(update(AccountSession).values(device=AccountSession.device))
        session.execute(text("CLUSTER account USING pk_account"))
        session.execute(text("CLUSTER account_session USING pk_account_session"))
    for rewrite in sign_in_traces:
        rewrite(session)
