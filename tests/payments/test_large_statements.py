"""A statement too large for a browser to wait for: read by a job, whole, once, and to its end."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from govern import jobs
from govern.access import SYSTEM, Role
from govern.clock import now
from govern.errors import Conflict
from govern.extensions import db
from govern.jobs import BackgroundJob
from govern.payments.jobs import mark_failed_readings, resume_readings
from govern.payments.models import BankEntry, BankStatement, StatementReading
from govern.payments.services import accounts, matching, readings
from govern.payments.services.statements import parse_file
from tests.payments.statements import Tx, camt

HOME = "/smartcoop/payments"


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch, account: Any) -> None:
    """Five entries are many here, and two are matched at a time."""
    monkeypatch.setattr(readings, "AT_ONCE", 4)
    monkeypatch.setattr(readings, "STEP", 2)


@pytest.fixture
def start(session: Session, cooperative: Any) -> Callable[..., StatementReading]:
    """``start(content)``: the file was sent."""

    def send(content: bytes) -> StatementReading:
        made = readings.start_reading(
            session,
            SYSTEM,
            cooperative,
            parse_file(content),
            file_name="year.xml",
            content=content,
            account=None,
            language="en",
        )
        session.commit()
        return made

    return send


def five(request: Any, **options: Any) -> bytes:
    gifts = [Tx(1000 + n, message=f"gift {n}") for n in range(3)]
    return camt(Tx(6000, reference=request.reference), *gifts, Tx(-500), **options)


def states(session: Session) -> list[str]:
    return list(session.scalars(select(BankEntry.state).order_by(BankEntry.id)))


def test_a_large_statement_is_sent_followed_and_read(
    session, client, make_account, sign_in, cooperative, ask, run_jobs
):
    request = ask(6000)
    sign_in(client, make_account("Tamara", roles=[(cooperative, Role.TREASURER)]))
    form = {"file": (io.BytesIO(five(request)), "year.xml"), "account": ""}
    page = client.post(f"{HOME}/statements", data=form, follow_redirects=True)
    assert "You may leave this page" in page.text
    assert states(session) == []
    reading = session.scalars(select(StatementReading)).one()
    address = f"{HOME}/statements/{reading.public_id}"
    assert client.get(f"{address}/progress").json["finished"] is False
    assert address in client.get(f"{HOME}/statements").text
    run_jobs()
    assert client.get(f"{address}/progress").json == {
        "done": 5, "total": 5, "finished": True, "href": address,
        "label": "All entries are stored. They are being matched.",
        "next": "Then you see which entries wait for you.",
    }  # fmt: skip
    done = client.get(address).text
    assert "5 new entries were read." in done
    assert "3 entries wait for you." in done
    assert request.state == "settled"
    assert states(session) == ["matched", "unmatched", "unmatched", "unmatched", "set_aside"]
    assert address not in client.get(f"{HOME}/statements").text


def test_the_same_file_sent_again_is_one_reading_and_changes_nothing(
    both_databases, session, start, ask, run_jobs
):
    content = five(ask(6000))
    first = start(content)
    assert start(content) is first
    run_jobs()
    again = start(content)
    assert again is not first
    run_jobs()
    assert (again.state, again.entries_new, again.entries_known) == ("done", 0, 5)
    assert len(states(session)) == 5
    assert len(session.scalars(select(BankStatement)).all()) == 1


def test_when_it_dies_in_the_middle_all_is_stored_and_the_rest_is_matched_later(
    session, start, ask, run_jobs, monkeypatch, clock
):
    request = ask(1002, payer="Gift")
    content = camt(*[Tx(1000 + n, reference=request.reference if n == 2 else "") for n in range(5)])
    reading = start(content)
    settle, calls = readings.settle_new, []

    def break_off(*arguments: Any) -> None:
        calls.append(arguments[2].amount_cents)
        if len(calls) == 4:
            raise MemoryError
        settle(*arguments)

    monkeypatch.setattr(readings, "settle_new", break_off)
    run_jobs()
    assert reading.state == "matching"
    assert len(states(session)) == 5
    # The third was matched in the step that broke off: it is done anew.
    assert request.paid_cents == 0
    clock.advance(minutes=1)
    run_jobs()
    assert calls == [1000, 1001, 1002, 1003, 1002, 1003, 1004]
    assert (reading.state, request.paid_cents, request.state) == ("done", 1002, "settled")


def test_when_it_dies_before_it_is_stored_nothing_is_kept(
    session, start, ask, run_jobs, monkeypatch, clock
):
    reading = start(five(ask(6000)))

    def break_off(*_arguments: Any, **_more: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(readings, "record_reading", break_off)
        run_jobs()
    assert (states(session), reading.state) == ([], "waiting")
    clock.advance(minutes=1)
    run_jobs()
    assert (reading.state, len(states(session))) == ("done", 5)


def test_what_a_person_dealt_with_meanwhile_is_left_alone(session, start, ask, run_jobs):
    first, second = ask(6000), ask(9000, payer="Bo Maes")
    content = camt(
        Tx(6000, reference=first.reference), *[Tx(7 + n, message=f"{n}") for n in range(4)]
    )
    reading = start(content)
    actor = SYSTEM
    readings.store_reading(session, actor, reading, parse_file(content))
    session.commit()
    entry = session.scalars(select(BankEntry).order_by(BankEntry.id)).first()
    matching.match_by_hand(session, actor, entry, second)
    session.commit()
    run_jobs()
    assert (first.paid_cents, second.paid_cents) == (0, 6000)
    assert len(entry.matches) == 1


def test_what_is_refused_meanwhile_says_why_and_keeps_nothing(
    session, start, ask, account, run_jobs
):
    reading = start(five(ask(6000)))
    accounts.close_account(session, SYSTEM, account)
    session.commit()
    run_jobs()
    assert (reading.state, reading.content, states(session)) == ("failed", None, [])
    assert "is closed" in reading.failure
    with pytest.raises(Conflict):
        readings.go_on(session, SYSTEM, reading)


def test_matching_that_was_given_up_can_go_on(session, start, ask, run_jobs, clock, monkeypatch):
    reading = start(five(ask(6000)))

    def break_off(*_arguments: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(readings, "settle_new", break_off)
        for _attempt in range(6):
            run_jobs()
            clock.advance(minutes=10)
    mark_failed_readings(session, now())
    session.commit()
    assert (reading.state, reading.failure) == ("failed", "")
    readings.go_on(session, SYSTEM, reading)
    session.commit()
    run_jobs()
    assert (reading.state, states(session)[0]) == ("done", "matched")


def test_a_reading_whose_job_was_lost_is_asked_for_again(session, start, ask, run_jobs):
    reading = start(five(ask(6000)))
    row = session.get_one(BackgroundJob, reading.job_id)
    row.state, row.key = jobs.JobState.DONE.value, None
    session.commit()
    resume_readings(session)
    session.commit()
    run_jobs()
    assert reading.state == "done"


def test_a_payment_file_booked_as_one_sum_is_known_by_its_name(
    session, cooperative, account, start, run_jobs
):
    from govern.payments.services import batches, outgoing
    from tests.payments.statements import AN
    from tests.payments.test_crossing import TODAY

    payment = outgoing.request_outgoing(
        session, SYSTEM, cooperative, payee_name="An Peeters", iban=AN, amount_cents=3000,
        due_on=TODAY, text="Refund", subject="grant:1",
    )  # fmt: skip
    outgoing.release_outgoing(session, SYSTEM, payment)
    batch = batches.make_batch(session, SYSTEM, account, [payment], TODAY)
    session.commit()
    gifts = [Tx(1000 + n, message=f"gift {n}") for n in range(4)]
    sum_of_file = Tx(-3000, batch=batch.message_id, day="2018-06-01", iban="", name="")
    start(camt(sum_of_file, *gifts))
    run_jobs()
    assert (payment.state, batch.state) == ("paid", "done")


def test_an_entry_that_changes_no_register_costs_a_handful_of_questions(session, start, ask):
    for n in range(3):
        ask(6000 + n, f"Bo Maes{n}")
    plain = [Tx(1000 + n, message=f"gift {n}", name=f"Bo Maes{n}") for n in range(20)]
    reading = start(camt(*plain))
    readings.store_reading(session, SYSTEM, reading, parse_file(camt(*plain)))
    session.commit()
    engine, asked = db.engine, []
    note = lambda _connection, _cursor, statement, *_more: asked.append(statement)  # noqa: E731
    event.listen(engine, "before_cursor_execute", note)
    try:
        while readings.settle_step(session, SYSTEM, reading):
            pass
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert states(session).count("doubtful") == 3
    assert len(asked) < 20 * 6


@pytest.fixture
def plans(session: Session) -> Iterator[list[tuple[str, str]]]:
    """What is asked while entries are matched, and how SQLite goes about it."""
    found: list[tuple[str, str]] = []

    def explain(connection, _cursor, statement, parameters, _context, _many) -> None:
        if statement.startswith("SELECT"):
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            found.append((statement, str(rows)))

    engine = db.engine
    event.listen(engine, "before_cursor_execute", explain)
    yield found
    event.remove(engine, "before_cursor_execute", explain)


def plan_of(plans: list[tuple[str, str]], words: str) -> str:
    [plan] = [plan for statement, plan in plans if words in statement]
    return plan


def test_open_requests_are_found_by_a_name_without_reading_the_others(session, ask, read, plans):
    ask(6000, "Bo Maes")
    plans.clear()
    read(Tx(6000, message="x", name="MAES BO"))
    assert "payer_key=?" in plan_of(plans, "payer_key = ?")
    assert states(session) == ["doubtful"]


def test_open_requests_are_found_by_the_account_without_reading_the_others(
    session, make_member, ask, read, plans
):
    member = make_member()
    read(Tx(6000, reference=ask(6000, "An Peeters", membership=member).reference))
    ask(9000, "Peeters, An", membership=member)
    plans.clear()
    read(Tx(9000, message="again", name="Somebody Else"), identification="2")
    plan = plan_of(plans, " UNION ")
    assert "ix_payment_request_membership_id" in plan
    assert "ix_payment_request_due" not in plan
    assert states(session) == ["matched", "doubtful"]


def test_what_a_debit_may_take_back_is_found_without_reading_all_entries(session, read, plans):
    plans.clear()
    read(Tx(-6000, message="rent"))
    assert "amount_cents=?" in plan_of(plans, "bank_entry.counterparty_iban = ?")
    assert states(session) == ["set_aside"]
