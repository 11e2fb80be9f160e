"""Money of an application that ended, was opened again, went back, or came in twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from govern.access import SYSTEM
from govern.clock import now
from govern.cooperatives.rules import ShareClass, rules_from_json, rules_to_json
from govern.errors import Conflict, RuleViolation
from govern.joining.rules import ApplicationState
from govern.joining.services import deciding
from govern.joining.services.deadlines import keep_deadlines
from govern.joining.services.likeness import find_likenesses
from govern.mail.models import OutboxMail
from govern.payments.models import BankEntry, OutgoingPayment
from govern.payments.reading.records import ReadEntry, ReadStatement
from govern.payments.services import batches, matching, outgoing
from govern.payments.services.statements import store_statements
from govern.register.models import Membership, RollEntry
from govern.register.services import take_roll
from govern.register.services.holdings import holding_of
from govern.register.services.members import Contact, NewMember, add_member
from govern.register.services.verifying import verify_ledger
from tests.joining.conftest import OURS, THEIRS, TODAY


def accept(session, application):
    deciding.accept_application(session, SYSTEM, application)
    session.commit()


def goes_back(session):
    rows = session.scalars(select(OutgoingPayment).order_by(OutgoingPayment.id))
    return [(row.amount_cents, row.state) for row in rows]


def send(session, account):
    """The bank has the file with everything that is to be given back."""
    planned = session.scalars(select(OutgoingPayment)).all()
    for payment in planned:
        outgoing.release_outgoing(session, SYSTEM, payment)
    batch = batches.make_batch(session, SYSTEM, account, planned, now().date())
    batches.mark_batch_sent(session, SYSTEM, batch)
    session.commit()
    return planned


@pytest.fixture
def ended(session, apply_for, pay, clock):
    """An application for two shares that was paid by half, and ended."""
    application = apply_for(shares=2)
    accept(session, application)
    pay(application.request, 3000)
    clock.advance(days=60)
    assert deciding.expire_application(session, application)
    session.commit()
    assert goes_back(session) == [(3000, "planned")]
    return application


def test_an_application_that_is_open_again_keeps_the_money_that_is_still_here(session, ended, pay):
    request = ended.request
    deciding.reopen_application(session, SYSTEM, ended)
    session.commit()
    assert goes_back(session) == [(3000, "cancelled")]
    assert (ended.request_id, ended.request.due_cents) == (request.id, 3000)
    pay(request, 3000, date(2018, 7, 30))
    assert ended.status is ApplicationState.ADMITTED
    assert holding_of(session, ended.membership_id).paid_cents == 6000
    assert goes_back(session) == [(3000, "cancelled")]


def test_once_some_of_the_money_left_the_whole_amount_is_asked_for_anew(
    session, ended, pay, account
):
    old = ended.request
    send(session, account)
    deciding.reopen_application(session, SYSTEM, ended)
    session.commit()
    assert ended.request_id != old.id
    assert old.state == "cancelled"
    assert (ended.request.amount_cents, ended.request.paid_cents) == (6000, 0)
    assert ended.request.reference != old.reference
    pay(ended.request, 3000, date(2018, 7, 30))
    assert ended.status is ApplicationState.ACCEPTED
    # The old match is that of money on its way back: it is not freed for a second refund.
    entry = session.scalars(select(BankEntry).order_by(BankEntry.id)).first()
    with pytest.raises(RuleViolation):
        matching.undo_match(session, SYSTEM, entry.matches[0], "matched to the wrong request")
    session.rollback()
    pay(ended.request, 3000, date(2018, 7, 30))
    assert ended.status is ApplicationState.ADMITTED
    assert holding_of(session, ended.membership_id).paid_cents == 6000


def test_money_that_was_given_back_is_not_given_back_twice(
    session, cooperative, apply_for, pay, account
):
    application = apply_for(shares=2)
    entry = pay(application.request, 6000)
    deciding.withdraw_application(session, application)
    session.commit()
    (payment,) = send(session, account)
    with pytest.raises(RuleViolation):
        matching.undo_match(session, SYSTEM, entry.matches[0], "matched to the wrong request")
    session.rollback()
    read(session, cooperative, 1, end_to_end_id=payment.end_to_end_id)
    assert payment.state == "paid"
    # Now the bank recalls the money as well: a person must ask for it back.
    recall = read(session, cooperative, 2, is_return=True, counterparty_iban=THEIRS)
    assert recall.state == "doubtful"
    assert goes_back(session) == [(6000, "paid")]


def read(session, cooperative, number, **values):
    """A statement with one debit of 60 euros; its entry."""
    store_statements(
        session,
        SYSTEM,
        cooperative,
        [
            ReadStatement(
                format="csv",
                iban=OURS,
                entries=[ReadEntry(amount_cents=-6000, booked_on=TODAY, value_on=TODAY, **values)],
            )
        ],
        file_name="debits.csv",
        digest=f"{number + 5000:064x}",
    )
    session.commit()
    return session.scalars(select(BankEntry).order_by(BankEntry.id.desc())).first()


def test_the_ledger_follows_a_second_return_to_the_cent(session, cooperative, apply_for, pay):
    application = apply_for(shares=2)
    accept(session, application)
    request = application.request
    entry = pay(request, 6000)
    matching.undo_match(session, SYSTEM, entry.matches[0], "a mistake of the bank")
    first, second = pay(request, 4000), pay(request, 2000)
    for one, left in ((first, 2000), (second, 0)):
        matching.undo_match(session, SYSTEM, one.matches[0], "a mistake of the bank")
        session.commit()
        paid = holding_of(session, application.membership_id).paid_cents
        assert paid == request.paid_cents == left
    verify_ledger(session, cooperative)


def test_an_application_for_a_class_that_the_rules_forgot_waits_for_the_registrar(
    session, cooperative, apply_for, pay
):
    row = cooperative.rule_sets[0]
    before = rules_from_json(row.rules)
    support = ShareClass("support", {"en": "Supporter’s share"}, 5000)
    row.rules = rules_to_json(replace(before, share_classes=(*before.share_classes, support)))
    session.commit()
    application = apply_for(shares=1, share_class="support")
    accept(session, application)
    row.rules = rules_to_json(before)
    session.commit()
    entry = pay(application.request, 5000)
    assert entry.state == "matched"
    assert application.status is ApplicationState.ACCEPTED
    assert "support" in application.hold_note


# -- one person, one membership ---------------------------------------------------------------


@pytest.fixture
def joined_meanwhile(session, apply_for, pay, make_member, clock):
    """Ana paid on 1 June; on 6 June somebody recorded her as a member by hand."""
    application = apply_for(shares=1)
    pay(application.request, 3000)
    clock.advance(days=5)
    member = make_member(
        "Ana",
        "Sample",
        birth_date=date(1980, 5, 4),
        email="ana@example.org",
        joined_on=date(2018, 6, 6),
    )
    return application, member


def test_who_joined_meanwhile_stands_on_the_roll_once(session, cooperative, joined_meanwhile):
    application, member = joined_meanwhile
    (alike,) = find_likenesses(session, application)
    deciding.choose_identity(session, SYSTEM, application, alike.key)
    deciding.record_board_decision(
        session,
        SYSTEM,
        cooperative,
        decided_on=date(2018, 6, 2),
        reference="board 2",
        verdicts=[deciding.Verdict(application, True)],
    )
    session.commit()
    assert application.membership_id == member.id
    assert application.admitted_on == date(2018, 6, 6)
    assert holding_of(session, member.id).paid == 2
    roll = take_roll(session, SYSTEM, cooperative, date(2018, 6, 6), "AG")
    session.commit()
    entries = select(func.count()).select_from(RollEntry).where(RollEntry.roll_id == roll.id)
    assert session.scalar(entries) == 1


def test_who_left_meanwhile_begins_again_on_the_day_the_first_membership_ended(
    session, cooperative, joined_meanwhile
):
    application, member = joined_meanwhile
    member.ended_on, member.end_reason = date(2018, 6, 6), "resignation"
    session.commit()
    (alike,) = find_likenesses(session, application)
    deciding.choose_identity(session, SYSTEM, application, alike.key)
    accept(session, application)
    memberships = session.scalars(select(Membership).order_by(Membership.id)).all()
    assert [row.person_id for row in memberships] == [member.person_id] * 2
    assert memberships[1].joined_on >= date(2018, 6, 6)


def test_nobody_is_admitted_twice_as_the_same_person(session, cooperative, make_member):
    member = make_member()
    new = NewMember(
        member_number="",
        joined_on=TODAY,
        category="A",
        contact=Contact(language="fr"),
        person_id=member.person_id,
        accept_duplicate=True,
    )
    with pytest.raises(Conflict) as caught:
        add_member(session, SYSTEM, cooperative, new)
    assert member.member_number in caught.value.message
    member.ended_on, member.end_reason = TODAY, "resignation"
    session.flush()
    assert add_member(session, SYSTEM, cooperative, new).person_id == member.person_id


# -- what time takes away ---------------------------------------------------------------------


def test_who_was_forgotten_stands_in_no_request_and_no_mail_any_more(session, apply_for, clock):
    application = apply_for()
    accept(session, application)
    clock.advance(days=60)
    deciding.expire_application(session, application)
    request = application.request
    assert "Sample" in request.payer_name
    clock.advance(days=200)
    keep_deadlines(session, now())
    session.commit()
    session.expire_all()
    assert application.forgotten_on is not None
    assert "sample" not in f"{request.payer_name} {request.search_text}".casefold()
    assert request.reference in request.search_text
    mails = session.scalars(select(OutboxMail)).all()
    assert len(mails) >= 3
    for mail in mails:
        assert mail.to_name == mail.text_body == mail.html_body == ""
        assert "ana@" not in mail.to_address
        assert mail.sealed is None


def test_the_oldest_deadline_is_kept_first(session, apply_for, clock, monkeypatch):
    monkeypatch.setattr("govern.joining.services.deadlines.AT_ONCE", 1)
    late = apply_for(email="late@example.org", family_name="Late")
    accept(session, late)
    clock.advance(days=1)
    later = apply_for(email="later@example.org", family_name="Later")
    accept(session, later)
    late.payment_due_on, later.payment_due_on = later.payment_due_on, late.payment_due_on
    session.commit()
    clock.advance(days=40)
    keep_deadlines(session, now())
    assert (late.status, later.status) == (ApplicationState.ACCEPTED, ApplicationState.EXPIRED)


def test_looking_for_somebody_alike_reads_no_whole_table(session, apply_for, make_member):
    from sqlalchemy import event

    application = apply_for()
    statements = []
    engine = session.get_bind()

    def note(_connection, _cursor, statement, parameters, *_more):
        statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        find_likenesses(session, application)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    searches = [item for item in statements if " person" in item[0] and "UNION" in item[0]]
    assert searches
    connection = session.connection()
    for statement, parameters in searches:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        steps = [row[-1] for row in plan]
        assert not [step for step in steps if step.startswith(("SCAN membership", "SCAN person"))]
