"""Words for states and doubts, and why a file was refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from govern.i18n import money
from govern.payments.models import (
    BatchState,
    Doubt,
    EntryState,
    OutgoingState,
    RequestState,
)
from govern.payments.rules.bank import show_iban

REQUEST_STATE_NAMES = {
    RequestState.OPEN: lazy_pgettext("payment request", "Open"),
    RequestState.SETTLED: lazy_pgettext("payment request", "Paid"),
    RequestState.CANCELLED: lazy_pgettext("payment request", "Cancelled"),
}

ENTRY_STATE_NAMES = {
    EntryState.UNMATCHED: lazy_pgettext("bank entry", "Unmatched"),
    EntryState.DOUBTFUL: lazy_pgettext("bank entry", "Doubtful"),
    EntryState.MATCHED: lazy_pgettext("bank entry", "Matched"),
    EntryState.SET_ASIDE: lazy_pgettext("bank entry", "Set aside"),
    EntryState.RETURNED: lazy_pgettext("bank entry", "Returned"),
}

OUTGOING_STATE_NAMES = {
    OutgoingState.PLANNED: lazy_pgettext("outgoing payment", "Planned"),
    OutgoingState.RELEASED: lazy_pgettext("outgoing payment", "Released"),
    OutgoingState.IN_BATCH: lazy_pgettext("outgoing payment", "In a payment file"),
    OutgoingState.SENT: lazy_pgettext("outgoing payment", "At the bank"),
    OutgoingState.PAID: lazy_pgettext("outgoing payment", "Paid"),
    OutgoingState.RETURNED: lazy_pgettext("outgoing payment", "Came back"),
    OutgoingState.CANCELLED: lazy_pgettext("outgoing payment", "Cancelled"),
}

BATCH_STATE_NAMES = {
    BatchState.MADE: lazy_pgettext("payment file", "To be handed to the bank"),
    BatchState.SENT: lazy_pgettext("payment file", "At the bank"),
    BatchState.DONE: lazy_pgettext("payment file", "Done"),
    BatchState.CANCELLED: lazy_pgettext("payment file", "Cancelled"),
}

DOUBT_SENTENCES = {
    Doubt.KNOWN_PAYER: _l(
        "No reference, but this account has paid before and exactly this amount is expected."
    ),
    Doubt.KNOWN_NAME: _l("No reference, but something is expected from somebody of this name."),
    Doubt.REQUEST_CLOSED: _l("The reference is known, but nothing is expected under it any more."),
    Doubt.REST_LEFT: _l("More was received than was asked for."),
    Doubt.LEDGER_REFUSED: _l("The reference is known, but the payment could not be recorded."),
    Doubt.RETURN_UNKNOWN: _l("The bank takes a payment back, and it is not clear which one."),
    Doubt.OUTGOING_UNEXPECTED: _l(
        "This is a payment of ours that should not be on its way, or no longer."
    ),
    Doubt.OUTGOING_AMOUNT: _l("This is a payment of ours, but the amount is another."),
}


RETURN_REFUSED = _l("Which payment this is about is known, but it could not be recorded.")
"""Of a debit, instead of what ``LEDGER_REFUSED`` says of a credit."""


RETURN_REASONS = {
    "AC01": _l("The number of the account is wrong"),
    "AC03": _l("The number of the payee’s account is wrong"),
    "AC04": _l("The account is closed"),
    "AC06": _l("The account is blocked"),
    "AC13": _l("The payer’s account is not of the right kind"),
    "AG01": _l("This account does not allow such a payment"),
    "AG02": _l("The bank does not know this kind of payment"),
    "AM04": _l("There was not enough money on the account"),
    "AM05": _l("The bank took it for a payment made twice"),
    "AM09": _l("The amount is not the one that was agreed"),
    "ARDT": _l("The money was given back already"),
    "BE01": _l("The name does not fit the account"),
    "BE04": _l("The payee’s address is missing or wrong"),
    "BE05": _l("It is not known who asked for the payment"),
    "CNOR": _l("The payee’s bank cannot be reached in this way"),
    "CUST": _l("The customer of the bank asked for it"),
    "DNOR": _l("The payer’s bank cannot be reached in this way"),
    "DUPL": _l("It had been paid twice"),
    "ED05": _l("The banks could not settle it between them"),
    "ERIN": _l("The bank cannot pass on all that the payment says"),
    "FF05": _l("The payment does not say its kind as the bank needs it"),
    "FOCR": _l("The payment was called back"),
    "FRAD": _l("The payment was reported as a fraud"),
    "LEGL": _l("A court or an authority decided so"),
    "MD01": _l("There was no mandate for the direct debit"),
    "MD06": _l("The payer asked for the money of a direct debit back"),
    "MD07": _l("The holder of the account has died"),
    "MS02": _l("The customer of the bank refused it and does not say why"),
    "MS03": _l("The bank does not say why"),
    "NARR": _l("The bank says it in its own words"),
    "RC01": _l("The BIC of the bank is wrong"),
    "RR01": _l("The payer’s account is not said, but rules of law ask for it"),
    "RR02": _l("The payer’s name or address is not said, but rules of law ask for it"),
    "RR03": _l("The payee’s name or address is not said, but rules of law ask for it"),
    "RR04": _l("Rules of law do not allow the payment"),
    "TECH": _l("It was paid by a technical mistake"),
    "TM01": _l("It came too late in the day"),
}
"""Why a bank returns a payment, by the code of ISO 20022 (ExternalReturnReason1Code,
ExternalStatusReason1Code). Statements, tables to take along and the database keep the code."""


def return_reason(said: str) -> str:
    """Why a payment came back, in words and with the code at its beginning behind them.

    What begins with no code that is known here (another code, a person's own words) stays.
    """
    code, _space, more = said.partition(" ")
    if code not in RETURN_REASONS:
        return said
    return " – ".join(filter(None, (f"{RETURN_REASONS[code]} ({code})", more.strip())))


@dataclass(frozen=True)
class Words:
    """One sentence that says what is wrong, one that says what to do."""

    sentence: str
    remedy: str


def unreadable_text(code: str, params: Mapping[str, Any]) -> Words:
    """Why a statement was refused."""
    return _UNREADABLE[code](params)


def _again() -> str:
    return _("Download the statement from the bank again and do not open it in between.")


def _columns(names: list[str]) -> str:
    words = {"booked_on": _("booking date"), "amount": _("amount")}
    return ", ".join(words[name] for name in names)


_UNREADABLE: Mapping[str, Callable[[Mapping[str, Any]], Words]] = {
    "empty": lambda p: Words(_("The file is empty."), _again()),
    "hostile": lambda p: Words(
        _("This file declares entities or is nested in a way that no bank uses: it was not read."),
        _("Do not use a file that did not come from the bank itself."),
    ),
    "oversized": lambda p: Words(
        _("Something in this file is longer than any bank writes (line %(line)s): it was not "
          "read.", line=p["line"]),
        _("Do not use a file that did not come from the bank itself."),
    ),
    "packed": lambda p: Words(
        _("This file is packed."), _("Unpack it, and send the statements that are in it.")
    ),
    "pdf": lambda p: Words(
        _("This is a statement to be printed, as a PDF document: programs cannot read it."),
        _("Choose “CAMT.053” or “XML statement” where the bank offers several kinds."),
    ),
    "broken": lambda p: Words(
        _("The file is cut off or damaged (line %(line)s).", line=p["line"]), _again()
    ),
    "other_xml": lambda p: Words(
        _("This is not a bank statement of the CAMT.053 kind."),
        _("Choose “CAMT.053” or “XML statement” where the bank offers several kinds."),
    ),
    "other_message": lambda p: Words(
        _("This file is of the kind %(found)s, not a CAMT.053 statement.", found=p["found"]),
        _("Choose “CAMT.053”: other kinds leave out what is booked or announce what is not."),
    ),
    "no_statement": lambda p: Words(_("There is no statement in this file."), _again()),
    "no_account": lambda p: Words(
        _("The statement %(statement)s does not name its account.", statement=p["statement"]),
        _again(),
    ),
    "no_balance": lambda p: Words(
        _("The statement %(statement)s lacks a balance at its beginning or its end.",
          statement=p["statement"]),
        _again(),
    ),
    "balance": lambda p: Words(
        _("The statement %(statement)s does not add up: %(opening)s at the beginning and "
          "%(moved)s of entries are not the %(closing)s at the end.",
          statement=p["statement"], opening=money(p["opening"]), moved=money(p["moved"]),
          closing=money(p["closing"])),
        _again(),
    ),
    "currency": lambda p: Words(
        _("%(where)s is in %(found)s, not in euro.", where=p["where"], found=p["found"]),
        _("Only accounts in euro can be read."),
    ),
    "amount_negative": lambda p: Words(
        _("The amount “%(value)s” (%(where)s) is negative.", value=p["value"], where=p["where"]),
        _again(),
    ),
    "amount_unknown": lambda p: Words(
        _("“%(value)s” (%(where)s) is not an amount.", value=p["value"], where=p["where"]),
        _again(),
    ),
    "amount_too_large": lambda p: Words(
        _("The amount “%(value)s” (%(where)s) is larger than can be.", value=p["value"],
          where=p["where"]),
        _again(),
    ),
    "direction": lambda p: Words(
        _("“%(value)s” (%(where)s) does not say whether money came in or went out.",
          value=p["value"], where=p["where"]),
        _again(),
    ),
    "day": lambda p: Words(
        _("“%(value)s” (%(where)s) is not a day.", value=p["value"], where=p["where"]), _again()
    ),
    "too_many": lambda p: Words(
        _("The statement has more than %(limit)s entries.", limit=p["limit"]),
        _("Download the statement for a shorter time."),
    ),
    "too_many_statements": lambda p: Words(
        _("The file holds more than %(limit)s statements.", limit=p["limit"]),
        _("Download the statements for a shorter time."),
    ),
    "table_unreadable": lambda p: Words(
        _("The table cannot be read as CSV or XLSX."), _again()
    ),
    "columns_missing": lambda p: Words(
        _("No column was recognised for: %(columns)s.", columns=_columns(p["missing"])),
        _("Use the table as the bank gives it, or name the columns as the bank does."),
    ),
    "several_accounts": lambda p: Words(
        _("Row %(row)s is about the account %(second)s, the rows above about %(first)s.",
          row=p["row"], first=show_iban(p["first"]), second=show_iban(p["second"])),
        _("Download one account at a time."),
    ),
    "account_not_said": lambda p: Words(
        _("The table does not say which account it is about."),
        _("Choose the account in the form and send the file again."),
    ),
    "no_entry": lambda p: Words(
        _("There is no entry in this table."), _("Download the statement for a longer time.")
    ),
    "row_day": lambda p: Words(
        _("Row %(where)s: “%(value)s” is not a day.", where=p["where"], value=p["value"]),
        _("Write days as 31/12/2018 or 2018-12-31."),
    ),
    "row_amount": lambda p: Words(
        _("Row %(where)s: “%(value)s” is not an amount.", where=p["where"], value=p["value"]),
        _("Write amounts as 12,50 or -12,50."),
    ),
    "row_amount_too_large": lambda p: Words(
        _("Row %(where)s: the amount “%(value)s” is larger than can be.", where=p["where"],
          value=p["value"]),
        _again(),
    ),
}  # fmt: skip
