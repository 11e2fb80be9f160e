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
from govern.cooperatives.rules import (
    Citation,
    JoiningRules,
    LeavingRules,
    MajorityRule,
    ShareClass,
    rules_from_json,
    rules_to_json,
)
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
    assert "to be confirmed</span>" in page
    assert "has not compared it with the text of the law" in page
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
    assert not rules.joining.citation.confirmed
    assert not rules.leaving.citation.confirmed
    assert rules.share_nominal_cents == 3000
    assert rules.majorities[0].majority == Fraction(1, 2)
    assert len({category.code for category in rules.categories}) == len(rules.categories)


def test_rule_sets_from_before_share_classes_read_as_one_ordinary_class() -> None:
    stored = rules_to_json(sample_rules())
    for name in ("share_classes", "joining", "leaving"):
        del stored[name]
    rules = rules_from_json(stored)
    assert [(item.code, item.nominal_cents) for item in rules.share_classes] == [("ordinary", 3000)]
    assert (rules.joining, rules.leaving) == (JoiningRules(), LeavingRules())
    with pytest.raises(KeyError):
        rules.share_class("golden")


def test_the_ordinary_class_follows_the_nominal_value_and_others_keep_theirs() -> None:
    golden = ShareClass("golden", {"en": "Golden"}, 25000, ("B",))
    rules = replace(sample_rules(), share_classes=(golden,))
    changed = rules_from_json(rules_to_json(replace(rules, share_nominal_cents=3500)))
    assert changed.share_class("ordinary").nominal_cents == 3500
    assert changed.share_class("golden") == golden


def test_the_page_tells_how_one_joins_and_leaves(
    client: FlaskClient, session: Session, cooperative: Cooperative
) -> None:
    rules = replace(
        sample_rules(),
        share_classes=(ShareClass("golden", {"en": "Golden share"}, 25000, ("B",)),),
        joining=JoiningRules(acceptance="board", maximum_shares=50),
        leaving=LeavingRules(
            resignation_months=12, effective="year_end", citation=Citation("a law not read")
        ),
    )
    add_rule_set(session, SYSTEM, cooperative, rules=rules, starts_on=date(2018, 3, 1), source="n")
    page = client.get("/smartcoop/rules").text
    for words in (
        "Golden share",
        "€250.00",
        "Categories: B",
        "The board admits, from a list.",
        "At most 50 shares.",
        "At any time. With all shares at once.",
        "On the last day of the financial year.",
        "In the first 6 months of the financial year.",
        "Not before 2 financial years have ended.",
        "within 3 years",
        "a law not read",
    ):
        assert words in page, words
