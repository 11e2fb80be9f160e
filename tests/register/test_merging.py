"""Two entries of one member become one, and that can be taken back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.models import Account
from govern.accounts.services import actor_for
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, Forbidden, RuleViolation
from govern.mail import OutboxMail
from govern.register.models import (
    EndReason,
    HolderOpening,
    Membership,
    Merge,
    Person,
    ShareEntry,
)
from govern.register.services import (
    book,
    certificates,
    freeze_roll,
    lock_roll,
    members,
    merging,
    take_roll,
    verify_roll,
)
from govern.register.services.erasure import identity
from govern.register.services.holdings import holding_of
from govern.register.services.quality import duplicates
from govern.register.services.verifying import verify_ledger
from tests.conftest import SettableClock

Make = Callable[..., Membership]
TODAY = date(2018, 6, 1)
BORN = date(1980, 2, 1)
HISTORY = {
    "audit_entry", "audit_head", "register_merge", "background_job", "outbox_mail",
    "account_session",
}  # fmt: skip
"""Tables that only ever tell what happened."""


@pytest.fixture(autouse=True)
def _on_that_day(clock: SettableClock) -> None:
    """Noon on 1 June 2018."""


def state_of(session: Session) -> dict[str, Any]:
    """Every row of every table but history, without the time of the last change."""
    session.flush()
    metadata = sa.MetaData()
    metadata.reflect(session.connection())
    state = {}
    for table in metadata.sorted_tables:
        if table.name in HISTORY:
            continue
        columns = [c for c in table.c if c.name not in ("changed_at", "session_version")]
        rows = session.connection().execute(select(*columns)).all()
        state[table.name] = sorted(map(repr, rows))
    return state


def twice(make_member: Make) -> tuple[Membership, Membership]:
    """One person admitted twice, under two numbers and addresses."""
    one = make_member("1", birth_date=BORN, email="an@example.org", shares=2)
    two = make_member("2", birth_date=BORN, email="an.peeters@example.org", shares=3)
    return one, two


def test_two_entries_of_a_person_become_one_and_are_parted_again(
    both_databases: str, session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    one, two = twice(make_member)
    firm = make_member("9", organisation_name="Atelier")
    assert firm.organisation is not None
    firm.organisation.representatives[0].person_id = two.person_id
    session.commit()
    members.index_membership(session, firm)
    before = state_of(session)

    merge = merging.merge_holders(session, SYSTEM, one, two, "the same birth date and street")
    session.commit()
    assert two.person_id == one.person_id
    assert firm.organisation.representatives[0].person_id == one.person_id
    verify_ledger(session, cooperative)
    assert duplicates.likenesses_of(one, two) == (duplicates.Likeness.SAME_HOLDER,)

    merging.undo_merge(session, SYSTEM, merge, "they are mother and daughter")
    session.commit()
    assert state_of(session) == before
    verify_ledger(session, cooperative)


def test_two_memberships_become_one_and_are_parted_again(
    both_databases: str, session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    one, two = twice(make_member)
    merging.merge_holders(session, SYSTEM, one, two, "the same birth date and street")
    session.commit()
    before = state_of(session)
    merge = merging.merge_memberships(session, SYSTEM, one, two, "one vote per member")
    session.commit()
    assert (holding_of(session, one.id).issued, holding_of(session, two.id).issued) == (5, 0)
    assert holding_of(session, one.id).paid == 5
    assert (two.ended_on, two.end_reason) == (TODAY, "transfer")
    moved = session.scalars(select(ShareEntry).where(ShareEntry.cause == "merger")).all()
    assert len(moved) >= 2

    merging.undo_merge(session, SYSTEM, merge, "they are mother and daughter")
    session.commit()
    after = state_of(session)
    # The ledger forgets nothing: its entries are history, what they add up to is the state.
    for table in ("share_entry", "register_head", "entry_remark", "holder_opening", "share_range"):
        before.pop(table, None), after.pop(table, None)
    assert after == before
    assert (holding_of(session, one.id).paid, holding_of(session, two.id).paid) == (2, 3)
    verify_ledger(session, cooperative)


def test_a_locked_roll_stays_as_it_is(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    one, two = twice(make_member)
    roll = take_roll(session, SYSTEM, cooperative, date(2018, 5, 31), "AG")
    freeze_roll(session, SYSTEM, roll)
    lock_roll(session, roll)
    session.commit()
    digest = roll.digest
    assert [item.id for item in merging.preview_merge(session, one, two).rolls] == [roll.id]
    merging.merge_holders(session, SYSTEM, one, two, "the same birth date and street")
    merging.merge_memberships(session, SYSTEM, one, two, "one vote per member")
    session.commit()
    verify_roll(session, roll)
    assert (roll.digest, roll.heads) == (digest, 2)
    later = take_roll(session, SYSTEM, cooperative, TODAY, "the next one")
    assert (later.heads, later.shares_paid) == (1, 5)


def test_organisations_are_merged_with_their_memberships(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    one = make_member("1", organisation_name="Atelier")
    two = make_member("2", organisation_name="Atelier SC")
    before = state_of(session)
    merge = merging.merge_holders(session, SYSTEM, one, two, "the same enterprise number")
    assert two.organisation_id == one.organisation_id
    assert two.display_name == "Atelier"
    merging.undo_merge(session, SYSTEM, merge, "a branch of its own after all")
    after = state_of(session)
    # What the ledger committed to is history, too.
    before.pop("holder_opening"), after.pop("holder_opening")
    assert after == before
    verify_ledger(session, cooperative)


def test_the_book_of_the_time_of_a_merge_can_be_shown_after_it_was_taken_back(
    session: Session, cooperative: Cooperative, make_member: Make, clock: SettableClock
) -> None:
    one, two = make_member("1"), make_member("2", given_name="Anne")
    certificate = certificates.issue_certificate(session, SYSTEM, two)

    def names(known_at: datetime | None = None) -> list[str]:
        moment = book.book_at(session, cooperative, TODAY, known_at)
        return [line.name for line in book.read_lines(session, moment)]

    clock.advance(hours=1)
    merge = merging.merge_holders(session, SYSTEM, one, two, "the same birth date")
    clock.advance(hours=1)
    meanwhile = clock.now
    assert names(meanwhile) == ["An Peeters", "An Peeters"]
    clock.advance(hours=1)
    merging.undo_merge(session, SYSTEM, merge, "they are mother and daughter")
    clock.advance(hours=1)
    assert names(meanwhile) == ["An Peeters", "An Peeters"]
    assert names() == names(clock.now) == ["An Peeters", "Anne Peeters"]
    checked = certificates.check_certificate(session, cooperative, certificate.code)
    assert not checked.changed_since
    verify_ledger(session, cooperative)
    # Whoever was taken for the other is erased from the other's statements too.
    members.end_membership(session, SYSTEM, one, TODAY, EndReason.TRANSFER)
    identity.erase_identity(session, one)
    statements = session.scalars(
        select(HolderOpening.statement).where(HolderOpening.membership_id == two.id)
    ).all()
    assert {json.loads(text)["name"] for text in statements} == {"Anne Peeters"}


def test_the_later_merge_is_taken_back_first(session: Session, make_member: Make) -> None:
    one, two = twice(make_member)
    first = merging.merge_holders(session, SYSTEM, one, two, "the same birth date")
    second = merging.merge_memberships(session, SYSTEM, one, two, "one vote per member")
    with pytest.raises(Conflict, match="later merge"):
        merging.undo_merge(session, SYSTEM, first, "a mistake of mine")
    merging.undo_merge(session, SYSTEM, second, "a mistake of mine")
    merging.undo_merge(session, SYSTEM, first, "a mistake of mine")
    with pytest.raises(Conflict, match="already"):
        merging.undo_merge(session, SYSTEM, first, "a mistake of mine")
    assert two.person_id != one.person_id


def test_shares_given_on_meanwhile_keep_the_memberships_together(
    session: Session, make_member: Make
) -> None:
    from govern.register.services import ledger

    one, two = twice(make_member)
    other = make_member("3", given_name="Bo")
    merging.merge_holders(session, SYSTEM, one, two, "the same birth date")
    merge = merging.merge_memberships(session, SYSTEM, one, two, "one vote per member")
    ledger.transfer_shares(session, SYSTEM, one, other, 4, TODAY)
    session.commit()
    with pytest.raises((RuleViolation, Conflict)):
        merging.undo_merge(session, SYSTEM, merge, "a mistake of mine")
    session.rollback()
    assert two.ended_on == TODAY


def open_account(session: Session, membership: Membership, account: Account) -> None:
    assert membership.person is not None
    membership.person.account_id = account.id
    session.commit()


def test_of_two_accounts_one_is_closed_and_told_why(
    session: Session,
    client: FlaskClient,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Callable[..., Account],
) -> None:
    one, two = twice(make_member)
    kept = make_account("An", password="seven green boats drift")
    closed = make_account("An again", password="nine yellow kites climb")
    open_account(session, one, kept)
    open_account(session, two, closed)
    merge = merging.merge_holders(session, SYSTEM, one, two, "the same birth date")
    session.commit()

    def sign_in(number: str, password: str) -> Any:
        return client.post(
            "/sign-in", data={"identifier": number, "password": password, "next": ""}
        )

    refused = sign_in("2", "nine yellow kites climb")
    assert refused.status_code == 403
    assert "You had two accounts" in refused.text
    # Whoever does not know the password learns nothing of it.
    assert "two accounts" not in sign_in("2", "nine yellow kites fall").text
    assert sign_in("2", "seven green boats drift").status_code == 302
    client.post("/sign-out")

    merging.undo_merge(session, SYSTEM, merge, "they are mother and daughter")
    session.commit()
    assert sign_in("2", "nine yellow kites climb").status_code == 302


def test_the_only_account_goes_along_and_comes_back(
    session: Session, make_member: Make, make_account: Callable[..., Account]
) -> None:
    one, two = twice(make_member)
    account = make_account("An")
    open_account(session, two, account)
    before = state_of(session)
    merge = merging.merge_holders(session, SYSTEM, one, two, "the same birth date")
    assert one.person is not None
    assert one.person.account_id == account.id
    merging.undo_merge(session, SYSTEM, merge, "they are mother and daughter")
    assert state_of(session) == before


def test_nobody_merges_themself_nor_closes_the_account_of_an_office(
    session: Session,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Callable[..., Account],
) -> None:
    one, two = twice(make_member)
    registrar = make_account("Reg", roles=[(cooperative, Role.REGISTRAR)])
    open_account(session, two, registrar)
    with pytest.raises(RuleViolation, match="is you"):
        merging.merge_holders(
            session, actor_for(session, registrar), one, two, "the same birth date"
        )
    session.rollback()
    open_account(session, one, make_account("An"))
    with pytest.raises(RuleViolation, match="office"):
        merging.merge_holders(session, SYSTEM, one, two, "the same birth date")


def test_a_person_known_to_two_registers_needs_the_registrar_of_both(
    session: Session,
    cooperative: Cooperative,
    make_cooperative: Callable[..., Cooperative],
    make_member: Make,
    make_account: Callable[..., Account],
) -> None:
    one, two = twice(make_member)
    elsewhere = make_cooperative("elsewhere", "Elsewhere")
    foreign = make_member("3")
    foreign.cooperative_id = elsewhere.id
    foreign.person_id = two.person_id
    session.execute(sa.update(Membership).where(Membership.id == foreign.id).values(
        cooperative_id=elsewhere.id))  # fmt: skip
    session.commit()
    registrar = make_account("Reg", roles=[(cooperative, Role.REGISTRAR)])
    with pytest.raises(Forbidden):
        merging.merge_holders(
            session, actor_for(session, registrar), one, two, "the same birth date"
        )


def test_both_addresses_are_told(session: Session, make_member: Make) -> None:
    one, two = twice(make_member)
    merging.merge_holders(session, SYSTEM, one, two, "the same birth date")
    told = session.scalars(select(OutboxMail.to_address)).all()
    assert sorted(told) == ["an.peeters@example.org", "an@example.org"]


# -- the list ---------------------------------------------------------------------------------


def pairs_of(session: Session, cooperative: Cooperative) -> list[tuple[str, str]]:
    page = duplicates.list_pairs(session, SYSTEM, cooperative.id, TODAY, 1)
    assert page.total == len(page.items)
    return [(pair.first.member_number, pair.second.member_number) for pair in page]


def test_the_list_finds_three_likenesses_and_forgets_what_was_said(
    both_databases: str, session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    one = make_member("1", birth_date=BORN, email="Shared@example.org")
    two = make_member("2", given_name="Bo", email="shared@example.org")
    make_member("3", birth_date=BORN, given_name="Án")
    make_member("4", given_name="Cis")
    make_member("5", organisation_name="Atelier", email="shared@example.org")
    make_member("6", organisation_name="Atelier two")
    assert pairs_of(session, cooperative) == [("5", "6"), ("1", "2"), ("1", "3")]
    duplicates.say_distinct(session, SYSTEM, two, one, "a couple with one mailbox")
    assert pairs_of(session, cooperative) == [("5", "6"), ("1", "3")]
    with pytest.raises(Conflict):
        duplicates.say_distinct(session, SYSTEM, one, two, "a couple with one mailbox")
    duplicates.forget_distinct(session, SYSTEM, one, two)
    assert ("1", "2") in pairs_of(session, cooperative)


def test_somebody_who_came_back_is_no_pair(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    one, two = twice(make_member)
    merging.merge_holders(session, SYSTEM, one, two, "the same birth date")
    assert pairs_of(session, cooperative) == [("1", "2")]
    members.end_membership(session, SYSTEM, one, date(2018, 5, 1), EndReason.RESIGNATION)
    assert pairs_of(session, cooperative) == []


def test_a_merge_that_was_taken_back_may_be_made_again(session: Session, make_member: Make) -> None:
    one, two = twice(make_member)
    for _turn in range(2):
        merge = merging.merge_holders(session, SYSTEM, one, two, "the same birth date")
        with pytest.raises(Conflict):
            merging.merge_holders(session, SYSTEM, one, two, "the same birth date")
        merging.undo_merge(session, SYSTEM, merge, "a mistake of mine")
    assert len(session.scalars(select(Merge)).all()) == 2
    assert len(session.scalars(select(Person)).all()) == 2


def test_a_registrar_compares_merges_and_parts_on_the_pages(
    session: Session,
    client: FlaskClient,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Callable[..., Account],
    sign_in: Callable[..., None],
) -> None:
    one, two = twice(make_member)
    sign_in(client, make_account("Reg", roles=[(cooperative, Role.REGISTRAR)]))
    listed = "/smartcoop/register/quality/duplicates"
    page = f"{listed}/{one.public_id}/{two.public_id}"
    assert "same name and birth date" in client.get(listed).text
    assert "an.peeters@example.org" in client.get(page).text
    refused = client.post(page, data={"act": "merge", "keep": two.public_id, "reason": ""})
    assert refused.status_code == 422
    done = client.post(
        page, data={"act": "merge", "keep": two.public_id, "reason": "the same identity card"}
    )
    assert done.status_code == 302
    assert one.person_id == two.person_id
    shown = client.get(f"/smartcoop/register/members/{one.public_id}").text
    assert "the same identity card" in shown
    client.post(page, data={"act": "merge", "keep": one.public_id, "reason": "one vote each"})
    assert two.ended_on == TODAY
    for merge in session.scalars(select(Merge).order_by(Merge.id.desc())).all():
        undo = f"/smartcoop/register/quality/merges/{merge.public_id}/undo"
        assert "A roll that was taken does not change" in client.get(undo).text
        assert client.post(undo, data={"reason": "two after all"}).status_code == 302
    assert one.person_id != two.person_id
    assert two.ended_on is None


def test_no_search_for_pairs_compares_everybody_with_everybody(session: Session) -> None:
    pairs = duplicates._pairs(1, TODAY).compile(
        dialect=session.get_bind().dialect, compile_kwargs={"literal_binds": True}
    )
    plan = [row[3] for row in session.execute(sa.text(f"EXPLAIN QUERY PLAN {pairs}"))]
    second = [line for line in plan if "membership_2 " in line]
    assert len(second) == 5
    assert not [line for line in second if line.startswith("SCAN") or "(cooperative_id=?)" in line]
