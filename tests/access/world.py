"""Two cooperatives with the same things in each, and one account in every role of each.

``build_side`` calls the builders in order; a feature has its own module ``world_<feature>.py``
that appends to ``BUILDERS`` and is imported by ``examples.py``. What a builder makes it leaves on
the side (``side.roll = …``) as plain values: the rows belong to a session that is gone when the
requests come.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.models import GRANTED_ROLES
from govern.accounts.services import create_account, grant_role, open_grants
from tests.conftest import SettableClock, new_cooperative

NOW = datetime(2018, 6, 1, 12, 0, tzinfo=UTC)
SPRING = datetime(2018, 4, 2, 9, 0, tzinfo=UTC)
EMAIL = "{role}@{code}.example.org"


class Side(SimpleNamespace):
    """One cooperative: ``code``, ``cooperative_id``, ``accounts`` (account id by role, and
    ``None`` for somebody without a role), and whatever the builders add.

    In an example also ``caller`` (the account id of who asks, None for a stranger) and
    ``session`` (to make something for this one request; it is committed for you).
    """

    code: str
    cooperative_id: int
    accounts: dict[Role | None, int]
    caller: int | None
    session: Session
    clock: SettableClock


def make_cooperative(session: Session, side: Side) -> None:
    made = new_cooperative(side.code, side.code.title())
    session.add(made)
    session.flush()
    side.cooperative_id = made.id


def make_accounts(session: Session, side: Side) -> None:
    """One account per role, since spring. The member's own role follows from the register."""
    side.clock.set(SPRING)
    for role in (None, Role.MEMBER, *GRANTED_ROLES):
        name = role.value if role else "nobody"
        account = create_account(
            session,
            name=f"{name} of {side.code}",
            email=EMAIL.format(role=name, code=side.code),
            language="en",
        )
        side.accounts[role] = account.id
        if role in GRANTED_ROLES:
            grant_role(session, SYSTEM, account, side.cooperative_id, role)
    auditors = [
        grant
        for grant in open_grants(session, side.cooperative_id)
        if grant.role == Role.AUDITOR.value
    ]
    side.grant = auditors[0].public_id


BUILDERS: list[Callable[[Session, Side], None]] = [make_cooperative, make_accounts]
"""Called in this order, with a commit after each. ``side.clock`` may be moved while building;
it stands at ``NOW`` again afterwards."""


def build_side(session: Session, code: str, clock: SettableClock) -> Side:
    """A whole cooperative with everything that routes are about."""
    side = Side(code=code, accounts={}, caller=None, clock=clock)
    for build in BUILDERS:
        build(session, side)
        session.commit()
        clock.set(NOW)
    return side


def standing_clock() -> SettableClock:
    """The clock of the world: it stands still, since all cells see the same moment."""
    return SettableClock(NOW)


def facts_of(side: Side) -> dict[str, Any]:
    """Everything on a side, for messages of failing tests."""
    hidden = ("session", "accounts", "clock")
    return {key: value for key, value in vars(side).items() if key not in hidden}
