"""The credit-transfer file for the bank: pain.001.001.09 (ISO 20022, version of 2019).

That version is the one of the SEPA implementation guidelines since November 2023 and of Febelfin's
guideline for Belgium; its predecessor .03 is being withdrawn. Each payment is booked on its own
(``BtchBookg`` false), so that the statement names it by its end-to-end id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from govern.payments.rules.latin import sepa_text
from govern.payments.rules.references import is_belgian, is_rf

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"


@dataclass(frozen=True)
class Transfer:
    """One payment of a file. ``reference`` is a compact structured one, or "" for free text."""

    end_to_end_id: str
    payee_name: str
    iban: str
    bic: str
    amount_cents: int
    text: str
    reference: str = ""


def message_id_of(
    debtor_iban: str, execute_on: date, number: int, transfers: Sequence[Transfer]
) -> str:
    """The identification of a file (35 characters at most): the same for the same content.

    ``number`` counts the files of the cooperative, since a bank refuses an identification that it
    has seen, and a cancelled file may be made anew.
    """
    parts = [debtor_iban, execute_on.isoformat(), str(number)]
    parts += [f"{one.end_to_end_id}:{one.iban}:{one.amount_cents}" for one in transfers]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"G{execute_on:%Y%m%d}-{number}-{digest}"[:35]


def write_pain(
    *,
    message_id: str,
    made_at: datetime,
    debtor_name: str,
    debtor_iban: str,
    debtor_bic: str,
    execute_on: date,
    transfers: Sequence[Transfer],
) -> str:
    """The XML of a file. ``made_at`` is written as the local time that it is given in.

    Names and texts are put into the SEPA character set. Raises ValueError for no transfers.
    """
    if not transfers:
        raise ValueError("a payment file holds at least one payment")
    count, total = str(len(transfers)), sum(one.amount_cents for one in transfers)
    document = Element("Document", {"xmlns": NAMESPACE})
    initiation = SubElement(document, "CstmrCdtTrfInitn")
    header = SubElement(initiation, "GrpHdr")
    _put(header, "MsgId", message_id)
    _put(header, "CreDtTm", made_at.replace(tzinfo=None).isoformat(timespec="seconds"))
    _put(header, "NbOfTxs", count)
    _put(header, "CtrlSum", _decimal(total))
    _put(header, "InitgPty/Nm", sepa_text(debtor_name, 70))
    information = SubElement(initiation, "PmtInf")
    _put(information, "PmtInfId", message_id)
    _put(information, "PmtMtd", "TRF")
    _put(information, "BtchBookg", "false")
    _put(information, "NbOfTxs", count)
    _put(information, "CtrlSum", _decimal(total))
    _put(information, "PmtTpInf/SvcLvl/Cd", "SEPA")
    _put(information, "ReqdExctnDt/Dt", execute_on.isoformat())
    _put(information, "Dbtr/Nm", sepa_text(debtor_name, 70))
    _put(information, "DbtrAcct/Id/IBAN", debtor_iban)
    if debtor_bic:
        _put(information, "DbtrAgt/FinInstnId/BICFI", debtor_bic)
    else:
        _put(information, "DbtrAgt/FinInstnId/Othr/Id", "NOTPROVIDED")
    _put(information, "ChrgBr", "SLEV")
    for transfer in transfers:
        _put_transfer(SubElement(information, "CdtTrfTxInf"), transfer)
    indent(document, " ")
    body = tostring(document, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _put_transfer(element: Element, transfer: Transfer) -> None:
    _put(element, "PmtId/EndToEndId", transfer.end_to_end_id)
    amount = _put(element, "Amt/InstdAmt", _decimal(transfer.amount_cents))
    amount.set("Ccy", "EUR")
    if transfer.bic:
        _put(element, "CdtrAgt/FinInstnId/BICFI", transfer.bic)
    _put(element, "Cdtr/Nm", sepa_text(transfer.payee_name, 70))
    _put(element, "CdtrAcct/Id/IBAN", transfer.iban)
    if is_rf(transfer.reference) or is_belgian(transfer.reference):
        given = SubElement(SubElement(SubElement(element, "RmtInf"), "Strd"), "CdtrRefInf")
        _put(given, "Tp/CdOrPrtry/Cd", "SCOR")
        _put(_child(given, "Tp"), "Issr", "ISO" if is_rf(transfer.reference) else "BBA")
        _put(given, "Ref", transfer.reference)
    else:
        _put(element, "RmtInf/Ustrd", sepa_text(transfer.text, 140))


def _put(parent: Element, path: str, text: str) -> Element:
    """A new element at the end of ``path``, the ones on the way made or found as last child."""
    *way, name = path.split("/")
    for step in way:
        parent = _child(parent, step)
    made = SubElement(parent, name)
    made.text = text
    return made


def _child(parent: Element, name: str) -> Element:
    last = parent[-1] if len(parent) else None
    return last if last is not None and last.tag == name else SubElement(parent, name)


def _decimal(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
