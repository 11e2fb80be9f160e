"""Everybody can read the rules of a cooperative, present and past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.cooperatives.models import Cooperative
from govern.cooperatives.presets import PRESETS
from govern.cooperatives.rules import Citation, MajorityRule, rules_from_json, rules_to_json
from govern.cooperatives.services import add_rule_set
from govern.cooperatives.views import majority_in_words, quorum_in_words
from tests.conftest import sample_rules


def test_the_rules_in_force_stand_first_and_citations_to_be_confirmed_say_so(
    client: FlaskClient, session: Session, cooperative: Cooperative, clock: Any
) -> None:
    rules = sample_rules()
    changed = replace(rules, notice_days=21, notice_citation=Citation("a law not read"))
    add_rule_set(
        session, SYSTEM, cooperative, rules=changed, starts_on=date(2018, 3, 1), source="new"
    )
    later = replace(rules, notice_days=30)
    add_rule_set(
        session, SYSTEM, cooperative, rules=later, starts_on=date(2019, 1, 1), source="newer"
    )
    page = client.get("/smartcoop/rules").text
    assert page.index("at least 21 days") < page.index("at least 30 days")
    assert page.index("at least 30 days") < page.index("at least 15 days")
    assert "to be confirmed" in page
    for words in ("in force", "to come", "superseded", "Users", "€30.00", "Change of statutes"):
        assert words in page


def test_a_cooperative_without_rules_says_so(
    client: FlaskClient, session: Session, make_cooperative: Callable[..., Cooperative]
) -> None:
    made = make_cooperative("bare", "Bare")
    session.delete(made.rule_sets[0])
    session.commit()
    assert "No rules are recorded yet" in client.get("/bare/rules").text
    assert client.get("/nowhere/rules").status_code == 404


def rule(**changes: Any) -> MajorityRule:
    values: dict[str, Any] = {
        "code": "x",
        "names": {"en": "X"},
        "majority_numerator": 1,
        "majority_denominator": 2,
        "strict": True,
        "citation": Citation("y"),
    }
    return MajorityRule(**{**values, **changes})


@pytest.mark.usefixtures("session")
def test_majorities_and_quorums_are_told_in_sentences() -> None:
    assert "More votes for than against" in majority_in_words(rule())
    assert "At least 3/4" in majority_in_words(
        rule(majority_numerator=3, majority_denominator=4, strict=False)
    )
    assert "More than 2/3" in majority_in_words(rule(majority_numerator=2, majority_denominator=3))
    assert quorum_in_words(rule()) == "No quorum."
    shares = rule(quorum_numerator=1, quorum_denominator=2, quorum_basis="shares_issued")
    assert "1/2 of the shares" in quorum_in_words(shares)
    heads = replace(shares, quorum_basis="heads", second_assembly_without_quorum=True)
    assert "of the members" in quorum_in_words(heads)
    assert "second assembly" in quorum_in_words(heads)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_survive_storage_and_leave_what_was_not_read_unconfirmed(name: str) -> None:
    make, starts_on, source = PRESETS[name]
    rules = make()
    assert rules_from_json(rules_to_json(rules)) == rules
    assert isinstance(starts_on, date)
    assert source
    assert not rules.notice_citation.confirmed
    assert not any(majority.citation.confirmed for majority in rules.majorities)
    assert rules.share_nominal_cents == 3000
    assert rules.majorities[0].majority == Fraction(1, 2)
    assert len({category.code for category in rules.categories}) == len(rules.categories)
