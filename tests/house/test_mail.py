"""The outbox: in the recipient's language, through a real SMTP conversation, never twice."""

from __future__ import annotations

import sqlite3
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy import select, update

from govern import mail
from govern.errors import InvalidInput
from govern.jobs import tick
from govern.mail import Attachment, DeliveryState, OutboxMail, queueing, sending, texts
from govern.mail.models import OutboxFile
from tests.house.smtp_server import Postman, SmtpServer

TEXT = """\
Subject: {{ _("Notice: %(title)s", title=title) }}

Bonjour {{ recipient_name }},

<b>{{ title }}</b>, le {{ day(date) }}: {{ public_url }}/smartcoop.
"""


@pytest.fixture
def template(app, tmp_path):
    """``email/greeting.txt`` next to the real templates."""
    import jinja2

    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "greeting.txt").write_text(TEXT)
    app.jinja_loader = jinja2.ChoiceLoader(
        [app.jinja_loader, jinja2.FileSystemLoader(str(tmp_path))]
    )
    app.jinja_env.cache.clear()


@pytest.fixture
def queue(session, cooperative, template):
    """``queue("ana@example.org")`` puts a mail into the outbox."""

    def put(address: str = "ana@example.org", **more) -> OutboxMail:
        values = {
            "cooperative_id": cooperative.id,
            "to_address": address,
            "to_name": "Ana Sample",
            "language": "en",
            "template": "greeting",
            "context": {"title": "AG 2018"},
            "dedupe_key": f"test:{address}",
            "category": "test",
        }
        values |= more
        values["context"] = {"date": date(2018, 6, 19), **values["context"]}
        return mail.queue_mail(session, **values)

    return put


@pytest.fixture
def postman():
    return Postman()


@pytest.fixture
def smtp(app, postman, tmp_path):
    """An SMTP server to which the application sends."""
    server = SmtpServer(postman, tmp_path)
    server.start()
    _send_to(app, server)
    yield server
    server.stop()


def _send_to(app, server) -> None:
    app.config["GOVERN"] = app.config["GOVERN"].with_changes(
        mail_url=server.url, mail_from="SmartCoop <no-reply@example.org>"
    )


def _state(session, row) -> str:
    session.rollback()
    session.refresh(row)
    return row.state


# -- queueing --------------------------------------------------------------------------------


def test_a_mail_is_a_row_with_a_text_and_an_html_part(session, queue, both_databases):
    row = queue()
    assert row.subject == "Notice: AG 2018"
    assert row.text_body.startswith("Bonjour Ana Sample,\n\n")
    assert "&lt;b&gt;AG 2018&lt;/b&gt;, le 19 June 2018" in row.html_body
    assert '<a href="http://localhost/smartcoop">http://localhost/smartcoop</a>.' in row.html_body
    assert '<html lang="en">' in row.html_body


def test_a_mail_speaks_the_language_of_its_reader_not_of_its_sender(queue):
    french, dutch = queue(language="fr"), queue("bob@example.org", language="nl")
    assert '<html lang="fr">' in french.html_body
    assert "le 19 juin 2018" in french.text_body
    assert "le 19 juni 2018" in dutch.text_body


def test_the_same_key_is_the_same_mail(session, queue, both_databases):
    first, second = queue(), queue(to_name="Somebody else")
    assert first.id == second.id
    session.commit()
    assert queue().id == first.id
    assert len(session.scalars(select(OutboxMail)).all()) == 1


@pytest.mark.parametrize(
    "address",
    ["", "ana", "@example.org", "ana@", "ana@example.org\r\nBcc: all@example.org", "a b@c.org"],
)
def test_what_is_no_address_is_refused(queue, address):
    with pytest.raises(InvalidInput, match="not an e-mail address"):
        queue(address, dedupe_key="x")


def test_a_file_for_everybody_is_kept_once(session, queue):
    file = Attachment("notice.pdf", "application/pdf", b"%PDF-1.7 the notice")
    for number in range(3):
        queue(f"member{number}@example.org", attachments=[file])
    session.commit()
    assert [f.size for f in session.scalars(select(OutboxFile))] == [19]
    assert len(session.scalars(select(OutboxMail)).all()) == 3


def test_a_template_without_a_subject_is_refused(app, session, template, tmp_path):
    (tmp_path / "email" / "silent.txt").write_text("Hello\n")
    with pytest.raises(ValueError, match=r"email/silent\.txt must begin with 'Subject"):
        texts.render_mail("silent", {})


def test_a_secret_is_nowhere_in_the_database(session, queue, sqlite_url, app):
    row = queue(secret=True, context={"title": "code K7F3-9QQW"}, attachments=[
        Attachment("code.pdf", "application/pdf", b"%PDF K7F3-9QQW")
    ])  # fmt: skip
    session.commit()
    dump = "\n".join(sqlite3.connect(sqlite_url.removeprefix("sqlite:///")).iterdump())
    assert "K7F3" not in dump
    assert bytes.hex(b"K7F3") not in dump.lower()
    content = queueing.read_content(row)
    assert content.subject == "Notice: code K7F3-9QQW"
    assert content.attachments[0].content == b"%PDF K7F3-9QQW"


def test_a_letter_is_kept_for_somebody_to_post(session, cooperative):
    row = mail.queue_letter(
        session, cooperative_id=cooperative.id, to_name="Ana", language="fr", subject="Notice",
        pdf=b"%PDF", filename="ana.pdf", dedupe_key="letter:1", category="notice",
    )  # fmt: skip
    session.commit()
    assert (row.channel, row.state) == ("letter", "queued")
    sending.send_queued(session)
    assert _state(session, row) == "queued", "no machine posts a letter"


# -- the conversation ------------------------------------------------------------------------


def test_mails_arrive_with_both_parts_and_their_files(
    session, both_databases, queue, smtp, postman, run_jobs
):
    row = queue(attachments=[Attachment("ordre du jour.pdf", "application/pdf", b"%PDF 1")])
    run_jobs()
    assert _state(session, row) == "sent"
    assert row.sent_at is not None
    [message] = postman.delivered
    assert message["Subject"] == "Notice: AG 2018"
    assert message["From"] == "SmartCoop <no-reply@example.org>"
    assert message["To"] == "Ana Sample <ana@example.org>"
    assert message["Message-ID"] == row.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert "Bonjour Ana Sample" in message.get_body(("plain",)).get_content()
    assert "<p>Bonjour Ana Sample" in message.get_body(("html",)).get_content()
    [file] = message.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("ordre du jour.pdf", b"%PDF 1")


def test_names_in_any_script_and_odd_characters_travel_whole(queue, smtp, postman, run_jobs):
    queue(to_name='Zoë "Łukasz", Müller\nBcc: x', context={"title": "Été — €"})
    run_jobs()
    [message] = postman.delivered
    assert message["To"].addresses[0].display_name == 'Zoë "Łukasz", Müller Bcc: x'
    assert message["Subject"] == "Notice: Été — €"
    assert message["Bcc"] is None


def test_many_mails_share_one_connection(queue, smtp, postman, run_jobs):
    for number in range(30):
        queue(f"member{number}@example.org")
    run_jobs()
    assert len(postman.delivered) == 30
    assert postman.connections == 1


def test_a_server_that_wants_a_new_connection_now_and_then_gets_one(
    session, queue, smtp, postman, run_jobs
):
    for number in range(30):
        queue(f"member{number}@example.org")
    postman.mails_per_connection = 8
    run_jobs()
    assert set(postman.recipients().values()) == {1}
    assert len(postman.delivered) == 30
    assert postman.connections == 4


@pytest.mark.parametrize("kind", ["smtps", "smtp+starttls"])
def test_encrypted_conversations(app, queue, postman, tmp_path, run_jobs, monkeypatch, kind):
    server = SmtpServer(postman, tmp_path, kind)
    server.start()
    _send_to(app, server)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    queue()
    run_jobs()
    server.stop()
    assert len(postman.delivered) == 1


def test_an_unknown_certificate_is_refused_and_nothing_is_sent(
    app, session, queue, postman, tmp_path, run_jobs
):
    server = SmtpServer(postman, tmp_path, "smtps")
    server.start()
    _send_to(app, server)
    row = queue()
    run_jobs()
    server.stop()
    assert postman.delivered == []
    assert _state(session, row) == "queued"
    assert "does not answer" in row.last_error


def test_one_bad_address_stops_nobody_else(session, queue, smtp, postman, run_jobs):
    postman.answers_to_rcpt["wrong@example.org"] = "550 no such user"
    rows = [queue(a) for a in ("ana@example.org", "wrong@example.org", "bob@example.org")]
    run_jobs()
    assert [_state(session, row) for row in rows] == ["sent", "failed", "sent"]
    assert rows[1].last_error == "The mail server refused it: 550 no such user"
    assert postman.recipients() == {"ana@example.org": 1, "bob@example.org": 1}


@pytest.mark.parametrize("stage", ["rcpt", "data"])
def test_a_temporary_refusal_is_tried_again_later(
    session, queue, smtp, postman, run_jobs, clock, stage
):
    answers = postman.answers_to_rcpt if stage == "rcpt" else postman.answers_to_data
    answers["ana@example.org"] = "451 greylisted"
    row, other = queue(), queue("bob@example.org")
    run_jobs()
    assert (_state(session, row), _state(session, other)) == ("queued", "sent")
    assert row.due_at > clock.now
    tick()
    assert run_jobs() == 0, "not before its time"
    answers.clear()
    clock.advance(minutes=2)
    tick()
    run_jobs()
    assert _state(session, row) == "sent"
    assert postman.recipients() == {"ana@example.org": 1, "bob@example.org": 1}


def test_what_is_refused_for_days_fails_in_the_end(session, queue, smtp, postman, run_jobs, clock):
    postman.answers_to_rcpt["ana@example.org"] = "450 mailbox busy"
    row = queue()
    for _ in range(20):
        run_jobs()
        clock.advance(hours=3)
        tick()
    assert _state(session, row) == "failed"
    assert row.attempts == sending.MAX_ATTEMPTS


def test_a_refused_text_fails_for_good(session, queue, smtp, postman, run_jobs):
    postman.answers_to_data["ana@example.org"] = "554 spam"
    row = queue()
    run_jobs()
    assert _state(session, row) == "failed"


def test_a_server_that_is_away_costs_nobody_a_mail(
    app, session, queue, smtp, postman, run_jobs, clock
):
    rows = [queue(f"member{number}@example.org") for number in range(3)]
    smtp.stop()
    for _ in range(20):
        run_jobs()
        clock.advance(hours=1)
        tick()
    assert {_state(session, row) for row in rows} == {"queued"}
    assert {row.attempts for row in rows} == {0}
    again = SmtpServer(postman, app.config["GOVERN"].instance_dir)
    again.start()
    _send_to(app, again)
    clock.advance(minutes=2)
    tick()
    run_jobs()
    again.stop()
    assert {_state(session, row) for row in rows} == {"sent"}
    assert set(postman.recipients().values()) == {1}


def test_a_connection_lost_before_the_text_sends_each_mail_once(
    session, queue, smtp, postman, run_jobs, clock
):
    postman.hang_up_before.add("member2@example.org")
    rows = [queue(f"member{number}@example.org") for number in range(5)]
    run_jobs()
    clock.advance(minutes=2)
    tick()
    run_jobs()
    assert {_state(session, row) for row in rows} == {"sent"}
    assert postman.recipients() == {f"member{n}@example.org": 1 for n in range(5)}


def test_a_connection_lost_after_the_text_is_unclear_and_never_repeated_by_itself(
    session, queue, smtp, postman, run_jobs, clock
):
    postman.hang_up_after.add("member2@example.org")
    rows = [queue(f"member{number}@example.org") for number in range(5)]
    for _ in range(4):
        run_jobs()
        clock.advance(hours=1)
        tick()
    assert [_state(session, row) for row in rows] == ["sent", "sent", "unclear", "sent", "sent"]
    assert postman.recipients() == {f"member{n}@example.org": 1 for n in range(5)}


def test_a_run_that_died_before_handing_over_costs_nothing(
    session, both_databases, queue, smtp, clock, run_jobs
):
    row = queue()
    session.commit()
    assert [claimed.id for claimed in sending.claim_batch(session)] == [row.id]
    assert sending.claim_batch(session) == [], "a claimed mail is nobody else's"
    clock.advance(minutes=11)
    tick()
    run_jobs()
    assert _state(session, row) == "sent"
    assert smtp.postman.recipients() == {"ana@example.org": 1}


def test_a_run_that_died_while_handing_over_leaves_it_unclear(
    session, both_databases, queue, smtp, clock, run_jobs
):
    row = queue()
    session.commit()
    [ready] = sending._put_together(session, sending.claim_batch(session))
    assert sending._begin_handover(session, ready)
    clock.advance(minutes=11)
    tick()
    assert _state(session, row) == "unclear"
    run_jobs()
    assert smtp.postman.delivered == []


def test_a_run_that_was_thought_dead_hands_nothing_over(session, queue, smtp, clock, run_jobs):
    queue()
    session.commit()
    [ready] = sending._put_together(session, sending.claim_batch(session))
    clock.advance(minutes=11)
    tick()
    run_jobs()
    assert not sending._begin_handover(session, ready)
    assert smtp.postman.recipients() == {"ana@example.org": 1}


def test_two_runs_at_once_share_the_work(session, both_databases, queue, smtp, postman, app):
    import contextvars
    import threading

    from govern.extensions import db

    for number in range(120):
        queue(f"member{number}@example.org")
    session.commit()

    def send() -> None:
        with app.app_context():
            sending.send_queued(db.session())
            db.session.remove()

    threads = [threading.Thread(target=contextvars.Context().run, args=(send,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert postman.recipients() == {f"member{n}@example.org": 1 for n in range(120)}


def test_a_secret_is_wiped_when_it_has_gone(session, queue, smtp, postman, run_jobs):
    row = queue(secret=True, context={"title": "code K7F3"})
    run_jobs()
    assert _state(session, row) == "sent"
    assert row.sealed is None
    assert queueing.read_content(row) is None
    assert postman.delivered[0]["Subject"] == "Notice: code K7F3"


def test_the_row_of_a_sign_in_link_is_removed_when_it_has_gone(session, queue, smtp, run_jobs):
    queue(category="sign_in", secret=True)
    run_jobs()
    session.rollback()
    assert session.scalars(select(OutboxMail)).all() == []
    assert len(smtp.postman.delivered) == 1


def test_a_secret_sealed_under_another_key_fails_by_name(
    app, session, queue, smtp, postman, run_jobs
):
    row = queue(secret=True)
    session.commit()
    app.config["GOVERN"] = app.config["GOVERN"].with_changes(secret_key="another" * 8)
    run_jobs()
    assert _state(session, row) == "failed"
    assert "another secret key" in row.last_error


def test_without_a_mail_server_mails_go_to_the_mailbox(session, queue, run_jobs):
    row = queue(secret=True, context={"title": "code K7F3"})
    run_jobs()
    assert _state(session, row) == DeliveryState.SENT.value
    assert queueing.read_content(row).subject == "Notice: code K7F3"


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "somewhere"}, "state_known"),
        ({"state": "sending"}, "sending_is_claimed"),
        ({"is_secret": True}, "secret_is_sealed"),
        ({"to_address": ""}, "mail_has_address"),
    ],
)
def test_the_database_holds_the_invariants(session, both_databases, queue, values, constraint):
    queue()
    session.commit()
    with pytest.raises(sa.exc.IntegrityError, match=constraint):
        session.execute(update(OutboxMail).values(**values))
