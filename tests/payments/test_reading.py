"""Bank statements, read without a database: what they say, and those that are refused."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import date

import pytest
from openpyxl import Workbook

from govern.payments.reading import UnreadableStatement, read_statements, stream
from govern.payments.reading import camt as camt_reading
from govern.payments.reading.records import entry_keys
from tests.payments.statements import AN, DATA, OURS, Tx, camt

REFERENCE = "123456789002"


def refusal(content: bytes) -> UnreadableStatement:
    with pytest.raises(UnreadableStatement) as refused:
        read_statements(content)
    return refused.value


@pytest.mark.parametrize("version", ["02", "08", "10"])
def test_a_statement_says_who_paid_what_and_when(version):
    [statement] = read_statements(
        camt(
            Tx(6000, reference=REFERENCE, bank_reference="B1"),
            Tx(-1250, name="Bank", iban="", message="charges"),
            version=version,
        )
    )
    assert statement.format == f"camt.053.001.{version}"
    assert statement.iban == OURS
    assert (statement.opening_cents, statement.closing_cents) == (100_000, 104_750)
    received, charges = statement.entries
    assert received.amount_cents == 6000
    assert received.booked_on == date(2018, 5, 30)
    assert received.reference == REFERENCE
    assert (received.counterparty_name, received.counterparty_iban) == ("An Peeters", AN)
    assert received.end_to_end_id == ""
    assert charges.amount_cents == -1250
    assert charges.remittance == "charges"


@pytest.mark.parametrize("version", ["02", "08"])
def test_entries_booked_in_one_sum_are_split(version):
    [statement] = read_statements(
        camt(
            Tx(9000, parts=[Tx(6000, reference=REFERENCE), Tx(3000, name="Bo Maes")]),
            version=version,
        )
    )
    assert [entry.amount_cents for entry in statement.entries] == [6000, 3000]
    assert statement.entries[1].counterparty_name == "Bo Maes"


def test_a_sum_whose_parts_do_not_make_it_up_stays_whole():
    [statement] = read_statements(camt(Tx(9000, parts=[Tx(6000), Tx(2000)])))
    assert [entry.amount_cents for entry in statement.entries] == [9000]


def test_what_is_only_announced_is_left_out():
    [statement] = read_statements(camt(Tx(6000, status="PDNG"), Tx(3000)))
    assert [entry.amount_cents for entry in statement.entries] == [3000]


def test_returns_are_recognised_by_either_mark():
    [statement] = read_statements(
        camt(Tx(-6000, is_reversal=True), Tx(-3000, return_code="AC04"), Tx(-1000))
    )
    assert [entry.is_return for entry in statement.entries] == [True, True, False]
    assert statement.entries[1].return_reason == "AC04"


def test_a_reference_in_the_free_message_counts():
    [statement] = read_statements(camt(Tx(6000, message="parts +++123/4567/89002+++ merci")))
    assert statement.entries[0].reference == REFERENCE


def test_two_references_in_one_message_name_no_request():
    text = "+++123/4567/89002+++ et +++000/0000/09797+++"
    [statement] = read_statements(camt(Tx(6000, message=text)))
    assert statement.entries[0].reference == ""


def test_a_reference_with_wrong_check_digits_is_none():
    [statement] = read_statements(camt(Tx(6000, reference="123456789003")))
    assert statement.entries[0].reference == ""


def test_the_same_entry_has_the_same_key_and_twins_have_two():
    twins = camt(Tx(3000, message="x"), Tx(3000, message="x"), Tx(3000, bank_reference="B"))
    first = entry_keys(read_statements(twins)[0].entries)
    assert first == entry_keys(read_statements(twins)[0].entries)
    assert len(set(first)) == 3


def test_a_balance_that_does_not_add_up_is_refused():
    refused = refusal(camt(Tx(6000), closing=100_000))
    assert refused.code == "balance"
    assert refused.params["moved"] == 6000


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (camt(Tx(6000))[:-200], "broken"),
        (camt(Tx(6000), currency="USD"), "currency"),
        (camt(Tx(6000)).replace(b">60.00<", b">-60.00<"), "amount_negative"),
        (camt(Tx(6000)).replace(b">60.00<", b">60.001<"), "amount_unknown"),
        (camt(Tx(6000)).replace(b">60.00<", b">99999999999.00<"), "amount_too_large"),
        (camt(Tx(6000)).replace(b">60.00<", b">1e9<"), "amount_unknown"),
        (camt(Tx(6000)).replace(b"2018-05-30</Dt></BookgDt>", b"30/5/18</Dt></BookgDt>"), "day"),
        (camt(Tx(6000)).replace(b"CLBD", b"CLAV"), "no_balance"),
        (camt(Tx(6000)).replace(b"camt.053", b"camt.052"), "other_message"),
        (b"<html><body>sign in again</body></html>", "other_xml"),
        (camt(Tx(6000)).replace(OURS.encode(), b""), "no_account"),
        (b'<?xml version="1.0" encoding="klingon"?><Document/>', "broken"),
        (
            b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"/>',
            "no_statement",
        ),
    ],
)
def test_what_cannot_be_trusted_is_refused_whole(content, code):
    assert refusal(content).code == code


@pytest.mark.parametrize("name", ["entity_bomb.xml", "external_entity.xml"])
def test_entities_are_refused_before_they_grow_or_fetch(name):
    assert refusal((DATA / name).read_bytes()).code == "hostile"


def test_nesting_without_end_is_refused():
    deep = b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'>" + b"<a>" * 50_000
    assert refusal(deep).code == "hostile"


HEAD = b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'>"


@pytest.mark.parametrize(
    "content",
    [
        HEAD + b"<a " + b" ".join(b"x%d='1'" % n for n in range(60)) + b"/>",
        HEAD + b"<a " + b" ".join(b"x%d='>'" % n for n in range(40_000)),
        HEAD + b"<a x='" + b"y" * 400_000,
        HEAD + b"<" + b"a" * 400_000,
        HEAD + b"<!-- " + b"a" * 400_000,
        HEAD + b"<?a " + b"a" * 400_000,
        HEAD + b"<a>" + b"text " * 30_000 + b"</a>",
        HEAD + b"<a><![CDATA[" + b"text " * 30_000 + b"]]></a>",
        HEAD + b"".join(b"<a%d/>" % n for n in range(3000)),
        HEAD + b"".join(b"<a x%d='1'/>" % n for n in range(3000)),
        HEAD + b"<a xmlns:n='" + b"n" * 1000 + b"'><n:b/></a>",
        HEAD + b"".join(b"<n:b xmlns:n='%d'/>" % n for n in range(2000)),
        HEAD + b"<a " + b" ".join(b"xmlns:n%d='n'" % n for n in range(2000)) + b"/>",
    ],
    ids=[
        "attributes", "attributes never closed", "attribute", "name", "comment", "instruction",
        "text", "CDATA", "names of elements", "names of attributes", "namespace", "namespaces",
        "namespaces of one element",
    ],
)  # fmt: skip
def test_what_is_longer_or_more_than_any_bank_writes_is_refused(content):
    refused = refusal(content)
    assert refused.code == "oversized"
    assert refused.params["line"] == 1


def test_a_tag_without_end_is_refused_long_before_the_end_of_the_file(monkeypatch):
    pieces: list[int] = []
    feed = stream.XMLParser.feed

    def count(self, piece):
        pieces.append(len(piece))
        feed(self, piece)

    monkeypatch.setattr(stream.XMLParser, "feed", count)
    endless = HEAD + b"<a " + b" ".join(b"x%d='1'" % n for n in range(500_000))
    assert refusal(endless).code == "oversized"
    assert sum(pieces) < 300_000


@pytest.mark.parametrize("version", [f"{number:02d}" for number in range(2, 14)])
def test_every_version_of_camt_053_is_read(version):
    [statement] = read_statements(camt(Tx(6000, message="two shares"), version=version))
    [entry] = statement.entries
    assert statement.format == f"camt.053.001.{version}"
    assert (entry.amount_cents, entry.counterparty_name) == (6000, "An Peeters")


@pytest.mark.parametrize(
    ("codec", "declared"),
    [
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("latin-1", "ISO-8859-1"),
        ("cp1252", "windows-1252"),
    ],
)
def test_a_statement_is_read_in_the_encoding_that_it_declares(codec, declared):
    text = camt(Tx(6000, name="Zoé")).decode().replace("UTF-8", declared)
    marks = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
    [statement] = read_statements(marks.get(codec, b"") + text.encode(codec))
    assert statement.entries[0].counterparty_name == "Zoé"


@pytest.mark.parametrize(
    ("codec", "declared"),
    [
        ("latin-1", "UTF-8"),
        ("utf-8", "UTF-16"),
        ("utf-8", "UTF-32"),
        ("utf-8", "Shift_JIS"),
        ("utf-8", "rot13"),
        ("utf-8", "zlib"),
        ("utf-16", "UTF-8"),
        ("utf-32", "UTF-32"),
    ],
)
def test_an_encoding_that_is_not_kept_to_or_not_known_is_refused(codec, declared):
    text = camt(Tx(6000, name="Zoé")).decode().replace("UTF-8", declared)
    assert refusal(text.encode(codec)).code in ("broken", "columns_missing", "table_unreadable")


def test_a_file_that_was_packed_or_printed_says_so():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("statement.xml", camt(Tx(6000)))
    assert refusal(packed.getvalue()).code == "packed"
    assert refusal(gzip.compress(camt(Tx(6000)))).code == "packed"
    assert refusal(b"%PDF-1.7\nextrait de compte").code == "pdf"


def test_entries_are_counted_over_all_statements_of_a_file_and_statements_too(monkeypatch):
    monkeypatch.setattr(camt_reading, "MAX_ENTRIES", 3)
    monkeypatch.setattr(camt_reading, "MAX_STATEMENTS", 2)
    one, two = camt(Tx(6000)), camt(Tx(6000), Tx(1000))
    assert len(read_statements(repeated(one, 2))) == 2
    assert refusal(repeated(one, 3)).code == "too_many_statements"
    assert refusal(repeated(two, 2)).code == "too_many"


def repeated(content: bytes, times: int) -> bytes:
    """The same file with its statement several times."""
    begin, end = content.index(b"<Stmt>"), content.index(b"</Stmt>") + len(b"</Stmt>")
    return content[:begin] + content[begin:end] * times + content[end:]


@pytest.mark.parametrize("amount", ["--5", "+-5", "-5-", "5-5", "NaN", "inf", "1e5", "(5)", "=5"])
def test_an_amount_in_a_table_has_one_sign_at_most_and_digits(amount):
    table = f"date;amount;message\n2018-05-30;{amount};x\n"
    assert refusal_of_own(table.encode()).code == "row_amount"


def test_a_cell_that_says_true_is_no_amount():
    content = io.BytesIO()
    book = Workbook()
    book.active.append(["date", "amount", "message"])
    book.active.append([date(2018, 5, 30), True, "x"])
    book.save(content)
    assert refusal_of_own(content.getvalue()).code == "row_amount"


def refusal_of_own(content: bytes) -> UnreadableStatement:
    with pytest.raises(UnreadableStatement) as refused:
        read_statements(content, own_iban=OURS)
    return refused.value


@pytest.mark.parametrize(
    "name", ["kbc_nl.csv", "belfius_fr.csv", "bnp_fr.csv", "ing_en.csv", "de.csv"]
)
def test_the_tables_of_banks_are_read(name):
    [statement] = read_statements((DATA / name).read_bytes())
    assert statement.iban == OURS
    received, spent = statement.entries
    assert received.amount_cents == 6000
    assert received.booked_on == date(2018, 5, 29)
    assert received.reference == REFERENCE
    assert received.counterparty_name == "An Peeters"
    assert received.counterparty_iban == AN
    assert spent.amount_cents == -123456
    assert spent.booked_on == date(2018, 5, 30)


def table(*rows: str, header: str = "Account;Date;Amount;Communication") -> bytes:
    return "\r\n".join([header, *rows]).encode()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (table(f"{OURS};30/05/2018;abc;x"), "row_amount"),
        (table(f"{OURS};30/02/2018;1,00;x"), "row_day"),
        (table(f"{OURS};30/05/2018;999999999999,00;x"), "row_amount_too_large"),
        (table(f"{OURS};30/05/2018;1,00;x", f"{AN};30/05/2018;1,00;x"), "several_accounts"),
        (table("30/05/2018;1,00;x", header="Date;Amount;Communication"), "account_not_said"),
        (table("x;y", header="Nothing;Known"), "columns_missing"),
        (table(f"{OURS};30/05/2018;0,00;x"), "no_entry"),
        (
            table(f"{OURS};30/05/2018;1,00;USD", header="Account;Date;Amount;Currency"),
            "currency",
        ),
        (b"%PDF-1.4", "pdf"),
    ],
)
def test_a_table_that_cannot_be_trusted_is_refused_whole(content, code):
    assert refusal(content).code == code


def test_a_table_without_account_is_about_the_one_that_was_chosen():
    [statement] = read_statements(
        table("30/05/2018;1,00;x", header="Date;Amount;Communication"), own_iban=OURS
    )
    assert statement.iban == OURS


def test_a_refused_payment_in_a_table_moved_nothing():
    content = table(
        f"{OURS};30/05/2018;1,00;x;Accepté",
        f"{OURS};30/05/2018;5,00;x;Refusé",
        header="Account;Date;Amount;Communication;Statut",
    )
    assert [entry.amount_cents for entry in read_statements(content)[0].entries] == [100]
