"""The bank says by a code why money came back: people read it in words, tables keep the code."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.mail import OutboxMail
from govern.payments.models import BankEntry, OutgoingPayment
from govern.payments.services import batches, outgoing
from govern.payments.texts import RETURN_REASONS, return_reason
from tests.payments.statements import Tx

HOME = "/smartcoop/payments"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("AC04", "The account is closed (AC04)"),
        ("NARR compte soldé", "The bank says it in its own words (NARR) – compte soldé"),
        ("ZZ99 unknown", "ZZ99 unknown"),
        ("Account closed", "Account closed"),
        ("", ""),
    ],
)
def test_a_known_code_is_said_in_words_and_anything_else_stays(app: Any, said: str, shown: str):
    with app.test_request_context():
        assert return_reason(said) == shown


def test_no_two_codes_are_said_in_the_same_words(app: Any):
    with app.test_request_context():
        words = [str(text) for text in RETURN_REASONS.values()]
    assert len(set(words)) == len(words)
    assert all(len(code) == 4 for code in RETURN_REASONS)


def test_whoever_keeps_the_register_reads_in_a_mail_why_the_bank_took_a_payment_back(
    session: Session, read: Any, ordered: Any, make_account: Any, cooperative: Any
):
    make_account("Rita", "rita@example.org", roles=[(cooperative, Role.REGISTRAR)])
    read(Tx(6000, reference=ordered.reference))
    read(Tx(-6000, return_code="MD06", day="2018-05-31"), identification="2")
    mail = session.scalars(select(OutboxMail).where(OutboxMail.to_name == "Rita")).one()
    assert "Reason: The payer asked for the money of a direct debit back (MD06)" in mail.text_body


def test_pages_say_in_words_why_a_payment_came_back_and_the_table_keeps_the_code(
    session: Session,
    client: Any,
    sign_in: Any,
    make_account: Any,
    cooperative: Any,
    read: Any,
    account: Any,
):
    payment = outgoing.request_outgoing(
        session, SYSTEM, cooperative, payee_name="An Peeters", iban="BE71096123456769",
        amount_cents=3000, due_on=account.opened_at.date(), text="Refund", subject="grant:1",
    )  # fmt: skip
    outgoing.release_outgoing(session, SYSTEM, payment)
    batch = batches.make_batch(session, SYSTEM, account, [payment], payment.due_on)
    batches.mark_batch_sent(session, SYSTEM, batch)
    session.commit()
    read(Tx(-3000, end_to_end=payment.end_to_end_id))
    read(
        Tx(3000, end_to_end=payment.end_to_end_id, return_code="AC04", day="2018-06-01"),
        identification="2",
    )
    assert session.scalars(select(OutgoingPayment.end_reason)).one() == "AC04"
    entry = session.scalars(select(BankEntry).where(BankEntry.is_return)).one()
    sign_in(client, make_account("Tamara", roles=[(cooperative, Role.TREASURER)]))
    pages = (f"entries/{entry.public_id}", "outgoing?list=returned", f"files/{batch.public_id}")
    for page in pages:
        assert "The account is closed (AC04)" in client.get(f"{HOME}/{page}").text
    assert ";AC04" in client.get(f"{HOME}/outgoing.csv").text
