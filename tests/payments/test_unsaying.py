"""It was another payment: what a treasurer said of an entry and a payment of ours is undone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.errors import Conflict, GovernError, InvalidInput, RuleViolation
from govern.extensions import db
from govern.payments import signals
from govern.payments.models import BankEntry, OutgoingByHand, OutgoingPayment, PaymentBatch
from govern.payments.services import batches, claims, matching, outgoing
from govern.payments.services.entries import rest_of
from govern.payments.services.following import settle_outgoing_by_hand
from govern.payments.services.personal import forget_outgoing
from govern.payments.services.unsaying import said_of, undo_outgoing
from tests.payments.statements import AN
from tests.payments.test_crossing import TODAY, entries, line
from tests.payments.test_undoing import left, newest_deed

__all__ = ["left"]
"""Used as a fixture."""

WRONG = "it was the rent"


@pytest.fixture
def sent(session: Session, cooperative: Any, account: Any) -> tuple[OutgoingPayment, PaymentBatch]:
    """A payment of 30 euro in a file that the bank has."""
    payment = outgoing.request_outgoing(
        session, SYSTEM, cooperative, payee_name="An Peeters", iban=AN, amount_cents=3000,
        due_on=TODAY, text="Grant", subject="grant:1",
    )  # fmt: skip
    outgoing.release_outgoing(session, SYSTEM, payment)
    batch = batches.make_batch(session, SYSTEM, account, [payment], TODAY)
    batches.mark_batch_sent(session, SYSTEM, batch)
    session.commit()
    return payment, batch


@pytest.fixture
def say(session: Session) -> Callable[..., OutgoingByHand]:
    """``say(entry, payment)``: it is this one."""

    def settle(entry: BankEntry, payment: OutgoingPayment) -> OutgoingByHand:
        settle_outgoing_by_hand(session, SYSTEM, entry, payment)
        session.commit()
        return said_of(session, entry)[-1]

    return settle


def test_a_debit_that_was_another_payment_waits_again_and_ours_is_on_its_way(
    both_databases, session, table, sent, say
):
    payment, batch = sent
    table(line(-3000, "1"))
    [debit] = entries(session)
    said = say(debit, payment)
    assert (payment.state, batch.state) == ("paid", "done")
    undo_outgoing(session, SYSTEM, said, WRONG)
    session.commit()
    assert (payment.state, payment.paid_on, batch.state) == ("sent", None, "sent")
    assert (debit.state, debit.outgoing_id) == ("unmatched", None)
    assert (said.is_live, said.undone_reason) == (False, WRONG)
    assert newest_deed(session) == "payments:entry:outgoing_undone"
    table(line(-3000, "2", end_to_end_id=payment.end_to_end_id))
    assert (payment.state, batch.state) == ("paid", "done")


def test_it_is_undone_once_with_a_reason_and_can_be_said_again(session, table, sent, say):
    payment, _batch = sent
    table(line(-3000, "1"))
    [debit] = entries(session)
    said = say(debit, payment)
    with pytest.raises(InvalidInput):
        undo_outgoing(session, SYSTEM, said, " ")
    undo_outgoing(session, SYSTEM, said, WRONG)
    with pytest.raises(Conflict):
        undo_outgoing(session, SYSTEM, said, WRONG)
    say(debit, payment)
    assert payment.state == "paid"
    assert [one.is_live for one in said_of(session, debit)] == [False, True]


def test_what_had_been_called_off_is_called_off_again_and_its_credit_waits(session, left, say):
    refund, credit, debit = left()
    said = say(debit, refund)
    assert (refund.state, credit.state) == ("paid", "matched")
    undo_outgoing(session, SYSTEM, said, WRONG)
    assert (refund.state, refund.end_reason) == ("cancelled", "given back in cash")
    assert (credit.state, rest_of(session, credit)) == ("doubtful", 4000)
    assert (debit.state, debit.doubt) == ("doubtful", "outgoing_unexpected")
    again = matching.give_rest_back(session, SYSTEM, credit)
    assert (again.state, again.amount_cents) == ("planned", 4000)


def test_what_was_only_released_or_held_stands_so_again(session, left, say):
    refund, credit, debit = left(cancel=False)
    undo_outgoing(session, SYSTEM, say(debit, refund), WRONG)
    assert (refund.state, refund.released_at is None) == ("released", False)
    outgoing.hold_outgoing(session, SYSTEM, refund)
    undo_outgoing(session, SYSTEM, say(debit, refund), WRONG)
    assert (refund.state, refund.released_at) == ("planned", None)
    assert (credit.state, rest_of(session, credit)) == ("matched", 0)


def test_a_credit_that_brought_nothing_back_waits_again_and_ours_has_arrived(
    both_databases, session, table, sent, say
):
    payment, batch = sent
    table(line(-3000, "1", end_to_end_id=payment.end_to_end_id))
    table(line(3000, "2", is_return=True))
    credit = entries(session)[-1]
    said = say(credit, payment)
    assert payment.state == "returned"
    undo_outgoing(session, SYSTEM, said, WRONG)
    session.commit()
    assert (payment.state, payment.paid_on, payment.returned_on) == ("paid", TODAY, None)
    assert (payment.end_reason, batch.state) == ("", "done")
    assert (credit.state, credit.doubt) == ("doubtful", "return_unknown")


def test_before_it_arrived_it_is_on_its_way_again(session, table, sent, say):
    payment, batch = sent
    table(line(3000, "2", is_return=True))
    [credit] = entries(session)
    said = say(credit, payment)
    assert batch.state == "done"
    undo_outgoing(session, SYSTEM, said, WRONG)
    assert (payment.state, batch.state) == ("sent", "sent")


def test_money_that_came_back_and_was_taken_back_again_stays_so(session, table, sent, say):
    payment, _batch = sent
    table(line(3000, "2", is_return=True))
    [credit] = entries(session)
    said = say(credit, payment)
    table(line(-3000, "3", is_return=True))
    assert credit.state == "returned"
    with pytest.raises(Conflict):
        undo_outgoing(session, SYSTEM, said, WRONG)
    assert (credit.state, payment.state) == ("returned", "returned")


def test_that_it_was_paid_stands_while_it_came_back(session, table, sent, say):
    payment, _batch = sent
    table(line(-3000, "1"), line(3000, "2", is_return=True))
    debit, credit = entries(session)
    paid, back = say(debit, payment), say(credit, payment)
    with pytest.raises(RuleViolation, match="come back since"):
        undo_outgoing(session, SYSTEM, paid, WRONG)
    undo_outgoing(session, SYSTEM, back, WRONG)
    undo_outgoing(session, SYSTEM, paid, WRONG)
    assert payment.state == "sent"


def test_that_it_came_back_stands_while_it_is_paid_anew(session, cooperative, table, sent, say):
    payment, _batch = sent
    table(line(3000, "2", is_return=True))
    [credit] = entries(session)
    said = say(credit, payment)
    anew = outgoing.request_outgoing(
        session, SYSTEM, cooperative, payee_name="An Peeters", iban=AN, amount_cents=3000,
        due_on=TODAY, text="Grant", subject="grant:1",
    )  # fmt: skip
    session.commit()
    with pytest.raises(RuleViolation, match="paid twice"):
        undo_outgoing(session, SYSTEM, said, WRONG)
    session.rollback()
    assert (payment.state, said.is_live) == ("returned", True)
    outgoing.cancel_outgoing(session, SYSTEM, anew)
    undo_outgoing(session, SYSTEM, said, WRONG)
    assert payment.state == "sent"


def test_that_money_was_given_back_stands_while_a_claim_rests_on_it(session, table, left, say):
    refund, credit, debit = left()
    said = say(debit, refund)
    table(line(-10_000, "3", is_return=True))
    taken = entries(session)[-1]
    claims.settle_as_claim(session, SYSTEM, taken, credit, "An is asked for it")
    session.commit()
    with pytest.raises(RuleViolation, match="claim on the payer"):
        undo_outgoing(session, SYSTEM, said, WRONG)
    [claim] = claims.claims_of(session, credit)
    claims.undo_claim(session, SYSTEM, claim, "it is not owed")
    undo_outgoing(session, SYSTEM, said, WRONG)
    assert (refund.state, credit.doubt) == ("cancelled", "rest_left")


def test_whom_it_concerned_must_still_be_known(session, cooperative, table, sent, say):
    payment, _batch = sent
    table(line(-3000, "1"))
    [debit] = entries(session)
    said = say(debit, payment)
    forget_outgoing(session, cooperative.id, [payment.subject])
    assert payment.iban == ""
    with pytest.raises(RuleViolation, match="erased"):
        undo_outgoing(session, SYSTEM, said, WRONG)


def test_a_feature_above_may_refuse_the_undoing_and_nothing_is_changed(session, table, sent, say):
    payment, batch = sent
    table(line(-3000, "1"))
    [debit] = entries(session)
    said = say(debit, payment)

    def refuse(_payment: Any, **_more: Any) -> None:
        raise RuleViolation("something rests on it")

    with signals.outgoing_reopened.connected_to(refuse), pytest.raises(RuleViolation):
        undo_outgoing(session, SYSTEM, said, WRONG)
    session.rollback()
    assert (payment.state, batch.state, debit.state) == ("paid", "done", "matched")
    assert said.is_live


def test_two_treasurers_at_once_undo_it_once(both_databases, app, session, table, sent, say):
    payment, _batch = sent
    table(line(-3000, "1"))
    [debit] = entries(session)
    number = say(debit, payment).id
    session.commit()

    def press(_number: int) -> str:
        with app.app_context():
            mine = db.session()
            try:
                undo_outgoing(mine, SYSTEM, mine.get_one(OutgoingByHand, number), WRONG)
                mine.commit()
                return "undone"
            except GovernError:
                mine.rollback()
                return "refused"
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(press, range(2)))
    session.expire_all()
    assert answers == ["refused", "undone"]
    assert payment.state == "sent"


def test_the_treasurer_undoes_it_on_the_page_of_the_entry(
    session, client, make_account, sign_in, cooperative, table, sent, say
):
    payment, _batch = sent
    table(line(-3000, "1"))
    [debit] = entries(session)
    said = say(debit, payment)
    sign_in(client, make_account("Tamara", roles=[(cooperative, Role.TREASURER)]))
    page = f"/smartcoop/payments/entries/{debit.public_id}"
    undo = f"{page}/undo-outgoing/{said.public_id}"
    assert undo in client.get(page).text
    assert "stands where it stood before" in client.get(undo).text
    assert client.post(undo, data={"reason": "?"}).status_code == 422
    done = client.post(undo, data={"reason": WRONG}, follow_redirects=True).text
    assert "The match was undone." in done
    assert WRONG in done
    assert undo not in done
    assert "It is this one" in done
    assert client.get(f"{page}/undo-outgoing/{'x' * 22}").status_code == 404
