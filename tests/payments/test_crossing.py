"""What crosses: numbered after it was read, returned after it was spent, paid after all."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.audit import AuditEntry
from govern.errors import Conflict, ForbiddenTransition, InvalidInput, RuleViolation
from govern.payments import signals
from govern.payments.models import BankEntry, Doubt, OutgoingPayment
from govern.payments.reading import ReadEntry, records
from govern.payments.rules.references import references_in
from govern.payments.services import batches, claims, matching, outgoing
from govern.payments.services.following import likely_outgoing, settle_outgoing_by_hand
from govern.register.models import ShareEntry
from govern.register.services import ledger
from tests.payments.statements import AN

TODAY = date(2018, 6, 1)


def line(cents: int, number: str = "", *, day: date = TODAY, **others: Any) -> ReadEntry:
    others.setdefault("counterparty_iban", AN)
    return ReadEntry(
        amount_cents=cents, booked_on=day, value_on=day, bank_reference=number, **others
    )


def entries(session: Session) -> list[BankEntry]:
    return list(session.scalars(select(BankEntry).order_by(BankEntry.id)))


# -- numbered later -----------------------------------------------------------------------------


def test_an_entry_that_the_bank_numbers_only_later_counts_once(session, table, ask):
    request = ask(6000)
    early = line(6000, reference=request.reference)
    numbered = line(6000, "2018-0007", reference=request.reference)
    assert table(early).new == 1
    assert (table(numbered).new, table(early).new, table(numbered).new) == (0, 0, 0)
    [entry] = entries(session)
    assert (entry.bank_reference, request.paid_cents) == ("2018-0007", 6000)


def test_a_twin_with_another_number_is_another_payment(session, table):
    table(line(1000, remittance="gift"))
    both = [line(1000, "1", remittance="gift"), line(1000, "2", remittance="gift")]
    assert table(*both).new == 1
    assert table(*both).new == 0
    assert [entry.bank_reference for entry in entries(session)] == ["1", "2"]


def test_a_twin_that_is_not_numbered_yet_keeps_its_own_place(session, table):
    early = line(1000, remittance="gift")
    table(early)
    assert table(line(1000, "2", remittance="gift"), early).new == 1
    assert len(entries(session)) == 2


# -- messages -----------------------------------------------------------------------------------


def test_of_a_message_of_blanks_only_a_bounded_piece_is_searched(monkeypatch):
    searched: list[str] = []

    def search(text: str) -> list[str]:
        searched.append(text)
        return references_in(text)

    monkeypatch.setattr(records.references, "references_in", search)
    blanks = " " * 300_000
    assert records.reference_of("", f"123{blanks}x") == ""
    assert records.reference_of("", f"{blanks}123/4567/{blanks}89002{blanks}") == "123456789002"
    assert records.reference_of("", "1 x" * 100_000) == ""
    assert max(map(len, searched)) <= records.MAX_SEARCHED


# -- payments going out -------------------------------------------------------------------------


@pytest.fixture
def released(session: Session, cooperative: Any, account: Any) -> outgoing.OutgoingPayment:
    payment = outgoing.request_outgoing(
        session, SYSTEM, cooperative, payee_name="An Peeters", iban=AN, amount_cents=3000,
        due_on=TODAY, text="Refund of shares", subject="grant:1",
    )  # fmt: skip
    outgoing.release_outgoing(session, SYSTEM, payment)
    session.commit()
    return payment


def test_features_above_are_told_on_which_day_a_file_is_to_be_paid(session, account, released):
    told: list[date] = []

    def listen(_payment: Any, *, execute_on: date, **_others: Any) -> None:
        told.append(execute_on)

    with signals.outgoing_releasing.connected_to(listen):
        batches.make_batch(session, SYSTEM, account, [released], date(2019, 3, 1))
    assert told == [date(2019, 3, 1)]


def paid_with_cancelled_file(session: Session, account: Any, payment: Any) -> Any:
    """The file was said to be refused; the bank pays it all the same."""
    batch = batches.make_batch(session, SYSTEM, account, [payment], TODAY)
    batches.mark_batch_sent(session, SYSTEM, batch)
    batches.cancel_batch(session, SYSTEM, batch, "the bank refused it")
    return line(-3000, "1", end_to_end_id=payment.end_to_end_id)


def test_a_payment_that_left_with_a_cancelled_file_is_not_paid_again(
    session, account, table, released
):
    table(paid_with_cancelled_file(session, account, released))
    [entry] = entries(session)
    assert (entry.doubt, released.state) == (Doubt.OUTGOING_UNEXPECTED.value, "released")
    assert likely_outgoing(session, entry) == [released]
    settle_outgoing_by_hand(session, SYSTEM, entry, released)
    assert (entry.state, released.state) == ("matched", "paid")
    with pytest.raises(ForbiddenTransition):
        batches.make_batch(session, SYSTEM, account, [released], TODAY)


def test_a_debit_says_nothing_of_a_file_that_was_made_after_it(
    session, account, table, released, clock
):
    left = paid_with_cancelled_file(session, account, released)
    clock.advance(days=3)
    second = batches.make_batch(session, SYSTEM, account, [released], date(2018, 6, 4))
    table(left)
    [entry] = entries(session)
    assert (entry.doubt, second.state) == (Doubt.OUTGOING_UNEXPECTED.value, "made")
    with pytest.raises(RuleViolation):
        settle_outgoing_by_hand(session, SYSTEM, entry, released)
    batches.cancel_batch(session, SYSTEM, second, "paid with the first file")
    settle_outgoing_by_hand(session, SYSTEM, entry, released)
    assert released.state == "paid"


def test_a_debit_in_a_table_that_may_be_our_payment_waits_for_a_person(
    session, account, table, released
):
    batches.make_batch(session, SYSTEM, account, [released], TODAY)
    table(line(-3000))
    [entry] = entries(session)
    assert entry.state == "unmatched"
    settle_outgoing_by_hand(session, SYSTEM, entry, released)
    assert (entry.state, released.state) == ("matched", "paid")


# -- returned -----------------------------------------------------------------------------------


def test_a_debit_in_a_table_that_may_be_a_return_waits_for_a_person(session, table, ask):
    request = ask(6000)
    table(line(6000, reference=request.reference, counterparty_iban=""))
    table(line(-6000, reference=request.reference, counterparty_iban=""))
    credit, debit = entries(session)
    assert (debit.state, debit.doubt) == ("doubtful", Doubt.RETURN_UNKNOWN.value)
    matching.return_by_hand(session, SYSTEM, debit, credit)
    assert (credit.state, request.paid_cents) == ("returned", 0)


def test_a_debit_of_another_amount_to_somebody_who_paid_is_no_return(session, table, ask):
    table(line(6000, reference=ask(6000).reference))
    table(line(-6001))
    assert entries(session)[1].state == "set_aside"


def test_the_same_account_and_amount_may_be_a_return_even_where_two_credits_fit(session, table):
    table(line(6000, "1"), line(6000, "2", day=date(2018, 5, 30)))
    table(line(-6000, "3"))
    assert entries(session)[2].doubt == Doubt.RETURN_UNKNOWN.value


@pytest.fixture
def moved_on(session: Session, make_member: Any, ordered: Any, table: Any) -> tuple[Any, ...]:
    """Shares were paid, then transferred; then the bank takes the payment back."""
    request, giver, receiver = ordered, ordered.membership, make_member("Bo", "Maes", shares=1)
    table(line(10_000, "1", reference=request.reference))
    ledger.transfer_shares(session, SYSTEM, giver, receiver, 2, TODAY)
    session.commit()
    table(line(-10_000, "2", is_return=True))
    credit, debit = entries(session)
    assert debit.doubt == Doubt.LEDGER_REFUSED.value
    return request, credit, debit


def test_a_return_after_the_shares_moved_on_becomes_a_claim(session, moved_on):
    request, credit, debit = moved_on
    before = session.scalar(select(func.count()).select_from(ShareEntry))
    with pytest.raises(InvalidInput):
        claims.settle_as_claim(session, SYSTEM, debit, credit, " ")
    claims.settle_as_claim(session, SYSTEM, debit, credit, "An is asked for it by letter")
    assert (credit.state, debit.state) == ("returned", "matched")
    assert debit.note == credit.note == "An is asked for it by letter"
    assert (request.state, request.paid_cents) == ("settled", 6000)
    assert session.scalar(select(func.count()).select_from(ShareEntry)) == before
    [refund] = session.scalars(select(OutgoingPayment))
    assert refund.state == "cancelled"
    written = session.scalars(select(AuditEntry.tag).order_by(AuditEntry.position.desc())).first()
    assert written == "payments:entry:claimed"


def test_money_that_is_claimed_is_neither_returned_nor_given_back_again(session, moved_on):
    _request, credit, debit = moved_on
    claims.settle_as_claim(session, SYSTEM, debit, credit, "An is asked for it by letter")
    with pytest.raises(RuleViolation):
        claims.settle_as_claim(session, SYSTEM, debit, credit, "An is asked for it by letter")
    with pytest.raises(RuleViolation):
        matching.give_rest_back(session, SYSTEM, credit)
    [match] = [one for one in credit.matches if one.amount_cents > 0]
    with pytest.raises(Conflict):
        matching.undo_match(session, SYSTEM, match, "meant for another member")


def test_a_return_that_can_be_booked_is_no_claim(session, table, ask):
    request = ask(6000)
    table(line(6000, reference=request.reference), line(-6000))
    credit, debit = entries(session)
    with pytest.raises(RuleViolation):
        claims.settle_as_claim(session, SYSTEM, debit, credit, "An is asked for it by letter")
    assert (credit.state, debit.state, request.paid_cents) == ("matched", "doubtful", 6000)


def test_nothing_is_claimed_while_the_money_is_on_its_way_back(session, account, moved_on):
    _request, credit, debit = moved_on
    [refund] = session.scalars(select(OutgoingPayment))
    outgoing.release_outgoing(session, SYSTEM, refund)
    batch = batches.make_batch(session, SYSTEM, account, [refund], TODAY)
    with pytest.raises(RuleViolation):
        claims.settle_as_claim(session, SYSTEM, debit, credit, "An is asked for it by letter")
    batches.cancel_batch(session, SYSTEM, batch, "never handed over")
    claims.settle_as_claim(session, SYSTEM, debit, credit, "An is asked for it by letter")
    assert refund.state == "cancelled"


def test_the_page_of_a_return_offers_a_claim_and_then_shows_it(
    session, moved_on, client, make_account, sign_in, cooperative
):
    _request, credit, debit = moved_on
    sign_in(client, make_account("Tamara", roles=[(cooperative, Role.TREASURER)]))
    home = "/smartcoop/payments/entries"
    claim = f"{home}/{debit.public_id}/claim/{credit.public_id}"
    assert claim in client.get(f"{home}/{debit.public_id}").text
    assert "Ask the payer for the money" in client.get(claim).text
    assert client.post(claim, data={"reason": "?"}).status_code == 422
    done = client.post(claim, data={"reason": "asked by letter"}, follow_redirects=True).text
    assert "The claim was recorded." in done
    assert "The money went back: a claim on the payer" in done
    assert "asked by letter" in client.get(f"{home}/{credit.public_id}").text


def test_the_entries_of_another_cooperative_are_nobody_s_to_claim(
    session, moved_on, client, make_account, make_cooperative, sign_in
):
    _request, credit, debit = moved_on
    elsewhere = make_cooperative(code="elsewhere")
    session.commit()
    sign_in(client, make_account("Tom", roles=[(elsewhere, Role.TREASURER)]))
    for place in ("smartcoop", "elsewhere"):
        claim = f"/{place}/payments/entries/{debit.public_id}/claim/{credit.public_id}"
        assert client.post(claim, data={"reason": "asked by letter"}).status_code in (403, 404)
    assert (credit.state, debit.state) == ("matched", "doubtful")
