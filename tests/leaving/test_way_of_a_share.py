"""A stranger subscribes, pays, buys more, gives one on, resigns and is repaid: in a real browser.

Two years pass; on each day that matters the book must show what the law lets it show.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.services import set_password
from govern.cooperatives.models import Cooperative
from govern.jobs import tick
from govern.joining.services.statutes import add_statutes
from govern.mail.models import OutboxMail
from govern.mail.queueing import read_content
from govern.register.models import Membership
from govern.register.services.accounts import open_person_account
from govern.register.services.members import Contact, NewMember, add_member
from govern.register.services.verifying import verify_ledger
from tests.browser import DESK, TELEPHONE, check_page, press

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "four quiet herons walk"
REFERENCE = r"\+\+\+[\d/]+\+\+\+"
SHARES_CELL = "td[data-label=Shares]"
OURS, THEIRS = "BE68539007547034", "BE71096123456769"


class Way:
    """The people, each with a browser of their own, and the bank between them."""

    def __init__(
        self,
        server: str,
        open_page: Callable[..., Any],
        session: Session,
        run_jobs: Callable[[], int],
        clock: Any,
        folder: Path,
    ) -> None:
        self.server, self.session, self.clock, self.folder = server, session, clock, folder
        self.base = f"{server}/smartcoop"
        self._run_jobs = run_jobs
        self._statements = 0
        self._balance = 0
        self.stranger = open_page(width=TELEPHONE, language="fr")
        self.friend = open_page(width=TELEPHONE, language="en")
        self.officer = open_page(width=DESK, language="en")

    def on(self, *day: int) -> None:
        """It is ten in the morning of that day; what is due is done, the officer comes to work."""
        self.clock.set(datetime(*day, 8, 0, tzinfo=UTC))  # type: ignore[misc]
        tick()
        self.work()
        self.enter(self.officer, "rita@example.org")

    def work(self) -> None:
        """Every job is done, and what follows from it."""
        while self._run_jobs():
            pass
        self.session.rollback()

    def mail(self, address: str, pattern: str) -> str:
        """What ``pattern`` finds in the newest mail to that address that has it."""
        self.work()
        query = select(OutboxMail).where(OutboxMail.to_address == address)
        mails = self.session.scalars(query.order_by(OutboxMail.id.desc())).all()
        texts = [content.text for mail in mails if (content := read_content(mail)) is not None]
        # The server must not wait for a transaction of this one.
        self.session.rollback()
        for text in texts:
            if found := re.search(pattern, text):
                return found.group(0)
        raise AssertionError(f"no mail to {address} has {pattern}: {texts}")

    def link(self, address: str, path: str) -> str:
        """The link with that path in the newest mail, as this server's address."""
        return self.server + urlsplit(self.mail(address, rf"https?://[^/\s]+\S*{path}")).path

    def enter(self, page: Any, identifier: str) -> None:
        """Sign in with the password."""
        page.goto(f"{self.server}/sign-in")
        page.fill("#identifier", identifier)
        page.fill("#password", PASSWORD)
        self.press(page, "form[action='/sign-in'] .button.primary")

    def press(self, page: Any, button: str = "main form .button.primary") -> None:
        """Press a button that leads to another page."""
        press(page, button)
        self.work()

    def statement(self, *entries: tuple[int, date, str, str]) -> None:
        """The treasurer reads a statement: (cents, day, reference, end-to-end id) each."""
        self._statements += 1
        path = self.folder / f"statement-{self._statements}.xml"
        path.write_text(camt(self._statements, self._balance, entries))
        self._balance += sum(entry[0] for entry in entries)
        self.officer.goto(f"{self.base}/payments/statements")
        self.officer.set_input_files("input[type=file]", path)
        self.press(self.officer)

    def shares_of(self, name: str, day: date) -> int | None:
        """The number of shares that the book shows for a member at the end of that day."""
        self.officer.goto(f"{self.base}/register/book?on={day.isoformat()}")
        row = self.officer.locator("main table tbody tr", has_text=name)
        if not row.count():
            return None
        return int(row.first.locator(SHARES_CELL).inner_text())


def camt(number: int, opening: int, entries: tuple[tuple[int, date, str, str], ...]) -> str:
    """A statement (camt.053.001.08) of our account: the bank's side of the story."""
    closing = opening + sum(entry[0] for entry in entries)
    day = entries[-1][1]

    def amount(cents: int) -> str:
        sign = "CRDT" if cents >= 0 else "DBIT"
        euros = f"{abs(cents) // 100}.{abs(cents) % 100:02d}"
        return f'<Amt Ccy="EUR">{euros}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'

    def balance(code: str, cents: int) -> str:
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{amount(cents)}"
            f"<Dt><Dt>{day}</Dt></Dt></Bal>"
        )

    def entry(place: int, cents: int, booked: date, reference: str, end_to_end: str) -> str:
        party = "Dbtr" if cents > 0 else "Cdtr"
        return (
            f"<Ntry><NtryRef>{place}</NtryRef>{amount(cents)}<Sts><Cd>BOOK</Cd></Sts>"
            f"<BookgDt><Dt>{booked}</Dt></BookgDt><ValDt><Dt>{booked}</Dt></ValDt>"
            f"<AcctSvcrRef>{number:04d}-{place}</AcctSvcrRef><BkTxCd/><NtryDtls><TxDtls>"
            f"<Refs><EndToEndId>{end_to_end or 'NOTPROVIDED'}</EndToEndId></Refs>{amount(cents)}"
            f"<RltdPties><{party}><Pty><Nm>Nora Strange</Nm></Pty></{party}>"
            f"<{party}Acct><Id><IBAN>{THEIRS}</IBAN></Id></{party}Acct></RltdPties>"
            f"<RmtInf><Strd><CdtrRefInf><Ref>{reference}</Ref></CdtrRefInf></Strd></RmtInf>"
            "</TxDtls></NtryDtls></Ntry>"
        )

    lines = "".join(entry(place, *each) for place, each in enumerate(entries, 1))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>M{number}</MsgId><CreDtTm>{day}T09:00:00</CreDtTm></GrpHdr>"
        f"<Stmt><Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>"
        f"<CreDtTm>{day}T09:00:00</CreDtTm><Acct><Id><IBAN>{OURS}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        f"{balance('OPBD', opening)}{balance('CLBD', closing)}{lines}"
        "</Stmt></BkToCstmrStmt></Document>"
    )


@pytest.fixture
def way(
    live_server: str,
    open_page: Callable[..., Any],
    session: Session,
    run_jobs: Callable[[], int],
    clock: Any,
    cooperative: Cooperative,
    make_account: Callable[..., Any],
    tmp_path: Path,
) -> Way:
    """A cooperative with statutes, an officer, and one member: the friend."""
    clock.set(datetime(2018, 6, 4, 8, 0, tzinfo=UTC))
    make_account(
        "Rita Registrar",
        email="rita@example.org",
        password=PASSWORD,
        roles=[(cooperative, Role.REGISTRAR), (cooperative, Role.TREASURER)],
    )
    add_statutes(
        session,
        SYSTEM,
        cooperative,
        version="2017",
        adopted_on=date(2017, 1, 1),
        texts={"fr": b"# Statuts\n\nArticle 1", "en": b"# Statutes\n\nArticle 1"},
    )
    friend = add_member(
        session,
        SYSTEM,
        cooperative,
        NewMember(
            member_number="1",
            joined_on=date(2018, 3, 1),
            category="A",
            contact=Contact(language="en", email="fred@example.org"),
            given_name="Fred",
            family_name="Friend",
            shares=1,
            paid_cents=3000,
        ),
    )
    account = open_person_account(session, friend.person_id or 0)
    assert account is not None
    set_password(session, SYSTEM, account, PASSWORD)
    session.commit()
    return Way(live_server, open_page, session, run_jobs, clock, tmp_path)


def test_a_share_from_its_subscription_to_its_repayment(
    way: Way, session: Session, cooperative: Cooperative
) -> None:
    names_the_bank_account(way)
    becomes_a_member(way)
    assert way.shares_of("Nora Strange", date(2018, 6, 5)) is None
    assert way.shares_of("Nora Strange", date(2018, 6, 6)) == 1
    finds_the_certificate(way)
    buys_two_more(way)
    assert way.shares_of("Nora Strange", date(2018, 6, 12)) == 1
    assert way.shares_of("Nora Strange", date(2018, 6, 13)) == 3
    gives_one_to_the_friend(way)
    assert way.shares_of("Nora Strange", date(2018, 6, 20)) == 2
    assert way.shares_of("Fred Friend", date(2018, 6, 20)) == 2
    resigns(way)
    assert way.shares_of("Nora Strange", date(2019, 6, 29)) == 2
    assert way.shares_of("Nora Strange", date(2019, 7, 1)) is None
    is_repaid(way)
    # What the book shows of the past has not moved.
    assert way.shares_of("Nora Strange", date(2018, 6, 6)) == 1
    assert way.shares_of("Nora Strange", date(2018, 6, 13)) == 3
    assert way.shares_of("Fred Friend", date(2019, 8, 6)) == 2
    verify_ledger(session, session.merge(cooperative))
    stranger = session.scalars(select(Membership).where(Membership.member_number == "2")).one()
    assert (stranger.joined_on, stranger.end_reason) == (date(2018, 6, 6), "resignation")


def names_the_bank_account(way: Way) -> None:
    way.on(2018, 6, 4)
    way.officer.goto(f"{way.base}/payments/accounts")
    way.officer.fill("[name=iban]", OURS)
    way.officer.fill("[name=holder]", "SmartCoop SC")
    way.press(way.officer)


def becomes_a_member(way: Way) -> None:
    page = way.stranger
    check_page(page, f"{way.base}/join", name="way-join")
    for name, value in {
        "given_name": "Nora",
        "family_name": "Strange",
        "birth_date": "1990-02-03",
        "email": "nora@example.org",
        "street": "Rue Haute 1",
        "postal_code": "1000",
        "town": "Bruxelles",
        "country": "BE",
        "shares": "1",
    }.items():
        page.fill(f"[name={name}]", value)
    page.check("[name=category][value=A]")
    page.check("[name=consents]")
    way.press(page)
    page.goto(way.link("nora@example.org", r"/join/confirm/\S+"))
    way.press(page)
    check_page(page, name="way-application")
    way.on(2018, 6, 5)
    way.officer.goto(f"{way.base}/register/applications")
    way.press(way.officer, "main table a")
    way.press(way.officer, "main form[action$='/accept'] button")
    reference = way.mail("nora@example.org", REFERENCE)
    way.on(2018, 6, 6)
    way.statement((3000, date(2018, 6, 6), reference, ""))


def finds_the_certificate(way: Way) -> None:
    """The certificate has come by mail; a stranger can check its code."""
    page = way.friend
    check_page(page, way.link("nora@example.org", r"/certificates/\S+"), name="way-certificate")


def comes_back(way: Way) -> None:
    """Nora has no password: a link in a mail lets her in, to her own page."""
    page = way.stranger
    page.goto(f"{way.server}/sign-in")
    page.fill("#identifier", "nora@example.org")
    way.press(page, "form[action='/sign-in'] .button.secondary")
    page.goto(way.link("nora@example.org", r"/sign-in/\S+"))
    way.press(page)
    page.goto(f"{way.base}/me")


def buys_two_more(way: Way) -> None:
    way.on(2018, 6, 12)
    page = way.stranger
    comes_back(way)
    check_page(page, name="way-me")
    way.press(page, "main a[href$='/more-shares']")
    page.fill("[name=shares]", "2")
    way.press(page)
    check_page(page, name="way-order")
    reference = re.search(REFERENCE, page.inner_text("main"))
    assert reference is not None
    way.on(2018, 6, 13)
    way.statement((6000, date(2018, 6, 13), reference.group(0), ""))


def gives_one_to_the_friend(way: Way) -> None:
    """Both must say so: nothing moves before the receiver confirms."""
    way.on(2018, 6, 20)
    page = way.stranger
    comes_back(way)
    way.press(page, "main a[href$='/transfers/new']")
    page.fill("[name=shares]", "1")
    page.select_option("[name=cause]", "gift")
    page.fill("[name=receiver_number]", "1")
    way.press(page)
    check_page(page, name="way-transfer")
    assert way.shares_of("Nora Strange", date(2018, 6, 20)) == 3
    friend = way.friend
    way.enter(friend, "fred@example.org")
    friend.goto(f"{way.base}/me")
    way.press(friend, "main a[href*='/me/transfers/']")
    check_page(friend, name="way-transfer-receiver")
    way.press(friend, "button[name=answer][value=confirm]")


def resigns(way: Way) -> None:
    """In the first half of the next year, as the law wants it; signed by a link in a mail."""
    way.on(2019, 2, 1)
    page = way.stranger
    comes_back(way)
    way.press(page, "main a[href$='/leaving']")
    check_page(page, name="way-leave")
    page.fill("[name=iban]", THEIRS)
    way.press(page)
    way.press(page, "main form[action$='/link'] button")
    page.goto(way.link("nora@example.org", r"/leaving/\S+/sign/\S+"))
    way.press(page, "main form .button.danger")
    check_page(page, name="way-signed")
    way.on(2019, 7, 1)


def is_repaid(way: Way) -> None:
    """Not before the board has made both tests; then the bank's file, and the bank's answer."""
    way.on(2019, 8, 5)
    page = way.officer
    for kind in ("net_asset", "liquidity"):
        page.goto(f"{way.base}/register/board-tests/new")
        page.check(f"[name=kind][value={kind}]")
        page.check("[name=passed]")
        page.fill("[name=decided_on]", "2019-08-01")
        page.fill("[name=valid_until]", "2020-07-31")
        page.fill("[name=up_to]", "5000")
        page.fill("[name=text]", "Meeting of 1 August 2019, accounts of 2018")
        way.press(page)
    page.goto(f"{way.base}/register/refunds")
    check_page(page, name="way-refunds")
    page.check("main table input[name=refund]")
    way.press(page, "main form[action$='/release'] .button.primary")
    way.press(page)
    page.goto(f"{way.base}/payments/files/new")
    page.check("[name=payment]")
    way.press(page)
    check_page(page, name="way-file")
    with page.expect_download() as download:
        page.click("main .actions a.button.primary")
    orders = download.value.path().read_text()
    assert f"<IBAN>{THEIRS}</IBAN>" in orders
    assert "60.00" in orders
    end_to_end = re.search(r"<EndToEndId>([^<]+)</EndToEndId>", orders)
    assert end_to_end is not None
    way.press(page, "main form[action$='/sent'] button")
    way.on(2019, 8, 6)
    way.statement((-6000, date(2019, 8, 6), "", end_to_end.group(1)))
    page.goto(f"{way.base}/register/refunds?state=paid")
    assert "Nora Strange" in page.inner_text("main")
    assert way.mail("nora@example.org", r"60[.,]00")
