"""The trace that a page leaves when it shows a full record, and what it may show of it."""

from __future__ import annotations

from flask import g

from govern.database import writing_aside
from govern.extensions import db
from govern.register.models import Membership
from govern.register.rules.privacy import FieldGroup
from govern.register.services.privacy import fields_seen, note_reading, was_noted


def leave_trace(membership: Membership | None) -> None:
    """Write down that a full record (None: the whole register) is being looked at.

    Before the page is made: a record whose reading cannot be noted is not shown. Once per account
    and day; looking at one's own record leaves none.
    """
    if membership is not None and is_own(membership):
        return
    session = db.session()
    if was_noted(session, g.actor, g.cooperative, membership):
        return
    with writing_aside(session):
        note_reading(session, g.actor, g.cooperative, membership)


def is_own(membership: Membership) -> bool:
    """Whether whoever asks is the person whom the record is about."""
    person = membership.person
    return person is not None and person.account_id == g.actor.account_id


def shown_fields(*, concerned: bool = False) -> frozenset[FieldGroup]:
    """What whoever asks sees of a record of this cooperative."""
    return fields_seen(g.actor, g.cooperative.id, concerned=concerned)
