"""What becomes of promised shares while an application waits, whoever changes their mind."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from govern.access import SYSTEM
from govern.errors import Conflict, ForbiddenTransition, GovernError, RuleViolation
from govern.extensions import db
from govern.joining.jobs import keep_all_deadlines
from govern.joining.models import Application
from govern.joining.rules import ApplicationState, Hold
from govern.joining.services import by_transfer, deciding
from govern.joining.services.applying import ApplicationInput
from govern.joining.services.likeness import find_likenesses
from govern.joining.services.personal import own_applications
from govern.register.jobs import end_void_transfers, expire_transfers
from govern.register.models import (
    EndReason,
    MemberKind,
    Membership,
    Roll,
    TransferRequest,
)
from govern.register.services import freeze_roll, ledger, take_roll, transfers
from govern.register.services.members import end_membership
from govern.register.services.transfers import Proposal
from govern.register.services.transfers.personal import erase_transfers
from tests.joining.by_transfer import accept, invitation_mail, shares, told
from tests.joining.conftest import CONTACT, TODAY, text_of


def test_an_application_in_time_stops_the_clock(session, giver, promise, apply_by, clock):
    request = promise(3)
    clock.advance(days=29)
    application = apply_by(request)
    clock.advance(days=60)
    for tick in (expire_transfers, end_void_transfers, keep_all_deadlines):
        tick(session, clock.now)
    session.commit()
    assert (request.state, application.state) == ("awaiting_acceptance", "confirmed")
    assert transfers.promised_shares(session, giver)[0] == 3
    accept(session, application)
    assert shares(session, application.membership) == [3]


def test_a_form_that_comes_too_late_is_refused(session, promise, apply_by, clock):
    request = promise()
    clock.advance(days=30)
    with pytest.raises(Conflict, match="time to answer has passed"):
        apply_by(request)
    session.rollback()
    expire_transfers(session, clock.now)
    assert (request.state, request.receiver_email) == ("expired", "")
    assert invitation_mail(session, request).to_address == "erased@invalid"


def test_the_giver_may_withdraw_until_the_acceptance_and_the_applicant_is_told(
    session, giver, promise, apply_by
):
    request = promise()
    application = apply_by(request)
    transfers.withdraw_transfer(session, SYSTEM, request)
    session.commit()
    assert application.status is ApplicationState.LAPSED
    assert "can no longer be transferred" in text_of(session, "closed")
    assert transfers.promised_shares(session, giver) == (0, "")
    with pytest.raises(Conflict):
        accept(session, application)


def test_a_refusal_frees_the_shares_and_tells_the_giver_without_the_reason(
    session, giver, promise, apply_by
):
    request = promise()
    application = apply_by(request)
    deciding.refuse_application(session, SYSTEM, application, "No work in our field.")
    session.commit()
    assert request.state == "refused"
    letter = told(session, request, "transfer_refused")
    assert "gil@example.org" in letter
    assert "No work" not in letter
    assert "No work in our field." in text_of(session, "closed")
    assert "payment" not in text_of(session, "closed")
    assert promise(3).state == "awaiting_admission"


def test_an_applicant_who_withdraws_declines_the_shares(session, promise, apply_by):
    request = promise()
    application = apply_by(request)
    deciding.withdraw_application(session, application)
    session.commit()
    assert (application.state, request.state) == ("withdrawn", "declined")
    assert "It stays yours" in told(session, request, "transfer_declined")


def test_a_giver_who_is_gone_cannot_keep_the_promise(session, giver, promise, apply_by, clock):
    request = promise()
    application = apply_by(request)
    end_membership(session, SYSTEM, giver, TODAY, EndReason.DEATH)
    accept(session, application)
    # Before the clock's tick it waits for the registrar, who reads why.
    assert (application.status, application.hold) == (ApplicationState.ACCEPTED, Hold.REFUSED.value)
    assert "ended on 1 June 2018" in application.hold_note
    end_void_transfers(session, clock.now)
    session.commit()
    assert (request.state, application.status) == ("withdrawn", ApplicationState.LAPSED)
    assert application.hold == Hold.NOTHING.value
    # Nobody is told why.
    assert "death" not in text_of(session, "closed").lower()


def test_a_member_who_was_to_receive_from_somebody_who_left_is_told(
    session, giver, statutes, make_member, clock
):
    receiver = make_member("Bo", "Peeters", email="bo@example.org")
    proposal = Proposal(1, "gift", receiver_number=receiver.member_number)
    request = transfers.propose_transfer(session, SYSTEM, giver, proposal)
    inherited = transfers.propose_transfer(
        session, SYSTEM, giver, replace(proposal, cause="merger")
    )
    end_membership(session, SYSTEM, giver, TODAY, EndReason.EXCLUSION)
    end_void_transfers(session, clock.now)
    assert (request.state, inherited.state) == ("withdrawn", "proposed")
    assert "bo@example.org" in told(session, request, "transfer_void")


def test_shares_that_are_gone_leave_the_application_to_the_registrar(
    session, cooperative, giver, promise, apply_by
):
    request = promise(3)
    application = apply_by(request)
    [entry] = ledger.refund_shares(session, SYSTEM, giver, 1, TODAY)
    accept(session, application)
    assert application.hold == Hold.REFUSED.value
    assert "held 2 shares" in application.hold_note
    assert (request.state, request.receiver_id) == ("awaiting_acceptance", None)
    assert session.scalars(select(Membership.id)).all() == [giver.id]
    ledger.reverse_act(session, SYSTEM, entry, "written twice")
    assert deciding.try_again(session, SYSTEM, application)
    assert shares(session, giver, application.membership) == [0, 3]


def test_an_offer_that_cannot_be_kept_is_not_applied_for(session, giver, promise, apply_by):
    request = promise(3)
    ledger.refund_shares(session, SYSTEM, giver, 1, TODAY)
    with pytest.raises(RuleViolation, match="can no longer be transferred"):
        apply_by(request)


def test_somebody_alike_waits_for_the_registrar_and_keeps_one_membership(
    session, promise, apply_by, make_member, set_joining
):
    set_joining(acceptance="automatic")
    known = make_member("Dora", "Novak", birth_date=date(1985, 2, 3), email="old@example.org")
    application = apply_by(promise(2))
    # The applicant learns nothing of it.
    assert application.hold == Hold.LIKENESS.value
    assert "member" not in text_of(session, "received").partition("https://")[0]
    [alike] = find_likenesses(session, application)
    deciding.choose_identity(session, SYSTEM, application, alike.key)
    session.commit()
    assert application.membership_id == known.id
    assert shares(session, known) == [3]


def test_whoever_invites_themself_gets_nowhere(session, giver, promise, apply_by):
    giver.person.birth_date = date(1970, 1, 1)
    session.commit()
    application = apply_by(
        promise(), given_name="Gil", family_name="Giver", birth_date=date(1970, 1, 1)
    )
    [alike] = find_likenesses(session, application)
    deciding.choose_identity(session, SYSTEM, application, alike.key)
    accept(session, application)
    assert application.hold == Hold.REFUSED.value
    assert shares(session, giver) == [3]


def test_whoever_has_applied_already_is_sent_to_that_application(
    session, promise, apply_by, apply_for
):
    apply_for(given_name="Dora", family_name="Novak", email="dora@example.org")
    request = promise()
    with pytest.raises(Conflict, match="applied already"):
        apply_by(request)
    session.rollback()
    assert request.state == "awaiting_admission"


def test_what_one_applies_for_is_not_offered_again_to_whoever_joins_with_the_address(
    session, cooperative, promise, apply_by
):
    request, other = promise(), promise()
    accept(session, apply_by(request))
    [member] = session.scalars(select(Membership).order_by(Membership.id.desc()).limit(1))
    transfers.welcome_receiver(session, member)
    assert (request.state, other.state, other.receiver_id) == ("completed", "proposed", member.id)


def test_a_frozen_roll_stays_as_it_is(session, cooperative, giver, promise, apply_by, clock):
    application = apply_by(promise())
    clock.advance(days=3)
    roll = take_roll(session, SYSTEM, cooperative, date(2018, 6, 2), "AG")
    freeze_roll(session, SYSTEM, roll)
    digest = roll.digest
    accept(session, application)
    session.expire_all()
    roll = session.get_one(Roll, roll.id)
    assert (roll.heads, roll.shares_issued, roll.digest) == (1, 3, digest)


def test_a_process_that_dies_in_the_middle_has_changed_nothing(
    session, giver, promise, apply_by, monkeypatch
):
    request = promise()
    application = apply_by(request)

    def die(*_args: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("govern.joining.services.letters.welcome", die)
        with pytest.raises(KeyboardInterrupt):
            accept(session, application)
    session.rollback()
    assert (request.state, application.status) == ("awaiting_acceptance", "confirmed")
    assert shares(session, giver) == [3]
    accept(session, application)
    assert shares(session, giver) == [2]


@pytest.mark.parametrize("second", ["withdraw", "apply"])
def test_two_at_once_take_turns(
    app, session, cooperative, giver, promise, apply_by, statutes, second, both_databases
):
    """The board accepts while the giver withdraws; the form is sent twice."""
    request = promise()
    application = apply_by(request) if second == "withdraw" else None
    number, digest = request.id, statutes.texts[1].digest
    answers: list[str] = []
    barrier = threading.Barrier(2)
    given = ApplicationInput(
        kind=MemberKind.NATURAL, contact=CONTACT, category="A", shares=0, statutes_digest=digest,
        consents=True, given_name="Dora", family_name="Novak", birth_date=date(1985, 2, 3),
    )  # fmt: skip
    wanted = application.id if application else 0
    code = cooperative.id

    def decide() -> None:
        row = db.session.get_one(Application, wanted)
        db.session.rollback()
        barrier.wait()
        deciding.accept_application(db.session(), SYSTEM, row)

    def withdraw() -> None:
        row = db.session.get_one(TransferRequest, number)
        db.session.rollback()
        barrier.wait()
        transfers.withdraw_transfer(db.session(), SYSTEM, row)

    def send() -> None:
        row = db.session.get_one(TransferRequest, number)
        coop = db.session.get_one(type(cooperative), code)
        db.session.rollback()
        barrier.wait()
        by_transfer.apply_by_transfer(db.session(), coop, row, given)

    def run(step: Any) -> None:
        with app.app_context():
            try:
                step()
                db.session.commit()
                answers.append("done")
            except (GovernError, ForbiddenTransition):
                db.session.rollback()
                answers.append("too late")
            db.session.remove()

    session.rollback()
    steps = [decide, withdraw] if second == "withdraw" else [send, send]
    threads = [threading.Thread(target=run, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["done", "too late"]
    session.expire_all()
    [made] = session.scalars(select(Application)).all()
    ends = {
        ("completed", "admitted"),
        ("withdrawn", "lapsed"),
        ("awaiting_acceptance", "confirmed"),
    }
    assert (request.state, made.state) in ends
    held = 2 if request.state == "completed" else 3
    assert shares(session, giver) == [held]


def test_an_erasure_of_the_giver_ends_the_application_and_leaves_a_member_one(
    session, giver, promise, apply_by
):
    kept = apply_by(promise())
    accept(session, kept)
    waiting = apply_by(promise(receiver_email="eve@example.org"), given_name="Eve")
    assert erase_transfers(session, giver, "now") == 1
    assert waiting.status is ApplicationState.LAPSED
    erase_transfers(session, giver, "end")
    session.commit()
    session.expire_all()
    assert kept.transfer is None
    assert (kept.is_by_transfer, kept.amount_cents) == (True, 0)
    [section] = own_applications(session, kept.membership.person)
    assert "by transfer" in section.rows[0]
