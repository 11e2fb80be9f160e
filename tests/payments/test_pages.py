"""The treasurer's way through the pages, and what others see of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import Role
from govern.payments.models import BankAccount, BankEntry, OutgoingPayment, PaymentBatch
from govern.payments.rules.references import show_reference
from tests.payments.statements import OURS, Tx, camt

HOME = "/smartcoop/payments"


@pytest.fixture
def treasurer(clock: Any, client: Any, make_account: Any, sign_in: Any, cooperative: Any) -> Any:
    """A browser in which the treasurer is signed in."""
    sign_in(client, make_account("Tamara", roles=[(cooperative, Role.TREASURER)]))
    return client


def send(client: Any, content: bytes, name: str = "statement.xml") -> Any:
    return client.post(
        f"{HOME}/statements",
        data={"file": (io.BytesIO(content), name), "account": ""},
        follow_redirects=True,
    )


def test_the_whole_way_of_a_treasurer(session: Session, treasurer: Any, ask: Callable[..., Any]):
    named = treasurer.post(
        f"{HOME}/accounts",
        data={"iban": "BE68 5390 0754 7034", "holder": "SmartCoop", "bic": ""},
        follow_redirects=True,
    )
    assert "BE68 5390 0754 7034" in named.text
    paid, open_one = ask(6000), ask(9000, payer="Bo Maes")
    page = treasurer.get(f"{HOME}/requests/{paid.public_id}").text
    assert show_reference(paid.reference) in page
    assert 'class="qr-code"' in page

    read = send(
        treasurer,
        camt(Tx(7000, reference=paid.reference), Tx(9000, name="Mother of Bo"), Tx(-100)),
    )
    assert "3 new entries were read." in read.text
    assert "1 entry waits for you." in read.text
    assert "nothing was changed" in send(treasurer, camt(
        Tx(7000, reference=paid.reference), Tx(9000, name="Mother of Bo"), Tx(-100)
    )).text  # fmt: skip
    waiting = session.scalars(select(BankEntry).where(BankEntry.state == "unmatched")).one()
    found = treasurer.get(f"{HOME}/entries/{waiting.public_id}?q=maes").text
    assert "Bo Maes" in found
    treasurer.post(
        f"{HOME}/entries/{waiting.public_id}/match", data={"request": open_one.public_id}
    )
    session.expire_all()
    assert (waiting.state, open_one.state) == ("matched", "settled")
    [match] = waiting.matches
    undone = treasurer.post(
        f"{HOME}/entries/{waiting.public_id}/undo/{match.public_id}",
        data={"reason": "not the mother of Bo"},
        follow_redirects=True,
    )
    assert "The match was undone." in undone.text

    refund = session.scalars(select(OutgoingPayment)).one()
    treasurer.post(f"{HOME}/outgoing/{refund.public_id}/release")
    expected = f'href="{HOME}/files/new">Put 1 released payment into a file for the bank'
    assert expected in treasurer.get("/").text
    account = session.scalars(select(BankAccount)).one()
    form = {
        "payment": refund.public_id,
        "account": account.public_id,
        "execute_on": "2018-06-04",
    }
    made = treasurer.post(f"{HOME}/files/new", data=form, follow_redirects=True)
    assert "The payment file was made." in made.text
    assert expected not in treasurer.get("/").text
    batch = session.scalars(select(PaymentBatch)).one()
    sent = treasurer.get(f"{HOME}/files/{batch.public_id}/pain.xml")
    assert sent.data.decode() == batch.xml
    assert sent.headers["Content-Disposition"].startswith("attachment")


def test_a_refused_file_says_why_and_nothing_is_kept(session, treasurer, account):
    refused = send(treasurer, camt(Tx(6000), iban="BE71096123456769"))
    assert refused.status_code == 422
    assert "BE71 0961 2345 6769" in refused.text
    cut = send(treasurer, camt(Tx(6000))[:-50])
    assert "cut off or damaged" in cut.text
    assert session.scalars(select(BankEntry)).all() == []


def test_a_wrong_iban_is_said_beside_its_field_and_kept(treasurer):
    page = treasurer.post(
        f"{HOME}/accounts", data={"iban": "BE68539007547035", "holder": "SmartCoop", "bic": ""}
    )
    assert page.status_code == 422
    assert "check digits" in page.text
    assert 'value="BE68539007547035"' in page.text


def test_a_wrong_account_of_the_payer_is_said_beside_its_field_and_kept(
    session, treasurer, account
):
    send(treasurer, camt(Tx(6000, name="Unknown", iban="")))
    entry = session.scalars(select(BankEntry)).one()
    deed = f"{HOME}/entries/{entry.public_id}/give-back"
    page = treasurer.post(deed, data={"iban": "BE68 1234"})
    assert page.status_code == 422
    assert 'id="iban-error"' in page.text
    assert 'value="BE68 1234"' in page.text
    assert session.scalars(select(OutgoingPayment)).all() == []
    done = treasurer.post(deed, data={"iban": "BE71 0961 2345 6769"}, follow_redirects=True)
    assert "The refund is planned" in done.text
    assert session.scalars(select(OutgoingPayment.iban)).one() == "BE71096123456769"


def test_an_entry_no_longer_looks_like_a_request_that_another_one_has_paid(treasurer, account, ask):
    asked = ask(6000, payer="Bo Maes")
    doubt = "something is expected from somebody of this name"
    assert doubt in send(treasurer, camt(Tx(6000, name="MAES BO"))).text
    send(treasurer, camt(Tx(6000, reference=asked.reference), Tx(6000, name="MAES BO")))
    page = treasurer.get(f"{HOME}?list=doubtful").text
    assert doubt not in page
    assert "Nothing expected fits it." in page


def test_a_registrar_sees_entries_and_is_offered_no_deed(
    session, treasurer, account, client, make_account, sign_in, cooperative
):
    send(treasurer, camt(Tx(6000, name="Unknown")))
    entry = session.scalars(select(BankEntry)).one()
    sign_in(client, make_account("Rita", roles=[(cooperative, Role.REGISTRAR)]))
    page = client.get(f"{HOME}/entries/{entry.public_id}").text
    assert "Unknown" in page
    assert "/set-aside" not in page
    assert "/give-back" not in page
    assert "/accounts" not in page


def test_a_cooperative_sees_nothing_of_another_ones_payments(
    session, treasurer, account, make_cooperative
):
    from govern.access import SYSTEM
    from govern.payments.services.accounts import add_bank_account
    from govern.payments.services.statements import read_file

    other = make_cooperative(code="elsewhere")
    add_bank_account(session, SYSTEM, other, iban=OURS, bic="", holder="Elsewhere")
    read_file(session, SYSTEM, other, file_name="s.xml", content=camt(Tx(6000)))
    session.commit()
    theirs = session.scalars(select(BankEntry)).one()
    assert treasurer.get(f"{HOME}/entries/{theirs.public_id}").status_code == 404


def test_whoever_keeps_payments_is_told_what_waits(session, treasurer, account):
    send(treasurer, camt(Tx(6000, name="Unknown")))
    assert "1 entry of the bank waits to be matched" in treasurer.get("/").text


def test_what_is_listed_can_be_taken_along_and_no_cell_is_a_formula(
    session, treasurer, account, ask
):
    send(treasurer, camt(Tx(6000, name="=HYPERLINK(1)", message="merci"), Tx(-100)))
    ask(6000)
    table = treasurer.get(f"{HOME}/entries.csv").data.decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in table
    assert ";60.00;" in table
    assert ";Set aside;No payment made here" in table
    assert "An Peeters" in treasurer.get(f"{HOME}/requests.csv").text
    assert treasurer.get(f"{HOME}/outgoing.csv").status_code == 200
