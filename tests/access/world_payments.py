"""Payments, on a side: an account, requests, a statement, payments going out, a payment file."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.cooperatives.models import Cooperative
from govern.payments.models import BankEntry, EntryState, PaymentMatch
from govern.payments.services import outgoing, request_payment
from govern.payments.services.accounts import add_bank_account, make_default
from govern.payments.services.batches import make_batch, mark_batch_sent
from govern.payments.services.claims import claims_of, settle_as_claim
from govern.payments.services.following import settle_outgoing_by_hand
from govern.payments.services.matching import give_rest_back, set_aside
from govern.payments.services.readings import start_reading
from govern.payments.services.statements import parse_file, read_file
from govern.payments.services.unsaying import said_of
from tests.access.world import BUILDERS, Side
from tests.payments.statements import AN, OURS, Tx, camt

GERMAN = "DE89370400440532013000"
DAY = date(2018, 6, 1)


def make_payments(session: Session, side: Side) -> None:
    """A payment matched by its reference, one that fits an open request, one of ours at the bank.

    Also an entry that was set aside, a return of something unknown, one of something that was
    given back already and one that became a claim, payments planned and released, and a statement
    that is being read.
    """
    cooperative = session.get_one(Cooperative, side.cooperative_id)
    account = add_bank_account(
        session, SYSTEM, cooperative, iban=OURS, bic="", holder=cooperative.name
    )
    make_default(session, SYSTEM, account)
    side.bank_account = account.public_id
    other = add_bank_account(session, SYSTEM, cooperative, iban=GERMAN, bic="", holder="Reserve")
    side.other_bank_account = other.public_id
    asked = [
        request_payment(
            session, SYSTEM, cooperative, amount_cents=cents, subject=f"application:access-{cents}",
            payer_name=f"Payer {cents}", language="en", due_on=DAY,
        )
        for cents in (6000, 9000)
    ]  # fmt: skip
    side.payment_request = asked[1].public_id
    payments = [
        outgoing.request_outgoing(
            session, SYSTEM, cooperative, payee_name="Payee", iban=AN, amount_cents=cents,
            due_on=DAY, text="Refund", subject=f"grant:access-{cents}",
        )
        for cents in (1000, 2000, 3000, 3100)
    ]  # fmt: skip
    for payment in payments[1:]:
        outgoing.release_outgoing(session, SYSTEM, payment)
    side.planned, side.released = payments[0].public_id, payments[1].public_id
    batch = make_batch(session, SYSTEM, account, [payments[2]], DAY)
    mark_batch_sent(session, SYSTEM, batch)
    side.payment_batch, side.sent_payment = batch.public_id, payments[2].public_id
    mark_batch_sent(session, SYSTEM, make_batch(session, SYSTEM, account, payments[3:], DAY))
    session.commit()
    content = camt(
        Tx(6000, reference=asked[0].reference, bank_reference="1"),
        Tx(9000, name="Unknown payer", bank_reference="2"),
        Tx(-777, is_reversal=True, iban="", bank_reference="3"),
        Tx(777, name="Somebody", iban="", bank_reference="4"),
        Tx(123, name="Grant", bank_reference="5"),
        Tx(444, name="Paid back", bank_reference="7"),
        Tx(555, name="Paid back, too", bank_reference="10"),
        Tx(-3100, name="Payee", bank_reference="14", day="2018-06-01"),
        Tx(-3000, name="Payee without a mark", return_code="AC04", bank_reference="6"),
    )
    read_file(session, SYSTEM, cooperative, file_name="statement.xml", content=content)
    entries = {
        entry.amount_cents: entry
        for entry in session.scalars(
            select(BankEntry).where(BankEntry.cooperative_id == cooperative.id)
        )
    }
    set_aside(session, SYSTEM, entries[123], "a grant, not a share")
    side.matched_entry, side.waiting_entry = entries[6000].public_id, entries[9000].public_id
    side.return_entry, side.original_entry = entries[-777].public_id, entries[777].public_id
    side.set_aside_entry = entries[123].public_id
    side.debit_entry = entries[-3000].public_id
    settle_outgoing_by_hand(session, SYSTEM, entries[-3100], payments[3])
    side.said_entry = entries[-3100].public_id
    side.said = said_of(session, entries[-3100])[0].public_id
    given_back = [give_rest_back(session, SYSTEM, entries[cents]) for cents in (444, 555)]
    for payment in given_back:
        outgoing.release_outgoing(session, SYSTEM, payment)
    mark_batch_sent(session, SYSTEM, make_batch(session, SYSTEM, account, given_back, DAY))
    content = camt(
        Tx(-444, day="2018-06-01", end_to_end=given_back[0].end_to_end_id, bank_reference="8"),
        Tx(-444, day="2018-06-01", is_reversal=True, iban="", bank_reference="9"),
        Tx(-555, day="2018-06-01", end_to_end=given_back[1].end_to_end_id, bank_reference="11"),
        Tx(-555, day="2018-06-01", is_reversal=True, iban="", bank_reference="12"),
        identification="2",
    )
    read_file(session, SYSTEM, cooperative, file_name="next.xml", content=content)
    debits = {
        entry.bank_reference: entry
        for entry in session.scalars(
            select(BankEntry).where(BankEntry.cooperative_id == cooperative.id)
        )
    }
    side.claim_original, side.claim_entry = entries[444].public_id, debits["9"].public_id
    settle_as_claim(session, SYSTEM, debits["12"], entries[555], "asked by letter")
    side.claimed_entry = debits["12"].public_id
    side.payer_claim = claims_of(session, debits["12"])[0].public_id
    large = camt(Tx(1, bank_reference="13"), identification="3")
    side.reading = start_reading(
        session, SYSTEM, cooperative, parse_file(large), file_name="large.xml", content=large,
        account=None, language="en",
    ).public_id  # fmt: skip
    assert entries[-3000].state == EntryState.DOUBTFUL.value
    side.match = session.scalars(
        select(PaymentMatch.public_id).where(PaymentMatch.bank_entry_id == entries[6000].id)
    ).one()


BUILDERS += [make_payments]
