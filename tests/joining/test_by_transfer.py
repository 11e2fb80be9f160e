"""Shares for somebody who is no member: invited by a link, applied for, accepted, received."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from govern import schema
from govern.access import SYSTEM
from govern.accounts.services import actor_for
from govern.accounts.tags import token_hash
from govern.cooperatives.rules import ShareClass, rules_from_json, rules_to_json
from govern.errors import ForbiddenTransition, InvalidInput, RuleViolation
from govern.joining.models import Application
from govern.joining.rules import ApplicationState
from govern.joining.services import by_transfer, deciding
from govern.joining.services.deciding import Verdict
from govern.mail.queueing import read_content
from govern.payments.models import PaymentRequest
from govern.register.models import (
    EndReason,
    MemberKind,
    ShareCertificate,
    ShareEntry,
)
from govern.register.services import transfers
from govern.register.services.accounts import open_person_account
from govern.register.services.holdings import holding_of, numbers_of
from govern.register.services.members import Contact, NewMember, add_member
from govern.register.services.transfers import Proposal
from govern.register.services.verifying import verify_ledger
from tests.joining.by_transfer import accept, invitation_mail, link_of, shares, told
from tests.joining.conftest import TODAY, mails_of, text_of


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
