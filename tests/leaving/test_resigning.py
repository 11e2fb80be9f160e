"""Resignation: asked for, signed, kept, withdrawn, in effect on its day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, Forbidden, GovernError, InvalidInput, NotFound, RuleViolation
from govern.jobs import tick
from govern.leaving.models import Departure, Refund
from govern.leaving.services import effect, founders, resigning
from govern.mail.queueing import read_content
from govern.register.models import EndReason, Membership, ShareEntry
from govern.register.services import (
    freeze_roll,
    ledger,
    members,
    roll_canonical_lines,
    take_roll,
    verify_roll,
)
from govern.register.services.holdings import holding_of
from tests.conftest import SettableClock
from tests.leaving.conftest import IBAN, PDF, mails

Make = Callable[..., Any]
SUMMER = datetime(2018, 7, 2, 8, 0, tzinfo=UTC)


def test_a_signed_request_takes_effect_on_its_day_and_the_value_is_owed(
    both_databases: str,
    session: Session,
    clock: SettableClock,
    run_jobs: Callable[[], int],
    make_resigned: Make,
    cooperative: Cooperative,
) -> None:
    departure = make_resigned()
    assert (departure.state, departure.effective_on) == ("pending", date(2018, 6, 30))
    membership = departure.membership
    assert membership.ended_on is None
    roll = take_roll(session, SYSTEM, cooperative, date(2018, 4, 9), "AG")
    freeze_roll(session, SYSTEM, roll)
    before = b"".join(roll_canonical_lines(session, roll))
    tick()
    assert run_jobs() >= 0
    session.refresh(departure)
    assert departure.state == "pending"

    clock.set(SUMMER)
    for _again in range(2):
        tick()
        run_jobs()
    session.expire_all()
    assert departure.state == "effective"
    assert (membership.ended_on, membership.end_reason) == (date(2018, 6, 30), "resignation")
    assert holding_of(session, membership.id).issued == 0
    assert holding_of(session, membership.id, date(2018, 6, 29)).issued == 2
    refund = session.scalars(select(Refund)).one()
    assert (refund.amount_cents, refund.due_on) == (6000, date(2021, 6, 30))
    assert refund.iban == IBAN.replace(" ", "")
    assert refund.state == "scheduled"
    # A frozen roll is as it was.
    verify_roll(session, roll)
    assert b"".join(roll_canonical_lines(session, roll)) == before
    subjects = [mail.subject for mail in mails(session, category="leaving")]
    assert subjects == [
        "We have received your request to leave SmartCoop",
        "Your membership of SmartCoop has ended",
    ]


def test_the_effect_happens_once_however_often_the_job_runs(
    session: Session, clock: SettableClock, make_resigned: Make
) -> None:
    departure = make_resigned()
    clock.set(SUMMER)
    for _again in range(3):
        effect.take_effect_job(session, departure.id)
        session.commit()
    assert session.scalar(select(func.count(Refund.id))) == 1
    refunds = select(func.count(ShareEntry.id)).where(ShareEntry.kind == "refund")
    assert session.scalar(refunds) == 1


def test_a_run_that_dies_in_the_middle_has_done_nothing(
    session: Session, clock: SettableClock, make_resigned: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    departure = make_resigned()
    session.commit()
    clock.set(SUMMER)

    def die(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(effect, "tell_effect", die)
        with pytest.raises(KeyboardInterrupt):
            effect.take_effect_job(session, departure.id)
    session.rollback()
    assert departure.state == "pending"
    assert departure.membership.ended_on is None
    assert holding_of(session, departure.membership_id).issued == 2
    effect.take_effect_job(session, departure.id)
    assert departure.state == "effective"


def test_a_sign_in_alone_is_no_signature(session: Session, make_owner: Make) -> None:
    membership, account = make_owner()
    actor = actor_for(session, account)
    departure = resigning.request_resignation(
        session, actor, membership, holder="An Peeters", iban=IBAN
    )
    assert departure.state == "unconfirmed"
    assert mails(session) == []
    resigning.send_signing_link(session, actor, departure)
    mail = mails(session)[0]
    assert mail.is_secret
    content = read_content(mail)
    assert content is not None
    token = re.findall(r"/sign/([\w-]+)", content.text)[0]
    with pytest.raises(NotFound, match="too old"):
        resigning.sign_with_link(session, actor, departure, "x" * 43)
    resigning.sign_with_link(session, actor, departure, token)
    assert (departure.state, departure.signature) == ("pending", "mail")
    with pytest.raises(NotFound):
        resigning.sign_with_link(session, actor, departure, token)


def test_the_link_ends_after_a_day_and_an_unsigned_request_after_a_week(
    session: Session, clock: SettableClock, make_owner: Make
) -> None:
    membership, account = make_owner()
    actor = actor_for(session, account)
    departure = resigning.request_resignation(
        session, actor, membership, holder="An Peeters", iban=IBAN
    )
    resigning.send_signing_link(session, actor, departure)
    content = read_content(mails(session)[0])
    assert content is not None
    token = re.findall(r"/sign/([\w-]+)", content.text)[0]
    clock.advance(hours=24)
    with pytest.raises(NotFound):
        resigning.sign_with_link(session, actor, departure, token)
    clock.advance(days=6)
    resigning.lapse_unsigned(session, clock())
    assert departure.state == "lapsed"


def test_the_request_counts_from_the_day_of_the_signature(
    session: Session, clock: SettableClock, make_owner: Make
) -> None:
    membership, account = make_owner()
    actor = actor_for(session, account)
    clock.set(datetime(2018, 6, 30, 12, 0, tzinfo=UTC))
    departure = resigning.request_resignation(
        session, actor, membership, holder="An Peeters", iban=IBAN
    )
    clock.set(datetime(2018, 7, 1, 12, 0, tzinfo=UTC))
    with pytest.raises(RuleViolation, match="first 6 months") as error:
        resigning.sign_with_password(session, actor, departure)
    assert "1 January 2019 to 30 June 2019" in error.value.remedy


def test_outside_the_period_it_is_refused_or_kept_as_the_rule_set_says(
    session: Session, clock: SettableClock, make_owner: Make, set_rules: Make
) -> None:
    membership, account = make_owner()
    actor = actor_for(session, account)
    clock.set(datetime(2018, 9, 3, 8, 0, tzinfo=UTC))
    ask = {"holder": "An Peeters", "iban": IBAN}
    with pytest.raises(RuleViolation, match="first 6 months"):
        resigning.request_resignation(session, actor, membership, **ask)
    set_rules(outside_window="keep")
    departure = resigning.request_resignation(session, actor, membership, **ask)
    resigning.sign_with_password(session, actor, departure)
    assert departure.counts_from == date(2019, 1, 1)
    assert departure.effective_on == date(2019, 6, 30)
    assert "kept for the next period" in mails(session)[0].text_body


def test_a_founder_may_not_leave_at_first(session: Session, make_owner: Make) -> None:
    membership, account = make_owner()
    founders.set_founder(session, SYSTEM, membership, True)
    with pytest.raises(RuleViolation, match=r"Founders may not leave before 1 January 2020"):
        resigning.request_resignation(
            session, actor_for(session, account), membership, holder="An", iban=IBAN
        )
    founders.set_founder(session, SYSTEM, membership, False)
    resigning.request_resignation(
        session, actor_for(session, account), membership, holder="An", iban=IBAN
    )


def test_a_part_of_the_shares_only_where_the_rules_allow_it(
    session: Session, clock: SettableClock, make_owner: Make, set_rules: Make
) -> None:
    membership, account = make_owner(shares=3)
    actor = actor_for(session, account)
    ask = {"holder": "An Peeters", "iban": IBAN}
    with pytest.raises(RuleViolation, match="all shares only") as error:
        resigning.request_resignation(session, actor, membership, shares=1, **ask)
    assert error.value.field == "shares"
    set_rules(whole_only=False)
    with pytest.raises(InvalidInput, match="between 1 and 3"):
        resigning.request_resignation(session, actor, membership, shares=4, **ask)
    departure = resigning.request_resignation(session, actor, membership, shares=1, **ask)
    resigning.sign_with_password(session, actor, departure)
    clock.set(SUMMER)
    effect.take_effect_job(session, departure.id)
    assert departure.state == "effective"
    assert membership.ended_on is None
    assert holding_of(session, membership.id).issued == 2
    assert departure.amount_cents == 3000
    assert len(mails(session, category="certificate")) == 1


@pytest.mark.parametrize(
    ("iban", "words"),
    [("BE71 0961 2345 6768", "check digits"), ("71096123456769", "not an IBAN"), ("", "IBAN")],
)
def test_a_wrong_account_is_refused_and_named(
    session: Session, make_owner: Make, iban: str, words: str
) -> None:
    membership, account = make_owner()
    with pytest.raises(InvalidInput, match=words) as error:
        resigning.request_resignation(
            session, actor_for(session, account), membership, holder="An", iban=iban
        )
    assert error.value.field == "iban"
    assert session.scalar(select(func.count(Departure.id))) == 0


def test_nobody_resigns_for_somebody_else(
    session: Session, cooperative: Cooperative, make_owner: Make, make_account: Make
) -> None:
    membership, _account = make_owner()
    registrar = make_account(roles=[(cooperative, Role.REGISTRAR)])
    for other in (SYSTEM, actor_for(session, registrar)):
        with pytest.raises(Forbidden):
            resigning.request_resignation(session, other, membership, holder="An", iban=IBAN)


def test_it_is_withdrawn_before_it_takes_effect_and_not_after(
    session: Session, clock: SettableClock, make_resigned: Make
) -> None:
    departure = make_resigned()
    actor = actor_for(session, departure.membership.person.account)
    clock.set(datetime(2018, 6, 29, 12, 0, tzinfo=UTC))
    resigning.withdraw_resignation(session, actor, departure)
    assert departure.state == "withdrawn"
    again = resigning.request_resignation(
        session, actor, departure.membership, holder="An", iban=IBAN
    )
    resigning.sign_with_password(session, actor, again)
    clock.set(datetime(2018, 6, 30, 12, 0, tzinfo=UTC))
    with pytest.raises(RuleViolation, match="takes effect on 30 June"):
        resigning.withdraw_resignation(session, actor, again)


def test_a_second_request_waits_for_the_first(session: Session, make_resigned: Make) -> None:
    departure = make_resigned()
    actor = actor_for(session, departure.membership.person.account)
    with pytest.raises(Conflict, match="under way"):
        resigning.request_resignation(session, actor, departure.membership, holder="An", iban=IBAN)


def test_a_paper_request_counts_from_its_receipt(
    session: Session, clock: SettableClock, make_owner: Make
) -> None:
    membership, _account = make_owner(email="")
    clock.set(SUMMER)
    departure = resigning.record_paper_request(
        session,
        SYSTEM,
        membership,
        received_on=date(2018, 6, 29),
        scan=resigning.Upload("letter.exe", PDF),
    )
    assert (departure.signature, departure.effective_on) == ("paper", date(2018, 6, 30))
    assert departure.documents[0].filename == "letter.pdf"
    # Nobody can be mailed: the acknowledgement is a letter, and the account is asked for.
    letter = mails(session)[0]
    assert letter.channel == "letter"
    effect.take_effect_job(session, departure.id)
    assert departure.state == "effective"
    with pytest.raises(GovernError):
        resigning.record_paper_request(session, SYSTEM, membership, received_on=date(2018, 7, 1))


def test_a_scan_of_another_kind_is_refused(session: Session, make_owner: Make) -> None:
    membership, _account = make_owner()
    with pytest.raises(InvalidInput, match="another kind") as error:
        resigning.record_paper_request(
            session,
            SYSTEM,
            membership,
            received_on=date(2018, 4, 9),
            scan=resigning.Upload("letter.pdf", b"<html>"),
        )
    assert error.value.field == "scan"


def test_a_transfer_meanwhile_leaves_less_to_give_back(
    session: Session,
    clock: SettableClock,
    make_resigned: Make,
    make_member: Callable[..., Membership],
) -> None:
    departure = make_resigned(shares=None)
    other = make_member(number="77", given_name="Bo")
    ledger.transfer_shares(session, SYSTEM, departure.membership, other, 1, date(2018, 4, 10))
    clock.set(SUMMER)
    effect.take_effect_job(session, departure.id)
    assert (departure.shares_left, departure.amount_cents) == (1, 3000)
    assert departure.membership.end_reason == "resignation"


def test_when_everything_is_transferred_the_request_is_over(
    session: Session,
    clock: SettableClock,
    make_resigned: Make,
    make_member: Callable[..., Membership],
) -> None:
    departure = make_resigned()
    membership, other = departure.membership, make_member(number="77", given_name="Bo")
    ledger.transfer_shares(session, SYSTEM, membership, other, 2, date(2018, 4, 10))
    members.end_membership(session, SYSTEM, membership, date(2018, 4, 10), EndReason.TRANSFER)
    session.commit()
    tick()
    session.expire_all()
    assert departure.state == "superseded"
    clock.set(SUMMER)
    effect.take_effect_job(session, departure.id)
    assert membership.end_reason == "transfer"
    assert session.scalar(select(func.count(Refund.id))) == 0


def test_a_request_with_no_share_left_ends_the_membership_and_owes_nothing(
    session: Session,
    clock: SettableClock,
    make_resigned: Make,
    make_member: Callable[..., Membership],
) -> None:
    departure = make_resigned()
    membership, other = departure.membership, make_member(number="77", given_name="Bo")
    ledger.transfer_shares(session, SYSTEM, membership, other, 2, date(2018, 4, 10))
    clock.set(SUMMER)
    effect.take_effect_job(session, departure.id)
    assert (departure.state, departure.amount_cents) == ("effective", 0)
    assert membership.end_reason == "resignation"
    assert session.scalar(select(func.count(Refund.id))) == 0


def test_what_stands_in_the_way_is_told_to_the_registrar_and_can_be_tried_again(
    session: Session, clock: SettableClock, make_resigned: Make
) -> None:
    departure = make_resigned()
    clock.set(SUMMER)
    ledger.subscribe_shares(session, SYSTEM, departure.membership, 1, date(2018, 7, 1))
    effect.take_effect_job(session, departure.id)
    assert departure.state == "pending"
    assert "recorded after 30 June 2018" in departure.problem
    effect.find_due(session, clock())
    entry = session.scalars(select(ShareEntry).order_by(ShareEntry.id.desc())).first()
    assert entry is not None
    ledger.reverse_act(session, SYSTEM, entry, "recorded too late")
    effect.try_again(session, SYSTEM, departure)
    assert (departure.state, departure.problem) == ("effective", "")
