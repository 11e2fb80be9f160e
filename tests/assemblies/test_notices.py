"""Convening: everyone once, in time or with a printed reason, by mail or on paper."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pypdf import PdfReader

from govern.assemblies import jobs as assembly_jobs
from govern.assemblies import services
from govern.assemblies.models import Assembly, NoticeDelivery
from govern.assemblies.services.deliveries import failed_deliveries, notice_progress, resend_failed
from govern.assemblies.services.notices import count_audience, missing_members
from govern.errors import Forbidden, InvalidInput, RuleViolation
from govern.extensions import db
from govern.mail.models import OutboxMail
from govern.mail.queueing import read_content
from tests.assemblies.conftest import an_assembly

REASON = "The auditor’s report came two days late."


def recipients(session):
    return sorted(mail.to_name for mail in session.query(OutboxMail))


def letters(session):
    found = session.query(OutboxMail).filter_by(channel="letter").order_by(OutboxMail.id)
    return [
        "\n".join(
            page.extract_text()
            for page in PdfReader(io.BytesIO(mail.attachments[0].file.content)).pages
        )
        for mail in found
    ]


def words(text):
    return " ".join(text.split())


# -- who is convened --------------------------------------------------------------------------


def test_all_members_in_force_are_convened_and_nobody_else(
    session, clock, secretary, published, make_member, run_jobs
):
    make_member("Ana")
    make_member("Unpaid", shares=1, paid=0)
    left = make_member("Gone")
    end_membership_on(session, left, date(2018, 5, 1))
    services.send_notice(session, secretary, published)
    run_jobs()
    assert recipients(session) == ["Ana Sample 1"]


def end_membership_on(session, membership, day):
    membership.ended_on, membership.end_reason = day, "resignation"
    session.flush()


def test_whoever_is_on_the_roll_is_convened_even_after_leaving(
    session, clock, secretary, published, make_member, run_jobs
):
    make_member("Ana")
    leaver = make_member("Leaver")
    clock.set(datetime(2018, 6, 2, 8, 0, tzinfo=UTC))
    services.take_assembly_roll(session, secretary, published)
    services.freeze_assembly_roll(session, secretary, published)
    end_membership_on(session, leaver, date(2018, 6, 2))
    clock.set(datetime(2018, 6, 3, 8, 0, tzinfo=UTC))
    make_member("Newcomer", joined_on=date(2018, 6, 3))
    services.send_notice(session, secretary, published)
    run_jobs()
    assert recipients(session) == ["Ana Sample 1", "Leaver Sample 2", "Newcomer Sample 3"]


def test_two_members_with_one_address_get_two_notices(
    session, secretary, published, make_member, run_jobs
):
    for name in ("Ana", "Bob"):
        make_member(name, email="family@example.org")
    services.send_notice(session, secretary, published)
    run_jobs()
    assert recipients(session) == ["Ana Sample 1", "Bob Sample 2"]


def test_the_plan_says_how_many_by_mail_and_how_many_by_letter(session, published, make_member):
    make_member("Ana")
    make_member("Bob", email=None)
    make_member("Cem", email=None)
    audience = count_audience(session, published)
    assert (audience.by_mail, audience.by_letter, audience.total) == (1, 2, 3)


# -- in time ----------------------------------------------------------------------------------


def test_the_last_minute_of_the_fifteenth_day_before_is_in_time(
    session, clock, secretary, published, make_member
):
    make_member()
    clock.set(datetime(2018, 6, 4, 21, 59, tzinfo=UTC))  # 23:59 in Brussels
    assert not services.send_notice(session, secretary, published).was_late


def test_a_minute_later_the_notice_is_refused(session, clock, secretary, published, make_member):
    make_member()
    clock.set(datetime(2018, 6, 4, 22, 0, tzinfo=UTC))
    with pytest.raises(RuleViolation, match="14 days before") as refused:
        services.send_notice(session, secretary, published)
    assert refused.value.field == "override_reason"
    with pytest.raises(InvalidInput):
        services.send_notice(session, secretary, published, override_reason="late")


def test_an_overridden_notice_prints_the_reason_in_mail_and_letter(
    session, clock, secretary, published, make_member, run_jobs
):
    make_member("Ana", language="en")
    make_member("Bob", email=None, language="en")
    clock.set(datetime(2018, 6, 8, 10, 0, tzinfo=UTC))
    services.send_notice(session, secretary, published, override_reason=REASON)
    run_jobs()
    mail = session.query(OutboxMail).filter_by(channel="email").one()
    told = "leaves 11 days before the assembly instead of 15. Reason: " + REASON
    assert told in words(read_content(mail).text)
    assert told in words(letters(session)[0])


def test_a_notice_in_time_prints_no_reason_even_if_one_was_typed(
    session, secretary, published, make_member
):
    make_member()
    notice = services.send_notice(session, secretary, published, override_reason=REASON)
    assert notice.override_reason == ""


def test_nobody_is_convened_to_an_assembly_that_has_begun(
    session, clock, secretary, published, make_member
):
    make_member()
    clock.set(published.starts_at)
    with pytest.raises(RuleViolation, match="begun"):
        services.send_notice(session, secretary, published, override_reason=REASON)


def test_a_draft_convenes_nobody(session, secretary, draft, make_member):
    make_member()
    with pytest.raises(RuleViolation, match="published"):
        services.send_notice(session, secretary, draft)


def test_only_whoever_may_send_notices_does(session, officer, published, make_member):
    make_member()
    with pytest.raises(Forbidden):
        services.send_notice(session, officer, published)


# -- what it says -----------------------------------------------------------------------------


def test_each_member_reads_the_notice_in_their_language(
    session, secretary, published, make_member, run_jobs
):
    for name, language in (("Ana", "fr"), ("Bob", "en")):
        make_member(name, language=language)
    services.send_notice(session, secretary, published)
    run_jobs()
    texts = {mail.to_name: read_content(mail).text for mail in session.query(OutboxMail)}
    assert "Assemblée générale 2018" in texts["Ana Sample 1"]
    assert "General assembly 2018" in texts["Bob Sample 2"]
    assert "Tuesday, 19 June 2018 at 17:00 (Europe/Brussels)" in texts["Bob Sample 2"]
    assert "1. Annual accounts" in texts["Bob Sample 2"]
    assert "http://localhost/smartcoop/assemblies/2018-06-19" in texts["Bob Sample 2"]


def test_a_language_that_the_assembly_does_not_have_falls_back_to_its_first(
    session, secretary, cooperative, make_member, run_jobs
):
    given = an_assembly(languages=["nl"], titles={"nl": "Algemene vergadering"})
    assembly = services.create_assembly(session, secretary, cooperative, given)
    services.add_item(session, secretary, assembly, services.ItemInput("information", {"nl": "A"}))
    services.publish_assembly(session, secretary, assembly)
    make_member("Ana", language="de")
    services.send_notice(session, secretary, assembly)
    run_jobs()
    assert session.query(OutboxMail).one().language == "nl"


def test_a_letter_holds_address_agenda_texts_majorities_and_record_date(
    session, secretary, published, make_member, run_jobs
):
    make_member("Bob", email=None, language="en")
    services.send_notice(session, secretary, published)
    run_jobs()
    text = words(letters(session)[0])
    for expected in (
        "Bob Sample 1", "Rue 1", "1000 Bruxelles", "SmartCoop convenes you",
        "General assembly 2018", "Rue Émile Féron 70", "1. Annual accounts",
        "Approval of the accounts 2017", "The assembly approves them.",
        "more than 50% of the votes for or against", "statutes of the tests",
        "at the end of 1 June 2018 may vote",
        "http://localhost/smartcoop/assemblies/2018-06-19",
    ):  # fmt: skip
        assert expected in text, expected
    assert "**" not in text


def test_whoever_has_an_address_that_no_mail_can_go_to_gets_a_letter(
    session, secretary, published, make_member, run_jobs
):
    broken = make_member("Ana")
    broken.email = "not an address"
    services.send_notice(session, secretary, published)
    run_jobs()
    assert session.query(OutboxMail).one().channel == "letter"


# -- once each --------------------------------------------------------------------------------


def test_the_click_twice_is_one_notice(session, secretary, published, make_member, run_jobs):
    make_member()
    first = services.send_notice(session, secretary, published)
    assert services.send_notice(session, secretary, published).id == first.id
    run_jobs()
    assembly_jobs.hand_over_notice(session, first.id)
    assert session.query(OutboxMail).count() == 1


def test_members_admitted_later_get_the_notice_and_nobody_gets_it_again(
    session, clock, secretary, published, make_member, run_jobs
):
    make_member("Ana")
    notice = services.send_notice(session, secretary, published)
    run_jobs()
    clock.set(datetime(2018, 6, 5, 10, 0, tzinfo=UTC))
    make_member("Late", joined_on=date(2018, 6, 5))
    assert missing_members(session, notice) == 1
    assert services.extend_notice(session, secretary, notice) == 1
    assert services.extend_notice(session, secretary, notice) == 0
    run_jobs()
    assert recipients(session) == ["Ana Sample 1", "Late Sample 2"]


def test_a_run_that_fails_half_way_goes_on_where_it_was(
    both_databases, session, clock, secretary, published, make_member, run_jobs, monkeypatch
):
    for _ in range(7):
        make_member()
    make_member(email=None)
    notice = services.send_notice(session, secretary, published)
    session.commit()
    monkeypatch.setattr(assembly_jobs, "STEP", 3)
    calls = []

    def fails_at_the_fifth(*args, **values):
        calls.append(values["dedupe_key"])
        if len(calls) == 5:
            raise OSError("the disk is full")
        return queue(*args, **values)

    queue = assembly_jobs.queue_mail
    monkeypatch.setattr(assembly_jobs, "queue_mail", fails_at_the_fifth)
    run_jobs()
    assert notice_progress(session, notice).waiting == 5
    clock.advance(minutes=5)
    run_jobs()
    assert notice_progress(session, notice).waiting == 0
    assert len(recipients(session)) == len(set(recipients(session))) == 8
    clock.set(datetime(2018, 6, 1, 12, 0, tzinfo=UTC))


KILLED = """
    import os, signal, sys
    from govern.app import create_app
    from govern.config import Config
    from govern import clock
    from datetime import datetime, UTC
    from pathlib import Path
    from govern.assemblies import jobs as assembly_jobs
    from govern.jobs import run_due_jobs

    clock.use_clock(lambda: datetime(2018, 6, 1, 12, 0, 30, tzinfo=UTC))
    calls = 0

    def dies_at_the_73rd(*args, **values):
        global calls
        calls += 1
        if calls == 73:
            os.kill(os.getpid(), signal.SIGKILL)
        return queue(*args, **values)

    queue, assembly_jobs.queue_mail = assembly_jobs.queue_mail, dies_at_the_73rd
    app = create_app(Config(environment="testing", instance_dir=Path(sys.argv[1]),
                            secret_key=sys.argv[2], database_url=sys.argv[3],
                            public_url="http://localhost"))
    app.config["GOVERN_NO_REDIS"] = True
    with app.app_context():
        run_due_jobs()
"""


@pytest.mark.slow
def test_a_process_killed_in_the_middle_never_writes_to_anyone_twice(
    both_databases, app, session, clock, secretary, published, make_member, run_jobs, tmp_path
):
    for _ in range(120):
        make_member()
    notice = services.send_notice(session, secretary, published)
    session.commit()
    settings = app.config["GOVERN"]
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), settings.secret_key,
         settings.database_url],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
        capture_output=True,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    session.expire_all()
    progress = notice_progress(session, notice)
    assert (progress.total, progress.waiting) == (120, 60)
    assembly_jobs.hand_over_notice(session, notice.id)
    assert notice_progress(session, notice).waiting == 0
    handed = session.query(NoticeDelivery.outbox_id).all()
    assert len({row[0] for row in handed}) == 120
    assert session.query(OutboxMail).count() == 120


# -- afterwards -------------------------------------------------------------------------------


def test_two_officers_who_send_at_the_same_moment_send_one_notice(
    both_databases, app, session, secretary, published, make_member
):
    for _ in range(5):
        make_member()
    session.commit()
    published_id, started, found = published.id, threading.Barrier(2), []
    session.remove()

    def send():
        with app.app_context():
            mine = db.session
            assembly = mine.get(Assembly, published_id)
            mine.rollback()
            started.wait()
            found.append(services.send_notice(mine, secretary, assembly).id)
            mine.commit()
            mine.remove()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert len(set(found)) == 1
    assert session.query(NoticeDelivery).count() == 5


def fail(session, state="failed"):
    mail = session.query(OutboxMail).order_by(OutboxMail.id).first()
    mail.state, mail.last_error = state, "550 no such user"
    session.flush()
    return mail


def test_only_what_failed_is_sent_again(session, secretary, published, make_member, run_jobs):
    make_member("Ana")
    make_member("Bob")
    notice = services.send_notice(session, secretary, published)
    run_jobs()
    mail = fail(session)
    sent = session.query(OutboxMail).filter(OutboxMail.id != mail.id).one()
    before = (sent.state, sent.due_at)
    assert [one.outbox_id for one in failed_deliveries(session, notice)] == [mail.id]
    assert resend_failed(session, secretary, notice) == 1
    assert mail.state == "queued"
    assert (sent.state, sent.due_at) == before
    assert resend_failed(session, secretary, notice) == 0


def test_what_may_have_arrived_is_sent_again_only_when_somebody_says_so(
    session, secretary, published, make_member, run_jobs
):
    make_member()
    notice = services.send_notice(session, secretary, published)
    run_jobs()
    fail(session, "unclear")
    assert resend_failed(session, secretary, notice) == 0
    assert resend_failed(session, secretary, notice, also_unclear=True) == 1


def test_a_cancellation_tells_exactly_those_who_were_convened(
    session, clock, secretary, published, make_member, run_jobs
):
    make_member("Ana", language="en")
    make_member("Bob", email=None, language="en")
    services.send_notice(session, secretary, published)
    run_jobs()
    make_member("Later", joined_on=date(2018, 6, 1))
    services.cancel_assembly(session, secretary, published, "The hall burnt down.")
    services.send_cancellation(session, secretary, published)
    run_jobs()
    subjects = sorted(
        (mail.to_name, mail.subject)
        for mail in session.query(OutboxMail)
        if mail.subject.startswith("Cancelled")
    )
    assert subjects == [
        ("Ana Sample 1", "Cancelled: General assembly 2018"),
        ("Bob Sample 2", "Cancelled: General assembly 2018"),
    ]
    assert "The hall burnt down." in words(letters(session)[-1])


def test_an_assembly_to_which_nobody_was_convened_is_cancelled_silently(
    session, secretary, published
):
    services.cancel_assembly(session, secretary, published, "Nobody will come.")
    assert services.send_cancellation(session, secretary, published) is None


def test_after_the_notice_the_agenda_stands(session, secretary, published, make_member):
    make_member()
    services.send_notice(session, secretary, published)
    with pytest.raises(RuleViolation, match="agenda can no longer"):
        services.add_item(
            session, secretary, published, services.ItemInput("information", {"fr": "B"})
        )
    with pytest.raises(RuleViolation, match="agenda can no longer"):
        services.remove_resolution(session, secretary, published.items[0].resolutions[0])
    services.edit_assembly(
        session, secretary, published, an_assembly(place="Salle B", mode="remote")
    )
    assert (published.place, published.mode) == ("Salle B", "hybrid")


# -- the page ---------------------------------------------------------------------------------

PAGE = "/smartcoop/assemblies/2018-06-19/notice"


def test_the_page_says_to_how_many_before_it_sends(
    client, sign_in, officers, session, published, make_member, run_jobs
):
    make_member("Ana")
    make_member("Bob", email=None)
    sign_in(client, officers["secretary"])
    page = client.get(PAGE).text
    assert "2 members get the notice, each once." in page
    assert client.post(PAGE).status_code == 303
    progress = client.get(PAGE + "/progress").json
    assert (progress["done"], progress["total"], progress["finished"]) == (0, 2, False)
    run_jobs()
    progress = client.get(PAGE + "/progress").json
    assert (progress["done"], progress["total"], progress["finished"]) == (2, 2, True)
    assert "1 letter is to be printed and posted" in client.get(PAGE).text


def test_the_page_refuses_a_late_notice_and_keeps_what_was_typed(
    client, sign_in, officers, clock, session, published, make_member
):
    make_member()
    clock.set(datetime(2018, 6, 10, 10, 0, tzinfo=UTC))
    sign_in(client, officers["secretary"])
    refused = client.post(PAGE, data={"override_reason": "too late"})
    assert refused.status_code == 422
    assert "too late</textarea>" in refused.text
    assert client.post(PAGE, data={"override_reason": REASON}).status_code == 303
    assert REASON in client.get("/smartcoop/assemblies/2018-06-19").text
