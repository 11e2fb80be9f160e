"""From the form to the register: confirm, accept, pay, be admitted, in whatever order."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.cooperatives.rules import ShareClass, rules_from_json, rules_to_json
from govern.errors import Conflict, InvalidInput, NotFound, RuleViolation
from govern.extensions import db
from govern.joining.models import Application
from govern.joining.rules import ApplicationState, Hold
from govern.joining.services import applying, deciding
from govern.payments.models import OutgoingPayment
from govern.payments.services import matching
from govern.register.models import Membership, Roll, RollEntry, ShareEntry
from govern.register.services import freeze_roll, take_roll, why_not_on_roll
from govern.register.services.holdings import holding_of
from tests.joining.conftest import TODAY, mails_of, text_of


def accept(session, application):
    deciding.accept_application(session, SYSTEM, application)
    session.commit()


def members(session):
    return session.scalars(select(Membership).order_by(Membership.id)).all()


def test_a_stranger_confirms_is_accepted_pays_and_is_a_member(
    session, cooperative, apply_for, pay, both_databases
):
    application = apply_for(shares=2)
    assert application.status is ApplicationState.CONFIRMED
    assert application.request.reference in text_of(session, "received").replace("/", "").replace(
        "+", ""
    )
    accept(session, application)
    pay(application.request, 6000)
    assert application.status is ApplicationState.ADMITTED
    (member,) = members(session)
    assert (member.display_name, member.joined_on, member.email) == (
        "Ana Sample",
        TODAY,
        "ana@example.org",
    )
    holding = holding_of(session, member.id)
    assert (holding.issued, holding.paid, holding.paid_cents) == (2, 2, 6000)
    assert member.member_number in text_of(session, "welcome")


def test_membership_takes_effect_on_the_day_of_the_payment(
    session, apply_for, pay, set_joining, clock
):
    set_joining(acceptance="automatic")
    application = apply_for()
    assert application.status is ApplicationState.ACCEPTED
    clock.advance(days=5)
    pay(application.request, 3000, date(2018, 6, 4))
    assert members(session)[0].joined_on == date(2018, 6, 4)
    assert session.scalars(select(ShareEntry.effective_on).distinct()).all() == [date(2018, 6, 4)]


def test_membership_takes_effect_on_the_day_of_acceptance_if_that_comes_later(
    session, apply_for, pay, clock
):
    application = apply_for()
    pay(application.request, 3000)
    assert application.status is ApplicationState.CONFIRMED
    assert not members(session)
    clock.advance(days=9)
    accept(session, application)
    assert application.status is ApplicationState.ADMITTED
    assert members(session)[0].joined_on == date(2018, 6, 10)


def test_a_frozen_roll_keeps_its_members_when_somebody_joins_as_of_before_it(
    session, cooperative, apply_for, pay, make_member, clock
):
    make_member()
    application = apply_for()
    accept(session, application)
    clock.advance(days=3)
    roll = take_roll(session, SYSTEM, cooperative, date(2018, 6, 2), "AG")
    freeze_roll(session, SYSTEM, roll)
    digest = roll.digest
    session.commit()
    # The statement shows that the money had arrived before the record date.
    pay(application.request, 3000, TODAY)
    member = members(session)[-1]
    assert member.joined_on == TODAY
    session.expire_all()
    roll = session.get_one(Roll, roll.id)
    assert (roll.heads, roll.digest) == (1, digest)
    entries = select(RollEntry.membership_id).where(RollEntry.roll_id == roll.id)
    assert member.id not in session.scalars(entries).all()
    assert not why_not_on_roll(session, roll, member).on_roll


def test_a_part_of_the_amount_waits_for_the_rest(session, apply_for, pay, clock):
    application = apply_for(shares=2)
    accept(session, application)
    pay(application.request, 2500)
    assert application.status is ApplicationState.ACCEPTED
    assert not members(session)
    clock.advance(days=2)
    pay(application.request, 3500, date(2018, 6, 3))
    assert members(session)[0].joined_on == date(2018, 6, 3)


def test_what_is_paid_too_much_goes_back_and_the_member_is_admitted(session, apply_for, pay):
    application = apply_for()
    accept(session, application)
    pay(application.request, 10000)
    assert holding_of(session, members(session)[0].id).paid_cents == 3000
    (back,) = session.scalars(select(OutgoingPayment)).all()
    assert back.amount_cents == 7000


def test_a_refusal_has_a_reason_and_gives_the_money_back(session, apply_for, pay):
    application = apply_for()
    pay(application.request, 3000)
    deciding.refuse_application(session, SYSTEM, application, "No work in our field.")
    session.commit()
    assert application.status is ApplicationState.REFUSED
    assert "No work in our field." in text_of(session, "closed")
    (back,) = session.scalars(select(OutgoingPayment)).all()
    assert (back.amount_cents, back.iban, back.state) == (3000, "BE71096123456769", "planned")
    with pytest.raises(Conflict):
        deciding.accept_application(session, SYSTEM, application)


def test_what_a_statement_without_an_account_leaves_is_told_to_the_registrar(
    session, apply_for, pay
):
    application = apply_for()
    pay(application.request, 3000, iban="")
    deciding.refuse_application(session, SYSTEM, application, "No work in our field.")
    session.commit()
    assert application.hold == Hold.REFUSED.value
    assert "IBAN" in application.hold_note


def test_money_for_a_withdrawn_application_waits_for_the_treasurer(session, apply_for, pay):
    application = apply_for()
    deciding.withdraw_application(session, application)
    session.commit()
    entry = pay(application.request, 3000)
    assert entry.state == "doubtful"
    assert not members(session)


def test_the_bank_takes_the_payment_back_after_admission(
    session, cooperative, apply_for, pay, make_account
):
    make_account("Rita", "rita@example.org", roles=[(cooperative, Role.REGISTRAR)])
    application = apply_for()
    accept(session, application)
    entry = pay(application.request, 3000)
    matching.undo_match(session, SYSTEM, entry.matches[0], "the bank recalled it")
    session.commit()
    member = members(session)[0]
    assert (holding_of(session, member.id).issued, holding_of(session, member.id).paid) == (1, 0)
    assert application.returned_on is not None
    assert "Ana Sample" in text_of(session, "returned")
    assert "no longer there" in text_of(session, "unpaid")
    assert application.request.is_open
    pay(application.request, 3000)
    assert holding_of(session, member.id).paid == 1
    assert application.returned_on is None
    assert len(members(session)) == 1


def test_the_link_is_used_once(session, cooperative, submit, token_of, account):
    token = token_of(submit())
    applying.confirm_application(session, cooperative, token)
    session.commit()
    with pytest.raises(NotFound):
        applying.confirm_application(session, cooperative, token)


def test_what_the_register_refuses_leaves_the_money_and_says_why(
    session, cooperative, apply_for, pay
):
    application = apply_for()
    accept(session, application)
    application.category = "Z"
    session.commit()
    entry = pay(application.request, 3000)
    assert entry.state == "matched"
    assert application.status is ApplicationState.ACCEPTED
    assert application.hold == Hold.REFUSED.value
    assert "Z" in application.hold_note
    assert not members(session)
    application.category = "A"
    session.commit()
    assert deciding.try_again(session, SYSTEM, application)
    assert members(session)[0].joined_on == TODAY


def test_a_process_that_dies_in_the_middle_has_changed_nothing(
    session, cooperative, apply_for, pay, monkeypatch
):
    application = apply_for()
    accept(session, application)

    def die(*_args, **_kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("govern.joining.services.letters.welcome", die)
        with pytest.raises(KeyboardInterrupt):
            pay(application.request, 3000)
    session.rollback()
    assert not members(session)
    assert application.status is ApplicationState.ACCEPTED
    assert application.request.paid_cents == 0
    pay(application.request, 3000)
    assert len(members(session)) == 1


def test_two_registrars_who_accept_at_once_admit_once(
    app, session, cooperative, apply_for, pay, both_databases
):
    application = apply_for()
    pay(application.request, 3000)
    number, answers, barrier = application.id, [], threading.Barrier(2)

    def press():
        with app.app_context():
            row = db.session.get_one(Application, number)
            db.session.rollback()
            barrier.wait()
            try:
                deciding.accept_application(db.session(), SYSTEM, row)
                db.session.commit()
                answers.append("accepted")
            except Conflict:
                db.session.rollback()
                answers.append("too late")
            db.session.remove()

    session.rollback()
    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["accepted", "too late"]
    session.expire_all()
    assert len(members(session)) == 1
    assert mails_of(session).count("joining:welcome") == 1


def test_only_who_keeps_the_register_decides(session, cooperative, apply_for, make_account):
    from govern.errors import Forbidden

    application = apply_for()
    secretary = make_account("Sec", "sec@example.org", roles=[(cooperative, Role.SECRETARY)])
    with pytest.raises(Forbidden):
        deciding.accept_application(session, actor_for(session, secretary), application)


def test_where_the_board_decides_a_registrar_alone_does_not(session, apply_for, set_joining):
    set_joining(acceptance="board")
    application = apply_for()
    with pytest.raises(RuleViolation):
        deciding.accept_application(session, SYSTEM, application)


def test_a_person_takes_out_what_they_agreed_to_and_an_erasure_keeps_the_agreement(
    session, apply_for, pay
):
    from govern.joining.services.personal import erase_applications, own_applications

    application = apply_for()
    accept(session, application)
    pay(application.request, 3000)
    member = members(session)[0]
    (section,) = own_applications(session, member.person)
    assert application.statutes_digest in section.rows[0]
    assert len(section.rows[0]) == len(section.headings)
    assert erase_applications(session, member, "now") == 1
    assert erase_applications(session, member, "end") == 0
    assert (application.name, application.email) == ("", "")
    assert application.statutes_digest in own_applications(session, member.person)[0].rows[0]


def test_a_category_may_hold_shares_of_a_class_of_its_own(
    session, cooperative, apply_for, submit, pay
):
    row = cooperative.rule_sets[0]
    rules = rules_from_json(row.rules)
    dear = ShareClass("supporter", {"en": "Supporter’s share"}, 10000, ("B",))
    row.rules = rules_to_json(replace(rules, share_classes=(*rules.share_classes, dear)))
    session.commit()
    with pytest.raises(InvalidInput):
        submit(category="A", share_class="supporter")
    application = apply_for(category="B", share_class="supporter", shares=2)
    assert application.amount_cents == 20000
    accept(session, application)
    pay(application.request, 20000)
    holding = holding_of(session, members(session)[0].id)
    assert holding.per_class() == {"supporter": 2}
    assert holding.paid == 2
