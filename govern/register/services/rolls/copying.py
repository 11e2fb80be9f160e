"""A copy of a frozen roll, for a trial that must not keep the roll itself from being corrected."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import insert, literal, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.cooperatives.rules import Texts
from govern.errors import Conflict
from govern.register.models import Roll, RollEntry, RollState
from govern.register.services.rolls.entries import lock_row, record_step
from govern.register.services.rolls.reading import verify_roll


def copy_frozen_roll(session: Session, actor: Actor, roll: Roll, label: str, labels: Texts) -> Roll:
    """Another frozen roll with the entries, and so the digest, that ``roll`` has now.

    Locking the copy leaves ``roll`` open to corrections, which do not reach the copy. Called by
    the voting feature, which has checked who may. Raises Conflict for a roll that is a draft or
    whose entries do not give its digest.
    """
    lock_row(session, roll)
    if not roll.is_frozen:
        raise Conflict(_("This roll is still a draft."), remedy=_("Freeze the roll first."))
    copy = Roll(
        cooperative_id=roll.cooperative_id,
        rule_set_id=roll.rule_set_id,
        label=label[:200],
        labels=dict(labels),
        record_date=roll.record_date,
        state=RollState.FROZEN.value,
        taken_at=roll.taken_at,
        taken_by_id=roll.taken_by_id,
        frozen_at=clock.now(),
        objections_until=None,
        digest=roll.digest,
        heads=roll.heads,
        shares_issued=roll.shares_issued,
        shares_paid=roll.shares_paid,
        totals=dict(roll.totals),
        register_sequence=roll.register_sequence,
        register_hash=roll.register_hash,
    )
    session.add(copy)
    session.flush()
    table = RollEntry.__table__
    columns = [column for column in table.columns if column.name not in ("id", "roll_id")]
    session.execute(
        insert(table).from_select(
            ["roll_id", *(column.name for column in columns)],
            select(literal(copy.id), *columns)
            .where(table.c.roll_id == roll.id)
            .order_by(table.c.id),
        )
    )
    verify_roll(session, copy)
    record_step(session, actor, copy, "copied", {"of": roll.public_id, "digest": copy.digest})
    return copy
