"""Examples of the routes of payments."""

from __future__ import annotations

import io
from typing import Any

from tests.access import world_payments  # noqa: F401  (its builder joins the world)
from tests.access.example import Example
from tests.access.world import Side
from tests.payments.statements import Tx, camt

REASON = {"reason": "entered by mistake"}


def _entry(which: str, form: Any = None) -> Example:
    return Example(arguments=lambda side: {"entry": getattr(side, which)}, form=form or {})


def _payment(which: str, form: Any = None) -> Example:
    return Example(arguments=lambda side: {"payment": getattr(side, which)}, form=form or {})


def _batch(form: Any = None) -> Example:
    return Example(arguments=lambda side: {"batch": side.payment_batch}, form=form or {})


def _reading() -> Example:
    return Example(arguments=lambda side: {"reading": side.reading})


def _account(which: str) -> Example:
    return Example(arguments=lambda side: {"account": getattr(side, which)})


def _statement(_side: Side) -> dict[str, Any]:
    return {"file": (io.BytesIO(camt(Tx(4200, bank_reference="77"))), "s.xml"), "account": ""}


PAYMENTS = {
    "payments.export_entries": Example(),
    "payments.export_requests": Example(),
    "payments.export_outgoing": Example(),
    "payments.entry_list": Example(),
    "payments.entry_page": _entry("waiting_entry"),
    "payments.match_entry": _entry("waiting_entry", lambda side: {"request": side.payment_request}),
    "payments.undo_match": Example(
        arguments=lambda side: {"entry": side.matched_entry, "match": side.match}, form=REASON
    ),
    "payments.set_aside": _entry("waiting_entry", REASON),
    "payments.take_up": _entry("set_aside_entry"),
    "payments.give_back": _entry("waiting_entry"),
    "payments.return_entry": _entry("return_entry", lambda side: {"original": side.original_entry}),
    "payments.claim_entry": Example(
        arguments=lambda side: {"entry": side.claim_entry, "original": side.claim_original},
        form=REASON,
    ),
    "payments.undo_claim": Example(
        arguments=lambda side: {"entry": side.claimed_entry, "claim": side.payer_claim},
        form=REASON,
    ),
    "payments.undo_settled": Example(
        arguments=lambda side: {"entry": side.said_entry, "said": side.said}, form=REASON
    ),
    "payments.settle_outgoing": _entry("debit_entry", lambda side: {"payment": side.sent_payment}),
    "payments.statement_list": Example(),
    "payments.read_statement": Example(form=_statement),
    "payments.reading_page": _reading(),
    "payments.reading_progress": _reading(),
    "payments.reading_go_on": _reading(),
    "payments.request_list": Example(),
    "payments.request_page": Example(arguments=lambda side: {"asked": side.payment_request}),
    "payments.account_list": Example(
        form={"iban": "BE71096123456769", "holder": "Another", "bic": ""}
    ),
    "payments.account_default": _account("other_bank_account"),
    "payments.account_close": _account("other_bank_account"),
    "payments.outgoing_list": Example(),
    "payments.release": _payment("planned"),
    "payments.hold": _payment("released"),
    "payments.cancel_payment": _payment("planned", REASON),
    "payments.batch_list": Example(),
    "payments.new_batch": Example(
        form=lambda side: {
            "payment": side.released,
            "account": side.bank_account,
            "execute_on": "2018-06-01",
        }
    ),
    "payments.batch_page": _batch(),
    "payments.batch_file": _batch(),
    "payments.batch_sent": _batch(),
    "payments.batch_cancel": _batch(REASON),
}
