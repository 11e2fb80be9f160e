"""A roll from draft to locked: that it stays what it was, and what a member is told."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, Forbidden, GovernError, InvalidInput, NotFound, RuleViolation
from govern.extensions import db
from govern.register.models import Membership, Roll, RollEntry
from govern.register.rules.roll import (
    Obstacle,
)
from govern.register.services import (
    correct_roll,
    discard_draft_roll,
    entries_for_account,
    freeze_roll,
    ledger,
    lock_roll,
    members,
    memberships_for_account,
    roll_by_public_id,
    take_roll,
    verify_roll,
    why_not_on_roll,
)
from govern.register.services.accounts import open_person_account
from tests.register.conftest import RECORD_DATE

Make = Callable[..., Membership]


def numbers(session: Session, roll: Roll) -> set[str]:
    return set(session.scalars(select(RollEntry.member_number).where(RollEntry.roll_id == roll.id)))


@pytest.fixture
def frozen(session: Session, cooperative: Cooperative, everybody: dict[str, Membership]) -> Roll:
    roll = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "April")
    freeze_roll(session, SYSTEM, roll)
    session.commit()
    return roll


def test_a_draft_is_dropped_and_a_frozen_roll_is_not(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    make_member()
    draft = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "April")
    with pytest.raises(Conflict, match="draft"):
        lock_roll(session, draft)
    discard_draft_roll(session, SYSTEM, draft)
    assert session.scalars(select(Roll)).all() == []
    roll = freeze_roll(
        session, SYSTEM, take_roll(session, SYSTEM, cooperative, RECORD_DATE, "April")
    )
    frozen_at = roll.frozen_at
    assert freeze_roll(session, SYSTEM, roll).frozen_at == frozen_at
    with pytest.raises(Conflict, match="frozen"):
        discard_draft_roll(session, SYSTEM, roll)


def test_a_changed_entry_is_noticed_before_freezing_and_locking(
    session: Session, cooperative: Cooperative, frozen: Roll
) -> None:
    session.execute(text("UPDATE roll_entry SET shares_issued = 9 WHERE member_number = 'plain'"))
    with pytest.raises(Conflict, match="digest"):
        verify_roll(session, frozen)
    with pytest.raises(Conflict, match="digest"):
        lock_roll(session, frozen)


def test_a_correction_needs_a_reason_and_is_visible(
    session: Session, frozen: Roll, everybody: dict[str, Membership]
) -> None:
    before = frozen.digest
    with pytest.raises(InvalidInput, match="reason"):
        correct_roll(session, SYSTEM, frozen, everybody["plain"], " so ", remove=True)
    correction = correct_roll(
        session, SYSTEM, frozen, everybody["plain"], "was on the list twice", remove=True
    )
    assert "plain" not in numbers(session, frozen)
    assert (frozen.heads, frozen.shares_issued) == (3, 5)
    assert (correction.digest_before, correction.digest_after) == (before, frozen.digest)
    assert before != frozen.digest
    verify_roll(session, frozen)
    assert why_not_on_roll(session, frozen, everybody["plain"]).obstacles == (Obstacle.REMOVED,)
    with pytest.raises(Conflict, match="not on this roll"):
        correct_roll(session, SYSTEM, frozen, everybody["plain"], "once more", remove=True)


def test_a_member_is_added_when_the_register_says_so(
    session: Session, frozen: Roll, everybody: dict[str, Membership]
) -> None:
    before = frozen.digest
    with pytest.raises(RuleViolation, match="No share was paid in full"):
        correct_roll(session, SYSTEM, frozen, everybody["unpaid"], "says she has paid")
    # The payment had arrived in time, but was recorded late.
    ledger.record_payment(session, SYSTEM, everybody["unpaid"], 1, date(2018, 3, 30))
    standing = why_not_on_roll(session, frozen, everybody["unpaid"])
    assert standing.obstacles == (Obstacle.RECORDED_LATER,)
    correction = correct_roll(
        session, SYSTEM, frozen, everybody["unpaid"], "payment of 30 March found"
    )
    assert correction.action == "added"
    assert why_not_on_roll(session, frozen, everybody["unpaid"]).on_roll
    assert frozen.digest != before
    verify_roll(session, frozen)


def test_an_entry_is_read_again(
    session: Session, frozen: Roll, everybody: dict[str, Membership]
) -> None:
    with pytest.raises(Conflict, match="as the register shows it"):
        correct_roll(session, SYSTEM, frozen, everybody["plain"], "just looking")
    ledger.subscribe_shares(session, SYSTEM, everybody["plain"], 1, date(2018, 3, 1))
    assert (
        correct_roll(session, SYSTEM, frozen, everybody["plain"], "one share forgotten").action
        == "updated"
    )
    assert frozen.shares_issued == 8


def test_after_an_election_has_opened_nothing_changes(
    session: Session, frozen: Roll, everybody: dict[str, Membership]
) -> None:
    lock_roll(session, frozen)
    locked_at = frozen.locked_at
    assert lock_roll(session, frozen).locked_at == locked_at
    with pytest.raises(Conflict, match="has opened"):
        correct_roll(session, SYSTEM, frozen, everybody["plain"], "too late now", remove=True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE roll_entry SET shares_paid = 1, shares_issued = 1 WHERE member_number = 'plain'",
        "UPDATE roll_entry SET display_name = 'Somebody' WHERE member_number = 'plain'",
        "UPDATE roll_entry SET category = 'B' WHERE member_number = 'plain'",
        "UPDATE roll_entry SET membership_id = (SELECT max(id) FROM membership)",
        "DELETE FROM roll_entry",
        "INSERT INTO roll_entry (roll_id, membership_id, member_number, display_name, kind,"
        " category, shares_issued, shares_paid, language, representative, address, sort_name,"
        " search_text) SELECT r.id, m.id, 'x', 'x', 'natural', 'A', 1, 1, 'fr', '', '{}', '', ''"
        " FROM roll r, membership m WHERE m.member_number = 'late'",
        "UPDATE roll SET digest = '" + "0" * 64 + "'",
        "UPDATE roll SET locked_at = NULL",
        "UPDATE roll SET heads = heads + 1",
        "INSERT INTO roll_correction (roll_id, membership_id, member_number, action, reason,"
        " made_at, digest_before, digest_after) SELECT r.id, m.id, 'x', 'added', 'for fun',"
        " r.taken_at, r.digest, r.digest FROM roll r, membership m"
        " WHERE m.member_number = 'late'",
    ],
)
def test_the_database_refuses_to_change_a_locked_roll(
    statement: str, both_databases: str, session: Session, frozen: Roll
) -> None:
    lock_roll(session, frozen)
    session.commit()
    with pytest.raises(DatabaseError, match="the roll is locked"):
        session.execute(text(statement))
    session.rollback()


def test_contact_data_on_a_locked_roll_may_still_be_erased(
    both_databases: str, session: Session, frozen: Roll
) -> None:
    lock_roll(session, frozen)
    session.execute(text("UPDATE roll_entry SET email = NULL, language = 'fr', search_text = ''"))
    verify_roll(session, frozen)


def test_a_correction_and_an_opening_at_once_end_in_one_order(
    both_databases: str,
    app: Any,
    session: Session,
    frozen: Roll,
    everybody: dict[str, Membership],
) -> None:
    roll_id, member_id, before = frozen.id, everybody["plain"].id, frozen.digest
    session.commit()

    def correct() -> str:
        with app.app_context():
            try:
                correct_roll(
                    db.session,
                    SYSTEM,
                    db.session.get_one(Roll, roll_id),
                    db.session.get_one(Membership, member_id),
                    "removed in time",
                    remove=True,
                )
                db.session.commit()
            except GovernError as error:
                db.session.rollback()
                return type(error).__name__
            return "corrected"

    def lock() -> str:
        with app.app_context():
            lock_roll(db.session, db.session.get_one(Roll, roll_id))
            db.session.commit()
            return "locked"

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(correct), pool.submit(lock)
        outcome, _locked = first.result(), second.result()
    session.expire_all()
    roll = session.get_one(Roll, roll_id)
    assert roll.is_locked
    assert (roll.digest == before) == (outcome == "Conflict")
    verify_roll(session, roll)


# -- whose entries ----------------------------------------------------------------------------


def test_a_person_who_represents_a_firm_has_two_entries(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    own = make_member("7")
    firm = make_member("8", organisation_name="Atelier CV")
    members.change_representative(session, SYSTEM, firm, date(2018, 2, 1), member_number="7")
    stranger = make_member("9", given_name="Bo")
    account = open_person_account(session, own.person_id or 0)
    assert account is not None
    roll = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "April")
    entries = entries_for_account(session, roll, account.id)
    assert [entry.member_number for entry in entries] == ["7", "8"]
    assert memberships_for_account(session, account.id) == [own, firm]
    assert stranger not in memberships_for_account(session, account.id)
    # Once somebody else represents the firm, its entry is theirs.
    members.change_representative(
        session, SYSTEM, firm, date(2018, 5, 1), given_name="Eva", family_name="Maes"
    )
    assert [e.member_number for e in entries_for_account(session, roll, account.id)] == ["7"]
    assert entries_for_account(session, roll, account.id + 1) == []


def test_only_who_may_takes_freezes_and_corrects(
    session: Session,
    cooperative: Cooperative,
    frozen: Roll,
    everybody: dict[str, Membership],
    make_account: Callable[..., Any],
    make_cooperative: Callable[..., Cooperative],
) -> None:
    registrar = actor_for(session, make_account("Rik", roles=[(cooperative, Role.REGISTRAR)]))
    secretary = actor_for(session, make_account("Sam", roles=[(cooperative, Role.SECRETARY)]))
    other = make_cooperative("elsewhere", "Elsewhere")
    foreign = actor_for(
        session, make_account("Fay", roles=[(other, Role.SECRETARY), (other, Role.REGISTRAR)])
    )
    for actor in (registrar, foreign):
        with pytest.raises(Forbidden):
            take_roll(session, actor, cooperative, RECORD_DATE, "April")
    for actor in (secretary, foreign):
        with pytest.raises(Forbidden):
            correct_roll(session, actor, frozen, everybody["plain"], "no right to", remove=True)
    assert take_roll(session, secretary, cooperative, RECORD_DATE, "Mine").taken_by_id
    with pytest.raises(NotFound):
        roll_by_public_id(session, other, frozen.public_id)
