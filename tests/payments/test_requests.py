"""Asking for money, and saying how to pay it."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree

import pytest

from govern.access import SYSTEM
from govern.errors import Conflict, InvalidInput, RuleViolation
from govern.payments import services
from govern.payments.models import RequestState
from govern.payments.rules import references


def test_a_belgian_cooperative_asks_under_a_structured_communication(account, ask):
    request = ask(6000)
    assert references.is_belgian(request.reference)


def test_another_cooperative_asks_under_a_creditor_reference(account, ask, cooperative):
    cooperative.country = "FR"
    assert references.is_rf(ask(6000).reference)


def test_asking_twice_for_the_same_thing_asks_once(account, ask):
    assert ask(6000, subject="application:x") is ask(6000, subject="application:x")


def test_asking_another_amount_for_the_same_thing_is_a_conflict(account, ask):
    ask(6000, subject="application:x")
    with pytest.raises(Conflict):
        ask(3000, subject="application:x")


def test_two_requests_never_share_a_reference(account, ask, monkeypatch):
    """A number that was drawn before is drawn again."""
    draws = iter([5, 5, 6])
    monkeypatch.setattr("secrets.randbelow", lambda _most: next(draws))
    assert ask(6000).reference != ask(6000).reference


@pytest.mark.parametrize("amount", [0, -1, 10**13])
def test_an_amount_out_of_bounds_is_refused(account, ask, amount):
    with pytest.raises(InvalidInput) as refused:
        ask(amount)
    assert refused.value.field == "amount"


def test_a_cancelled_request_can_be_asked_anew(session, account, ask):
    request = ask(6000, subject="application:x")
    services.cancel_request(session, SYSTEM, request)
    services.cancel_request(session, SYSTEM, request)
    assert request.state == RequestState.CANCELLED.value
    assert ask(3000, subject="application:x") is not request


def test_the_instruction_tells_account_amount_and_reference(session, account, ask):
    instruction = services.instruction_for(session, ask(6000))
    assert instruction.iban == "BE68539007547034"
    assert instruction.iban_shown == "BE68 5390 0754 7034"
    assert instruction.amount_cents == 6000
    assert instruction.reference_shown.startswith("+++")
    assert instruction.due_on == date(2018, 7, 1)


def test_the_code_is_a_drawing_that_a_strict_page_may_show(session, account, ask):
    drawing = services.instruction_for(session, ask(6000)).qr_svg
    root = ElementTree.fromstring(drawing)  # noqa: S314
    assert root.get("viewBox")
    assert all("style" not in element.attrib for element in root.iter())
    assert not [e for e in root.iter() if e.tag.endswith(("style", "script"))]


def test_without_a_bank_account_there_is_no_instruction(session, clock, ask):
    with pytest.raises(RuleViolation):
        services.instruction_for(session, ask(6000))


def test_the_instruction_can_stand_in_a_mail(app, session, account, ask):
    instruction = services.instruction_for(session, ask(6000))
    with app.test_request_context():
        template = app.jinja_env.get_template("payments/_instruction.txt")
        text = str(template.make_module().payment_instruction(instruction))
    assert "IBAN: BE68 5390 0754 7034" in text
    assert instruction.reference_shown in text
    assert "<" not in text
