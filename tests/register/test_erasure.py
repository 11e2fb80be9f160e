"""Erasing what is kept about a member: what goes at once, what stays, and what goes in the end."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

import govern
from govern.access import SYSTEM, Role
from govern.accounts.models import Account
from govern.audit import AuditEntry, verify_chain
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, RuleViolation
from govern.mail import Attachment, OutboxMail, queue_letter, queue_mail
from govern.mail.models import OutboxFile
from govern.mail.sending import deliver_to_mailbox
from govern.register.cli import register as commands
from govern.register.hooks import erasing, erasure_holds
from govern.register.models import (
    ContactChannel,
    EndReason,
    Erasure,
    HolderOpening,
    Membership,
    Person,
    RollEntry,
)
from govern.register.rules.erasure import kept_until
from govern.register.services import (
    erasure,
    freeze_roll,
    ledger,
    lock_roll,
    members,
    merging,
    take_roll,
    verify_roll,
)
from govern.register.services.members import Contact
from govern.register.services.own_mails import about_membership, mails_to
from govern.register.services.own_sections import register_sections
from govern.register.services.quality import addresses
from govern.register.services.verifying import verify_ledger
from tests.conftest import SettableClock

Make = Callable[..., Membership]
Accounts = Callable[..., Account]
SignIn = Callable[[FlaskClient, Account], None]
LEFT = date(2018, 5, 1)
BORN = date(1907, 7, 7)


@pytest.fixture(autouse=True)
def _on_that_day(clock: SettableClock) -> None:
    """Noon on 1 June 2018."""


def write_letter(
    session: Session, member: Membership, key: str, about: Membership | None = None
) -> None:
    queue_letter(
        session,
        cooperative_id=member.cooperative_id,
        to_name=member.display_name,
        language="en",
        subject=f"Letter {key}",
        pdf=b"%PDF-1.7",
        filename="a.pdf",
        dedupe_key=key,
        category="notice",
        about=about_membership(about) if about is not None else None,
    )


def outbox(session: Session) -> dict[str, tuple[str, str, str]]:
    session.expire_all()
    return {
        row.dedupe_key: (row.to_address, row.subject, row.state)
        for row in session.scalars(select(OutboxMail))
    }


def own_mails(session: Session, member: Membership) -> list[str]:
    assert member.person is not None
    sections = {item.key: item for item in register_sections(session, member.person)}
    return [row[1] for row in sections["mails"].rows]


def test_letters_to_a_namesake_are_left_alone_and_are_nobodys(
    session: Session, make_member: Make
) -> None:
    member, other = make_member("1"), make_member("2", given_name="AN")
    alone = make_member("3", given_name="Bo")
    other.person.given_name = "An"  # type: ignore[union-attr]
    for row in (member, other, alone):
        write_letter(session, row, f"to {row.member_number}")
    session.execute(sa.update(OutboxMail).values(state="sent"))
    session.commit()
    assert own_mails(session, member) == []
    assert own_mails(session, alone) == ["Letter to 3"]
    before = outbox(session)
    for row in (member, alone):
        members.end_membership(session, SYSTEM, row, LEFT, EndReason.RESIGNATION)
        ledger.refund_shares(session, SYSTEM, row, 1, LEFT)
        erasure.erase_member(session, SYSTEM, row)
    after = outbox(session)
    assert {key: after[key] for key in ("to 1", "to 2")} == {
        key: before[key] for key in ("to 1", "to 2")
    }
    assert after["to 3"] == ("", "", "sent")


def test_what_a_letter_is_about_tells_namesakes_apart(
    session: Session, make_member: Make, both_databases: str
) -> None:
    member, other = make_member("1"), make_member("2")
    for row in (member, other):
        write_letter(session, row, f"to {row.member_number}", about=row)
    member.person.family_name = "Before"  # type: ignore[union-attr]
    session.execute(sa.update(OutboxMail).values(state="sent"))
    session.commit()
    assert own_mails(session, member) == ["Letter to 1"]
    members.end_membership(session, SYSTEM, member, LEFT, EndReason.RESIGNATION)
    ledger.refund_shares(session, SYSTEM, member, 1, LEFT)
    erasure.erase_member(session, SYSTEM, member)
    after = outbox(session)
    assert after["to 1"] == ("", "", "sent")
    assert after["to 2"] == ("", "Letter to 2", "sent")


def test_of_two_memberships_with_one_address_only_the_mails_about_the_one_go(
    session: Session, make_member: Make
) -> None:
    left, stays = make_member("1", email="an@b.be"), make_member("2", email="an@b.be")
    merging.merge_holders(session, SYSTEM, stays, left, "the same birth date")
    for row in (left, stays):
        write_letter(session, row, f"to {row.member_number}", about=row)
    write_letter(session, left, "older")
    members.end_membership(session, SYSTEM, left, LEFT, EndReason.RESIGNATION)
    ledger.refund_shares(session, SYSTEM, left, 1, LEFT)
    session.commit()
    erasure.erase_member(session, SYSTEM, left)
    subjects = {key: row[1] for key, row in outbox(session).items() if not key.startswith("m")}
    assert {key: subjects[key] for key in ("to 1", "to 2", "older")} == {
        "to 1": "", "to 2": "Letter to 2", "older": "Letter older",
    }  # fmt: skip


def test_a_representative_finds_what_went_to_them_about_the_organisation(
    session: Session, make_member: Make
) -> None:
    firm, own = make_member("1", organisation_name="Atelier"), make_member("2")
    members.change_representative(session, SYSTEM, firm, date(2018, 2, 1), member_number="2")
    write_letter(session, own, "about the firm", about=firm)
    session.execute(sa.update(OutboxMail).values(state="sent"))
    session.commit()
    session.expire_all()
    assert own_mails(session, own) == ["Letter about the firm"]
    found = select(OutboxMail.dedupe_key).where(mails_to(session, [own], own.person, erasing=True))
    assert "about the firm" not in session.scalars(found).all()


NOT_ABOUT_A_MEMBERSHIP = {
    "accounts/services/addresses.py",
    "accounts/services/appointments.py",
    "accounts/services/links.py",
    "accounts/views/profile.py",
    "joining/services/letters.py:_tell_registrars",
    "voting/services/notices.py:_write",
}
"""Who writes to an account or to somebody with an office."""


def test_whoever_writes_about_a_membership_says_so() -> None:
    silent = set()
    for path in sorted(Path(govern.__path__[0]).rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef):
                continue
            for call in ast.walk(function):
                if not isinstance(call, ast.Call):
                    continue
                name = getattr(call.func, "attr", getattr(call.func, "id", ""))
                named = {keyword.arg for keyword in call.keywords}
                if name in ("queue_mail", "queue_letter") and "about" not in named:
                    file = str(path.relative_to(govern.__path__[0]))
                    silent.add(file if file.startswith("accounts") else f"{file}:{function.name}")
    assert silent == NOT_ABOUT_A_MEMBERSHIP


def test_mails_to_an_earlier_address_are_emptied_too(
    session: Session, make_member: Make, make_account: Accounts
) -> None:
    member = leaver(session, make_member)
    key = "to 1"
    assert outbox(session)[key][0] == "zeb1@quartz.example"
    members.change_contact(
        session, SYSTEM, member, Contact(language="en", email="new@quartz.example")
    )
    leave(session, member)
    taken = make_account("somebody", email="zeb1@quartz.example")
    session.commit()
    for email, is_kept in ((taken.email, True), ("other@quartz.example", False)):
        taken.email = taken.email_key = email
        session.flush()
        waiting = session.scalars(
            select(OutboxMail.id).where(
                mails_to(session, [member], member.person, erasing=True),
                OutboxMail.dedupe_key == key,
            )
        ).all()
        assert (not waiting) == is_kept
    erasure.erase_member(session, SYSTEM, member)
    assert outbox(session)[key][:2] == ("erased@invalid", "")


def test_a_remark_on_a_transfer_goes_with_the_receiver_too(
    session: Session, make_member: Make
) -> None:
    giver, member = make_member("1", shares=2), make_member("2", given_name="Bo", shares=0)
    ledger.transfer_shares(
        session, SYSTEM, giver, member, 1, date(2018, 2, 1), remark="Bo is the niece"
    )
    members.end_membership(session, SYSTEM, member, LEFT, EndReason.RESIGNATION)
    ledger.refund_shares(session, SYSTEM, member, 1, LEFT)
    session.commit()
    erasure.erase_member(session, SYSTEM, member)
    assert traces(session, "niece") == set()


def test_the_book_is_kept_for_whole_years_after_the_ending() -> None:
    assert kept_until(date(2018, 5, 1), 10) == date(2028, 5, 1)
    assert kept_until(date(2020, 2, 29), 10) == date(2030, 3, 1)


def leaver(session: Session, make_member: Make, number: str = "1", **fields: object) -> Membership:
    """A member who has left and was repaid, of whom much is kept."""
    member = make_member(
        number, given_name="Zebulon", family_name="Quartz", birth_date=BORN,
        email=f"zeb{number}@quartz.example", shares=2, paid_cents=3000, **fields,
    )  # fmt: skip
    ledger.record_payment(session, SYSTEM, member, 3000, date(2018, 2, 1), remark="cash of Zebulon")
    addresses.flag_address(session, SYSTEM, member, ContactChannel.EMAIL, "Zebulon moved")
    queue_mail(
        session,
        cooperative_id=member.cooperative_id,
        to_address=member.email or "",
        to_name=member.display_name,
        language="en",
        template="password_changed",
        context={},
        dedupe_key=f"to {number}",
        category="test",
        attachments=(Attachment("a.txt", "text/plain", f"to Zebulon {number}".encode()),),
    )
    session.commit()
    deliver_to_mailbox(session)
    return member


def leave(session: Session, member: Membership) -> None:
    members.end_membership(session, SYSTEM, member, LEFT, EndReason.RESIGNATION, "Zebulon is tired")
    ledger.refund_shares(session, SYSTEM, member, 2, LEFT)
    session.commit()


def traces(session: Session, *words: str) -> set[tuple[str, str]]:
    """(table, column) of everything in the whole database that holds one of ``words``."""
    session.flush()
    metadata = sa.MetaData()
    metadata.reflect(session.connection())
    found = set()
    for table in metadata.sorted_tables:
        for row in session.connection().execute(select(table)).mappings():
            for column, value in row.items():
                text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                if any(word.lower() in text.lower() for word in words):
                    found.add((table.name, column))
    return found


def test_what_may_go_goes_at_once_and_the_rest_after_the_years_of_the_book(
    both_databases: str,
    app: Flask,
    session: Session,
    clock: SettableClock,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Accounts,
) -> None:
    member = leaver(session, make_member)
    make_member("2", given_name="Bo", email="bo@example.org")
    roll = take_roll(session, SYSTEM, cooperative, date(2018, 4, 1), "AG")
    freeze_roll(session, SYSTEM, roll)
    lock_roll(session, roll)
    account = make_account("Zebulon Quartz", "own@quartz.example", password="seven green boats")
    assert member.person is not None
    member.person.account_id = account.id
    leave(session, member)
    queue_mail(
        session,
        cooperative_id=None,
        to_address="own@quartz.example",
        to_name="Zebulon Quartz",
        language="en",
        template="password_changed",
        context={},
        dedupe_key="about the account",
        category="account",
    )

    row = erasure.erase_member(session, SYSTEM, member)
    session.commit()
    assert (row.state, row.keep_until) == ("partial", date(2028, 5, 1))
    assert row.counts["mails"] == 2
    assert traces(session, "quartz.example") <= {
        ("roll_entry", "email"), ("outbox_mail", "to_address")
    }  # fmt: skip
    # Only the mail that tells of it still has the address, until it has left.
    [told] = session.scalars(select(OutboxMail).where(OutboxMail.category == "erasure"))
    assert "is kept" in told.text_body
    session.delete(told)
    session.commit()
    assert traces(session, "Zebulon") <= {
        ("person", "given_name"), ("membership", "sort_name"), ("membership", "search_text"),
        ("person", "name_key"), ("holder_opening", "statement"), ("roll_entry", "display_name"),
        ("roll_entry", "sort_name"), ("roll_entry", "search_text"),
    }  # fmt: skip
    assert session.get_one(Account, account.id).disabled_at is not None
    assert not session.scalars(select(OutboxFile)).all()
    verify_ledger(session, cooperative)
    with pytest.raises(Conflict, match="erased"):
        erasure.erase_member(session, SYSTEM, member)
    with pytest.raises(Conflict, match="kept until"):
        erasure.complete_erasure(session, SYSTEM, row)
    session.rollback()

    clock.set(datetime(2028, 5, 1, 12, 0, tzinfo=UTC))
    session.commit()
    done = CliRunner().invoke(commands, ["erase-due"], obj=app)
    assert done.exit_code == 0, done.output
    assert "1 erasures were due" in done.output
    session.expire_all()
    assert row.state == "complete"
    # The published digest of a roll covers the name: that is all that stays.
    assert traces(session, "Zebulon", "Quartz", "1907") <= {
        ("roll_entry", "display_name"), ("roll_entry", "sort_name"), ("roll_entry", "search_text"),
    }  # fmt: skip
    assert traces(session, "quartz.example") == set()
    assert not session.scalars(
        select(HolderOpening).where(HolderOpening.membership_id == member.id)
    ).all()
    [entry] = session.scalars(select(RollEntry).where(RollEntry.membership_id == member.id))
    assert (entry.email, entry.address) == (None, {})
    verify_roll(session, roll)
    assert verify_ledger(session, cooperative).erased == 1
    session.commit()
    checked = CliRunner().invoke(commands, ["verify", "--cooperative", "smartcoop"], obj=app)
    assert checked.exit_code == 0, checked.output
    verify_chain(session)
    tags = session.scalars(select(AuditEntry.tag).order_by(AuditEntry.position)).all()
    assert [tag for tag in tags if "erasure" in tag] == [
        "register:erasure:begun",
        "register:erasure:completed",
    ]
    assert member.member_number == "1"


def test_the_job_takes_the_second_step_by_itself(
    session: Session,
    clock: SettableClock,
    make_member: Make,
    run_jobs: Callable[[], int],
) -> None:
    from govern.register.erasure_jobs import ask_for_due_erasures

    member = leaver(session, make_member)
    leave(session, member)
    row = erasure.erase_member(session, SYSTEM, member)
    clock.set(datetime(2028, 4, 30, 12, 0, tzinfo=UTC))
    ask_for_due_erasures(session, clock.now)
    run_jobs()
    assert row.state == "partial"
    clock.advance(days=1)
    ask_for_due_erasures(session, clock.now)
    run_jobs()
    session.refresh(row)
    assert row.state == "complete"


def test_nothing_goes_while_the_membership_lasts_or_shares_are_left(
    session: Session, make_member: Make
) -> None:
    member = leaver(session, make_member)
    with pytest.raises(RuleViolation, match="membership lasts"):
        erasure.erase_member(session, SYSTEM, member)
    members.end_membership(session, SYSTEM, member, LEFT, EndReason.RESIGNATION)
    with pytest.raises(RuleViolation, match="2 shares"):
        erasure.erase_member(session, SYSTEM, member)
    ledger.refund_shares(session, SYSTEM, member, 2, LEFT)

    def unpaid(_session: Session, _membership: Membership) -> list[str]:
        return ["A refund is still to be paid."]

    def mine(_session: Session, membership: Membership, stage: str) -> int:
        asked.append((membership.member_number, stage))
        return 1

    asked: list[tuple[str, str]] = []
    erasure_holds.register(unpaid)
    erasing.register(mine)
    try:
        with pytest.raises(RuleViolation, match="A refund is still to be paid"):
            erasure.erase_member(session, SYSTEM, member)
        erasure_holds._functions.popitem()
        erasure.erase_member(session, SYSTEM, member)
        assert asked == [("1", "now")]
    finally:
        for hook in (erasure_holds, erasing):
            for name in [key for key in hook._functions if __name__ in key]:
                del hook._functions[name]


def test_whoever_is_known_for_something_else_keeps_their_name_there(
    session: Session, clock: SettableClock, cooperative: Cooperative, make_member: Make
) -> None:
    member = leaver(session, make_member)
    stays = make_member("2", given_name="Zebulon", family_name="Quartz", birth_date=BORN)
    merging.merge_holders(session, SYSTEM, stays, member, "the same birth date")
    leave(session, member)
    row = erasure.erase_member(session, SYSTEM, member)
    clock.set(datetime(2029, 1, 1, tzinfo=UTC))
    erasure.complete_erasure(session, SYSTEM, row)
    assert (member.display_name, stays.display_name) == ("[…]", "Zebulon Quartz")
    verify_ledger(session, cooperative)


def test_the_rows_that_a_merge_emptied_are_erased_too(
    session: Session, clock: SettableClock, make_member: Make
) -> None:
    member = leaver(session, make_member)
    again = make_member("2", given_name="Zebulon", family_name="Quarz", birth_date=BORN)
    merging.merge_holders(session, SYSTEM, member, again, "the same birth date")
    merging.merge_memberships(session, SYSTEM, member, again, "one vote per member")
    members.end_membership(session, SYSTEM, member, date(2018, 6, 1), EndReason.RESIGNATION)
    ledger.refund_shares(session, SYSTEM, member, 3, date(2018, 6, 1))
    for row in (again, member):
        done = erasure.erase_member(session, SYSTEM, row)
    clock.set(datetime(2029, 1, 1, tzinfo=UTC))
    for done in session.scalars(select(Erasure).order_by(Erasure.id)):
        erasure.complete_erasure(session, SYSTEM, done)
    assert {person.name for person in session.scalars(select(Person))} == {"[…]"}


# -- asking -----------------------------------------------------------------------------------


def test_a_member_asks_and_is_answered(
    session: Session,
    client: FlaskClient,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Accounts,
    sign_in: SignIn,
) -> None:
    member = leaver(session, make_member)
    account = make_account("Zebulon")
    registrar = make_account("Reg", roles=[(cooperative, Role.REGISTRAR)])
    assert member.person is not None
    member.person.account_id = account.id
    session.commit()
    page = f"/smartcoop/me/{member.public_id}/erasure"
    sign_in(client, account)
    assert "The membership lasts" in client.get(page).text
    assert client.post(page, data={"note": ""}).status_code == 302
    assert client.post(page, data={"note": ""}).status_code == 409
    assert client.post(f"{page}/withdraw").status_code == 302
    assert client.post(page, data={"note": "please"}).status_code == 302

    sign_in(client, registrar)
    waiting = session.scalars(select(Erasure).where(Erasure.state == "requested")).one()
    assert "To be answered" in client.get("/smartcoop/register/erasures").text
    assert "Answer 1 request to erase" in client.get("/").text
    refused = client.post(
        f"/smartcoop/register/erasures/{waiting.public_id}/refuse",
        data={"reason": "you are a member still"},
    )
    assert refused.status_code == 302
    mail = session.scalars(select(OutboxMail).where(OutboxMail.category == "erasure")).one()
    assert "you are a member still" in mail.text_body

    sign_in(client, account)
    client.post(page, data={"note": "now then"})
    leave(session, member)
    sign_in(client, registrar)
    erase = f"/smartcoop/register/members/{member.public_id}/erase"
    assert "1 May 2028" in client.get(erase).text
    assert client.post(erase, data={"reason": ""}).status_code == 422
    assert client.post(erase, data={"reason": "", "sure": "y"}).status_code == 302
    assert session.scalars(select(Erasure.state).order_by(Erasure.id)).all() == [
        "withdrawn",
        "refused",
        "partial",
    ]


def test_former_members_who_never_asked_are_found_by_the_command(
    app: Flask, session: Session, clock: SettableClock, make_member: Make
) -> None:
    member = leaver(session, make_member)
    leave(session, member)
    clock.set(datetime(2028, 6, 1, tzinfo=UTC))
    session.commit()
    tried = CliRunner().invoke(commands, ["erase-due", "--everybody", "--dry-run"], obj=app)
    assert "has expired" in tried.output
    session.expire_all()
    assert member.display_name == "Zebulon Quartz"
    session.commit()
    done = CliRunner().invoke(commands, ["erase-due", "--everybody"], obj=app)
    assert done.exit_code == 0, done.output
    session.expire_all()
    assert member.display_name == "[…]"
