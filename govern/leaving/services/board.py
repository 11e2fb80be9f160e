"""The tests of the board: recorded, never changed, and what they cover today."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import InvalidInput, RuleViolation
from govern.leaving.models import BoardTest, Refund
from govern.leaving.rules.board import Coverage, TestFacts, TestKind, coverage_of
from govern.leaving.rules.states import RefundState
from govern.leaving.services.common import (
    Upload,
    checked_text,
    keep_document,
)
from govern.leaving.texts import coverage_text
from govern.register.rules.values import MAX_CENTS
from govern.register.services.chain import lock_register


def record_test(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    *,
    kind: TestKind,
    decided_on: date,
    passed: bool,
    valid_until: date,
    up_to_cents: int,
    text: str,
    figure_cents: int | None = None,
    document: Upload | None = None,
) -> BoardTest:
    """Record a test that the board made, with its figures and paper. Never changed afterwards:
    the newest test of a kind decides.

    InvalidInput for a day ahead, an end before the decision, or a passed test that covers nothing.
    """
    actor.require(Permission.PAYMENTS_WRITE, cooperative.id)
    lock_register(session, cooperative.id)
    if decided_on > clock.today(cooperative.time_zone):
        raise InvalidInput(
            _("That day lies ahead."),
            remedy=_("Record a test on the day on which the board has made it, or later."),
            field="decided_on",
        )
    if valid_until < decided_on:
        raise InvalidInput(
            _("The test would end before it was made."),
            remedy=_("Give the last day on which it allows payments."),
            field="valid_until",
        )
    if not int(passed) <= up_to_cents <= MAX_CENTS:
        raise InvalidInput(
            _("A test that was passed covers a sum."),
            remedy=_("Write the sum up to which the board allows payments."),
            field="up_to",
        )
    paper = keep_document(session, actor, cooperative.id, _("Test of the board"), document)
    row = BoardTest(
        cooperative_id=cooperative.id,
        kind=kind.value,
        decided_on=decided_on,
        passed=passed,
        valid_until=valid_until,
        up_to_cents=up_to_cents,
        figure_cents=figure_cents,
        text=checked_text(text, "text"),
        document_id=paper.id if paper is not None else None,
        recorded_at=clock.now(),
        recorded_by_id=actor.account_id,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        "leaving:board_test:recorded",
        cooperative_id=cooperative.id,
        subject=f"board_test:{row.public_id}",
        data={"kind": kind.value, "passed": passed, "up_to_cents": up_to_cents},
    )
    return row


def list_tests(session: Session, cooperative_id: int) -> Select[Any]:
    """The statement that selects the board's tests, newest first."""
    return (
        select(BoardTest)
        .where(BoardTest.cooperative_id == cooperative_id)
        .order_by(BoardTest.decided_on.desc(), BoardTest.id.desc())
    )


def facts_of_tests(session: Session, cooperative_id: int) -> list[TestFacts]:
    """The newest tests as the rules see them, with what was released under each."""
    used = _used_sums(session, cooperative_id)
    return [
        TestFacts(
            id=row.id,
            kind=TestKind(row.kind),
            decided_on=row.decided_on,
            valid_until=row.valid_until,
            passed=row.passed,
            up_to_cents=row.up_to_cents,
            used_cents=used.get(row.id, 0),
        )
        for row in session.scalars(list_tests(session, cooperative_id).limit(50))
    ]


def _used_sums(session: Session, cooperative_id: int) -> dict[int, int]:
    """What was released and not taken back (cents), by the number of the test."""
    sums: dict[int, int] = {}
    for column in (Refund.net_asset_test_id, Refund.liquidity_test_id):
        rows = session.execute(
            select(column, func.sum(Refund.amount_cents))
            .where(
                Refund.cooperative_id == cooperative_id,
                column.is_not(None),
                Refund.state.in_([RefundState.RELEASED.value, RefundState.PAID.value]),
            )
            .group_by(column)
        )
        sums.update({number: int(total) for number, total in rows if number is not None})
    return sums


def coverages(
    session: Session, cooperative: Cooperative, amount_cents: int
) -> tuple[Coverage, ...]:
    """Whether both tests cover paying ``amount_cents`` today."""
    facts, today = facts_of_tests(session, cooperative.id), clock.today(cooperative.time_zone)
    return tuple(coverage_of(facts, kind, today, amount_cents) for kind in TestKind)


def refuse_uncovered(session: Session, cooperative: Cooperative, amount_cents: int) -> None:
    """RuleViolation unless both tests of the board cover the sum today."""
    missing = [c for c in coverages(session, cooperative, amount_cents) if not c.is_given]
    if missing:
        raise RuleViolation(
            " ".join(coverage_text(coverage) for coverage in missing),
            remedy=_(
                "Record the tests that the board has made, release less, or postpone with a reason."
            ),
        )
