"""The ledger shows what was written: every changed byte is noticed, an erasure breaks nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.cooperatives.models import Cooperative
from govern.database import append_only_ddl, drop_append_only_ddl
from govern.errors import Forbidden
from govern.register.models import EndReason, HolderOpening, Membership, RegisterHead, ShareEntry
from govern.register.rules import chain
from govern.register.services import ledger, members, take_roll
from govern.register.services.verifying import BrokenLedger, verify_ledger

Make = Callable[..., Membership]


@pytest.fixture
def written(session: Session, cooperative: Cooperative, make_member: Make) -> list[Membership]:
    """Two members with a few entries, one taken back, in a ledger whose triggers are off."""
    made = [make_member(shares=2), make_member(given_name="Bo", birth_date=date(1980, 1, 1))]
    entry = ledger.transfer_shares(session, SYSTEM, made[0], made[1], 1, date(2018, 3, 1))[0]
    ledger.reverse_act(session, SYSTEM, entry, "the wrong receiver")
    session.commit()
    verify_ledger(session, cooperative)
    dialect = session.get_bind().dialect.name
    for statement in drop_append_only_ddl("share_entry", dialect):
        session.execute(text(statement))
    session.commit()
    return made


def broken(session: Session, cooperative: Cooperative) -> str:
    session.expire_all()
    with pytest.raises(BrokenLedger) as error:
        verify_ledger(session, cooperative)
    session.rollback()
    return error.value.message


CHANGES = {
    "kind": "'refund'",
    "share_class": "'other'",
    "nominal_cents": "2999",
    "shares": "shares - 1",
    "amount_cents": "amount_cents - 1",
    "effective_on": "'2018-02-28'",
    "recorded_at": "'2018-06-01 12:00:00.000001'",
    "act_id": "'1111111111111111111111'",
    "source": "'elsewhere'",
    "commitment": f"'{'0' * 64}'",
    "previous_hash": f"'{'0' * 64}'",
    "hash": f"'{'0' * 64}'",
    "membership_id": "(SELECT max(id) FROM membership)",
    "sequence": "sequence + 100",
}


@pytest.mark.parametrize("column", sorted(CHANGES))
@pytest.mark.usefixtures("written")
def test_one_changed_field_of_one_entry_is_found(
    column: str, both_databases: str, session: Session, cooperative: Cooperative
) -> None:
    # The third entry is the giving side of a transfer.
    constraint = "ck_share_entry_signs_fit_kind"
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"ALTER TABLE share_entry DROP CONSTRAINT {constraint}"))
    else:
        session.execute(text("PRAGMA ignore_check_constraints=ON"))
    wanted = "sequence = 5" if column == "sequence" else "kind = 'transfer_out' AND shares < 0"
    changed = session.execute(
        text(f"UPDATE share_entry SET {column} = {CHANGES[column]} WHERE {wanted}")
    )
    assert changed.rowcount == 1
    session.commit()
    assert "share ledger" in broken(session, cooperative)


@pytest.mark.usefixtures("written")
def test_what_an_entry_takes_back_is_part_of_it(session: Session, cooperative: Cooperative) -> None:
    session.execute(
        text("UPDATE share_entry SET reverses_id = 1 WHERE reverses_id IS NOT NULL AND shares < 0")
    )
    assert "changed after" in broken(session, cooperative)


@pytest.mark.parametrize("which", ["first", "middle", "last"])
@pytest.mark.usefixtures("written")
def test_a_removed_entry_is_missed(which: str, session: Session, cooperative: Cooperative) -> None:
    numbers = session.scalars(select(ShareEntry.sequence).order_by(ShareEntry.sequence)).all()
    number = {"first": numbers[0], "middle": numbers[3], "last": numbers[-1]}[which]
    session.execute(text("PRAGMA foreign_keys=OFF"))
    session.execute(delete(ShareEntry).where(ShareEntry.sequence == number))
    session.flush()
    message = broken(session, cooperative)
    assert ("was written" in message) == (which == "last")


@pytest.mark.usefixtures("written")
def test_a_head_that_was_set_back_is_noticed(session: Session, cooperative: Cooperative) -> None:
    head = session.get_one(RegisterHead, cooperative.id)
    head.sequence -= 1
    session.flush()
    assert "was written" in broken(session, cooperative)


def test_a_name_changed_behind_the_ledger_is_noticed(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    member = make_member()
    assert member.person is not None
    member.person.family_name = "Somebody Else"
    session.flush()
    assert "not the one that the ledger recorded" in broken(session, cooperative)
    members.change_identity(
        session, SYSTEM, member, given_name="An", family_name="Peeters-Maes", birth_date=None
    )
    verify_ledger(session, cooperative)


def test_a_statement_or_salt_that_was_changed_is_noticed(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    make_member()
    opening = session.scalars(select(HolderOpening)).one()
    opening.salt = "0" * 64
    session.flush()
    assert "holder" in broken(session, cooperative)


def test_an_erasure_leaves_a_chain_that_verifies_and_tells_nothing(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    member = make_member()
    commitment = session.scalars(select(ShareEntry.commitment)).first()
    before = verify_ledger(session, cooperative)
    session.execute(delete(HolderOpening).where(HolderOpening.membership_id == member.id))
    assert member.person is not None
    member.person.given_name = member.person.family_name = "erased"
    session.flush()
    after = verify_ledger(session, cooperative)
    assert (after.entries, after.head, after.erased) == (before.entries, before.head, 1)
    # Without the salt nobody can try names until one fits.
    statement = chain.holder_statement(
        member_number="1", kind="natural", name="An Peeters", birth_date=None, enterprise_number=""
    )
    assert commitment != chain.commit_to("0" * 64, statement)


def test_a_rewritten_ledger_no_longer_fits_the_rolls_that_were_taken(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    make_member()
    roll = take_roll(session, SYSTEM, cooperative, date(2018, 6, 1), "June")
    verify_ledger(session, cooperative)
    roll.register_hash = "f" * 64
    session.flush()
    assert "“June” was taken from a ledger that is not this one" in broken(session, cooperative)


def test_cooperatives_have_chains_of_their_own(
    session: Session,
    cooperative: Cooperative,
    make_member: Make,
    make_cooperative: Callable[..., Cooperative],
) -> None:
    make_member()
    other = make_cooperative("elsewhere", "Elsewhere")
    assert verify_ledger(session, other).entries == 0
    assert verify_ledger(session, cooperative).entries == 2


def test_the_chain_of_an_entry_is_known_to_others() -> None:
    """A fixed example, so that the format cannot change unnoticed."""
    assert (
        chain.entry_hash(
            version=1,
            cooperative="smartcoop",
            sequence=1,
            membership="m" * 22,
            commitment="c" * 64,
            kind="subscription",
            share_class="ordinary",
            nominal_cents=3000,
            shares=1,
            amount_cents=0,
            effective_on=date(2018, 1, 10),
            recorded_at=datetime(2018, 6, 1, 12, tzinfo=UTC),
            act_id="a" * 22,
            source="form",
            reverses=None,
            previous_hash=chain.BEGINNING,
            numbers="1",
            cause="",
        )
        == "bce42eae103fdc02212ba833749b32f073ea153b2280bae08cb511a74fae1afa"
    )


def test_numbers_and_cause_are_part_of_the_hash_of_version_2() -> None:
    """A fixed example again, spelt out as docs/ledger.md does."""
    fields: dict[str, Any] = {
        "cooperative": "smartcoop",
        "sequence": 4,
        "membership": "m" * 22,
        "commitment": "c" * 64,
        "kind": "transfer_out",
        "share_class": "ordinary",
        "nominal_cents": 3000,
        "shares": -2,
        "amount_cents": -6000,
        "effective_on": date(2018, 1, 10),
        "recorded_at": datetime(2018, 6, 1, 12, tzinfo=UTC),
        "act_id": "a" * 22,
        "source": "form",
        "reverses": None,
        "previous_hash": chain.BEGINNING,
        "numbers": "1-2",
        "cause": "gift",
    }
    spelt = (
        '{"act":"aaaaaaaaaaaaaaaaaaaaaa","amount_cents":-6000,"cause":"gift","class":"ordinary",'
        '"commitment":"' + "c" * 64 + '","cooperative":"smartcoop","effective_on":"2018-01-10",'
        '"kind":"transfer_out","membership":"mmmmmmmmmmmmmmmmmmmmmm","nominal_cents":3000,'
        '"numbers":"1-2","previous":"' + "0" * 64 + '",'
        '"recorded_at":"2018-06-01T12:00:00.000000+00:00","reverses":null,"sequence":4,'
        '"shares":-2,"source":"form"}'
    )
    digest = hashlib.sha256(b"govern/share-entry/2\n" + spelt.encode()).hexdigest()
    assert chain.entry_hash(version=2, **fields) == digest
    for change in ({"numbers": "1,3"}, {"cause": "sale"}):
        assert chain.entry_hash(version=2, **{**fields, **change}) != digest


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE share_entry SET shares = 9",
        "UPDATE share_entry SET source = source",
        "DELETE FROM share_entry",
        "INSERT OR REPLACE INTO share_entry SELECT * FROM share_entry",
    ],
)
def test_the_database_refuses_to_change_the_ledger(
    statement: str, both_databases: str, session: Session, make_member: Make
) -> None:
    make_member()
    if session.get_bind().dialect.name == "postgresql":
        statement = statement.replace(
            "INSERT OR REPLACE INTO share_entry SELECT * FROM share_entry",
            "TRUNCATE share_entry CASCADE",
        )
    with pytest.raises(DatabaseError, match="append-only"):
        session.execute(text(statement))
    session.rollback()


def test_the_triggers_can_be_put_back(both_databases: str, session: Session) -> None:
    dialect = session.get_bind().dialect.name
    for statement in drop_append_only_ddl("share_entry", dialect) + append_only_ddl(
        "share_entry", dialect
    ):
        session.execute(text(statement))


def test_a_corrected_name_is_that_of_every_membership_of_the_holder(
    session: Session,
    cooperative: Cooperative,
    make_cooperative: Make,
    make_member: Make,
    make_account: Make,
) -> None:
    former, present = make_member("1"), make_member("2")
    members.end_membership(session, SYSTEM, former, date(2018, 5, 2), EndReason.RESIGNATION)
    present.person_id = former.person_id
    session.commit()
    members.change_identity(session, SYSTEM, present, given_name="Anna", family_name="Peters")
    assert "anna" in former.search_text
    verify_ledger(session, cooperative)

    # The book of another cooperative is changed by whoever keeps that one as well.
    other = make_cooperative(code="elsewhere")
    present.cooperative_id = other.id
    account = make_account("Rita", roles=[(cooperative, Role.REGISTRAR)])
    session.flush()
    with pytest.raises(Forbidden):
        members.change_identity(
            session, actor_for(session, account), former, given_name="Bo", family_name="Peters"
        )
