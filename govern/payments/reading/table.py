"""The tables (CSV, also XLSX) that banks let one download, recognised by their headings.

The headings of Belgian banks in French, Dutch, German and English are known. A table has a column
for the day, one for the amount (or one each for money in and out) and, unless the person says
which account it is about, one for the account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache

from govern.payments.reading.records import (
    MAX_ENTRIES,
    ReadEntry,
    ReadStatement,
    UnreadableStatement,
    one_line,
    plain_iban,
    reference_of,
)
from govern.payments.rules.bank import WrongBic, read_bic
from govern.register.importing.reading import UnreadableFile, read_table
from govern.register.rules import values
from govern.register.rules.folding import fold
from govern.register.rules.values import Cell, cell_text

NAMES: Mapping[str, str] = {
    "account": """
        account; account number; iban; own account; our account
        compte; numéro de compte; n° de compte; compte propre
        rekening; rekeningnummer; eigen rekening
        konto; kontonummer; auftragskonto; iban auftragskonto; eigenes konto
    """,
    "booked_on": """
        booking date; booked on; date; execution date; transaction date; accounting date
        date de comptabilisation; date comptable; date d'exécution; date d'opération; date opération
        boekingsdatum; datum; uitvoeringsdatum; verrichtingsdatum; boekdatum
        buchungstag; buchungsdatum; ausführungsdatum
    """,
    "value_on": """
        value date; date valeur; date de valeur; valutadatum; valuta datum; wertstellung
        valuta; wertstellungstag
    """,
    "amount": """
        amount; amount eur; amount in euro; montant; montant eur; montant en euro
        bedrag; bedrag eur; betrag; betrag eur; betrag in euro
    """,
    "credit": "credit; crédit; haben; gutschrift; money in",
    "debit": "debit; débit; debet; soll; lastschrift; belastung; money out",
    "currency": """
        currency; devise; devise du compte; devise compte; munt; valuta rekening; munteenheid
        währung; currency of the account
    """,
    "counterparty_iban": """
        counterparty account; counterparty iban; counterparty; account of the counterparty
        compte contrepartie; compte de la contrepartie; contrepartie; compte partie adverse
        numéro de compte contrepartie; compte bénéficiaire
        rekening tegenpartij; rekeningnummer tegenpartij; tegenpartij; tegenrekening
        gegenkonto; konto des auftraggebers; iban zahlungsbeteiligter; kontonummer iban
        konto der gegenpartei
    """,
    "counterparty_name": """
        counterparty name; name of the counterparty; name
        nom contrepartie; nom de la contrepartie; nom contrepartie contient; nom partie adverse
        naam tegenpartij; naam van de tegenpartij; naam tegenpartij bevat
        name zahlungsbeteiligter; auftraggeber empfänger; begünstigter zahlungspflichtiger
        name der gegenpartei
    """,
    "counterparty_bic": """
        bic; counterparty bic; bic contrepartie; bic tegenpartij; bic der gegenpartei
        bic swift code zahlungsbeteiligter; code bic
    """,
    "reference": """
        structured communication; structured reference; reference
        communication structurée; référence structurée
        gestructureerde mededeling
        strukturierte mitteilung; strukturierte referenz
    """,
    "message": """
        communication; communications; message; free communication; description; remittance
        communication libre; libellé; libellés; détails; détails du mouvement
        mededeling; mededelingen; vrije mededeling; omschrijving; details
        mitteilung; freie mitteilung; verwendungszweck; buchungstext
    """,
    "bank_reference": """
        transaction number; transaction id; bank reference; sequence number; reference of the bank
        numéro de transaction; n° de séquence; numéro de séquence; référence banque
        numéro de mouvement; référence de la banque
        transactienummer; volgnummer; referentie bank; omzetnummer; bewegingsnummer
        referentie van de bank
        transaktionsnummer; umsatznummer; referenz der bank
    """,
    "status": "status; statut; état; toestand",
}  # fmt: skip
_REFUSED = frozenset("refuse geweigerd rejected abgelehnt refused".split())
_PENDING = frozenset("en attente;in behandeling;pending;vorgemerkt;in afwachting".split(";"))
HEADER_SEARCH_ROWS = 30


@cache
def _columns() -> Mapping[str, str]:
    known: dict[str, str] = {}
    for field, names in NAMES.items():
        for name in re.split(r"[;\n]", names):
            if folded := fold(name):
                known.setdefault(folded, field)
    return known


def read_bank_table(content: bytes, own_iban: str = "") -> ReadStatement:
    """The entries of a table. Raises UnreadableStatement.

    ``own_iban`` is used where the table has no column for the account; where it has one, all rows
    must be about the same account.
    """
    try:
        rows = read_table(content).rows
    except UnreadableFile as error:
        if error.code in ("file_too_many_rows", "file_too_large_unpacked"):
            raise UnreadableStatement("too_many", limit=MAX_ENTRIES) from error
        raise UnreadableStatement("table_unreadable", reason=error.code, **error.params) from error
    at, columns = _find_header(rows)
    missing = [] if "booked_on" in columns else ["booked_on"]
    if "amount" not in columns and not ("credit" in columns and "debit" in columns):
        missing.append("amount")
    if missing:
        raise UnreadableStatement("columns_missing", missing=missing)
    ibans: dict[str, int] = {}
    entries: list[ReadEntry] = []
    for number, cells in enumerate(rows[at + 1 :], start=at + 2):
        row = _Row(number, cells, columns)
        if not row.text("booked_on") and not (row.text("amount") or row.text("credit")):
            continue  # an empty line, or a total under the table
        status = fold(row.text("status"))
        if status in _REFUSED or status in _PENDING:
            continue
        if len(entries) >= MAX_ENTRIES:
            raise UnreadableStatement("too_many", limit=MAX_ENTRIES)
        if account := re.sub(r"[\s.-]", "", row.text("account")).upper():
            ibans.setdefault(account, number)
        if entry := row.entry():
            entries.append(entry)
    if len(ibans) > 1:
        first, second = list(ibans)[:2]
        raise UnreadableStatement(
            "several_accounts", first=first[:34], second=second[:34], row=ibans[second]
        )
    iban = next(iter(ibans), own_iban)
    if not iban:
        raise UnreadableStatement("account_not_said")
    if not entries:
        raise UnreadableStatement("no_entry")
    # Oldest first, as in every other statement; rows of one day keep the order of the bank.
    if entries[0].booked_on > entries[-1].booked_on:
        entries.reverse()
    statement = ReadStatement(format="csv", iban=iban, entries=entries)
    statement.set_days()
    return statement


def _find_header(rows: Sequence[Sequence[Cell]]) -> tuple[int, Mapping[str, list[int]]]:
    """The row with the most known headings (banks write a preamble above it), and its columns."""
    best: tuple[int, int, Mapping[str, list[int]]] = (0, 0, {})
    for at, row in enumerate(rows[:HEADER_SEARCH_ROWS]):
        columns: dict[str, list[int]] = {}
        for position, cell in enumerate(row):
            if field := _columns().get(fold(cell_text(cell))):
                columns.setdefault(field, []).append(position)
        if len(columns) > best[0]:
            best = (len(columns), at, columns)
    return best[1], best[2]


class _Row:
    """One row under the heading. ``number`` counts as a spreadsheet does."""

    def __init__(
        self, number: int, cells: Sequence[Cell], columns: Mapping[str, list[int]]
    ) -> None:
        self.number = number
        self.cells = cells
        self.columns = columns

    def texts(self, field: str) -> list[str]:
        found = (
            cell_text(self.cells[position]).strip()
            for position in self.columns.get(field, [])
            if position < len(self.cells)
        )
        return [text for text in found if text]

    def text(self, field: str) -> str:
        return next(iter(self.texts(field)), "")

    def entry(self) -> ReadEntry | None:
        """None where nothing moved."""
        currency = self.text("currency").upper()
        if currency and currency not in ("EUR", "EURO", "€"):
            raise UnreadableStatement("currency", found=currency[:10], where=self.where)
        cents = self.cents()
        if cents == 0:
            return None
        booked = self.day("booked_on")
        message = " ".join(self.texts("message"))
        structured = self.text("reference")
        return ReadEntry(
            amount_cents=cents,
            booked_on=booked,
            value_on=self.day("value_on") if self.text("value_on") else booked,
            counterparty_name=one_line(self.text("counterparty_name"), 140),
            counterparty_iban=plain_iban(self.text("counterparty_iban")),
            counterparty_bic=self.bic(),
            reference=reference_of(structured, message),
            remittance=one_line(" ".join(filter(None, (structured, message))), 1000),
            bank_reference=one_line(self.text("bank_reference"), 70),
        )

    @property
    def where(self) -> str:
        return f"{self.number}"

    def bic(self) -> str:
        try:
            return read_bic(self.text("counterparty_bic"))
        except WrongBic:
            return ""

    def day(self, field: str) -> date:
        try:
            return values.read_date(self._cell(field))
        except values.Unreadable as error:
            raise UnreadableStatement(
                "row_day", value=self.text(field)[:40], where=self.where
            ) from error

    def cents(self) -> int:
        if "amount" in self.columns:
            return self._signed("amount")
        money_in = abs(self._signed("credit")) if self.text("credit") else 0
        money_out = abs(self._signed("debit")) if self.text("debit") else 0
        return money_in - money_out

    def _cell(self, field: str) -> Cell:
        return self.cells[self.columns[field][0]] if self.text(field) else None

    def _signed(self, field: str) -> int:
        """An amount with its sign: -12,50, 12,50-, +60,00, 1.234,56."""
        cell = self._cell(field)
        text = cell_text(cell).strip().replace("−", "-")
        negative = text.startswith("-") or text.endswith("-")
        try:
            if isinstance(cell, bool):
                raise values.Unreadable("amount_unknown")
            if isinstance(cell, int | float):
                cents = values.read_amount(abs(cell))
            elif text.count("+") + text.count("-") > 1:
                raise values.Unreadable("amount_unknown")
            else:
                cents = values.read_amount(text.strip("+- "))
        except values.Unreadable as error:
            code = "row_amount_too_large" if error.code == "amount_too_large" else "row_amount"
            raise UnreadableStatement(code, value=text[:40], where=self.where) from error
        return int(Decimal(-cents if negative else cents))
