"""The roll: who is on it, that it stays what it was, and what a member is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, Forbidden, GovernError, InvalidInput, NotFound, RuleViolation
from govern.extensions import db
from govern.register.models import EndReason, Membership, Roll, RollEntry
from govern.register.rules.roll import (
    MemberFacts,
    Obstacle,
    RollLine,
    canonical_lines,
    digest_of,
    obstacles_on,
    standing_on,
    totals_of,
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
    roll_canonical_lines,
    take_roll,
    verify_roll,
    why_not_on_roll,
)
from govern.register.services.accounts import open_person_account
from tests.register.conftest import PATIENT

Make = Callable[..., Membership]
RECORD_DATE = date(2018, 4, 1)


def numbers(session: Session, roll: Roll) -> set[str]:
    return set(session.scalars(select(RollEntry.member_number).where(RollEntry.roll_id == roll.id)))


# -- the rules --------------------------------------------------------------------------------

ON = MemberFacts(date(2018, 1, 1), None, 1, 1, "A")


@pytest.mark.parametrize(
    ("facts", "obstacles"),
    [
        (ON, ()),
        (MemberFacts(RECORD_DATE, None, 1, 1, "A"), ()),
        (MemberFacts(date(2018, 4, 2), None, 1, 1, "A"), (Obstacle.JOINED_LATER,)),
        (MemberFacts(date(2018, 1, 1), date(2018, 4, 2), 1, 1, "A"), ()),
        (MemberFacts(date(2018, 1, 1), RECORD_DATE, 1, 1, "A"), (Obstacle.ENDED,)),
        (MemberFacts(date(2018, 1, 1), None, 0, 0, "A"), (Obstacle.NO_SHARE,)),
        (MemberFacts(date(2018, 1, 1), None, 2, 0, "A"), (Obstacle.NO_PAID_SHARE,)),
        (MemberFacts(date(2018, 1, 1), None, 2, 2, None), (Obstacle.NO_CATEGORY,)),
        (
            MemberFacts(date(2018, 5, 1), date(2018, 3, 1), 0, 0, None),
            (Obstacle.JOINED_LATER, Obstacle.ENDED, Obstacle.NO_SHARE),
        ),
    ],
)
def test_a_roll_shows_the_end_of_the_record_date(
    facts: MemberFacts, obstacles: tuple[Obstacle, ...]
) -> None:
    assert obstacles_on(facts, RECORD_DATE) == obstacles


def test_who_is_missing_without_a_reason_was_recorded_later() -> None:
    until = datetime(2018, 5, 1, tzinfo=UTC)
    standing = standing_on(
        is_listed=False,
        was_removed=False,
        facts=ON,
        record_date=RECORD_DATE,
        objections_until=until,
    )
    assert standing.obstacles == (Obstacle.RECORDED_LATER,)
    assert standing.objections_until == until


LINES = st.lists(
    st.builds(
        RollLine,
        member_number=st.text(min_size=1, max_size=8),
        name=st.text(max_size=20),
        kind=st.sampled_from(["natural", "legal"]),
        category=st.sampled_from("ABC"),
        shares_issued=st.integers(1, 50),
        shares_paid=st.integers(1, 50),
    ),
    max_size=12,
    unique_by=lambda line: line.member_number,
)


@PATIENT
@given(LINES, st.randoms(use_true_random=False))
def test_the_digest_depends_on_the_data_alone(lines: list[RollLine], chance: Any) -> None:
    digest = digest_of(canonical_lines("smartcoop", RECORD_DATE, lines))
    shuffled = list(lines)
    chance.shuffle(shuffled)
    assert digest_of(canonical_lines("smartcoop", RECORD_DATE, shuffled)) == digest
    assert digest_of(canonical_lines("other", RECORD_DATE, lines)) != digest
    if lines:
        assert digest_of(canonical_lines("smartcoop", RECORD_DATE, lines[1:])) != digest


@PATIENT
@given(LINES)
def test_totals_add_up_in_every_direction(lines: list[RollLine]) -> None:
    totals = totals_of(lines)
    for name in ("heads", "shares_issued", "shares_paid"):
        assert totals[name] == sum(part[name] for part in totals["by_category"].values())
        assert totals[name] == sum(part[name] for part in totals["by_kind"].values())
    assert totals["heads"] == len(lines)


def test_the_canonical_bytes_are_those_of_the_documentation() -> None:
    lines = [
        RollLine("53", "Atelier CV", "legal", "B", 1, 1),
        RollLine("1042", "Zoé Vermeulen", "natural", "A", 3, 2),
    ]
    written = b"".join(canonical_lines("smartcoop", date(2018, 6, 4), lines)).decode()
    assert written == (
        '{"cooperative":"smartcoop","format":"govern-roll/1","record_date":"2018-06-04"}\n'
        '{"category":"A","kind":"natural","member_number":"1042","name":"Zoé Vermeulen",'
        '"shares_issued":3,"shares_paid":2}\n'
        '{"category":"B","kind":"legal","member_number":"53","name":"Atelier CV",'
        '"shares_issued":1,"shares_paid":1}\n'
    )


# -- taking one -------------------------------------------------------------------------------


@pytest.fixture
def everybody(session: Session, make_member: Make) -> dict[str, Membership]:
    """One member of each kind that a roll has to decide about."""
    unpaid = make_member("unpaid", shares=0)
    ledger.subscribe_shares(session, SYSTEM, unpaid, 2, date(2018, 2, 1))
    ledger.record_payment(session, SYSTEM, unpaid, 2999, date(2018, 2, 1))
    partly = make_member("partly", shares=0, given_name="Bo")
    ledger.subscribe_shares(session, SYSTEM, partly, 3, date(2018, 2, 1))
    ledger.record_payment(session, SYSTEM, partly, 7500, date(2018, 2, 1))
    left = make_member("left", given_name="Cy")
    members.end_membership(session, SYSTEM, left, date(2018, 3, 1), EndReason.RESIGNATION)
    leaving = make_member("leaving", given_name="Di")
    members.end_membership(session, SYSTEM, leaving, date(2018, 5, 1), EndReason.RESIGNATION)
    late = make_member("late", joined_on=date(2018, 5, 2), given_name="Ed")
    paid_late = make_member("paid-late", shares=0, given_name="Flo")
    ledger.subscribe_shares(session, SYSTEM, paid_late, 1, date(2018, 2, 1))
    ledger.record_payment(session, SYSTEM, paid_late, 3000, date(2018, 4, 2))
    session.commit()
    return {
        "plain": make_member("plain", shares=2, given_name="Gus", email="gus@example.org"),
        "firm": make_member("firm", organisation_name="Atelier CV"),
        "unpaid": unpaid,
        "partly": partly,
        "left": left,
        "leaving": leaving,
        "late": late,
        "paid-late": paid_late,
    }


def test_each_member_with_a_paid_share_is_on_it_once(
    both_databases: str,
    session: Session,
    cooperative: Cooperative,
    everybody: dict[str, Membership],
) -> None:
    roll = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "April")
    assert numbers(session, roll) == {"plain", "firm", "partly", "leaving"}
    assert (roll.heads, roll.shares_issued, roll.shares_paid) == (4, 2 + 1 + 3 + 1, 2 + 1 + 2 + 1)
    assert roll.totals["by_category"]["B"] == {"heads": 1, "shares_issued": 1, "shares_paid": 1}
    assert roll.totals["by_kind"]["natural"]["heads"] == 3
    entry = session.scalars(
        select(RollEntry).where(RollEntry.roll_id == roll.id, RollEntry.member_number == "firm")
    ).one()
    assert (entry.display_name, entry.representative) == ("Atelier CV", "Victor Verelst")
    assert entry.address == {
        "street": "Kerkstraat 1",
        "postal_code": "9000",
        "town": "Gent",
        "country": "BE",
    }
    # Every member's own standing says the same as the roll.
    for number, membership in everybody.items():
        standing = why_not_on_roll(session, roll, membership)
        assert standing.on_roll == (number in numbers(session, roll)), number
        assert bool(standing.obstacles) != standing.on_roll


def test_taking_it_twice_gives_the_same_digest(
    session: Session, cooperative: Cooperative, everybody: dict[str, Membership], clock: Any
) -> None:
    first = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "First")
    clock.advance(days=3)
    # Contact data and later events are not in it.
    members.change_contact(
        session, SYSTEM, everybody["plain"], members.Contact(language="fr", email="g@example.org")
    )
    ledger.subscribe_shares(session, SYSTEM, everybody["plain"], 5, date(2018, 5, 1))
    second = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "Second")
    assert first.digest == second.digest
    assert take_roll(session, SYSTEM, cooperative, date(2018, 5, 1), "May").digest != first.digest
    lines = b"".join(roll_canonical_lines(session, first))
    assert hashlib.sha256(lines).hexdigest() == first.digest
    assert json.loads(lines.splitlines()[0])["record_date"] == "2018-04-01"


def test_the_end_of_the_ledger_is_kept_with_the_roll(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    make_member()
    roll = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "April")
    assert roll.register_sequence == 2
    assert len(roll.register_hash) == 64


def test_no_roll_of_a_day_that_is_not_over_or_without_rules_or_name(
    session: Session, cooperative: Cooperative, clock: Any
) -> None:
    with pytest.raises(RuleViolation, match="lies ahead"):
        take_roll(session, SYSTEM, cooperative, date(2018, 6, 2), "June")
    with pytest.raises(RuleViolation, match="No rule set"):
        take_roll(session, SYSTEM, cooperative, date(2016, 12, 31), "Before")
    with pytest.raises(InvalidInput):
        take_roll(session, SYSTEM, cooperative, RECORD_DATE, " ")


def test_a_category_counts_as_of_the_record_date(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    member = make_member("7")
    members.change_category(session, SYSTEM, member, "B", date(2018, 4, 2))
    roll = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "April")
    assert set(roll.totals["by_category"]) == {"A"}
    later = take_roll(session, SYSTEM, cooperative, date(2018, 4, 2), "Later")
    assert set(later.totals["by_category"]) == {"B"}


def test_members_of_another_cooperative_are_not_on_it(
    session: Session,
    cooperative: Cooperative,
    make_member: Make,
    make_cooperative: Callable[..., Cooperative],
) -> None:
    make_member()
    other = make_cooperative("elsewhere", "Elsewhere")
    assert take_roll(session, SYSTEM, other, RECORD_DATE, "April").heads == 0


# -- its states -------------------------------------------------------------------------------


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
