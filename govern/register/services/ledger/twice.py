"""A form that is sent twice: a double click, a reload, two people with the same paper in hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.errors import Conflict
from govern.register.models import ShareEntry
from govern.register.services.chain import NewEntry

A_MOMENT = timedelta(minutes=1)
BY_HAND = "form"
"""The source of entries that people type."""


def refuse_twice(session: Session, actor: Actor, entries: Sequence[NewEntry]) -> None:
    """Raise Conflict when people have just recorded the very same and not taken it back.

    Same members, kinds, shares, amounts and day; the numbers of the shares may be the next ones.
    The caller holds the lock of the register. What programs and imports write has its own keys.
    """
    if actor.account_id is None or any(entry.source != BY_HAND for entry in entries):
        return
    now = clock.now()
    recent = session.scalars(
        select(ShareEntry).where(
            ShareEntry.membership_id.in_({entry.membership_id for entry in entries}),
            ShareEntry.recorded_at > now - A_MOMENT,
            ShareEntry.source == BY_HAND,
            ShareEntry.recorded_by_id.is_not(None),
            ShareEntry.reverses_id.is_(None),
        )
    ).all()
    taken_back = set(
        session.scalars(
            select(ShareEntry.reverses_id).where(
                ShareEntry.reverses_id.in_([entry.id for entry in recent])
            )
        )
    )
    acts: dict[str, list[ShareEntry]] = defaultdict(list)
    for entry in recent:
        acts[entry.act_id].append(entry)
    said = _said(entries)
    for act in acts.values():
        if _said(act) == said and not taken_back.intersection(entry.id for entry in act):
            raise Conflict(
                _("The same was recorded a moment ago."),
                remedy=_(
                    "Look at the member’s page. If it has happened twice, record it again in a "
                    "minute."
                ),
            )


def _said(entries: Sequence[ShareEntry | NewEntry]) -> list[tuple[object, ...]]:
    """What an act says, whichever shares it moves."""
    return sorted(
        (
            entry.membership_id,
            str(entry.kind),
            entry.share_class,
            entry.nominal_cents,
            entry.shares,
            entry.amount_cents,
            entry.effective_on.isoformat(),
        )
        for entry in entries
    )
