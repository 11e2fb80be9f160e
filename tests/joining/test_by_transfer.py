"""Shares for somebody who is no member: invited by a link, applied for, accepted, received."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from govern import schema
from govern.access import SYSTEM, Role
from govern.accounts.models import Account
from govern.accounts.services import actor_for
from govern.accounts.tags import token_hash
from govern.cooperatives.rules import ShareClass, rules_from_json, rules_to_json
from govern.errors import Conflict, ForbiddenTransition, GovernError, InvalidInput, RuleViolation
from govern.extensions import db
from govern.joining.jobs import keep_all_deadlines
from govern.joining.models import Application
from govern.joining.rules import ApplicationState, Hold
from govern.joining.services import by_transfer, deciding
from govern.joining.services.applying import ApplicationInput
from govern.joining.services.deciding import Verdict
from govern.joining.services.guards import state_token
from govern.joining.services.likeness import find_likenesses
from govern.joining.services.personal import own_applications
from govern.mail.models import OutboxMail
from govern.mail.queueing import read_content
from govern.payments.models import PaymentRequest
from govern.register.jobs import end_void_transfers, expire_transfers
from govern.register.models import (
    EndReason,
    MemberKind,
    Membership,
    Roll,
    ShareCertificate,
    ShareEntry,
    TransferRequest,
)
from govern.register.services import freeze_roll, ledger, take_roll, transfers
from govern.register.services.accounts import open_person_account
from govern.register.services.holdings import holding_of, numbers_of
from govern.register.services.members import Contact, NewMember, add_member, end_membership
from govern.register.services.transfers import Proposal
from govern.register.services.transfers.personal import erase_transfers
from govern.register.services.verifying import verify_ledger
from tests.joining.conftest import CONTACT, TODAY, mails_of, text_of


@pytest.fixture
def giver(make_member: Any) -> Membership:
    contact = Contact(language="en", email="gil@example.org")
    return make_member("Gil", "Giver", shares=3, paid_cents=9000, contact=contact)


@pytest.fixture
def promise(session: Any, cooperative: Any, statutes: Any, giver: Membership) -> Any:
    """``promise(2)``: shares that Gil wants to give to Dora, who is no member."""

    def make(shares: int = 1, **others: Any) -> TransferRequest:
        actor = others.pop("actor", SYSTEM)
        values = {"receiver_name": "Dora", "receiver_email": "dora@example.org", **others}
        made = transfers.propose_transfer(session, actor, giver, Proposal(shares, "gift", **values))
        session.commit()
        return made

    return make


@pytest.fixture
def apply_by(session: Any, cooperative: Any, statutes: Any) -> Any:
    """``apply_by(request)``: Dora sends the form behind the link."""

    def send(request: TransferRequest, **others: Any) -> Application:
        values: dict[str, Any] = {
            "kind": MemberKind.NATURAL,
            "category": "A",
            "shares": 0,
            "given_name": "Dora",
            "family_name": "Novak",
            "birth_date": date(1985, 2, 3),
            "statutes_digest": statutes.texts[1].digest,
            "consents": True,
            "contact": replace(CONTACT, email=""),
        }
        given = ApplicationInput(**{**values, **others})
        made = by_transfer.apply_by_transfer(session, cooperative, request, given)
        session.commit()
        return made

    return send


def invitation_mail(session: Any, request: TransferRequest) -> OutboxMail:
    key = f"transfer_invitation:{request.public_id}"
    return session.scalars(select(OutboxMail).where(OutboxMail.dedupe_key == key)).one()


def link_of(session: Any, request: TransferRequest) -> str:
    content = read_content(invitation_mail(session, request))
    assert content is not None
    found = re.search(r"(/smartcoop/join/transfer/\S+)", content.text)
    assert found is not None, content.text
    return found.group(1)


def told(session: Any, request: TransferRequest, template: str) -> str:
    """What a party of the transfer was told under that name."""
    key = f"{template}:{request.public_id}"
    mail = session.scalars(select(OutboxMail).where(OutboxMail.dedupe_key == key)).one()
    content = read_content(mail)
    assert content is not None
    return f"{mail.to_address}\n{content.text}"


def accept(session: Any, application: Application) -> None:
    deciding.accept_application(session, SYSTEM, application)
    session.commit()


def shares(session: Any, *memberships: Membership) -> list[int]:
    return [holding_of(session, item.id).issued for item in memberships]


def test_the_invited_applies_is_accepted_and_holds_the_shares(
    session, cooperative, giver, promise, apply_by, run_jobs, both_databases
):
    request = promise(2, numbers="2-3")
    application = apply_by(request)
    assert (application.status, request.state) == ("confirmed", "awaiting_acceptance")
    assert (application.email, application.shares) == ("dora@example.org", 2)
    assert "nothing to pay" in text_of(session, "received")
    assert shares(session, giver) == [3]
    accept(session, application)
    member = application.membership
    assert (member.display_name, member.joined_on) == ("Dora Novak", TODAY)
    assert shares(session, giver, member) == [1, 2]
    assert holding_of(session, member.id).paid_cents == 6000
    assert numbers_of(session, member.id) == {"ordinary": "2-3"}
    assert (request.state, request.receiver_id, request.effective_on) == (
        "completed", member.id, TODAY,
    )  # fmt: skip
    entries = session.scalars(select(ShareEntry).where(ShareEntry.act_id == request.act_id)).all()
    assert {(row.cause, row.effective_on) for row in entries} == {("gift", TODAY)}
    assert session.scalars(select(PaymentRequest)).all() == []
    assert "Gil Giver were transferred to you" in text_of(session, "welcome")
    run_jobs()
    certified = select(ShareCertificate.membership_id).order_by(ShareCertificate.membership_id)
    assert session.scalars(certified).all() == sorted([giver.id, member.id])
    verify_ledger(session, cooperative)


def test_where_nobody_decides_the_form_makes_a_member(
    session, giver, promise, apply_by, set_joining
):
    set_joining(acceptance="automatic")
    application = apply_by(promise())
    assert application.status is ApplicationState.ADMITTED
    assert shares(session, giver, application.membership) == [2, 1]
    assert mails_of(session) == ["joining:welcome"]


def test_the_shares_pass_on_the_day_on_which_the_board_decided(
    session, cooperative, promise, apply_by, set_joining, clock
):
    set_joining(acceptance="board")
    request = promise()
    application = apply_by(request)
    clock.advance(days=9)
    deciding.record_board_decision(
        session, SYSTEM, cooperative, decided_on=date(2018, 6, 5), reference="Board of June",
        verdicts=[Verdict(application, accepted=True)],
    )  # fmt: skip
    session.commit()
    assert application.membership.joined_on == request.effective_on == date(2018, 6, 5)


def test_an_organisation_is_invited_too_and_whoever_gives_everything_leaves(
    session, giver, promise, apply_by
):
    application = apply_by(
        promise(3),
        kind=MemberKind.LEGAL,
        organisation_name="Firm",
        enterprise_number="0403.170.701",
        representative_given_name="Rik",
        representative_family_name="Claes",
    )
    accept(session, application)
    assert shares(session, application.membership) == [3]
    assert (giver.ended_on, giver.end_reason) == (TODAY, EndReason.TRANSFER.value)


def test_the_link_is_kept_as_a_hash_and_only_where_one_can_join(
    session, promise, cooperative, set_joining
):
    request = promise(receiver_language="nl")
    mail = invitation_mail(session, request)
    assert (mail.language, mail.is_secret) == ("nl", True)
    token = link_of(session, request).rpartition("/")[2]
    assert request.invitation_hash == token_hash(token)
    assert transfers.invitation_by_token(session, cooperative, token).id == request.id
    # Fewer than the rules ask for: only a registrar promises so few, and admits by hand.
    set_joining(minimum_shares=2)
    other = promise(receiver_email="eve@example.org")
    content = read_content(invitation_mail(session, other))
    assert other.invitation_hash is None
    assert "get in touch with the cooperative" in content.text


def test_without_statutes_the_invitation_asks_to_get_in_touch(session, cooperative, giver):
    proposal = Proposal(1, "gift", receiver_name="Dora", receiver_email="dora@example.org")
    request = transfers.propose_transfer(session, SYSTEM, giver, proposal)
    assert request.invitation_hash is None
    assert "get in touch" in read_content(invitation_mail(session, request)).text


def test_a_new_member_is_given_as_many_shares_as_joining_takes(
    session, giver, promise, apply_by, set_joining
):
    account = open_person_account(session, giver.person_id)
    session.commit()
    request = promise()
    set_joining(minimum_shares=2)
    with pytest.raises(RuleViolation, match="at least 2 shares") as caught:
        promise(actor=actor_for(session, account))
    assert caught.value.field == "shares"
    with pytest.raises(RuleViolation, match="at least 2 shares"):
        apply_by(request)
    session.rollback()
    assert request.state == "awaiting_admission"


def test_only_categories_that_may_hold_the_class_are_offered(
    session, cooperative, promise, apply_by
):
    request = promise()
    row = cooperative.rule_sets[0]
    rules = rules_from_json(row.rules)
    only_b = ShareClass("ordinary", {"en": "Ordinary"}, 3000, categories=("B",))
    rules = replace(rules, share_classes=(only_b,))
    row.rules = rules_to_json(rules)
    session.commit()
    assert [item.code for item in by_transfer.categories_for(rules, "ordinary")] == ["B"]
    with pytest.raises(InvalidInput) as caught:
        apply_by(request, category="A")
    assert caught.value.field == "category"
    session.rollback()
    assert apply_by(request, category="B").category == "B"


def test_declining_tells_the_giver_and_forgets_the_invited(session, cooperative, giver, promise):
    request = promise()
    token = link_of(session, request).rpartition("/")[2]
    transfers.decline_invitation(session, request)
    session.commit()
    assert "gil@example.org" in told(session, request, "transfer_declined")
    assert (request.state, request.receiver_name, request.receiver_email) == ("declined", "", "")
    mail = invitation_mail(session, request)
    session.refresh(mail)
    assert (mail.to_address, mail.to_name, mail.sealed) == ("erased@invalid", "", None)
    assert transfers.invitation_by_token(session, cooperative, token).state == "declined"
    assert transfers.promised_shares(session, giver) == (0, "")
    with pytest.raises(ForbiddenTransition):
        transfers.decline_invitation(session, request)


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


# -- pages ------------------------------------------------------------------------------------

FORM = {
    "given_name": "Dora",
    "family_name": "Novak",
    "birth_date": "1985-02-03",
    "language": "en",
    "street": "Rue Haute 1",
    "postal_code": "1000",
    "town": "Bruxelles",
    "country": "BE",
    "category": "A",
    "consents": "y",
}


def test_the_way_of_the_invited_in_pages(
    client, session, cooperative, promise, make_account, sign_in, set_joining
):
    set_joining(acceptance="board")
    request = promise(2)
    link = link_of(session, request)
    page = client.get(link).text
    for words in ("Gil Giver", "2 shares", "€60.00", "paid in full", "The board decides"):
        assert words in page
    form = client.get(f"{link}/form").text
    assert "dora@example.org" in form
    assert 'name="shares"' not in form
    assert 'name="email"' not in form
    digest = re.search(r'name="statutes_digest"[^>]*value="(\w+)"', form).group(1)
    wrong = client.post(f"{link}/form", data={**FORM, "town": ""})
    assert wrong.status_code == 422
    # Who sends other shares or another address with it gets those of the promise.
    sent = {**FORM, "statutes_digest": digest, "shares": "9", "email": "x@example.org"}
    own = client.post(f"{link}/form", data=sent, follow_redirects=True)
    assert "You have nothing to pay" in own.text
    made = session.scalars(select(Application)).one()
    assert (made.shares, made.email) == (2, "dora@example.org")
    assert "You have applied" in client.get(link).text
    assert client.post(f"{link}/form", data=sent).location.endswith(link)
    assert client.post(f"{link}/decline").location.endswith(link)
    registrar = make_account("Rita", "rita@example.org", roles=[(cooperative, Role.REGISTRAR)])
    sign_in(client, registrar)
    assert "by transfer, nothing to pay" in client.get("/smartcoop/register/applications").text
    assert "Gil Giver" in client.get("/smartcoop/register/applications.csv").text
    assert "2 shares by transfer from Gil Giver" in client.get(
        "/smartcoop/register/applications/board"
    ).text  # fmt: skip
    assert client.get("/smartcoop/register/applications/board.pdf").data.startswith(b"%PDF")
    at = f"/smartcoop/register/transfers/{request.public_id}"
    assert f"applications/{made.public_id}" in client.get(at).text
    assert "Given by" in client.get(f"/smartcoop/register/applications/{made.public_id}").text
    deciding.record_board_decision(
        session, SYSTEM, cooperative, decided_on=TODAY, reference="June",
        verdicts=[Verdict(made, accepted=True)],
    )  # fmt: skip
    session.commit()
    assert "Welcome!" in client.get(f"/smartcoop/join/application/{state_token(made)}").text
    assert "The shares are yours" in client.get(link).text


def test_the_page_speaks_the_language_of_the_mail_until_another_is_chosen(client, session, promise):
    link = link_of(session, promise(receiver_language="fr"))
    assert '<html lang="fr"' in client.get(link).text
    client.post("/language", data={"language": "en"})
    assert '<html lang="en"' in client.get(link).text


def test_declining_takes_a_button_and_not_only_the_link(client, session, promise):
    request = promise()
    link = link_of(session, request)
    client.get(f"{link}/decline")
    session.expire_all()
    assert request.state == "awaiting_admission"
    page = client.post(f"{link}/decline", follow_redirects=True).text
    assert "You do not take these shares" in page
    assert client.get("/smartcoop/join/transfer/guessed").status_code == 404


def test_a_member_who_was_invited_signs_in_and_confirms_instead(
    client, session, cooperative, giver, promise, make_member, sign_in
):
    contact = Contact(language="en", email="dora@example.org")
    known = make_member("Dora", "Novak", contact=contact)
    account = session.get_one(Account, open_person_account(session, known.person_id).id)
    session.commit()
    request = promise()
    link = link_of(session, request)
    assert client.post(f"{link}/member", data={"member": known.public_id}).status_code in (302, 401)
    sign_in(client, account)
    assert "You are a member already" in client.get(link).text
    # Nobody receives for somebody else, nor gives to themself.
    assert client.post(f"{link}/member", data={"member": giver.public_id}).status_code == 404
    page = client.post(
        f"{link}/member", data={"member": known.public_id}, follow_redirects=True
    ).text
    assert "Confirm the transfer" in page
    session.expire_all()
    assert (request.state, request.receiver_id) == ("proposed", known.id)
    client.post(f"/smartcoop/me/transfers/{request.public_id}", data={"answer": "confirm"})
    assert shares(session, giver, known) == [2, 2]


def test_the_giver_and_the_registrar_read_where_it_stands(
    client, session, cooperative, giver, promise, apply_by, make_account, sign_in
):
    account = session.get_one(Account, open_person_account(session, giver.person_id).id)
    registrar = make_account("Rita", "rita@example.org", roles=[(cooperative, Role.REGISTRAR)])
    request = promise()
    own = f"/smartcoop/me/transfers/{request.public_id}"
    officer = f"/smartcoop/register/transfers/{request.public_id}"

    def pages() -> list[str]:
        texts = []
        for who, address in ((account, own), (registrar, officer)):
            sign_in(client, who)
            texts.append(client.get(address).text)
            client.post("/sign-out")
        return texts

    mine, theirs = pages()
    assert "got a mail with a link" in mine
    assert "got a link to apply by themselves" in theirs
    application = apply_by(request)
    mine, theirs = pages()
    assert "has applied to become a member" in mine
    assert "To be answered before" not in mine
    assert "The receiver has applied" in theirs
    assert "Name the receiver" not in theirs
    deciding.refuse_application(session, SYSTEM, application, "No work in our field.")
    mine, theirs = pages()
    assert "did not admit the receiver" in mine
    assert "No work" not in mine
    assert "Look at the application" in theirs


def test_an_offer_to_somebody_else_is_not_read_in_another_cooperative(
    client, session, promise, make_cooperative
):
    make_cooperative("othercoop", "Other")
    link = link_of(session, promise())
    assert client.get(link.replace("/smartcoop/", "/othercoop/")).status_code == 404


def test_a_registrar_still_admits_by_hand_and_names_the_receiver(
    session, cooperative, giver, promise
):
    request = promise()
    new = add_member(session, SYSTEM, cooperative, NewMember(
        member_number="", joined_on=TODAY, category="A", given_name="Dora", family_name="Novak",
        contact=Contact(language="fr", email="dora@example.org"), accept_duplicate=True,
    ))  # fmt: skip
    transfers.name_receiver(session, SYSTEM, request, new)
    transfers.confirm_transfer(session, SYSTEM, request)
    assert shares(session, giver, new) == [2, 1]
    assert invitation_mail(session, request).to_address == "erased@invalid"


def test_what_the_older_schema_cannot_say_ends_there_and_the_rest_survives(
    session, giver, promise, apply_by, both_databases
):
    accept(session, apply_by(promise()))
    refused = apply_by(promise(receiver_email="b@example.org"), given_name="Bea")
    deciding.refuse_application(session, SYSTEM, refused, "No work in our field.")
    apply_by(promise(receiver_email="c@example.org"), given_name="Cleo")
    lapsed = apply_by(promise(receiver_email="d@example.org"), given_name="Dag")
    transfers.withdraw_transfer(session, SYSTEM, lapsed.transfer)
    promise(receiver_email="e@example.org")
    session.commit()
    engine = session.get_bind()

    def states() -> list[list[tuple[Any, ...]]]:
        with engine.connect() as connection:
            return [
                [tuple(row) for row in connection.execute(sa.text(query))]
                for query in (
                    "SELECT state, receiver_email FROM transfer_request ORDER BY id",
                    "SELECT state FROM application ORDER BY id",
                )
            ]

    before = states()
    session.remove()
    schema.downgrade(engine, "0014_hearings")
    kept = [
        [("completed", ""), ("declined", ""), ("withdrawn", ""), ("withdrawn", ""),
         ("awaiting_admission", "e@example.org")],
        [("admitted",), ("refused",), ("withdrawn",), ("withdrawn",)],
    ]  # fmt: skip
    assert before[0][2] == ("awaiting_acceptance", "c@example.org")
    assert states() == kept
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(sa.text("UPDATE application SET state = 'lapsed'"))
    schema.upgrade(engine)
    assert states() == kept
    assert session.scalars(select(Application.transfer_public_id)).all() == [None] * 4
