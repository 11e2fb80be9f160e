"""Death, lost conditions and exclusion; what happens when two endings meet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, Forbidden, InvalidInput, NotFound, RuleViolation
from govern.leaving.models import Departure, Refund
from govern.leaving.services import effect, excluding, papers, personal, recording
from govern.leaving.services.telling import own_address
from govern.register.models import EndReason, Membership, ShareEntry
from govern.register.services import ledger, members, merging, transfers
from govern.register.services.holdings import holding_of
from tests.conftest import SettableClock
from tests.leaving.conftest import IBAN, PDF, mails

Make = Callable[..., Any]
REASONS = "Three invoices of 2017 were forged.\n\nThe board heard two witnesses."


def at(clock: SettableClock, month: int, day: int) -> None:
    clock.set(datetime(2018, month, day, 10, 0, tzinfo=UTC))


# -- death and lost conditions ------------------------------------------------------------------


def test_a_death_ends_the_membership_on_the_day_and_the_value_is_owed_to_the_estate(
    session: Session, make_owner: Make
) -> None:
    membership, _account = make_owner()
    departure = recording.record_death(
        session, SYSTEM, membership, died_on=date(2018, 3, 2), note="told by her son"
    )
    assert (membership.ended_on, membership.end_reason) == (date(2018, 3, 2), "death")
    assert departure.state == "effective"
    assert holding_of(session, membership.id).issued == 2
    assert mails(session) == []
    refund = recording.settle_estate(session, SYSTEM, departure)[0]
    assert holding_of(session, membership.id, date(2018, 3, 2)).issued == 0
    assert holding_of(session, membership.id, date(2018, 3, 1)).issued == 2
    assert (refund.amount_cents, refund.due_on, refund.iban) == (6000, date(2021, 3, 2), "")
    with pytest.raises(Conflict, match="No share"):
        recording.settle_estate(session, SYSTEM, departure)


def test_shares_of_the_deceased_pass_to_an_heir_by_succession(
    session: Session, make_owner: Make, make_member: Callable[..., Membership]
) -> None:
    membership, _account = make_owner(shares=3)
    heir = make_member(number="88", given_name="Bo")
    departure = recording.record_death(session, SYSTEM, membership, died_on=date(2018, 3, 2))
    recording.pass_on_shares(
        session,
        SYSTEM,
        departure,
        receiver_number="88",
        shares=2,
        effective_on=date(2018, 3, 2),
    )
    assert holding_of(session, heir.id).issued == 3
    # The heir has a certificate, and nothing goes to the dead, whoever records it.
    assert {mail.to_name for mail in mails(session, category="certificate")} == {"Bo Peeters"}
    transfers.complete_transfer(
        session, SYSTEM, membership, make_member("77"), 1, date(2018, 4, 1), cause="succession"
    )
    assert not mails(session, to_address="an@example.org")
    entry = session.scalars(select(ShareEntry).order_by(ShareEntry.id.desc()).limit(1)).one()
    ledger.reverse_act(session, SYSTEM, entry, "another heir")
    with pytest.raises(InvalidInput, match="Nobody has the member number"):
        recording.pass_on_shares(
            session,
            SYSTEM,
            departure,
            receiver_number="99",
            shares=1,
            effective_on=date(2018, 4, 1),
        )
    refund = recording.settle_estate(session, SYSTEM, departure, holder="Estate", iban=IBAN)[0]
    assert refund.amount_cents == 3000


def test_a_death_goes_before_a_pending_resignation_and_a_procedure(
    session: Session, clock: SettableClock, make_resigned: Make
) -> None:
    departure = make_resigned()
    procedure = excluding.propose_exclusion(
        session, SYSTEM, departure.membership, proposed_on=date(2018, 4, 10), reasons=REASONS
    )
    recording.record_death(session, SYSTEM, departure.membership, died_on=date(2018, 4, 9))
    assert (departure.state, procedure.state) == ("superseded", "superseded")
    at(clock, 7, 2)
    effect.take_effect_job(session, departure.id)
    assert departure.membership.end_reason == "death"
    assert session.scalar(select(func.count(Refund.id))) == 0


def test_a_death_is_not_recorded_twice_nor_ahead_nor_for_an_organisation(
    session: Session, make_owner: Make, make_member: Callable[..., Membership]
) -> None:
    membership, _account = make_owner()
    with pytest.raises(InvalidInput, match="lies ahead"):
        recording.record_death(session, SYSTEM, membership, died_on=date(2018, 4, 11))
    with pytest.raises(InvalidInput, match="joined only on"):
        recording.record_death(session, SYSTEM, membership, died_on=date(2018, 1, 9))
    recording.record_death(session, SYSTEM, membership, died_on=date(2018, 4, 10))
    with pytest.raises(Conflict, match="ended on 10 April") as refusal:
        recording.record_death(session, SYSTEM, membership, died_on=date(2018, 4, 10))
    assert "account of the estate" in refusal.value.remedy
    firm = make_member(number="90", organisation_name="Firm")
    with pytest.raises(RuleViolation, match="organisation"):
        recording.record_death(session, SYSTEM, firm, died_on=date(2018, 4, 10))


def test_lost_conditions_end_the_membership_and_go_before_a_request(
    session: Session, make_resigned: Make
) -> None:
    asked = make_resigned()
    lost = recording.record_loss_of_status(
        session,
        SYSTEM,
        asked.membership,
        lost_on=date(2018, 4, 1),
        reason="No longer a user of the services.",
        document=excluding.Upload("minutes.pdf", PDF),
    )
    assert (asked.state, lost.state) == ("superseded", "effective")
    assert asked.membership.end_reason == "loss_of_status"
    assert session.scalars(select(Refund)).one().owed_since == date(2018, 4, 1)


def test_shares_left_of_an_ended_membership_are_paid_back(
    session: Session, clock: SettableClock, make_owner: Make
) -> None:
    """As after an import: the register knows that somebody left, and the shares are still there."""
    membership, _account = make_owner()
    day = date(2018, 3, 1)
    with pytest.raises(RuleViolation, match="had not ended"):
        recording.owe_former_member(session, SYSTEM, membership, owed_since=day)
    members.end_membership(session, SYSTEM, membership, day, EndReason.UNSTATED)
    with pytest.raises(RuleViolation, match="had not ended") as error:
        recording.owe_former_member(session, SYSTEM, membership, owed_since=date(2018, 2, 28))
    assert error.value.field == "owed_since"
    departure = recording.owe_former_member(session, SYSTEM, membership, owed_since=day, iban="")
    refund = session.scalars(select(Refund)).one()
    assert (departure.state, departure.kind) == ("effective", "former")
    assert (refund.amount_cents, refund.due_on) == (6000, date(2021, 3, 1))
    assert membership.end_reason == "unstated"
    with pytest.raises(Conflict, match="No share"):
        recording.owe_former_member(session, SYSTEM, membership, owed_since=day)


# -- exclusion ----------------------------------------------------------------------------------


def propose(session: Session, membership: Membership) -> Departure:
    return excluding.propose_exclusion(
        session,
        SYSTEM,
        membership,
        proposed_on=date(2018, 4, 10),
        reasons=REASONS,
        document=excluding.Upload("minutes of the board.pdf", PDF),
    )


def test_an_exclusion_from_the_proposal_to_the_notice(
    session: Session, clock: SettableClock, make_owner: Make
) -> None:
    membership, account = make_owner()
    actor = actor_for(session, account)
    departure = propose(session, membership)
    assert mails(session) == []
    at(clock, 4, 12)
    excluding.send_proposal(session, SYSTEM, departure)
    sent = mails(session)[0]
    assert "12 May 2018" in sent.subject
    assert own_address(departure) in sent.text_body
    assert [item.filename for item in sent.attachments] == ["exclusion-proposal.pdf"]

    at(clock, 5, 2)
    excluding.add_observations(session, actor, departure, text="The invoices were my partner's.")
    excluding.ask_for_hearing(session, actor, departure)
    at(clock, 5, 14)
    with pytest.raises(RuleViolation, match="asked to be heard"):
        excluding.decide_exclusion(
            session, SYSTEM, departure, decided_on=date(2018, 5, 14), reasons=REASONS
        )
    excluding.record_hearing(
        session, SYSTEM, departure, held_on=date(2018, 5, 14), text="The member came."
    )
    at(clock, 5, 20)
    excluding.decide_exclusion(
        session, SYSTEM, departure, decided_on=date(2018, 5, 19), reasons=REASONS
    )
    assert (membership.ended_on, membership.end_reason) == (date(2018, 5, 19), "exclusion")
    assert departure.state == "effective"
    assert departure.amount_cents == 6000
    # Nothing tells the member before the decision does, with its reasons.
    assert len(mails(session)) == 1
    excluding.send_decision(session, SYSTEM, departure)
    assert [step.step for step in departure.steps] == [
        "proposal",
        "proposal_sent",
        "observations",
        "hearing_asked",
        "hearing",
        "decision",
        "decision_sent",
    ]
    assert not any(step.is_late for step in departure.steps)
    told = mails(session)[-1]
    assert told.subject == "Decision to exclude you from SmartCoop"
    assert "€60.00 is owed to you, to be paid by 19 May 2021." in told.text_body


def test_the_letter_says_the_reasons_and_what_follows(
    session: Session, make_owner: Make, tmp_path: Any
) -> None:
    membership, _account = make_owner(language="fr")
    departure = propose(session, membership)
    paper = papers.paper_of(departure, papers.PROPOSAL_PAPER)
    path = tmp_path / "letter.pdf"
    path.write_bytes(paper.content)
    text = " ".join(page.extract_text() for page in PdfReader(path).pages)
    assert "forged" in text
    assert "An Peeters" in text


def test_no_step_can_be_skipped(session: Session, clock: SettableClock, make_owner: Make) -> None:
    membership, account = make_owner()
    departure = propose(session, membership)
    at(clock, 6, 1)
    day = date(2018, 6, 1)
    with pytest.raises(RuleViolation, match="rests on a step"):
        excluding.decide_exclusion(session, SYSTEM, departure, decided_on=day, reasons=REASONS)
    excluding.send_proposal(session, SYSTEM, departure, posted_on=day)
    with pytest.raises(RuleViolation, match="until the end of 1 July 2018"):
        excluding.decide_exclusion(session, SYSTEM, departure, decided_on=day, reasons=REASONS)
    at(clock, 7, 1)
    with pytest.raises(RuleViolation, match="until the end of 1 July 2018"):
        excluding.decide_exclusion(
            session, SYSTEM, departure, decided_on=date(2018, 7, 1), reasons=REASONS
        )
    with pytest.raises(Conflict, match="no decision"):
        excluding.send_decision(session, SYSTEM, departure)
    with pytest.raises(RuleViolation, match="recorded already"):
        excluding.send_proposal(session, SYSTEM, departure, posted_on=day)
    assert membership.ended_on is None
    with pytest.raises(Conflict, match="under way"):
        propose(session, membership)
    # The month is the member's to its last moment; what comes later is marked.
    excluding.add_observations(session, actor_for(session, account), departure, text="In time.")
    at(clock, 7, 2)
    late = excluding.add_observations(
        session, SYSTEM, departure, text="On paper.", received_on=date(2018, 7, 2)
    )
    assert [step.is_late for step in departure.steps[-2:]] == [False, True]
    assert late.is_late


def test_a_late_notice_needs_a_reason_and_is_marked(
    session: Session, clock: SettableClock, make_owner: Make
) -> None:
    membership, _account = make_owner(email="")
    departure = propose(session, membership)
    with pytest.raises(InvalidInput, match="no e-mail address") as error:
        excluding.send_proposal(session, SYSTEM, departure)
    assert error.value.field == "posted_on"
    excluding.send_proposal(session, SYSTEM, departure, posted_on=date(2018, 4, 10))
    assert mails(session)[0].channel == "letter"
    at(clock, 6, 20)
    excluding.decide_exclusion(
        session, SYSTEM, departure, decided_on=date(2018, 5, 11), reasons=REASONS
    )
    with pytest.raises(InvalidInput, match="by 26 May 2018") as late:
        excluding.send_decision(session, SYSTEM, departure, posted_on=date(2018, 6, 20))
    assert late.value.field == "late_reason"
    step = excluding.send_decision(
        session,
        SYSTEM,
        departure,
        posted_on=date(2018, 6, 20),
        late_reason="The letter came back and was sent again.",
    )
    assert step.is_late
    assert step.late_reason.startswith("The letter came back")


def test_a_procedure_is_given_up_with_a_reason_and_the_member_stays(
    session: Session, make_owner: Make
) -> None:
    membership, _account = make_owner()
    departure = propose(session, membership)
    excluding.send_proposal(session, SYSTEM, departure)
    with pytest.raises(InvalidInput, match="5 to"):
        excluding.discontinue_exclusion(session, SYSTEM, departure, reason=" ")
    excluding.discontinue_exclusion(session, SYSTEM, departure, reason="The invoices were right.")
    assert departure.state == "discontinued"
    assert membership.ended_on is None
    assert mails(session)[-1].subject == "You are not excluded from SmartCoop"
    with pytest.raises(RuleViolation, match="closed"):
        excluding.record_hearing(
            session, SYSTEM, departure, held_on=date(2018, 4, 10), text="too late"
        )
    assert propose(session, membership).state == "procedure"


def test_only_the_registrar_excludes_and_only_the_member_answers(
    session: Session, cooperative: Cooperative, make_owner: Make, make_account: Make
) -> None:
    membership, account = make_owner()
    member = actor_for(session, account)
    with pytest.raises(Forbidden):
        excluding.propose_exclusion(
            session, member, membership, proposed_on=date(2018, 4, 10), reasons=REASONS
        )
    departure = propose(session, membership)
    excluding.send_proposal(session, SYSTEM, departure)
    other = actor_for(session, make_account("Bo", roles=[(cooperative, Role.AUDITOR)]))
    with pytest.raises(Forbidden):
        excluding.add_observations(session, other, departure, text="I know better.")
    with pytest.raises(Forbidden):
        excluding.record_hearing(
            session, member, departure, held_on=date(2018, 4, 10), text="I was there."
        )


def test_an_exclusion_overtakes_a_resignation_and_the_other_way_round(
    session: Session, clock: SettableClock, make_resigned: Make
) -> None:
    asked = make_resigned()
    procedure = propose(session, asked.membership)
    excluding.send_proposal(session, SYSTEM, procedure)
    at(clock, 5, 11)
    excluding.decide_exclusion(
        session, SYSTEM, procedure, decided_on=date(2018, 5, 11), reasons=REASONS
    )
    assert (asked.state, procedure.state) == ("superseded", "effective")
    at(clock, 7, 2)
    effect.take_effect_job(session, asked.id)
    assert asked.membership.end_reason == "exclusion"
    assert session.scalar(select(func.count(Refund.id))) == 1


def test_a_resignation_that_takes_effect_first_leaves_nobody_to_exclude(
    session: Session, clock: SettableClock, make_resigned: Make
) -> None:
    asked = make_resigned()
    procedure = propose(session, asked.membership)
    at(clock, 6, 15)
    excluding.send_proposal(session, SYSTEM, procedure)
    at(clock, 7, 16)
    # Also while something hinders its effect in the ledger.
    with pytest.raises(RuleViolation, match="took effect on 30 June 2018, before"):
        excluding.decide_exclusion(
            session, SYSTEM, procedure, decided_on=date(2018, 7, 16), reasons=REASONS
        )
    effect.take_effect_job(session, asked.id)
    assert (asked.state, procedure.state) == ("effective", "superseded")
    with pytest.raises(Conflict, match="nobody left to exclude"):
        excluding.decide_exclusion(
            session, SYSTEM, procedure, decided_on=date(2018, 7, 16), reasons=REASONS
        )
    with pytest.raises(Conflict, match="ended on"):
        propose(session, asked.membership)


# -- what is kept about a person ----------------------------------------------------------------


def test_a_person_takes_the_file_out_and_an_erasure_leaves_the_books(
    session: Session, clock: SettableClock, make_resigned: Make
) -> None:
    departure = make_resigned()
    membership = departure.membership
    assert personal.why_not_erased(session, membership) == ["A departure is under way."]
    at(clock, 7, 2)
    effect.take_effect_job(session, departure.id)
    assert "€60.00 is still to be paid back" in personal.why_not_erased(session, membership)[0]
    sections = personal.own_departures(session, membership.person)
    assert [section.key for section in sections] == ["departures", "refunds"]
    refund = session.scalars(select(Refund)).one()
    assert personal.erase_departures(session, membership, "end") >= 2
    assert (departure.iban, refund.iban, refund.amount_cents) == ("", "", 6000)


def test_a_paper_that_was_never_made_is_not_found(session: Session, make_owner: Make) -> None:
    membership, _account = make_owner()
    departure = propose(session, membership)
    with pytest.raises((Conflict, NotFound)):
        papers.paper_of(departure, papers.DECISION_PAPER)


def test_the_letter_that_is_sent_is_ours_whatever_a_member_calls_a_paper(
    session: Session, clock: SettableClock, make_owner: Make
) -> None:
    membership, account = make_owner()
    departure = propose(session, membership)
    at(clock, 4, 12)
    excluding.send_proposal(session, SYSTEM, departure)
    at(clock, 5, 2)
    own = excluding.Upload(papers.DECISION_PAPER, PDF)
    excluding.add_observations(
        session, actor_for(session, account), departure, text="See the paper.", document=own
    )
    at(clock, 5, 14)
    excluding.decide_exclusion(
        session, SYSTEM, departure, decided_on=date(2018, 5, 14), reasons=REASONS
    )
    step = excluding.send_decision(session, SYSTEM, departure)
    assert step.document is not None
    assert step.document.title == "Decision to exclude a member"
    assert mails(session)[-1].attachments[0].digest == step.document.digest


def test_an_ending_that_was_taken_back_stays_so_when_the_membership_ends_later(
    session: Session, clock: SettableClock, make_owner: Make
) -> None:
    membership, _account = make_owner()
    wrong = recording.record_death(session, SYSTEM, membership, died_on=date(2018, 4, 9))
    members.take_back_ending(session, SYSTEM, membership, "Another person has died.")
    at(clock, 5, 20)
    right = recording.record_death(session, SYSTEM, membership, died_on=date(2018, 5, 19))
    with pytest.raises(Conflict, match="was taken back"):
        recording.settle_estate(session, SYSTEM, wrong)
    [refund] = recording.settle_estate(session, SYSTEM, right)
    assert refund.owed_since == date(2018, 5, 19)


def test_a_signed_request_is_not_lost_in_a_merge(
    session: Session, make_resigned: Make, make_member: Make
) -> None:
    departure = make_resigned()
    other = make_member()
    other.person_id = departure.membership.person_id
    session.flush()
    with pytest.raises(RuleViolation, match="departure is under way"):
        merging.merge_memberships(session, SYSTEM, other, departure.membership, "the same person")
    session.rollback()
    assert departure.state == "pending"
