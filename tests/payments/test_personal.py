"""What payments know about a person: shown to that person, and erased once it may be."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from govern.access import SYSTEM
from govern.errors import Conflict
from govern.payments.models import BankEntry, OutgoingPayment
from govern.payments.services import (
    batches,
    cancel_outgoing,
    personal,
    release_outgoing,
    reviving,
)
from govern.payments.services.statements import read_file
from tests.payments.statements import AN, Tx, camt


def test_a_person_takes_out_what_was_asked_and_what_came(
    session, account, ask, make_member, cooperative
):
    member = make_member()
    request = ask(6000, membership=member)
    assert personal.why_not_erased(session, member)
    content = camt(Tx(6000, reference=request.reference, message="for my shares"))
    read_file(session, SYSTEM, cooperative, file_name="s.xml", content=content)
    asked, received = personal.own_payments(session, member.person)
    assert len(asked.rows[0]) == len(asked.headings)
    assert "for my shares" in received.rows[0][-1]
    assert personal.why_not_erased(session, member) == []


def test_what_the_accounts_need_is_kept_until_the_end_and_then_names_nobody(
    session, account, ask, make_member, cooperative
):
    member = make_member()
    request = ask(6000, membership=member)
    content = camt(Tx(6000, reference=request.reference, message="An, for my shares"))
    read_file(session, SYSTEM, cooperative, file_name="s.xml", content=content)
    assert personal.erase_payments(session, member, "now") == 0
    assert personal.erase_payments(session, member, "end") == 2
    entry = session.scalars(select(BankEntry)).one()
    kept = " ".join(
        [entry.search_text, entry.remittance, entry.counterparty_name, entry.counterparty_iban]
    )
    assert AN not in kept
    assert "peeters" not in (kept + request.search_text + request.payer_name).casefold()
    assert (entry.amount_cents, entry.booked_on) == (6000, date(2018, 5, 30))
    # The same statement read once more still changes nothing.
    read = read_file(session, SYSTEM, cooperative, file_name="s.xml", content=content)
    assert (read.new, read.known) == (0, 1)


def test_whom_an_over_payment_went_back_to_is_erased_with_the_file_in_which_it_left(
    both_databases, session, account, ask, make_member, cooperative
):
    member = make_member()
    request = ask(6000, membership=member)
    paid = camt(Tx(7000, reference=request.reference, bank_reference="B1"))
    read_file(session, SYSTEM, cooperative, file_name="s.xml", content=paid)
    refund = session.scalars(select(OutgoingPayment)).one()
    assert personal.forget_outgoing(session, cooperative.id, [refund.subject]) == 0
    release_outgoing(session, SYSTEM, refund)
    batch = batches.make_batch(session, SYSTEM, account, [refund], date(2018, 6, 1))
    left = camt(Tx(-1000, day="2018-06-01", end_to_end=refund.end_to_end_id, bank_reference="B2"))
    read_file(session, SYSTEM, cooperative, file_name="t.xml", content=left)
    personal.erase_payments(session, member, "end")
    session.commit()
    assert (refund.payee_name, refund.iban, refund.state) == ("", "", "paid")
    assert (batch.xml, len(batch.digest)) == ("", 64)
    entries = session.scalars(select(BankEntry)).all()
    assert {entry.counterparty_iban for entry in entries} == {""}
    with pytest.raises(Conflict):
        batches.batch_for_download(session, SYSTEM, cooperative, batch.public_id)


def test_a_cancelled_file_names_nobody_any_more_whom_it_was_to_pay(
    session, account, ask, make_member, cooperative
):
    members = [make_member(), make_member("Bo", "Claes")]
    for number, member in enumerate(members):
        reference = ask(6000, membership=member).reference
        paid = camt(Tx(7000, reference=reference, bank_reference=f"B{number}"))
        read_file(session, SYSTEM, cooperative, file_name="s.xml", content=paid)
    one, other = session.scalars(select(OutgoingPayment).order_by(OutgoingPayment.id)).all()
    for refund in (one, other):
        release_outgoing(session, SYSTEM, refund)
    batch = batches.make_batch(session, SYSTEM, account, [one, other], date(2018, 6, 1))
    batches.cancel_batch(session, SYSTEM, batch, "the bank refused it")
    cancel_outgoing(session, SYSTEM, one, reason="paid in cash")
    assert AN in batch.xml
    personal.erase_payments(session, members[0], "end")
    # The other one may have left with it all the same.
    assert batch.xml.split() == [one.end_to_end_id, other.end_to_end_id]
    assert [found.id for found in reviving.files_of(session, other)] == [batch.id]
