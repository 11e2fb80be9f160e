"""Shares change hands when both have said so; what is promised twice or gone is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Actor
from govern.accounts.services import actor_for
from govern.cooperatives.models import Cooperative
from govern.errors import (
    Conflict,
    Forbidden,
    ForbiddenTransition,
    GovernError,
    InvalidInput,
    RuleViolation,
)
from govern.mail import OutboxMail
from govern.register.jobs import expire_transfers
from govern.register.models import (
    EndReason,
    Membership,
    ShareCertificate,
    ShareEntry,
    TransferRequest,
)
from govern.register.rules.transfers import TRANSITIONS
from govern.register.services import ledger, members, transfers
from govern.register.services.accounts import open_person_account
from govern.register.services.holdings import holding_of, numbers_of
from govern.register.services.transfers import Proposal
from govern.register.services.transfers.personal import erase_transfers, own_transfers
from govern.register.services.verifying import verify_ledger

Make = Callable[..., Membership]
DAY = date(2018, 3, 1)


@pytest.fixture
def giver(make_member: Make) -> Membership:
    return make_member("1", shares=3, email="an@example.org")


@pytest.fixture
def receiver(make_member: Make) -> Membership:
    return make_member("2", given_name="Bo", shares=1, email="bo@example.org")


@pytest.fixture
def person(session: Session) -> Callable[[Membership], Actor]:
    """The member as somebody who has signed in."""

    def act_as(membership: Membership) -> Actor:
        assert membership.person_id is not None
        account = open_person_account(session, membership.person_id)
        assert account is not None
        session.commit()
        return actor_for(session, account)

    return act_as


def propose(session: Session, giver: Membership, shares: int = 1, **more: Any) -> TransferRequest:
    actor = more.pop("actor", SYSTEM)
    proposal = replace(Proposal(shares, "gift", receiver_number="2"), **more)
    return transfers.propose_transfer(session, actor, giver, proposal)


def issued(session: Session, *memberships: Membership) -> list[int]:
    return [holding_of(session, item.id).issued for item in memberships]


def test_nothing_moves_until_the_receiver_confirms(
    session: Session,
    cooperative: Cooperative,
    giver: Membership,
    receiver: Membership,
    person: Callable[[Membership], Actor],
) -> None:
    request = propose(session, giver, 2, actor=person(giver), numbers="2-3")
    assert issued(session, giver, receiver) == [3, 1]
    asked = session.scalars(select(OutboxMail)).one()
    assert (asked.to_address, request.state) == ("bo@example.org", "proposed")
    transfers.confirm_transfer(session, person(receiver), request)
    assert issued(session, giver, receiver) == [1, 3]
    assert numbers_of(session, receiver.id) == {"ordinary": "2-4"}
    entries = session.scalars(select(ShareEntry).where(ShareEntry.act_id == request.act_id)).all()
    assert {entry.cause for entry in entries} == {"gift"}
    assert {entry.source for entry in entries} == {f"transfer:{request.public_id}"}
    assert len(session.scalars(select(ShareCertificate)).all()) == 2
    assert giver.ended_on is None
    verify_ledger(session, cooperative)


def test_only_the_two_parties_act_for_themselves(
    session: Session,
    giver: Membership,
    receiver: Membership,
    make_member: Make,
    person: Callable[[Membership], Actor],
) -> None:
    stranger = person(make_member("3", given_name="Cy"))
    with pytest.raises(Forbidden):
        propose(session, giver, actor=stranger)
    request = propose(session, giver, actor=person(giver))
    for actor in (stranger, person(giver)):
        for step in (transfers.confirm_transfer, transfers.decline_transfer):
            with pytest.raises(Forbidden):
                step(session, actor, request)
    for actor in (stranger, person(receiver)):
        with pytest.raises(Forbidden):
            transfers.withdraw_transfer(session, actor, request)
    with pytest.raises(Forbidden):
        transfers.name_receiver(session, stranger, request, receiver)


def test_shares_that_are_promised_are_not_promised_again(
    session: Session, giver: Membership, receiver: Membership
) -> None:
    first = propose(session, giver, 2)
    with pytest.raises(RuleViolation, match="You can give 1 share"):
        propose(session, giver, 2)
    transfers.withdraw_transfer(session, SYSTEM, first)
    propose(session, giver, 3)


def test_numbers_that_are_promised_are_not_promised_again(
    session: Session, giver: Membership, receiver: Membership
) -> None:
    propose(session, giver, 1, numbers="2")
    with pytest.raises(RuleViolation, match="not shares that you can give"):
        propose(session, giver, 1, numbers="2")
    assert propose(session, giver, 1, numbers="3").numbers == "3"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"shares": 4}, "You can give 3 shares"),
        ({"shares": 0}, "between 1 and"),
        ({"shares": 10**9}, "between 1 and"),
        ({"cause": "whim"}, "why the shares"),
        ({"receiver_number": "1"}, "another member"),
        ({"receiver_number": "99"}, "Nobody has"),
        ({"receiver_number": ""}, "Say who receives"),
        ({"receiver_name": "Cy"}, "Two receivers"),
        ({"receiver_number": "", "receiver_name": "Cy", "receiver_email": "no"}, "no.+ is not an"),
        ({"effective_on": date(2018, 1, 9)}, "joined only on"),
        ({"effective_on": date(2030, 1, 1)}, "lies ahead"),
        ({"numbers": "1-x"}, "are not numbers"),
        ({"numbers": "4"}, "not shares that you can give"),
        ({"numbers": "1-2"}, "not shares that you can give"),
    ],
)
def test_a_proposal_that_cannot_be_is_refused(
    change: dict[str, Any],
    match: str,
    session: Session,
    giver: Membership,
    receiver: Membership,
) -> None:
    change = {"shares": 1, **change}
    with pytest.raises(GovernError, match=match):
        propose(session, giver, **change)
    assert session.scalars(select(TransferRequest)).all() == []


def test_a_receiver_who_was_no_member_on_the_day_is_refused(
    session: Session, giver: Membership, make_member: Make
) -> None:
    make_member("2", given_name="Bo", joined_on=date(2018, 4, 1))
    with pytest.raises(RuleViolation, match="joined only on 1 April 2018"):
        propose(session, giver, effective_on=DAY)


def test_shares_that_are_gone_when_the_receiver_confirms_are_refused(
    session: Session, giver: Membership, receiver: Membership
) -> None:
    request = propose(session, giver, 3)
    ledger.refund_shares(session, SYSTEM, giver, 1, DAY)
    with pytest.raises(RuleViolation, match="held 2 shares"):
        transfers.confirm_transfer(session, SYSTEM, request)
    assert (request.state, request.act_id) == ("proposed", None)


def test_a_request_is_answered_once(
    session: Session, giver: Membership, receiver: Membership
) -> None:
    request = propose(session, giver)
    transfers.confirm_transfer(session, SYSTEM, request)
    for step in (
        transfers.confirm_transfer,
        transfers.decline_transfer,
        transfers.withdraw_transfer,
    ):
        with pytest.raises(ForbiddenTransition):
            step(session, SYSTEM, request)
    assert issued(session, giver, receiver) == [2, 2]


def test_a_request_that_nobody_answers_expires_and_forgets_the_stranger(
    session: Session, giver: Membership, clock: Any
) -> None:
    request = propose(
        session,
        giver,
        3,
        receiver_number="",
        receiver_name="Dora",
        receiver_email="dora@example.org",
    )
    assert request.state == "awaiting_admission"
    clock.advance(days=31)
    # Even before the clock's tick the shares are free again.
    other = propose(
        session, giver, 1, receiver_number="", receiver_name="E", receiver_email="e@e.eu"
    )
    expire_transfers(session, clock.now)
    session.refresh(request)
    assert (request.state, request.receiver_name, request.receiver_email) == ("expired", "", "")
    session.refresh(other)
    assert other.state == "awaiting_admission"


def test_an_answer_that_comes_too_late_is_refused(
    session: Session, giver: Membership, receiver: Membership, clock: Any
) -> None:
    request = propose(session, giver)
    clock.advance(days=30)
    with pytest.raises(Conflict, match="time to answer has passed"):
        transfers.confirm_transfer(session, SYSTEM, request)


def test_whoever_gives_everything_stops_being_a_member_on_that_day(
    session: Session, giver: Membership, receiver: Membership
) -> None:
    request = propose(session, giver, 3, effective_on=DAY)
    transfers.confirm_transfer(session, SYSTEM, request)
    assert (giver.ended_on, giver.end_reason) == (DAY, EndReason.TRANSFER.value)


def test_members_cannot_give_shares_away_in_the_past_but_registrars_record_papers(
    session: Session, giver: Membership, receiver: Membership, person: Any, clock: Any
) -> None:
    clock.set(datetime(2018, 6, 1, 12, tzinfo=UTC))
    with pytest.raises(InvalidInput, match="has passed"):
        propose(session, giver, actor=person(giver), effective_on=date(2018, 5, 31))
    today = propose(session, giver, actor=person(giver), effective_on=date(2018, 6, 1))
    paper = propose(session, giver, effective_on=DAY)
    clock.advance(days=20)
    for request, counts_from in ((today, date(2018, 6, 21)), (paper, DAY)):
        entries = transfers.confirm_transfer(session, person(receiver), request)
        assert [row.effective_on for row in entries] == [counts_from] * 2


def test_a_membership_ends_no_earlier_than_its_last_share_leaves(
    session: Session, giver: Membership, receiver: Membership
) -> None:
    later = date(2018, 5, 2)
    first = transfers.complete_transfer(session, SYSTEM, giver, receiver, 1, later, cause="gift")
    last = transfers.complete_transfer(session, SYSTEM, giver, receiver, 2, DAY, cause="gift")
    assert giver.ended_on == later
    ledger.reverse_act(session, SYSTEM, last[0], "written twice")
    assert (giver.ended_on, giver.end_reason) == (None, None)
    ledger.reverse_act(session, SYSTEM, first[0], "written twice")
    assert issued(session, giver, receiver) == [3, 1]


def test_a_new_member_receives_what_was_promised_before_admission(
    session: Session, cooperative: Cooperative, giver: Membership, make_member: Make
) -> None:
    request = propose(
        session,
        giver,
        2,
        receiver_number="",
        receiver_name="Dora",
        receiver_email="Dora@example.org",
        effective_on=DAY,
    )
    with pytest.raises(ForbiddenTransition, match="Nobody is named"):
        transfers.confirm_transfer(session, SYSTEM, request)
    assert transfers.awaiting_for(session, cooperative, "dora@example.ORG") == [request]
    new = make_member("9", given_name="Dora", shares=0, joined_on=date(2018, 4, 1))
    transfers.name_receiver(session, SYSTEM, request, new)
    assert (request.receiver_name, request.receiver_email, request.state) == ("", "", "proposed")
    transfers.confirm_transfer(session, SYSTEM, request)
    assert issued(session, giver, new) == [1, 2]
    assert holding_of(session, new.id).paid == 2


def test_heirs_receive_shares_after_the_death_and_others_do_not(
    session: Session, cooperative: Cooperative, giver: Membership, receiver: Membership
) -> None:
    members.end_membership(session, SYSTEM, giver, DAY, EndReason.DEATH)
    later = date(2018, 4, 15)
    with pytest.raises(RuleViolation, match="ended on 1 March 2018"):
        transfers.complete_transfer(session, SYSTEM, giver, receiver, 3, later, cause="gift")
    transfers.complete_transfer(session, SYSTEM, giver, receiver, 3, later, cause="succession")
    assert (giver.ended_on, giver.end_reason) == (DAY, "death")
    assert issued(session, giver, receiver) == [0, 4]
    verify_ledger(session, cooperative)


def test_the_table_of_steps_ends_where_it_says() -> None:
    for state, following in TRANSITIONS.items():
        assert following <= TRANSITIONS.keys()
        assert state not in following


def test_both_parties_see_the_transfer_on_their_own_pages(
    client: FlaskClient,
    session: Session,
    giver: Membership,
    receiver: Membership,
    person: Callable[[Membership], Actor],
    sign_in: Callable[..., None],
) -> None:
    from govern.accounts.models import Account

    actors = [person(giver), person(receiver)]
    accounts = [session.get_one(Account, actor.account_id) for actor in actors]
    sign_in(client, accounts[0])
    form = {"shares": "1", "cause": "sale", "receiver_number": "2", "numbers": "2"}
    made = client.post(
        f"/smartcoop/me/{giver.public_id}/transfers/new", data={**form, "shares": "9"}
    )
    assert made.status_code == 422
    assert "You can give 3 shares" in made.text
    made = client.post(f"/smartcoop/me/{giver.public_id}/transfers/new", data=form)
    page = client.get(made.location).text
    assert "Withdraw the transfer" in page
    assert "Confirm the transfer" not in page
    client.post("/sign-out")
    sign_in(client, accounts[1])
    assert "wants to give you 1 share" in client.get("/").text
    assert "Look at the transfer" in client.get("/smartcoop/me").text
    done = client.post(made.location, data={"answer": "confirm"}, follow_redirects=True)
    assert "The shares were transferred" in done.text
    assert "Share numbers: 2, 4" in client.get("/smartcoop/me").text


def test_a_person_takes_out_their_transfers_and_an_erasure_ends_what_is_open(
    session: Session, giver: Membership, receiver: Membership
) -> None:
    done = propose(session, giver, 1)
    transfers.confirm_transfer(session, SYSTEM, done)
    waiting = propose(
        session, giver, 1, receiver_number="", receiver_name="Dora", receiver_email="d@example.org"
    )
    assert giver.person is not None
    sections = {item.key: item for item in own_transfers(session, giver.person)}
    assert [row[2] for row in sections["transfers"].rows] == ["Dora", "Bo Peeters"]
    assert len(sections["certificates"].rows) == 1
    assert erase_transfers(session, giver, "now") == 1
    session.refresh(waiting)
    assert (waiting.state, waiting.receiver_name) == ("withdrawn", "")
    assert erase_transfers(session, giver, "end") == 2
    assert session.scalars(select(TransferRequest)).all() == []


def test_whoever_joins_with_the_address_is_asked_to_confirm(
    session: Session, giver: Membership, make_member: Make
) -> None:
    request = propose(
        session, giver, 1, receiver_number="", receiver_name="D", receiver_email="d@example.org"
    )
    new = make_member("9", given_name="Dora", email="D@example.org")
    transfers.welcome_receiver(session, new)
    session.refresh(request)
    assert (request.state, request.receiver_id) == ("proposed", new.id)
    assert issued(session, giver, new) == [3, 1]


def test_a_membership_goes_on_when_the_transfer_that_ended_it_is_taken_back(
    session: Session, cooperative: Cooperative, giver: Membership, receiver: Membership
) -> None:
    entries = transfers.complete_transfer(
        session, SYSTEM, giver, receiver, 3, DAY, cause="gift", numbers="1-3"
    )
    assert giver.end_reason == "transfer"
    ledger.reverse_act(session, SYSTEM, entries[0], "the wrong receiver")
    assert (giver.ended_on, giver.end_reason) == (None, None)
    assert issued(session, giver, receiver) == [3, 1]
    verify_ledger(session, cooperative)
