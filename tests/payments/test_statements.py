"""From a statement to the ledger: matching, doubts, over-payments, returns, reading twice."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.accounts.services import actor_for
from govern.errors import Conflict, Forbidden, InvalidInput, RuleViolation
from govern.payments import signals
from govern.payments.models import (
    BankEntry,
    Doubt,
    EntryState,
    OutgoingPayment,
    OutgoingState,
    PaymentMatch,
    RequestState,
)
from govern.payments.services import matching, outgoing
from govern.payments.services.entries import live_matches
from govern.register.rules.ledger import holding_on
from govern.register.services.holdings import as_rule_entry, entries_of
from tests.payments.statements import AN, Tx


def entries(session: Session) -> list[BankEntry]:
    return list(session.scalars(select(BankEntry).order_by(BankEntry.id)))


def only_entry(session: Session) -> BankEntry:
    [entry] = entries(session)
    return entry


def paid(session: Session, membership: Any, day: date | None = None) -> int:
    rows = [as_rule_entry(row) for row in entries_of(session, membership.id)]
    return holding_on(rows, day).paid_cents


# -- matched ------------------------------------------------------------------------------------


def test_the_exact_amount_under_the_reference_settles_the_request(
    both_databases, session, read, ask
):
    request = ask(6000)
    read(Tx(6000, reference=request.reference))
    assert (request.state, request.paid_cents) == (RequestState.SETTLED.value, 6000)
    assert only_entry(session).state == EntryState.MATCHED.value


def test_the_payment_of_an_order_counts_from_the_day_the_bank_booked_it(session, read, ordered):
    read(Tx(6000, reference=ordered.reference, day="2018-05-30"))
    member = ordered.membership
    assert paid(session, member, date(2018, 5, 29)) == 0
    assert paid(session, member, date(2018, 5, 30)) == 6000


def test_part_of_the_amount_leaves_the_request_open(session, read, ordered):
    read(Tx(2000, reference=ordered.reference))
    assert (ordered.state, ordered.due_cents) == (RequestState.OPEN.value, 4000)
    assert paid(session, ordered.membership) == 0
    read(Tx(4000, reference=ordered.reference, day="2018-05-31"), identification="2")
    assert ordered.state == RequestState.SETTLED.value
    assert paid(session, ordered.membership) == 6000


def test_too_much_settles_the_request_and_plans_to_give_the_rest_back(session, read, ordered):
    read(Tx(10_000, reference=ordered.reference))
    [refund] = session.scalars(select(OutgoingPayment))
    assert ordered.state == RequestState.SETTLED.value
    assert paid(session, ordered.membership) == 6000
    assert (refund.amount_cents, refund.iban, refund.state) == (4000, AN, "planned")
    assert only_entry(session).state == EntryState.MATCHED.value


def test_too_much_from_an_unknown_account_waits_for_a_person(session, read, ask):
    request = ask(6000)
    read(Tx(10_000, reference=request.reference, iban=""))
    entry = only_entry(session)
    assert request.state == RequestState.SETTLED.value
    assert (entry.state, entry.doubt) == ("doubtful", Doubt.REST_LEFT.value)


def test_what_came_from_no_account_goes_to_the_one_that_the_payer_names(session, read, ask):
    read(Tx(10_000, reference=ask(6000).reference, iban=""))
    entry = only_entry(session)
    with pytest.raises(RuleViolation):
        matching.give_rest_back(session, SYSTEM, entry)
    with pytest.raises(InvalidInput):
        matching.give_rest_back(session, SYSTEM, entry, iban="BE71 0961 2345 6768")
    refund = matching.give_rest_back(session, SYSTEM, entry, iban="BE71 0961 2345 6769")
    assert (refund.iban, refund.amount_cents, entry.state) == (AN, 4000, "matched")


def test_a_known_account_is_not_replaced_by_another_one(session, read):
    read(Tx(10_000, name="Mother of An"))
    refund = matching.give_rest_back(
        session, SYSTEM, only_entry(session), iban="DE89370400440532013000"
    )
    assert refund.iban == AN


def test_a_cancelled_refund_leaves_the_rest_to_a_person(both_databases, session, read, ask):
    request = ask(6000)
    read(Tx(10_000, reference=request.reference))
    [refund] = session.scalars(select(OutgoingPayment))
    outgoing.cancel_outgoing(session, SYSTEM, refund, reason="asked to keep it")
    assert only_entry(session).doubt == Doubt.REST_LEFT.value
    again = matching.give_rest_back(session, SYSTEM, only_entry(session))
    assert (again.amount_cents, again.id != refund.id) == (4000, True)


def test_features_above_are_told_once_per_match(session, read, ask):
    told: list[tuple[int, date]] = []

    def listen(_request: Any, *, amount_cents: int, received_on: date, **_others: Any) -> None:
        told.append((amount_cents, received_on))

    request = ask(6000)
    with signals.payment_received.connected_to(listen):
        read(Tx(6000, reference=request.reference))
        read(Tx(6000, reference=request.reference))
    assert told == [(6000, date(2018, 5, 30))]


# -- doubtful and unmatched ---------------------------------------------------------------------


def test_a_known_account_and_the_right_amount_are_only_a_hint(session, read, ask, make_member):
    member = make_member()
    first = ask(3000, membership=member)
    read(Tx(3000, reference=first.reference))
    second = ask(6000, payer="Somebody else", membership=member)
    read(Tx(6000, name="X Y", day="2018-05-31"), identification="2")
    entry = entries(session)[-1]
    assert (entry.state, entry.doubt) == ("doubtful", Doubt.KNOWN_PAYER.value)
    assert entry.candidate is second
    assert second.paid_cents == 0


def test_a_known_name_is_only_a_hint(session, read, ask):
    request = ask(6000, payer="An Peeters")
    read(Tx(6000, name="PEETERS AN"))
    entry = only_entry(session)
    assert (entry.doubt, entry.candidate) == (Doubt.KNOWN_NAME.value, request)


def test_what_nobody_expects_is_unmatched(session, read, ask):
    ask(6000, payer="Bo Maes")
    read(Tx(6000, message="hello"))
    assert only_entry(session).state == EntryState.UNMATCHED.value


def test_paid_again_waits_for_a_person(session, read, ask):
    request = ask(6000)
    read(Tx(6000, reference=request.reference))
    read(Tx(6000, reference=request.reference, day="2018-05-31"), identification="2")
    assert entries(session)[-1].doubt == Doubt.REQUEST_CLOSED.value
    assert request.paid_cents == 6000


def test_what_the_ledger_refuses_waits_and_holds_nothing_else_up(session, read, ordered, ask):
    """The bank's day lies before the membership began."""
    other = ask(3000)
    read(
        Tx(6000, reference=ordered.reference, day="2018-02-01"),
        Tx(3000, reference=other.reference),
    )
    refused, matched = entries(session)
    assert (refused.state, refused.doubt) == ("doubtful", Doubt.LEDGER_REFUSED.value)
    assert "1 March 2018" in refused.note
    assert (ordered.paid_cents, ordered.state) == (0, "open")
    assert matched.state == EntryState.MATCHED.value
    assert session.scalar(select(func.count()).select_from(PaymentMatch)) == 1


def test_what_the_cooperative_spends_otherwise_is_set_aside(session, read):
    read(Tx(-12_345, name="Landlord"))
    assert only_entry(session).state == EntryState.SET_ASIDE.value


# -- by hand ------------------------------------------------------------------------------------


def test_an_entry_matched_by_hand_pays_the_order(session, read, ordered):
    read(Tx(6000, name="Mother of An"))
    matching.match_by_hand(session, SYSTEM, only_entry(session), ordered)
    assert paid(session, ordered.membership) == 6000
    assert only_entry(session).state == EntryState.MATCHED.value


def test_one_payment_for_two_requests(session, read, ask):
    first, second = ask(6000), ask(3000)
    read(Tx(9000, name="Mother of An"))
    matching.match_by_hand(session, SYSTEM, only_entry(session), first)
    assert only_entry(session).doubt == Doubt.REST_LEFT.value
    matching.match_by_hand(session, SYSTEM, only_entry(session), second)
    assert only_entry(session).state == EntryState.MATCHED.value
    with pytest.raises(RuleViolation):
        matching.match_by_hand(session, SYSTEM, only_entry(session), second)


def test_an_undone_match_takes_the_payment_out_of_the_ledger(session, read, ordered):
    read(Tx(6000, reference=ordered.reference))
    [match] = session.scalars(select(PaymentMatch))
    matching.undo_match(session, SYSTEM, match, "meant for another member")
    assert paid(session, ordered.membership) == 0
    assert (ordered.state, ordered.paid_cents) == ("open", 0)
    assert only_entry(session).state == EntryState.UNMATCHED.value
    with pytest.raises(Conflict):
        matching.undo_match(session, SYSTEM, match, "meant for another member")
    matching.match_by_hand(session, SYSTEM, only_entry(session), ordered)
    assert paid(session, ordered.membership) == 6000


def test_undoing_calls_the_planned_refund_off(session, read, ask):
    request = ask(6000)
    read(Tx(10_000, reference=request.reference))
    [match] = session.scalars(select(PaymentMatch))
    matching.undo_match(session, SYSTEM, match, "somebody else's money")
    [refund] = session.scalars(select(OutgoingPayment))
    assert refund.state == OutgoingState.CANCELLED.value
    assert only_entry(session).state == EntryState.UNMATCHED.value


def test_setting_aside_needs_a_reason_and_can_be_taken_up_again(session, read):
    read(Tx(6000, name="Grant of the city"))
    entry = only_entry(session)
    with pytest.raises(InvalidInput):
        matching.set_aside(session, SYSTEM, entry, "  ")
    matching.set_aside(session, SYSTEM, entry, "a grant, not a share")
    assert entry.state == EntryState.SET_ASIDE.value
    matching.take_up_again(session, SYSTEM, entry)
    assert entry.state == EntryState.UNMATCHED.value


def test_a_registrar_sees_payments_and_matches_none(session, read, ask, make_account, cooperative):
    from govern.access import Role

    request = ask(6000)
    read(Tx(6000))
    registrar = make_account("Rita", roles=[(cooperative, Role.REGISTRAR)])
    with pytest.raises(Forbidden):
        matching.match_by_hand(session, actor_for(session, registrar), only_entry(session), request)


# -- returned -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "back",
    [
        Tx(-6000, is_reversal=True, day="2018-05-31", end_to_end="E1", iban=""),
        Tx(-6000, return_code="MD06", day="2018-05-31"),
    ],
)
def test_a_returned_payment_is_taken_back(session, read, ordered, back):
    read(Tx(6000, reference=ordered.reference, end_to_end="E1"))
    read(back, identification="2")
    credit, debit = entries(session)
    assert (credit.state, debit.state) == ("returned", "matched")
    assert (ordered.state, ordered.paid_cents) == ("open", 0)
    assert paid(session, ordered.membership) == 0
    assert live_matches(session, credit) == []
    read(Tx(6000, reference=ordered.reference, day="2018-06-01"), identification="3")
    assert paid(session, ordered.membership) == 6000


def test_money_that_went_back_is_neither_matched_nor_given_back_again(session, read, ask):
    request = ask(6000)
    read(Tx(6000, name="Mother of An", end_to_end="E1"))
    read(Tx(-6000, is_reversal=True, end_to_end="E1", day="2018-05-31"), identification="2")
    credit, _debit = entries(session)
    assert credit.state == EntryState.RETURNED.value
    with pytest.raises(RuleViolation):
        matching.match_by_hand(session, SYSTEM, credit, request)
    with pytest.raises(RuleViolation):
        matching.give_rest_back(session, SYSTEM, credit)


def test_a_return_of_something_unknown_waits_for_a_person(session, read, ordered):
    read(Tx(6000, reference=ordered.reference))
    read(Tx(-6000, is_reversal=True, iban="", end_to_end="other"), identification="2")
    credit, debit = entries(session)
    assert debit.doubt == Doubt.RETURN_UNKNOWN.value
    matching.return_by_hand(session, SYSTEM, debit, credit)
    assert (credit.state, ordered.paid_cents) == ("returned", 0)
