"""The numbers of the shares: those that they must carry, and the highest that was given."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.register.models import (
    ShareNumbering,
)
from govern.register.rules.numbers import (
    NONE,
    NumberedRow,
    Numbering,
    Ranges,
    format_numbers,
    misnumbered,
    number_first_version,
    parse_numbers,
)
from govern.register.services.verifying.broken import BrokenLedger, broken


def verify_numbers(numbering: Numbering, rows: list[Any]) -> BrokenLedger | None:
    """What is wrong with the numbers of the shares of one act, None if nothing is."""
    act = [
        NumberedRow(
            sequence=row.sequence,
            holder=row.membership_id,
            kind=row.kind,
            lot=(row.share_class, row.nominal_cents),
            shares=row.shares,
            effective_on=row.effective_on,
            reverses=row.reverses,
            numbers=row.numbers,
        )
        for row in rows
    ]
    reversed_numbers = {row.reverses: row.reversed_numbers for row in rows if row.reverses}

    def earlier(sequence: int) -> Ranges:
        return parse_numbers(reversed_numbers[sequence])

    if rows[0].version != 1:
        wrong = misnumbered(numbering, act, earlier)
        return None if wrong is None else _misnumbered(wrong.sequence)
    try:
        given = number_first_version(numbering, act, earlier)
    except ValueError:
        return _misnumbered(act[0].sequence)
    for row in act:
        if format_numbers(given.get(row.sequence, NONE)) != row.numbers:
            return _misnumbered(row.sequence)
    return None


def verify_numbering(session: Session, cooperative: Cooperative, numbering: Numbering) -> None:
    rows = session.execute(
        select(ShareNumbering.share_class, ShareNumbering.last_number).where(
            ShareNumbering.cooperative_id == cooperative.id
        )
    )
    written = {share_class: last for share_class, last in rows if last}
    for share_class in sorted(written.keys() | numbering.last.keys()):
        if written.get(share_class, 0) != numbering.last.get(share_class, 0):
            raise broken(
                _(
                    "The highest share number of the class “%(share_class)s” is %(found)s in the "
                    "share ledger, but %(written)s was given last.",
                    share_class=share_class,
                    found=numbering.last.get(share_class, 0),
                    written=written.get(share_class, 0),
                )
            )


def _misnumbered(number: int) -> BrokenLedger:
    return broken(
        _(
            "The shares of entry %(number)s of the share ledger carry numbers that they cannot "
            "have.",
            number=number,
        )
    )
