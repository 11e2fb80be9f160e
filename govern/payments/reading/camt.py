"""CAMT.053, the bank-to-customer statement of ISO 20022 (camt.053.001.02 and later ones).

An entry is turned into a ``ReadEntry`` and dropped before the next one is looked at
(``stream`` keeps out what is hostile).
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from xml.etree.ElementTree import Element

from govern.payments.reading.records import (
    MAX_ENTRIES,
    ReadEntry,
    ReadStatement,
    UnreadableStatement,
    one_line,
    plain_iban,
    read_cents,
    reference_of,
)
from govern.payments.reading.stream import read_elements
from govern.payments.rules.bank import WrongBic, read_bic

MAX_STATEMENTS = 1000
"""Of one file: nearly three years of daily ones."""

MAX_ELEMENTS = 2_000_000
"""Twenty thousand entries with everything that a bank says about each."""
_NAMESPACE = re.compile(
    r"\{urn:(?:iso:std:iso:20022:tech|swift):xsd:\$?([a-z]{4}\.\d{3}\.\d{3}\.\d{2})\}"
)
_OF_STATEMENT = frozenset({"Id", "Acct", "FrToDt", "Bal"})
"""What of a statement is kept until its end, beside its entries."""

_OPENING = ("OPBD", "PRCD")
_NOTHING = frozenset({"NOTPROVIDED", "NONREF", "NOTAVAILABLE", "NOT PROVIDED"})


def read_camt(content: bytes) -> list[ReadStatement]:
    """The statements of one file, balances checked. Raises UnreadableStatement."""
    return _Reader().read(content)


class _Reader:
    """Walks through the events of one file."""

    def __init__(self) -> None:
        self.format = ""
        self.statements: list[ReadStatement] = []
        self.entries: list[ReadEntry] = []
        self.open: list[Element] = []
        self.seen = self.kept = self.elements = 0

    def read(self, content: bytes) -> list[ReadStatement]:
        read_elements(content, self._begin, self._end)
        if not self.statements:
            raise UnreadableStatement("no_statement")
        return self.statements

    def _begin(self, element: Element) -> None:
        if not self.open:
            self._check_kind(element)
        self.open.append(element)
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise UnreadableStatement("too_many", limit=MAX_ENTRIES)
        if _name(element) == "Stmt" and len(self.open) == 3:
            self.entries = []

    def _end(self, element: Element) -> None:
        self.open.pop()
        name, depth = _name(element), len(self.open)
        if name == "Ntry" and depth == 3:
            self.seen += 1
            parts = _read_entry(element, f"Ntry {self.seen}")
            self.kept += len(parts)
            if self.kept > MAX_ENTRIES:
                raise UnreadableStatement("too_many", limit=MAX_ENTRIES)
            self.entries += parts
            self._drop_last()
        elif name == "Stmt" and depth == 2:
            if len(self.statements) >= MAX_STATEMENTS:
                raise UnreadableStatement("too_many_statements", limit=MAX_STATEMENTS)
            self.statements.append(self._finish(element))
            self._drop_last()
        elif depth == 2 or (depth == 3 and name not in _OF_STATEMENT):
            self._drop_last()

    def _drop_last(self) -> None:
        """Forget the element that ended just now: the last one of its parent."""
        # Not ``remove``, which looks through everything that stands before it.
        del self.open[-1][-1]

    def _check_kind(self, root: Element) -> None:
        match = _NAMESPACE.match(root.tag)
        if match is None or _name(root) != "Document":
            raise UnreadableStatement("other_xml")
        self.format = match.group(1)
        if not self.format.startswith("camt.053."):
            raise UnreadableStatement("other_message", found=self.format)

    def _finish(self, element: Element) -> ReadStatement:
        iban = re.sub(r"\s", "", _text(element, "Acct/Id/IBAN")).upper()
        identification = one_line(_text(element, "Id"), 70)
        if not iban:
            raise UnreadableStatement("no_account", statement=identification)
        currency = _text(element, "Acct/Ccy")
        if currency and currency != "EUR":
            raise UnreadableStatement("currency", found=currency, where=identification)
        statement = ReadStatement(
            format=self.format,
            iban=iban,
            identification=identification,
            first_day=_day_or_none(_text(element, "FrToDt/FrDtTm")),
            last_day=_day_or_none(_text(element, "FrToDt/ToDtTm")),
            entries=self.entries,
        )
        _set_balances(statement, element)
        statement.set_days()
        return statement


def _set_balances(statement: ReadStatement, element: Element) -> None:
    """Opening and closing booked balance; together with the entries they must add up."""
    found: dict[str, int] = {}
    interim: list[int] = []
    for balance in _all(element, "Bal"):
        code = _text(balance, "Tp/CdOrPrtry/Cd")
        if code not in ("OPBD", "PRCD", "CLBD", "ITBD"):
            continue
        cents = _amount_of(balance, f"Bal {code}")
        if _text(balance, "CdtDbtInd") == "DBIT":
            cents = -cents
        if code == "ITBD":
            interim.append(cents)
        found.setdefault(code, cents)
    opening = next((found[code] for code in _OPENING if code in found), None)
    closing = found.get("CLBD")
    # A statement in several pages carries interim balances where it was cut.
    if opening is None and interim:
        opening = interim[0]
    if closing is None and interim:
        closing = interim[-1]
    if opening is None or closing is None:
        raise UnreadableStatement("no_balance", statement=statement.identification)
    moved = sum(entry.amount_cents for entry in statement.entries)
    if opening + moved != closing:
        raise UnreadableStatement(
            "balance",
            statement=statement.identification,
            opening=opening,
            moved=moved,
            closing=closing,
        )
    statement.opening_cents, statement.closing_cents = opening, closing


def _read_entry(element: Element, where: str) -> list[ReadEntry]:
    """An entry, split into its transactions where their amounts add up to it."""
    status = _text(element, "Sts/Cd") or _text(element, "Sts")
    if status and status != "BOOK":
        return []  # announced or for information: not in the booked balance either
    total = _amount_of(element, where) * _sign(element, where)
    if total == 0:
        return []
    booked = _day(_text(element, "BookgDt/Dt") or _text(element, "BookgDt/DtTm"), where)
    valued_text = _text(element, "ValDt/Dt") or _text(element, "ValDt/DtTm")
    valued = _day(valued_text, where) if valued_text else booked
    transactions = [tx for details in _all(element, "NtryDtls") for tx in _all(details, "TxDtls")]
    batch = next(iter(_all(element, "NtryDtls")), None)
    batch_id = ""
    if batch is not None:
        batch_id = _known(_text(batch, "Btch/PmtInfId")) or _known(_text(batch, "Btch/MsgId"))
    amounts = _split_amounts(transactions, total, where)
    if amounts is None:
        only = transactions[0] if len(transactions) == 1 else None
        return [_entry(element, only, total, booked, valued, batch_id)]
    return [
        _entry(element, tx, cents, booked, valued, "")
        for tx, cents in zip(transactions, amounts, strict=True)
        if cents
    ]


def _split_amounts(transactions: list[Element], total: int, where: str) -> list[int] | None:
    """The signed amounts of several transactions; None where they cannot be told apart."""
    if len(transactions) < 2:
        return None
    amounts = []
    for tx in transactions:
        amount = _find(tx, "Amt")
        if amount is None:
            amount = _find(tx, "AmtDtls/TxAmt/Amt")
        if amount is None:
            return None
        sign = _text(tx, "CdtDbtInd")
        direction = {"CRDT": 1, "DBIT": -1}.get(sign, 1 if total > 0 else -1)
        amounts.append(_cents_of(amount, where) * direction)
    return amounts if sum(amounts) == total else None


def _entry(
    element: Element,
    tx: Element | None,
    cents: int,
    booked: date,
    valued: date,
    batch_id: str,
) -> ReadEntry:
    detail = tx if tx is not None else element
    name, iban, bic = _counterparty(detail, cents)
    structured = " ".join(_texts(detail, "RmtInf/Strd/CdtrRefInf/Ref"))
    message = " ".join(
        part
        for part in (*_texts(detail, "RmtInf/Ustrd"), *_texts(detail, "RmtInf/Strd/AddtlRmtInf"))
        if part
    )
    remittance = one_line(
        " ".join(filter(None, (structured, message)))
        or _text(detail, "AddtlTxInf")
        or _text(element, "AddtlNtryInf"),
        1000,
    )
    reason = _text(detail, "RtrInf/Rsn/Cd") or _text(detail, "RtrInf/Rsn/Prtry")
    explained = one_line(" ".join(filter(None, (reason, *_texts(detail, "RtrInf/AddtlInf")))), 140)
    own = _known(_text(tx, "Refs/AcctSvcrRef")) if tx is not None else ""
    return ReadEntry(
        amount_cents=cents,
        booked_on=booked,
        value_on=valued,
        counterparty_name=name,
        counterparty_iban=iban,
        counterparty_bic=bic,
        reference=reference_of(structured, message),
        remittance=remittance,
        end_to_end_id=_known(_text(detail, "Refs/EndToEndId"))[:35],
        bank_reference=one_line(own or _known(_text(element, "AcctSvcrRef")), 70),
        batch_id=(batch_id or _known(_text(detail, "Refs/PmtInfId")))[:35],
        is_return=_text(element, "RvslInd") in ("true", "1") or _find(detail, "RtrInf") is not None,
        return_reason=explained,
    )


def _counterparty(detail: Element, cents: int) -> tuple[str, str, str]:
    """Name, IBAN and BIC of the other side: the debtor of money received, else the creditor.

    A return keeps the roles of the payment that it takes back, so that the other side may stand
    where we are expected: whoever is named alone is taken.
    """
    for role in ("Dbtr", "Cdtr") if cents > 0 else ("Cdtr", "Dbtr"):
        name = _text(detail, f"RltdPties/{role}/Nm") or _text(detail, f"RltdPties/{role}/Pty/Nm")
        iban = plain_iban(_text(detail, f"RltdPties/{role}Acct/Id/IBAN"))
        agent = f"RltdAgts/{role}Agt/FinInstnId"
        bic = _text(detail, f"{agent}/BICFI") or _text(detail, f"{agent}/BIC")
        if name or iban:
            try:
                bic = read_bic(bic)
            except WrongBic:
                bic = ""
            return one_line(name, 140), iban, bic
    return "", "", ""


# -- elements ---------------------------------------------------------------------------------


def _name(element: Element) -> str:
    return _local(element.tag)


@lru_cache(maxsize=1024)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _all(element: Element, name: str) -> list[Element]:
    return [child for child in element if _name(child) == name]


def _find(element: Element, path: str) -> Element | None:
    """The first element at ``path`` ("Acct/Id/IBAN"), whatever its namespace."""
    found: Element | None = element
    for name in path.split("/"):
        found = next((child for child in found if _name(child) == name), None)  # type: ignore[union-attr]
        if found is None:
            return None
    return found


def _text(element: Element, path: str) -> str:
    found = _find(element, path)
    return (found.text or "").strip() if found is not None else ""


def _texts(element: Element, path: str) -> list[str]:
    """The texts of all elements at ``path``."""
    level = [element]
    for name in path.split("/"):
        level = [child for parent in level for child in _all(parent, name)]
    return [(item.text or "").strip() for item in level]


def _known(text: str) -> str:
    return "" if text.upper() in _NOTHING else text


def _amount_of(element: Element, where: str) -> int:
    amount = _find(element, "Amt")
    if amount is None:
        raise UnreadableStatement("amount_unknown", value="", where=where)
    return _cents_of(amount, where)


def _cents_of(amount: Element, where: str) -> int:
    currency = amount.get("Ccy", "EUR")
    if currency != "EUR":
        raise UnreadableStatement("currency", found=currency[:10], where=where)
    return read_cents(amount.text or "", where=where)


def _sign(element: Element, where: str) -> int:
    direction = _text(element, "CdtDbtInd")
    if direction not in ("CRDT", "DBIT"):
        raise UnreadableStatement("direction", value=direction[:20], where=where)
    return 1 if direction == "CRDT" else -1


def _day(text: str, where: str) -> date:
    found = _day_or_none(text)
    if found is None or not 1990 <= found.year <= 2200:
        raise UnreadableStatement("day", value=text[:40], where=where)
    return found


def _day_or_none(text: str) -> date | None:
    """The day of a date or of an instant, as the bank's own clock had it."""
    try:
        return (
            date.fromisoformat(text[:10])
            if len(text) <= 10
            else datetime.fromisoformat(text).date()
        )
    except ValueError:
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            return None
