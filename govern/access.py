"""Who may do what: the one table of roles and permissions, and the declaration on each route.

Every view declares exactly one of ``@public``, ``@signed_in`` or ``@requires(Permission.…)``;
an application with an undeclared route refuses to start. Services check the same permissions
again through ``Actor.require``, so that a command or a job cannot walk around the edge.
Roles are held per cooperative. What a member may do with their *own* data is not in this table:
it follows from being the person concerned and is checked by the service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from flask_babel import gettext as _

from govern.errors import Forbidden, SignInRequired

View = TypeVar("View", bound=Callable[..., Any])


class Role(StrEnum):
    """Roles, held per cooperative (a dated grant each)."""

    MEMBER = "member"
    REGISTRAR = "registrar"
    TREASURER = "treasurer"
    SECRETARY = "secretary"
    RETURNING_OFFICER = "returning_officer"
    TRUSTEE = "trustee"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """One word for each thing that a role may allow: ``feature.action``."""

    # accounts and the house
    ROLES_MANAGE = "roles.manage"
    AUDIT_READ = "audit.read"
    OUTBOX_READ = "outbox.read"
    OUTBOX_RESEND = "outbox.resend"
    # cooperatives
    RULES_MANAGE = "rules.manage"
    # register
    REGISTER_READ = "register.read"
    REGISTER_WRITE = "register.write"
    REGISTER_IMPORT = "register.import"
    BOOK_READ = "book.read"
    API_MANAGE = "api.manage"
    # payments
    PAYMENTS_READ = "payments.read"
    PAYMENTS_WRITE = "payments.write"
    PAYMENTS_RELEASE = "payments.release"
    BANK_ACCOUNTS_MANAGE = "payments.accounts"
    # rolls and assemblies
    ASSEMBLY_READ = "assembly.read"
    ASSEMBLY_EDIT = "assembly.edit"
    NOTICE_SEND = "notice.send"
    ROLL_TAKE = "roll.take"
    ROLL_READ = "roll.read"
    ROLL_CORRECT = "roll.correct"
    # elections
    ELECTION_MANAGE = "election.manage"
    ELECTION_READ = "election.read"
    CREDENTIALS_MANAGE = "credentials.manage"
    TRUSTEE_ACT = "trustee.act"


_ALL_READING = {
    Permission.ASSEMBLY_READ,
    Permission.ELECTION_READ,
}

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.MEMBER: frozenset({Permission.ASSEMBLY_READ, Permission.BOOK_READ}),
    Role.REGISTRAR: frozenset(
        _ALL_READING
        | {
            Permission.REGISTER_READ,
            Permission.REGISTER_WRITE,
            Permission.REGISTER_IMPORT,
            Permission.BOOK_READ,
            Permission.PAYMENTS_READ,
            Permission.ROLL_READ,
            Permission.ROLL_CORRECT,
        }
    ),
    Role.TREASURER: frozenset(
        _ALL_READING
        | {
            Permission.REGISTER_READ,
            Permission.PAYMENTS_READ,
            Permission.PAYMENTS_WRITE,
            Permission.PAYMENTS_RELEASE,
            Permission.BANK_ACCOUNTS_MANAGE,
        }
    ),
    Role.SECRETARY: frozenset(
        _ALL_READING
        | {
            Permission.ASSEMBLY_EDIT,
            Permission.NOTICE_SEND,
            Permission.ROLL_TAKE,
            Permission.ROLL_READ,
            Permission.OUTBOX_READ,
            Permission.OUTBOX_RESEND,
        }
    ),
    Role.RETURNING_OFFICER: frozenset(
        _ALL_READING
        | {
            Permission.ELECTION_MANAGE,
            Permission.CREDENTIALS_MANAGE,
            Permission.ROLL_READ,
            Permission.OUTBOX_READ,
            Permission.OUTBOX_RESEND,
        }
    ),
    Role.TRUSTEE: frozenset(_ALL_READING | {Permission.TRUSTEE_ACT}),
    Role.AUDITOR: frozenset(
        _ALL_READING | {Permission.AUDIT_READ, Permission.ROLL_READ, Permission.REGISTER_READ}
    ),
    Role.ADMINISTRATOR: frozenset(
        _ALL_READING
        | {
            Permission.ROLES_MANAGE,
            Permission.RULES_MANAGE,
            Permission.API_MANAGE,
            Permission.AUDIT_READ,
            Permission.OUTBOX_READ,
            Permission.BANK_ACCOUNTS_MANAGE,
        }
    ),
}


@dataclass(frozen=True)
class Actor:
    """Who asks: an account and the roles it holds now, per cooperative id.

    The system itself (a job, the command line) acts as ``SYSTEM``.
    """

    account_id: int | None
    name: str = ""
    roles: Mapping[int, frozenset[Role]] = field(default_factory=dict)
    is_system: bool = False

    def may(self, permission: Permission, cooperative_id: int) -> bool:
        """Whether one of the actor's roles in that cooperative allows ``permission``."""
        if self.is_system:
            return True
        held = self.roles.get(cooperative_id, frozenset())
        return any(permission in ROLE_PERMISSIONS[role] for role in held)

    def require(self, permission: Permission, cooperative_id: int) -> None:
        """Raise SignInRequired or Forbidden unless the actor ``may``."""
        if self.may(permission, cooperative_id):
            return
        if self.account_id is None:
            raise SignInRequired(_("You are not signed in."), remedy=_("Sign in and try again."))
        raise Forbidden(
            _("Your role in this cooperative does not allow this."),
            remedy=_("Ask an administrator of the cooperative for the role that does."),
        )


SYSTEM = Actor(account_id=None, name="system", is_system=True)
NOBODY = Actor(account_id=None, name="")


@dataclass(frozen=True)
class Access:
    """What a route declares. ``scope`` finds the cooperative's id where the URL has no code."""

    level: str
    permission: Permission | None = None
    scope: Callable[[dict[str, Any]], int] | None = None


def _declare(view: View, access: Access) -> View:
    view.__govern_access__ = access  # type: ignore[attr-defined]
    return view


def public(view: View) -> View:
    """Anyone may open this route, signed in or not."""
    return _declare(view, Access("public"))


def signed_in(view: View) -> View:
    """Anyone with an account; the service decides about the person's own things."""
    return _declare(view, Access("signed_in"))


def requires(
    permission: Permission, *, scope: Callable[[dict[str, Any]], int] | None = None
) -> Callable[[View], View]:
    """Only who holds ``permission`` in the cooperative of the URL (or of ``scope(view_args)``)."""

    def decorate(view: View) -> View:
        return _declare(view, Access("permission", permission, scope))

    return decorate


def reads_first(view: View) -> View:
    """A POST that reads and thinks before it writes: it takes no write lock until it calls
    ``database.begin_writing``. Stands above the access declaration."""
    view.__govern_reads_first__ = True  # type: ignore[attr-defined]
    return view


def does_read_first(view: Callable[..., Any]) -> bool:
    """Whether ``view`` declared ``@reads_first``."""
    return bool(getattr(view, "__govern_reads_first__", False))


def declared_access(view: Callable[..., Any]) -> Access | None:
    """What ``view`` declared, or None."""
    return getattr(view, "__govern_access__", None)
