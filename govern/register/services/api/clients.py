"""Programs that read the register: a token each, shown once, kept as a hash, ended at any time."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import SYSTEM, Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import GovernError, InvalidInput, NotFound
from govern.register.models.api import ApiClient, ApiScope, ApiUse
from govern.register.rules.values import tidy

API_PREFIX = "govern_"
MAX_LIFE = timedelta(days=731)
_TOKEN = re.compile(rf"{API_PREFIX}[A-Za-z0-9_-]{{43}}")


class InvalidToken(GovernError):
    """No token, or one that is not (or no longer) good. Which of them is not said."""

    status = 401


@dataclass(frozen=True)
class IssuedClient:
    """A new program and its token: the only time that the token is there to be read."""

    client: ApiClient
    token: str


def create_client(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    name: str,
    scopes: Iterable[str],
    expires_on: date,
) -> IssuedClient:
    """Let a program read the register of the cooperative until ``expires_on`` (exclusive).

    Raises InvalidInput for a missing name, no or an unknown scope, ``contact:read`` without
    ``members:read``, or a day that has come or lies over two years ahead.
    """
    actor.require(Permission.API_MANAGE, cooperative.id)
    name = tidy(name)
    if not 2 <= len(name) <= 120:
        raise InvalidInput(
            _("The program needs a name of 2 to 120 characters."),
            remedy=_("Write what it is, and who runs it."),
            field="name",
        )
    wanted = _checked_scopes(scopes)
    today = clock.today(cooperative.time_zone)
    if not today < expires_on <= today + MAX_LIFE:
        raise InvalidInput(
            _("A token is good until a day between tomorrow and two years from now."),
            remedy=_("Choose such a day; a new token can be made before it ends."),
            field="expires_on",
        )
    token = API_PREFIX + secrets.token_urlsafe(32)
    client = ApiClient(
        cooperative_id=cooperative.id,
        name=name,
        token_hash=hash_token(token),
        hint=token[-4:],
        scopes=" ".join(wanted),
        created_at=clock.now(),
        created_by_id=actor.account_id,
        expires_on=expires_on,
    )
    session.add(client)
    session.flush()
    _record(session, actor, client, "created", {"scopes": wanted, "until": expires_on.isoformat()})
    return IssuedClient(client, token)


def _checked_scopes(scopes: Iterable[str]) -> list[str]:
    given = set(scopes)
    unknown = given - set(ApiScope)
    if unknown or not given:
        raise InvalidInput(
            _("Say what the program may read."),
            remedy=_("Choose among: %(known)s.", known=", ".join(ApiScope)),
            field="scopes",
        )
    if ApiScope.CONTACT in given and ApiScope.MEMBERS not in given:
        raise InvalidInput(
            _("Addresses are part of the members: a program cannot read them alone."),
            remedy=_("Let it read the members too."),
            field="scopes",
        )
    return [scope.value for scope in ApiScope if scope in given]


def hash_token(token: str) -> str:
    """What is kept of a token. It has 256 random bits: nothing slower is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def client_of_token(session: Session, token: str) -> ApiClient:
    """The program that a token belongs to. InvalidToken when it is unknown, ended or revoked."""
    client = None
    if _TOKEN.fullmatch(token):
        client = session.scalar(select(ApiClient).where(ApiClient.token_hash == hash_token(token)))
    if client is not None and client.revoked_at is None:
        cooperative = session.get_one(Cooperative, client.cooperative_id)
        if clock.today(cooperative.time_zone) < client.expires_on:
            return client
    raise InvalidToken(
        _("The token is missing, unknown, or no longer good."),
        remedy=_("Send a token that is in force as: Authorization: Bearer …"),
    )


def note_use(session: Session, client: ApiClient, resource: str, day: date) -> bool:
    """Note that the program read ``resource`` on ``day``; whether this was the first time.

    Of two requests at once one writes and the other finds it written.
    """
    where = (
        ApiUse.client_id == client.id,
        ApiUse.used_on == day,
        ApiUse.resource == resource,
    )
    # The row of the program is locked: its requests take turns here, once a day.
    session.refresh(client, with_for_update=True)
    if session.scalar(select(ApiUse.id).where(*where)) is not None:
        return False
    session.add(ApiUse(client_id=client.id, used_on=day, resource=resource))
    client.last_used_on = day
    session.flush()
    _record(session, SYSTEM, client, "used", {"day": day.isoformat(), "resource": resource})
    return True


def was_used(session: Session, client: ApiClient, resource: str, day: date) -> bool:
    """Whether the use of that day is noted already."""
    return (
        session.scalar(
            select(ApiUse.id).where(
                ApiUse.client_id == client.id,
                ApiUse.used_on == day,
                ApiUse.resource == resource,
            )
        )
        is not None
    )


def revoke_client(session: Session, actor: Actor, client: ApiClient) -> ApiClient:
    """End the token at once. Revoking twice changes nothing."""
    actor.require(Permission.API_MANAGE, client.cooperative_id)
    session.refresh(client, with_for_update=True)
    if client.revoked_at is None:
        client.revoked_at = clock.now()
        client.revoked_by_id = actor.account_id
        session.flush()
        _record(session, actor, client, "revoked", {})
    return client


def clients_of(session: Session, cooperative: Cooperative) -> list[ApiClient]:
    """The programs of the cooperative, newest first."""
    return list(
        session.scalars(
            select(ApiClient)
            .where(ApiClient.cooperative_id == cooperative.id)
            .order_by(ApiClient.id.desc())
        )
    )


def client_by_public_id(session: Session, cooperative: Cooperative, public_id: str) -> ApiClient:
    """The program of that cooperative; NotFound otherwise."""
    found = session.scalar(
        select(ApiClient).where(
            ApiClient.public_id == public_id, ApiClient.cooperative_id == cooperative.id
        )
    )
    if found is None:
        raise NotFound(
            _("There is no such program here."), remedy=_("Choose one from the list of programs.")
        )
    return found


def uses_of(session: Session, client: ApiClient, days: int = 30) -> list[ApiUse]:
    """The newest days on which the program read something, at most ``days`` lines."""
    return list(
        session.scalars(
            select(ApiUse)
            .where(ApiUse.client_id == client.id)
            .order_by(ApiUse.used_on.desc(), ApiUse.resource)
            .limit(days)
        )
    )


def _record(
    session: Session, actor: Actor, client: ApiClient, action: str, data: dict[str, object]
) -> None:
    audit.record(
        session,
        actor,
        f"register:program:{action}",
        cooperative_id=client.cooperative_id,
        subject=f"program:{client.public_id}",
        data=data,
    )
