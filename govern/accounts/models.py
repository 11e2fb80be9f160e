"""Accounts, the roles that they hold, and the short-lived rows of signing in.

The rows of signing in tell as little as they can. The order in which people sign in on the day of
a vote is close to the order in which their ballots arrive, so no row that outlives the sign-in
holds a time finer than a day or an ascending number. Members often open their account on that very
day, so an account's number is random too.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.access import Role
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.database import UtcDateTime, make_public_id
from govern.extensions import db

GRANTED_ROLES = tuple(role for role in Role if role is not Role.MEMBER)
"""Roles that are given by a person; membership follows from the register instead."""


AccountNumber = BigInteger().with_variant(Integer, "sqlite")


def make_account_number() -> int:
    """A random number of 53 bits (what JSON readers can hold), never 0."""
    return secrets.randbelow(2**53 - 1) + 1


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class Account(db.Model):  # type: ignore[name-defined]
    """One person who can sign in.

    ``email_key`` is the address folded for comparison; two accounts may share one address.
    ``session_version`` rises when the person signs out everywhere.
    """

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint(_one_of("language", LOCALES), name="language_known"),
        CheckConstraint("(email IS NULL) = (email_key IS NULL)", name="email_has_key"),
    )

    id: Mapped[int] = mapped_column(
        AccountNumber, primary_key=True, autoincrement=False, default=make_account_number
    )
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254), index=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    language: Mapped[str] = mapped_column(String(2))
    session_version: Mapped[int] = mapped_column(Integer, default=1)
    created_on: Mapped[date]
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    grants: Mapped[list[RoleGrant]] = relationship(
        back_populates="account", foreign_keys="RoleGrant.account_id", order_by="RoleGrant.id"
    )


class RoleGrant(db.Model):  # type: ignore[name-defined]
    """One role of one account in one cooperative, from ``starts_at`` until ``ends_at``.

    ``granted_by_id`` and ``ended_by_id`` are None where the command line did it.
    """

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint(_one_of("role", GRANTED_ROLES), name="role_known"),
        CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name="ends_after_start"),
        Index(
            "uq_role_grant_open",
            "account_id",
            "cooperative_id",
            "role",
            unique=True,
            sqlite_where=text("ends_at IS NULL"),
            postgresql_where=text("ends_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))

    account: Mapped[Account] = relationship(back_populates="grants", foreign_keys=[account_id])
    cooperative: Mapped[Cooperative] = relationship()
    granted_by: Mapped[Account | None] = relationship(foreign_keys=[granted_by_id])


class AccountSession(db.Model):  # type: ignore[name-defined]
    """One device on which somebody is signed in. The cookie holds the token, the row its hash.

    ``public_id`` is random and the table has no row number: the rows are in no order.
    The exact hour is in the signed cookie only; ``started_on`` serves to clean up.
    """

    __tablename__ = "account_session"
    __table_args__ = ({"sqlite_with_rowid": False, "info": {"backup": False}},)

    public_id: Mapped[str] = mapped_column(String(22), primary_key=True, default=make_public_id)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_version: Mapped[int] = mapped_column(Integer)
    method: Mapped[str] = mapped_column(String(10))
    device: Mapped[str] = mapped_column(String(60))
    started_on: Mapped[date] = mapped_column(index=True)

    account: Mapped[Account] = relationship()


class SignInRequest(db.Model):  # type: ignore[name-defined]
    """Somebody asked for a link by mail. A job answers it and deletes the row.

    The web request does the same work whether anybody goes by ``identifier`` or not.
    """

    __tablename__ = "sign_in_request"
    __table_args__ = ({"info": {"backup": False}},)

    id: Mapped[int] = mapped_column(primary_key=True)
    identifier: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(2))
    next_path: Mapped[str] = mapped_column(String(500), default="")
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class SignInLink(db.Model):  # type: ignore[name-defined]
    """A link that was sent to one address. Used, it is deleted: that makes it single-use.

    ``identifier`` is what was typed; ``candidates`` are the people whom it may sign in
    (``account:12`` or ``person:34``), as far as the identifier still means them.
    ``address_tag`` is a keyed hash of the address, to space the mails to one address.
    """

    __tablename__ = "sign_in_link"
    __table_args__ = ({"sqlite_with_rowid": False, "info": {"backup": False}},)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    address_tag: Mapped[str] = mapped_column(String(64), index=True)
    identifier: Mapped[str] = mapped_column(String(254))
    candidates: Mapped[list[Any]] = mapped_column(JSON)
    next_path: Mapped[str] = mapped_column(String(500), default="")
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class SignInThrottle(db.Model):  # type: ignore[name-defined]
    """How often a password was tried for one identifier in one window; deleted on success.

    ``identifier_tag`` is a keyed hash, the same kind of row whether anybody goes by it or not.
    """

    __tablename__ = "sign_in_throttle"
    __table_args__ = (
        CheckConstraint("window_name IN ('short', 'long')", name="window_known"),
        {"sqlite_with_rowid": False, "info": {"backup": False}},
    )

    identifier_tag: Mapped[str] = mapped_column(String(64), primary_key=True)
    window_name: Mapped[str] = mapped_column(String(5), primary_key=True)
    attempts: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
