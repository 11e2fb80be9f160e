"""An exclusion cannot be written down in a minute, and is the member's to read once it was sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.errors import InvalidInput, RuleViolation
from govern.leaving.services import excluding, papers, personal
from govern.register.models import ContactChannel
from govern.register.services.quality.addresses import clear_address, flag_address
from tests.conftest import SettableClock
from tests.leaving.conftest import PDF, mails

Make = Callable[..., Any]
REASONS = "Three invoices of 2017 were forged."


def test_a_proposal_was_not_posted_before_it_was_recorded(
    session: Session, make_owner: Make
) -> None:
    membership, _account = make_owner(email="", joined_on=date(2017, 3, 1))
    departure = excluding.propose_exclusion(
        session, SYSTEM, membership, proposed_on=date(2018, 1, 15), reasons=REASONS
    )
    with pytest.raises(RuleViolation, match="recorded only on 10 April 2018") as error:
        excluding.send_proposal(session, SYSTEM, departure, posted_on=date(2018, 1, 16))
    assert error.value.field == "posted_on"
    excluding.send_proposal(session, SYSTEM, departure, posted_on=date(2018, 4, 10))
    with pytest.raises(RuleViolation, match="until the end of 10 May 2018"):
        excluding.decide_exclusion(
            session, SYSTEM, departure, decided_on=date(2018, 4, 10), reasons=REASONS
        )


def test_the_scan_of_the_posted_letter_proves_an_earlier_day_and_stands_in_the_file(
    session: Session, make_owner: Make
) -> None:
    membership, _account = make_owner(email="", joined_on=date(2017, 3, 1))
    departure = excluding.propose_exclusion(
        session, SYSTEM, membership, proposed_on=date(2018, 1, 15), reasons=REASONS
    )
    step = excluding.send_proposal(
        session,
        SYSTEM,
        departure,
        posted_on=date(2018, 1, 16),
        posted=excluding.Upload("posted.pdf", PDF),
    )
    assert step.document is not None
    assert (step.document.filename, step.done_on) == ("posted.pdf", date(2018, 1, 16))
    # It left long ago: nothing is queued to leave again, and the draft stays in the file.
    assert mails(session) == []
    assert papers.paper_of(departure, papers.PROPOSAL_PAPER) in departure.documents


def test_a_decision_was_not_sent_before_it_was_recorded(
    session: Session, clock: SettableClock, make_owner: Make
) -> None:
    membership, _account = make_owner()
    departure = excluding.propose_exclusion(
        session, SYSTEM, membership, proposed_on=date(2018, 4, 10), reasons=REASONS
    )
    excluding.send_proposal(session, SYSTEM, departure)
    clock.set(datetime(2018, 5, 20, 10, 0, tzinfo=UTC))
    excluding.decide_exclusion(
        session, SYSTEM, departure, decided_on=date(2018, 5, 11), reasons=REASONS
    )
    with pytest.raises(RuleViolation, match="recorded only on 20 May 2018"):
        excluding.send_decision(session, SYSTEM, departure, posted_on=date(2018, 5, 12))
    step = excluding.send_decision(session, SYSTEM, departure)
    assert (step.done_on, step.is_late) == (date(2018, 5, 20), False)


def test_a_month_begins_with_a_proposal_that_reaches_the_member(
    session: Session, clock: SettableClock, make_owner: Make
) -> None:
    membership, _account = make_owner()
    departure = excluding.propose_exclusion(
        session, SYSTEM, membership, proposed_on=date(2018, 4, 10), reasons=REASONS
    )
    flag_address(session, SYSTEM, membership, ContactChannel.EMAIL, "unknown there")
    with pytest.raises(InvalidInput, match="come back"):
        excluding.send_proposal(session, SYSTEM, departure)
    clear_address(session, SYSTEM, membership, ContactChannel.EMAIL)
    excluding.send_proposal(session, SYSTEM, departure)
    mails(session)[0].state = "failed"
    clock.set(datetime(2018, 5, 20, 10, 0, tzinfo=UTC))
    with pytest.raises(RuleViolation, match="could not be delivered"):
        excluding.decide_exclusion(
            session, SYSTEM, departure, decided_on=date(2018, 5, 20), reasons=REASONS
        )
    excluding.discontinue_exclusion(session, SYSTEM, departure, reason="to begin again on paper")
    assert departure.state == "discontinued"


def test_a_proposal_is_in_ones_own_data_once_it_was_sent(
    session: Session, make_owner: Make
) -> None:
    membership, _account = make_owner()
    departure = excluding.propose_exclusion(
        session, SYSTEM, membership, proposed_on=date(2018, 4, 10), reasons=REASONS
    )
    assert personal.own_departures(session, membership.person) == []
    excluding.send_proposal(session, SYSTEM, departure)
    sections = personal.own_departures(session, membership.person)
    assert [section.key for section in sections] == ["departures", "exclusion"]
    assert REASONS in str(sections[-1].rows)
