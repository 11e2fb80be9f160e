"""The pages of the outbox and of the demonstration's mailbox."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select, update

from govern import mail
from govern.access import SYSTEM, Role
from govern.audit import AuditEntry, verify_chain
from govern.errors import Conflict
from govern.jobs import BackgroundJob
from govern.mail import Attachment, OutboxMail
from govern.outbox import services, words
from govern.register.services.erasure.mails import empty_mails
from tests.browser import DESK, TELEPHONE, check_page


@pytest.fixture
def queue(session, cooperative):
    """``queue("ana@example.org", state="failed")`` puts a mail into the outbox."""

    def put(address="ana@example.org", state="queued", name="Ana Sample", **more) -> OutboxMail:
        row = mail.queue_mail(
            session, cooperative_id=cooperative.id, to_address=address, to_name=name,
            language="en", template="password_changed", context={}, dedupe_key=f"test:{address}",
            category="notice", **more,
        )  # fmt: skip
        session.commit()
        session.execute(update(OutboxMail).where(OutboxMail.id == row.id).values(state=state))
        session.commit()
        return row

    return put


@pytest.fixture
def letter(session, cooperative):
    """``letter("Bob", secret=True)`` puts a letter into the outbox."""

    def put(name="Bob Sample", secret=False) -> OutboxMail:
        row = mail.queue_letter(
            session, cooperative_id=cooperative.id, to_name=name, language="fr",
            subject="Notice", pdf=f"%PDF for {name}".encode(), filename=f"{name}.pdf",
            dedupe_key=f"letter:{name}", category="voting.code" if secret else "notice",
            secret=secret,
        )  # fmt: skip
        session.commit()
        return row

    return put


@pytest.fixture
def officer(client, sign_in, make_account, cooperative):
    """Sign the client in with one role of the cooperative."""

    def be(role=Role.SECRETARY) -> None:
        sign_in(client, make_account(f"The {role.value}", roles=[(cooperative, role)]))

    return be


def test_the_list_says_what_became_of_each(client, officer, queue):
    queue("ana@example.org", "sent")
    queue("bob@example.org", "failed")
    officer()
    page = client.get("/smartcoop/outbox").text
    assert "ana@example.org" in page
    assert "1 mail was not delivered." in page
    assert "bob@example.org" not in client.get("/smartcoop/outbox?state=sent").text


def test_an_erased_recipient_is_called_erased(client, officer, queue, letter, session):
    rows = [queue("ana@example.org", "sent"), letter("Bob Sample")]
    empty_mails(session, [row.id for row in rows])
    session.commit()
    officer()
    page = client.get("/smartcoop/outbox").text
    assert "(address erased)" in page
    assert "(name erased)" in page
    for row in rows:
        page += client.get(f"/smartcoop/outbox/mails/{row.public_id}").text
    assert page.count("(address erased)") == 2
    assert page.count("(name erased)") == 2
    assert "@invalid" not in page


@pytest.mark.parametrize("words", ["ANA@", "sample ana", "example.org sample"])
def test_search_finds_names_and_addresses(client, officer, queue, words):
    queue("ana@example.org")
    queue("bob@elsewhere.net", name="Bob Other")
    officer()
    page = client.get("/smartcoop/outbox", query_string={"q": words}).text
    assert "ana@example.org" in page
    assert "bob@elsewhere.net" not in page


@pytest.mark.parametrize("words", ["%", "_", "\\", "'; DROP TABLE outbox_mail"])
def test_search_takes_signs_literally(client, officer, queue, words):
    queue("ana@example.org")
    officer()
    answer = client.get("/smartcoop/outbox", query_string={"q": words})
    assert answer.status_code == 200
    assert "ana@example.org" not in answer.text


def test_long_lists_come_in_pages(client, officer, session, cooperative, queue):
    for number in range(51):
        queue(f"member{number}@example.org")
    officer()
    assert "member50@example.org" in client.get("/smartcoop/outbox").text
    second = client.get("/smartcoop/outbox?page=2").text
    assert "member0@example.org" in second
    assert "member50@example.org" not in second


def test_what_failed_is_sent_again_and_what_is_unclear_only_when_asked(
    client, officer, session, queue
):
    failed, unclear, sent = (
        queue("a@example.org", "failed"),
        queue("b@example.org", "unclear"),
        queue("c@example.org", "sent"),
    )
    officer()
    page = client.get("/smartcoop/outbox/resend").text
    assert "1 mail that certainly did not leave is sent again." in page
    client.post("/smartcoop/outbox/resend")
    assert [row.state for row in (failed, unclear, sent)] == ["queued", "unclear", "sent"]
    client.post("/smartcoop/outbox/resend", data={"also_unclear": "yes"})
    assert [row.state for row in (failed, unclear, sent)] == ["queued", "queued", "sent"]
    assert session.scalars(select(BackgroundJob.name)).all().count("mail.send") >= 1
    tags = session.scalars(select(AuditEntry.tag)).all()
    assert tags.count("outbox:mail:resent") == 2
    verify_chain(session)


def test_a_mail_that_was_sent_cannot_be_sent_again(client, officer, queue):
    row = queue("a@example.org", "sent")
    officer()
    answer = client.post(f"/smartcoop/outbox/mails/{row.public_id}/resend")
    assert answer.status_code == 409
    assert row.state == "sent"


def test_a_mail_that_was_sent_since_it_was_looked_at_is_not_sent_again(
    app, session, cooperative, queue
):
    row = queue("a@example.org", "failed")
    seen = services.failed_mails(session, SYSTEM, cooperative.id)
    # Another officer was quicker, and the mail has gone.
    session.execute(
        update(OutboxMail)
        .where(OutboxMail.id == row.id)
        .values(state="sent")
        .execution_options(synchronize_session=False)
    )
    for again in (
        lambda: services.resend(session, SYSTEM, seen),
        lambda: services.cancel(session, SYSTEM, seen[0]),
    ):
        with pytest.raises(Conflict):
            again()
    assert row.state == "sent"


def test_a_mail_is_stopped_before_it_leaves_and_its_secret_wiped(client, officer, queue):
    row = queue(secret=True)
    officer()
    client.post(f"/smartcoop/outbox/mails/{row.public_id}/cancel")
    assert (row.state, row.sealed) == ("cancelled", None)


def test_a_secret_text_is_shown_to_nobody(client, officer, queue):
    row = queue(secret=True, attachments=[Attachment("code.pdf", "application/pdf", b"%PDF")])
    officer(Role.RETURNING_OFFICER)
    page = client.get(f"/smartcoop/outbox/mails/{row.public_id}").text
    assert "may see" in page
    assert "Your password" not in page


def test_nothing_is_offered_for_a_withdrawn_code_that_may_be_out(client, officer, queue, session):
    """Its text is wiped, so it cannot be sent again; and to call it stopped would be untrue."""
    row = queue(secret=True)
    officer(Role.RETURNING_OFFICER)
    page = f"/smartcoop/outbox/mails/{row.public_id}"
    row.state = "unclear"
    session.commit()
    assert "Send again" in client.get(page).text
    row.sealed = None
    session.commit()
    shown = client.get(page).text
    assert "It may have left or not" in shown
    assert "Send again" not in shown
    assert "Stop it" not in shown


def test_letters_are_downloaded_together_and_noted_as_posted(client, officer, session, letter):
    first, second = letter("Ana"), letter("Bob")
    officer()
    answer = client.get("/smartcoop/outbox/letters.zip")
    names = zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    assert names == ["0001-Ana.pdf", "0002-Bob.pdf"]
    assert client.get("/smartcoop/outbox/letters.zip").data == answer.data
    third = letter("Carla, queued after the download")
    form = {"letter": [first.public_id, second.public_id]}
    client.post("/smartcoop/outbox/letters/posted", data=form)
    assert [row.state for row in (first, second, third)] == ["sent", "sent", "queued"]
    client.post("/smartcoop/outbox/letters/posted", data=form)
    assert session.scalars(select(AuditEntry.tag)).all().count("outbox:mail:posted") == 1


def test_letters_with_codes_are_for_the_returning_officer_alone(client, officer, letter):
    plain, secret = letter("Ana"), letter("Bob", secret=True)
    officer(Role.SECRETARY)
    names = zipfile.ZipFile(io.BytesIO(client.get("/smartcoop/outbox/letters.zip").data)).namelist()
    assert names == ["0001-Ana.pdf"]
    address = f"/smartcoop/outbox/mails/{secret.public_id}/files/0"
    assert client.get(address).status_code == 403
    assert client.get("/smartcoop/outbox/code-letters.zip").status_code == 403
    form = {"letter": [secret.public_id, plain.public_id]}
    client.post("/smartcoop/outbox/letters/posted", data=form)
    assert (secret.state, plain.state) == ("queued", "sent")
    officer(Role.RETURNING_OFFICER)
    assert client.get(address).data == b"%PDF for Bob"
    client.post("/smartcoop/outbox/code-letters/posted", data=form)
    assert (secret.state, secret.sealed) == ("sent", None)


def test_files_are_downloaded_and_never_shown(client, officer, queue):
    file = Attachment('a"b\r\nc.html', "text/html", b"<script>alert(1)</script>")
    row = queue(attachments=[file])
    officer()
    answer = client.get(f"/smartcoop/outbox/mails/{row.public_id}/files/0")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="abc.html"'
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert client.get(f"/smartcoop/outbox/mails/{row.public_id}/files/1").status_code == 404


# -- the mailbox -----------------------------------------------------------------------------


def test_the_mailbox_shows_what_would_have_been_sent(client, queue, run_jobs):
    row = queue(secret=True, attachments=[Attachment("a.pdf", "application/pdf", b"%PDF")])
    run_jobs()
    assert "ana@example.org" in client.get("/mailbox?q=ana").text
    assert "ana@example.org" not in client.get("/mailbox?q=bob").text
    page = client.get(f"/mailbox/{row.public_id}").text
    assert "Hello Ana Sample" in page
    assert client.get(f"/mailbox/{row.public_id}/files/0").data == b"%PDF"
    html = client.get(f"/mailbox/{row.public_id}/html")
    assert "Hello Ana Sample" in html.text
    assert html.headers["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize(
    "changes", [{"environment": "production"}, {"mail_url": "smtp://127.0.0.1:1"}]
)
def test_there_is_no_mailbox_where_people_are_real(app, client, queue, changes):
    row = queue()
    app.config["GOVERN"] = app.config["GOVERN"].with_changes(**changes)
    for path in ("", f"/{row.public_id}", f"/{row.public_id}/html", f"/{row.public_id}/files/0"):
        assert client.get(f"/mailbox{path}").status_code == 404


# -- in a browser ----------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("width", [TELEPHONE, DESK])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_pages_are_accessible_and_fit(
    live_server, open_page, session, cooperative, queue, letter, make_account, width, language
):
    file = Attachment("notice-2018-06-19.pdf", "application/pdf", b"%PDF" * 900)
    long = "maximiliane.van-der-straeten-overmeire@a-rather-long-name.example.org"
    failed = queue(long, "failed", "Maximiliane van der Straeten", attachments=[file])
    session.execute(update(OutboxMail).values(last_error="The mail server refused it: 550 no"))
    session.commit()
    queue("b@example.org", "unclear")
    queue("c@example.org", "sent")
    letter("Bob")
    letter("Carla", secret=True)
    make_account(
        email="o@example.org", language=language, password="seven calm badgers dig",
        roles=[(cooperative, Role.RETURNING_OFFICER), (cooperative, Role.SECRETARY)],
    )  # fmt: skip
    failed_id = failed.public_id
    session.rollback()
    page = open_page(width=width, language=language)
    page.goto(f"{live_server}/sign-in")
    page.fill("[name=identifier]", "o@example.org")
    page.fill("[name=password]", "seven calm badgers dig")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/")
    for path in (
        "/smartcoop/outbox",
        f"/smartcoop/outbox/mails/{failed_id}",
        "/smartcoop/outbox/resend",
        "/smartcoop/outbox/letters",
        "/smartcoop/outbox/code-letters",
        "/mailbox",
        f"/mailbox/{failed_id}",
    ):
        check_page(page, live_server + path)


def test_the_outbox_has_words_for_each_kind_of_mail():
    source = Path(words.__file__).parents[1]
    assigned = re.compile(r'(?:\bcategory=|^CATEGORY = )"([a-z_.]+)"', re.MULTILINE)
    used = {code for path in source.rglob("*.py") for code in assigned.findall(path.read_text())}
    assert {"joining", "leaving"} <= used <= set(words.CATEGORY_NAMES)
