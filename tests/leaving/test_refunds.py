"""What is owed: the board's tests, schedules, release, and what the bank says."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.accounts.services import actor_for
from govern.clock import now as clock_now
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, ForbiddenTransition, GovernError, InvalidInput, RuleViolation
from govern.extensions import db
from govern.leaving.models import BoardTest, Refund
from govern.leaving.rules.board import TestKind
from govern.leaving.services import board, effect, payees, recording, refunds, taken_back
from govern.payments import signals
from govern.payments.models import BankAccount, OutgoingPayment
from govern.payments.services import cancel_outgoing, hold_outgoing, release_outgoing
from govern.payments.services.accounts import add_bank_account
from govern.payments.services.batches import make_batch, mark_batch_sent
from govern.register.models import ShareEntry
from govern.register.services import ledger
from govern.register.services.holdings import holding_of
from tests.conftest import SettableClock
from tests.leaving.conftest import OTHER_IBAN, PDF, mails

Make = Callable[..., Any]


@pytest.fixture
def refund(session: Session, clock: SettableClock, make_resigned: Make) -> Refund:
    """Sixty euros owed since 30 June 2018, due on 30 June 2021."""
    departure = make_resigned()
    clock.set(datetime(2018, 7, 2, 8, 0, tzinfo=UTC))
    effect.take_effect_job(session, departure.id)
    session.commit()
    return session.scalars(select(Refund)).one()


def release(session: Session, cooperative: Cooperative, *rows: Refund) -> list[OutgoingPayment]:
    return refunds.release_refunds(session, SYSTEM, cooperative, rows)


def test_nothing_is_released_without_both_tests(
    session: Session, cooperative: Cooperative, refund: Refund
) -> None:
    with pytest.raises(RuleViolation, match=r"Net-asset test: none.*Liquidity test: none"):
        release(session, cooperative, refund)
    board.record_test(
        session,
        SYSTEM,
        cooperative,
        kind=TestKind.NET_ASSET,
        decided_on=date(2018, 7, 1),
        passed=True,
        valid_until=date(2018, 12, 31),
        up_to_cents=100_000,
        text="Accounts of 2017",
        document=board.Upload("report.pdf", PDF),
    )
    with pytest.raises(RuleViolation, match="Liquidity test: none") as error:
        release(session, cooperative, refund)
    assert "Net-asset" not in error.value.message
    assert refund.state == "scheduled"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"up_to_cents": 5999}, "covers only €59.99"),
        ({"until": date(2018, 7, 1), "decided_on": date(2018, 7, 1)}, "valid until 1 Jul"),
        ({"passed": False, "up_to_cents": 0}, "not passed"),
    ],
)
def test_the_tests_must_cover_the_sum_and_the_day(
    session: Session,
    cooperative: Cooperative,
    refund: Refund,
    pass_tests: Make,
    fields: dict[str, Any],
    words: str,
) -> None:
    pass_tests(**fields)
    with pytest.raises(RuleViolation, match=words):
        release(session, cooperative, refund)


def test_a_refund_goes_through_a_file_to_its_owner(
    session: Session,
    cooperative: Cooperative,
    refund: Refund,
    pass_tests: Make,
    clock: SettableClock,
) -> None:
    pass_tests(up_to_cents=6000)
    payment = release(session, cooperative, refund)[0]
    assert (payment.amount_cents, payment.iban, payment.payee_name) == (
        6000,
        "BE71096123456769",
        "An Peeters",
    )
    assert payment.subject == f"refund:{refund.public_id}"
    assert refund.state == "released"
    given = board.coverages(session, cooperative, 1)
    assert not any(coverage.is_given for coverage in given)
    account = BankAccount(
        cooperative_id=cooperative.id,
        iban="BE68539007547034",
        holder="SmartCoop",
        is_default=True,
        opened_at=clock(),
    )
    session.add(account)
    session.flush()
    batch = make_batch(session, SYSTEM, account, [payment], date(2018, 7, 3))
    assert "60.00" in batch.xml
    mark_batch_sent(session, SYSTEM, batch)
    payment.state = "paid"
    signals.outgoing_paid.send(payment, session=session, actor=SYSTEM, paid_on=date(2018, 7, 3))
    signals.outgoing_paid.send(payment, session=session, actor=SYSTEM, paid_on=date(2018, 7, 3))
    assert (refund.state, refund.paid_on) == ("paid", date(2018, 7, 3))
    subjects = [mail.subject for mail in mails(session)]
    assert subjects.count("€60.00 was paid to you") == 1


def test_what_the_bank_sends_back_waits_for_the_right_account(
    session: Session, cooperative: Cooperative, refund: Refund, pass_tests: Make
) -> None:
    pass_tests(up_to_cents=6000)
    payment = release(session, cooperative, refund)[0]
    payment.state = "returned"
    signals.outgoing_returned.send(
        payment,
        session=session,
        actor=SYSTEM,
        returned_on=date(2018, 7, 5),
        reason="AC04",
    )
    assert (refund.state, refund.reason) == ("returned", "AC04")
    assert "which account is right" in mails(session)[-1].subject
    assert "Reason: The account is closed (AC04)" in mails(session)[-1].text_body
    with pytest.raises(Conflict):
        release(session, cooperative, refund)
    owner = actor_for(session, refund.membership.person.account)
    with pytest.raises(InvalidInput, match="check digits"):
        payees.put_payee(session, owner, refund.departure, holder="An", iban="BE68539007547035")
    payees.put_payee(session, owner, refund.departure, holder="An Peeters", iban=OTHER_IBAN)
    assert (refund.state, refund.iban) == ("scheduled", OTHER_IBAN)
    # The room of the tests is free again, and a second payment is made.
    again = release(session, cooperative, refund)[0]
    assert again.id != payment.id
    assert again.iban == OTHER_IBAN


def test_a_payment_that_is_called_off_lets_the_refund_wait_again(
    session: Session, cooperative: Cooperative, refund: Refund, pass_tests: Make
) -> None:
    pass_tests()
    payment = release(session, cooperative, refund)[0]
    cancel_outgoing(session, SYSTEM, payment, reason="wrong month")
    assert (refund.state, refund.net_asset_test_id) == ("scheduled", None)
    assert release(session, cooperative, refund)[0].id != payment.id


def test_a_test_that_ended_or_failed_meanwhile_stops_the_file(
    session: Session,
    cooperative: Cooperative,
    refund: Refund,
    pass_tests: Make,
    clock: SettableClock,
) -> None:
    pass_tests(until=date(2018, 7, 10))
    payment = release(session, cooperative, refund)[0]
    hold_outgoing(session, SYSTEM, payment)
    clock.advance(days=20)
    with pytest.raises(RuleViolation, match="valid until"):
        release_outgoing(session, SYSTEM, payment)
    pass_tests()
    release_outgoing(session, SYSTEM, payment)
    newest = session.scalars(select(BoardTest).order_by(BoardTest.id.desc())).first()
    assert newest is not None
    assert refund.liquidity_test_id == newest.id


def test_a_file_is_not_to_be_paid_after_the_tests_end(
    session: Session, cooperative: Cooperative, refund: Refund, pass_tests: Make
) -> None:
    pass_tests(until=date(2018, 7, 31))
    payment = release(session, cooperative, refund)[0]

    def into_a_file(execute_on: date) -> None:
        signals.outgoing_releasing.send(
            payment, session=session, actor=SYSTEM, execute_on=execute_on
        )

    with pytest.raises(RuleViolation, match="valid until"):
        into_a_file(date(2018, 8, 1))
    into_a_file(date(2018, 7, 31))


def test_a_refund_is_put_off_with_a_reason_and_the_claim_remains(
    session: Session, cooperative: Cooperative, refund: Refund, pass_tests: Make
) -> None:
    pass_tests()
    with pytest.raises(InvalidInput):
        refunds.postpone_refund(session, SYSTEM, refund, reason="")
    refunds.postpone_refund(
        session, SYSTEM, refund, reason="Liquidity is short.", until=date(2018, 12, 1)
    )
    assert "Your claim remains" in mails(session)[-1].text_body
    totals = refunds.refund_totals(session, cooperative)
    assert (totals.owed_cents, totals.postponed_cents) == (6000, 6000)
    with pytest.raises(Conflict):
        release(session, cooperative, refund)
    refunds.resume_refund(session, SYSTEM, refund)
    assert refund.state == "scheduled"
    with pytest.raises(ForbiddenTransition):
        refunds.resume_refund(session, SYSTEM, refund)


def test_instalments_take_the_place_of_the_whole(
    session: Session, cooperative: Cooperative, refund: Refund
) -> None:
    with pytest.raises(RuleViolation, match="by 30 June 2021"):
        refunds.split_refund(
            session, SYSTEM, refund, count=3, first_due_on=date(2019, 7, 1), months_between=12
        )
    parts = refunds.split_refund(
        session, SYSTEM, refund, count=3, first_due_on=date(2019, 6, 30), months_between=12
    )
    assert [(part.amount_cents, part.due_on.year) for part in parts] == [
        (2000, 2019),
        (2000, 2020),
        (2000, 2021),
    ]
    assert refund.state == "replaced"
    assert refunds.refund_totals(session, cooperative).owed_cents == 6000
    with pytest.raises(ForbiddenTransition):
        refunds.split_refund(session, SYSTEM, refund, count=1, first_due_on=date(2019, 6, 30))


def test_a_refund_without_an_account_is_not_released(
    session: Session, cooperative: Cooperative, refund: Refund, pass_tests: Make
) -> None:
    pass_tests()
    refund.iban = ""
    with pytest.raises(RuleViolation, match="Nobody has said yet"):
        release(session, cooperative, refund)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"decided_on": date(2018, 8, 1)}, "decided_on"),
        ({"valid_until": date(2018, 6, 1)}, "valid_until"),
        ({"up_to_cents": 0}, "up_to"),
        ({"up_to_cents": 10**18}, "up_to"),
        ({"text": "-"}, "text"),
    ],
)
def test_a_test_of_the_board_says_what_is_wrong_with_it(
    session: Session,
    cooperative: Cooperative,
    clock: SettableClock,
    fields: dict[str, Any],
    field: str,
) -> None:
    clock.set(datetime(2018, 7, 2, 8, 0, tzinfo=UTC))
    values: dict[str, Any] = {
        "kind": TestKind.LIQUIDITY,
        "decided_on": date(2018, 7, 1),
        "passed": True,
        "valid_until": date(2018, 12, 31),
        "up_to_cents": 100,
        "text": "as computed",
        **fields,
    }
    with pytest.raises(InvalidInput) as error:
        board.record_test(session, SYSTEM, cooperative, **values)
    assert error.value.field == field


def test_two_treasurers_at_once_release_a_refund_once(
    both_databases: str,
    app: Any,
    session: Session,
    cooperative: Cooperative,
    refund: Refund,
    pass_tests: Make,
) -> None:
    pass_tests(up_to_cents=6000)
    cooperative_id, refund_id = cooperative.id, refund.id
    session.commit()

    def press(_number: int) -> str:
        with app.app_context():
            try:
                refunds.release_refunds(
                    db.session(),
                    SYSTEM,
                    db.session.get_one(Cooperative, cooperative_id),
                    [db.session.get_one(Refund, refund_id)],
                )
                db.session.commit()
                return "released"
            except GovernError:
                db.session.rollback()
                return "refused"
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(press, range(2)))
    session.expire_all()
    assert answers == ["refused", "released"]
    assert len(session.scalars(select(OutgoingPayment)).all()) == 1


def test_nothing_is_paid_for_shares_that_the_ledger_gave_back(
    session: Session,
    cooperative: Cooperative,
    refund: Refund,
    pass_tests: Make,
    clock: SettableClock,
) -> None:
    pass_tests()
    entry = session.scalars(select(ShareEntry).where(ShareEntry.kind == "refund")).one()
    ledger.reverse_act(session, SYSTEM, entry, "the wrong member")
    with pytest.raises(RuleViolation, match="were given back"):
        release(session, cooperative, refund)
    # What waits is cancelled by itself.
    taken_back.cancel_taken_back(session, clock.now)
    assert refund.state == "cancelled"
    assert refunds.refund_totals(session, cooperative).owed_cents == 0


def test_a_payment_on_its_way_into_a_file_is_stopped_when_the_ledger_gave_the_shares_back(
    session: Session,
    cooperative: Cooperative,
    refund: Refund,
    pass_tests: Make,
    clock: SettableClock,
) -> None:
    pass_tests()
    payment = release(session, cooperative, refund)[0]
    taken_back.cancel_taken_back(session, clock.now)
    assert refund.state == "released"
    entry = session.scalars(select(ShareEntry).where(ShareEntry.kind == "refund")).one()
    ledger.reverse_act(session, SYSTEM, entry, "the wrong member")
    with pytest.raises(RuleViolation, match="were given back"):
        signals.outgoing_releasing.send(payment, session=session, actor=SYSTEM)
    cancel_outgoing(session, SYSTEM, payment, reason="nothing is owed")
    taken_back.cancel_taken_back(session, clock.now)
    assert refund.state == "cancelled"


def test_shares_that_were_paid_back_do_not_come_back_to_be_owed_again(
    session: Session, cooperative: Cooperative, refund: Refund, pass_tests: Make
) -> None:
    pass_tests()
    [payment] = release(session, cooperative, refund)
    entry = session.scalars(select(ShareEntry).where(ShareEntry.kind == "refund")).one()
    own = add_bank_account(
        session, SYSTEM, cooperative, iban="BE68539007547034", bic="", holder="SmartCoop"
    )
    mark_batch_sent(session, SYSTEM, make_batch(session, SYSTEM, own, [payment], date(2018, 7, 2)))
    with pytest.raises(RuleViolation, match=r"€60\.00 was paid back for these shares"):
        ledger.reverse_act(session, SYSTEM, entry, "the wrong member")
    payment.state = "paid"
    signals.outgoing_paid.send(payment, session=session, actor=SYSTEM, paid_on=date(2018, 7, 2))
    with pytest.raises(RuleViolation, match=r"€60\.00 was paid back for these shares"):
        ledger.reverse_act(session, SYSTEM, entry, "the wrong member")
    signals.outgoing_returned.send(
        payment, session=session, actor=SYSTEM, reason="AC04", returned_on=date(2018, 7, 2)
    )
    ledger.reverse_act(session, SYSTEM, entry, "the wrong member")
    taken_back.cancel_taken_back(session, clock_now())
    assert refund.state == "cancelled"


def test_an_estate_that_was_settled_anew_is_paid_once(
    session: Session, cooperative: Cooperative, make_member: Make, pass_tests: Make
) -> None:
    pass_tests()
    membership = make_member(shares=2)
    departure = recording.record_death(session, SYSTEM, membership, died_on=date(2018, 4, 9))
    [first] = recording.settle_estate(session, SYSTEM, departure, holder="Heirs", iban=OTHER_IBAN)
    entry = session.scalars(select(ShareEntry).where(ShareEntry.kind == "refund")).one()
    ledger.reverse_act(session, SYSTEM, entry, "an heir is a member")
    [second] = recording.settle_estate(session, SYSTEM, departure, holder="Heirs", iban=OTHER_IBAN)
    with pytest.raises(RuleViolation, match="were given back"):
        release(session, cooperative, second)
    taken_back.cancel_taken_back(session, clock_now())
    assert (first.state, second.state) == ("cancelled", "scheduled")
    assert len(release(session, cooperative, second)) == 1


def test_what_was_paid_too_much_is_owed_with_the_last_share(
    session: Session, clock: SettableClock, make_resigned: Make
) -> None:
    departure = make_resigned()
    ledger.record_payment(
        session,
        SYSTEM,
        departure.membership,
        500,
        date(2018, 4, 10),
        accept_overpayment=True,
    )
    clock.set(datetime(2018, 7, 2, 8, 0, tzinfo=UTC))
    effect.take_effect_job(session, departure.id)
    assert departure.amount_cents == 6500
    assert holding_of(session, departure.membership_id).paid_cents == 0
