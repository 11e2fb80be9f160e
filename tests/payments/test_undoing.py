"""Claims that were none, and payments that left although they had been cancelled here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.audit import AuditEntry
from govern.errors import Conflict, GovernError, InvalidInput, RuleViolation
from govern.extensions import db
from govern.payments import signals
from govern.payments.models import (
    BankEntry,
    Doubt,
    OutgoingPayment,
    PayerClaim,
    PaymentBatch,
)
from govern.payments.services import batches, claims, matching, outgoing
from govern.payments.services.entries import rest_of
from govern.payments.services.following import likely_outgoing, settle_outgoing_by_hand
from govern.register.services import ledger
from tests.payments.statements import AN
from tests.payments.test_crossing import TODAY, entries, line

REASON = "An is asked for it by letter"


def newest_deed(session: Session) -> str:
    return (
        session.scalars(select(AuditEntry.tag).order_by(AuditEntry.position.desc())).first() or ""
    )


def refunds(session: Session) -> list[OutgoingPayment]:
    return list(session.scalars(select(OutgoingPayment).order_by(OutgoingPayment.id)))


# -- a claim that was none ----------------------------------------------------------------------


@pytest.fixture
def claimed(session: Session, make_member: Any, ordered: Any, table: Any) -> PayerClaim:
    """The shares were given on, the bank took their price back, the treasurer claims it."""
    receiver = make_member("Bo", "Maes", shares=1)
    table(line(10_000, "1", reference=ordered.reference))
    ledger.transfer_shares(session, SYSTEM, ordered.membership, receiver, 2, TODAY)
    session.commit()
    table(line(-10_000, "2", is_return=True))
    credit, debit = entries(session)
    claims.settle_as_claim(session, SYSTEM, debit, credit, REASON)
    session.commit()
    return session.scalars(select(PayerClaim)).one()


def test_an_undone_claim_leaves_both_entries_as_they_were(session, claimed, ordered):
    credit, debit = claimed.original, claimed.entry
    with pytest.raises(InvalidInput):
        claims.undo_claim(session, SYSTEM, claimed, "  ")
    claims.undo_claim(session, SYSTEM, claimed, "it was another debit")
    assert (debit.state, debit.doubt) == ("doubtful", Doubt.RETURN_UNKNOWN.value)
    assert credit.state == "matched"
    assert (ordered.state, ordered.paid_cents) == ("settled", 6000)
    assert (claimed.undone_reason, debit.note, credit.note) == ("it was another debit", "", "")
    assert newest_deed(session) == "payments:entry:claim_undone"


def test_what_the_claim_called_off_is_planned_to_be_given_back_again(session, claimed):
    assert [one.state for one in refunds(session)] == ["cancelled"]
    claims.undo_claim(session, SYSTEM, claimed, "it was another debit")
    before, again = refunds(session)
    assert (before.state, again.state) == ("cancelled", "planned")
    assert (again.subject, again.amount_cents, again.iban) == (before.subject, 4000, AN)
    assert rest_of(session, claimed.original) == 0


def test_a_claim_is_undone_once_and_can_be_made_again(session, claimed):
    credit, debit = claimed.original, claimed.entry
    claims.undo_claim(session, SYSTEM, claimed, "it was another debit")
    with pytest.raises(Conflict):
        claims.undo_claim(session, SYSTEM, claimed, "it was another debit")
    claims.settle_as_claim(session, SYSTEM, debit, credit, "it was this one after all")
    assert (credit.state, debit.state) == ("returned", "matched")
    assert [one.is_live for one in claims.claims_of(session, credit)] == [False, True]
    assert {one.state for one in refunds(session)} == {"cancelled"}


def test_when_undoing_breaks_off_the_claim_stands(session, claimed, monkeypatch):
    def break_off(*_arguments: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(claims, "restate", break_off)
    with pytest.raises(MemoryError):
        claims.undo_claim(session, SYSTEM, claimed, "it was another debit")
    session.rollback()
    assert (claimed.is_live, claimed.original.state) == (True, "returned")


def test_the_treasurer_undoes_a_claim_on_its_page_and_both_reasons_stay(
    session, claimed, client, make_account, sign_in, cooperative
):
    sign_in(client, make_account("Tamara", roles=[(cooperative, Role.TREASURER)]))
    page = f"/smartcoop/payments/entries/{claimed.entry.public_id}"
    undo = f"{page}/undo-claim/{claimed.public_id}"
    assert undo in client.get(page).text
    assert client.post(undo, data={"reason": "?"}).status_code == 422
    done = client.post(undo, data={"reason": "another debit"}, follow_redirects=True).text
    assert "The claim was undone." in done
    assert REASON in done
    assert "another debit" in done
    assert undo not in done
    again = client.post(undo, data={"reason": "another debit"})
    assert (again.status_code, "undone already" in again.text) == (409, True)
    elsewhere = f"/smartcoop/payments/entries/{claimed.entry.public_id}/undo-claim/{'x' * 22}"
    assert client.get(elsewhere).status_code == 404


# -- a cancelled payment that left --------------------------------------------------------------


@pytest.fixture
def left(session: Session, account: Any, table: Any, ask: Any) -> Callable[..., Any]:
    """``left()``: an over-payment of 40 euro was to be given back; its file was said to be refused
    and it was cancelled. The bank paid it all the same. (payment, credit, debit)"""

    def make(*, cancel: bool = True) -> tuple[OutgoingPayment, BankEntry, BankEntry]:
        table(line(10_000, "1", reference=ask(6000).reference))
        [refund] = refunds(session)
        outgoing.release_outgoing(session, SYSTEM, refund)
        batch = batches.make_batch(session, SYSTEM, account, [refund], TODAY)
        batches.mark_batch_sent(session, SYSTEM, batch)
        batches.cancel_batch(session, SYSTEM, batch, "the bank refused it")
        if cancel:
            outgoing.cancel_outgoing(session, SYSTEM, refund, reason="given back in cash")
        session.commit()
        table(line(-4000, "2", end_to_end_id=refund.end_to_end_id))
        credit, debit = entries(session)
        return refund, credit, debit

    return make


def test_a_cancelled_payment_that_left_is_paid_and_settles_what_it_was_for(
    both_databases, session, left
):
    refund, credit, debit = left()
    assert (debit.doubt, credit.doubt) == (
        Doubt.OUTGOING_UNEXPECTED.value,
        Doubt.REST_LEFT.value,
    )
    assert likely_outgoing(session, debit) == [refund]
    settle_outgoing_by_hand(session, SYSTEM, debit, refund)
    assert (refund.state, refund.paid_on, refund.end_reason) == ("paid", TODAY, "")
    assert (debit.state, credit.state) == ("matched", "matched")
    assert rest_of(session, credit) == 0


def test_a_cancelled_payment_that_left_is_settled_once(session, left, table):
    refund, _credit, debit = left()
    settle_outgoing_by_hand(session, SYSTEM, debit, refund)
    with pytest.raises(RuleViolation):
        settle_outgoing_by_hand(session, SYSTEM, debit, refund)
    table(line(-4000, "3", end_to_end_id=refund.end_to_end_id))
    second = entries(session)[-1]
    assert second.doubt == Doubt.OUTGOING_UNEXPECTED.value
    with pytest.raises(RuleViolation):
        settle_outgoing_by_hand(session, SYSTEM, second, refund)


def test_two_treasurers_at_once_settle_it_once(both_databases, app, session, left):
    refund, credit, debit = left()
    ids = debit.id, refund.id
    session.commit()

    def press(_number: int) -> str:
        with app.app_context():
            mine = db.session()
            try:
                settle_outgoing_by_hand(
                    mine,
                    SYSTEM,
                    mine.get_one(BankEntry, ids[0]),
                    mine.get_one(OutgoingPayment, ids[1]),
                )
                mine.commit()
                return "settled"
            except GovernError:
                mine.rollback()
                return "refused"
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(press, range(2)))
    session.expire_all()
    assert answers == ["refused", "settled"]
    assert (refund.state, credit.state, debit.state) == ("paid", "matched", "matched")


def test_a_payment_whose_release_was_taken_back_may_have_left_as_well(session, left):
    refund, credit, debit = left(cancel=False)
    outgoing.hold_outgoing(session, SYSTEM, refund)
    assert refund.state == "planned"
    assert likely_outgoing(session, debit) == [refund]
    settle_outgoing_by_hand(session, SYSTEM, debit, refund)
    assert (refund.state, credit.state) == ("paid", "matched")


def test_what_is_planned_again_is_not_paid_twice(session, left):
    refund, credit, debit = left()
    again = matching.give_rest_back(session, SYSTEM, credit)
    with pytest.raises(RuleViolation, match="paid twice"):
        settle_outgoing_by_hand(session, SYSTEM, debit, refund)
    outgoing.cancel_outgoing(session, SYSTEM, again, reason="the first one left")
    settle_outgoing_by_hand(session, SYSTEM, debit, refund)
    assert (refund.state, again.state, credit.state) == ("paid", "cancelled", "matched")


def test_money_that_was_used_otherwise_meanwhile_is_freed_first(session, left, ask):
    refund, credit, debit = left()
    other = ask(4000)
    match = matching.match_by_hand(session, SYSTEM, credit, other)
    with pytest.raises(RuleViolation, match="matched to something else"):
        settle_outgoing_by_hand(session, SYSTEM, debit, refund)
    assert (refund.state, debit.state) == ("cancelled", "doubtful")
    matching.undo_match(session, SYSTEM, match, "it had been given back")
    settle_outgoing_by_hand(session, SYSTEM, debit, refund)
    assert (refund.state, rest_of(session, credit), other.paid_cents) == ("paid", 0, 0)


def test_a_cancelled_payment_that_was_in_no_file_or_a_later_one_is_not_offered(
    session,
    cooperative,
    account,
    table,
    clock,
):
    never = outgoing.request_outgoing(
        session, SYSTEM, cooperative, payee_name="An Peeters", iban=AN, amount_cents=4000,
        due_on=TODAY, text="Refund", subject="grant:never",
    )  # fmt: skip
    outgoing.cancel_outgoing(session, SYSTEM, never)
    later = outgoing.request_outgoing(
        session, SYSTEM, cooperative, payee_name="An Peeters", iban=AN, amount_cents=4000,
        due_on=TODAY, text="Refund", subject="grant:later",
    )  # fmt: skip
    outgoing.release_outgoing(session, SYSTEM, later)
    batch = batches.make_batch(session, SYSTEM, account, [later], TODAY)
    batches.cancel_batch(session, SYSTEM, batch, "never handed over")
    outgoing.cancel_outgoing(session, SYSTEM, later)
    session.commit()
    table(line(-4000, "1", is_return=True, day=date(2018, 5, 31)))
    [debit] = entries(session)
    assert likely_outgoing(session, debit) == []
    for payment in (never, later):
        with pytest.raises(RuleViolation):
            settle_outgoing_by_hand(session, SYSTEM, debit, payment)


def test_a_feature_above_may_refuse_and_nothing_is_changed(session, left):
    refund, credit, debit = left()

    def refuse(_payment: Any, **_more: Any) -> None:
        raise RuleViolation("no longer owed")

    with signals.outgoing_paid.connected_to(refuse), pytest.raises(RuleViolation):
        settle_outgoing_by_hand(session, SYSTEM, debit, refund)
    session.rollback()
    assert (refund.state, debit.state, credit.state) == ("cancelled", "doubtful", "doubtful")


def test_it_may_come_back_afterwards(session, left, table):
    refund, credit, debit = left()
    settle_outgoing_by_hand(session, SYSTEM, debit, refund)
    table(line(4000, "3", end_to_end_id=refund.end_to_end_id))
    assert refund.state == "returned"
    assert credit.doubt == Doubt.REST_LEFT.value


def test_money_given_back_that_the_bank_took_back_as_well_is_owed_by_its_payer(
    session,
    left,
    table,
):
    refund, credit, debit = left()
    table(line(-10_000, "3", is_return=True))
    assert credit.state == "returned"
    settle_outgoing_by_hand(session, SYSTEM, debit, refund)
    assert (refund.state, credit.state) == ("paid", "returned")
    assert "ask the payer" in credit.note


def test_the_page_of_the_debit_offers_the_cancelled_payment(
    session, left, client, make_account, sign_in, cooperative
):
    refund, _credit, debit = left()
    sign_in(client, make_account("Tamara", roles=[(cooperative, Role.TREASURER)]))
    page = f"/smartcoop/payments/entries/{debit.public_id}"
    shown = client.get(page).text
    assert refund.public_id in shown
    assert "Cancelled" in shown
    client.post(f"{page}/outgoing", data={"payment": refund.public_id})
    session.expire_all()
    assert refund.state == "paid"
    assert session.scalars(select(PaymentBatch.state)).all() == ["cancelled"]
