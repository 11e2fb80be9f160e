"""What payments know about a person: shown to that person, and erased once it may be."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from govern.access import SYSTEM
from govern.payments.models import BankEntry
from govern.payments.services import personal
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
