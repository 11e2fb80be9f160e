"""A real register goes in; what is odd is said; nothing is imported that was not confirmed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative, RuleSet
from govern.cooperatives.rules import ShareClass, rules_from_json, rules_to_json
from govern.register.models import (
    ImportBatch,
    ImportFile,
    ImportProblem,
    Membership,
    ShareEntry,
)
from govern.register.services.holdings import holding_of
from govern.register.services.verifying import verify_ledger
from govern.register.texts import problem_text
from tests.register.conftest import DATA, HEADER, Import, csv_file, members_of, problems_of, row


@pytest.fixture(autouse=True)
def _after_the_data_was_made(clock: Any) -> None:
    clock.set(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))


DEFECTS = json.loads((DATA / "register-defects.json").read_text())


ERRORS = (
    "member number twice",
    "no member number",
    "negative number of shares",
    "unknown category",
    "impossible date",
    "shares not a number",
    "not an e-mail address",
)


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_every_listed_defect_is_found_at_its_row(
    name: str, session: Session, check_file: Callable[..., ImportBatch]
) -> None:
    batch = check_file((DATA / name).read_bytes())
    assert batch.state == "checked"
    found = {
        problem.row: problem
        for problem in session.scalars(
            select(ImportProblem).where(ImportProblem.batch_id == batch.id)
        )
    }
    for number, words in DEFECTS[name]:
        problem = found[number]
        assert (problem.severity == "error") == (words in ERRORS), words
        assert problem.column, words
    # Only the partners of the doubled rows are pointed out besides.
    listed = {number for number, _words in DEFECTS[name]}
    partners = {
        other
        for problem in found.values()
        if problem.row in listed
        for other in problem.params.get("rows", [])
    }
    assert set(found) == listed | partners


def test_nothing_is_imported_before_it_is_confirmed(
    session: Session, check_file: Callable[..., ImportBatch]
) -> None:
    check_file((DATA / "register-fr.xlsx").read_bytes())
    assert session.scalar(select(func.count()).select_from(Membership)) == 0


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_the_good_rows_go_in_together_and_the_ledger_verifies(
    name: str,
    both_databases: str,
    session: Session,
    cooperative: Cooperative,
    import_file: Callable[..., ImportBatch],
) -> None:
    batch = import_file((DATA / name).read_bytes())
    assert batch.state == "imported"
    rows = 2000 if name.endswith("csv") else 400
    # Seven kinds of errors, one of which stands in two rows.
    assert batch.counts["bad"] == 8
    assert session.scalar(select(func.count()).select_from(Membership)) == rows - 8
    state = verify_ledger(session, cooperative)
    assert state.entries == 2 * (rows - 8)
    assert session.get(ImportFile, (batch.id, "source")) is None
    assert session.get(ImportFile, (batch.id, "mend")) is not None


def test_shares_and_amount_become_a_subscription_and_a_payment_on_the_joining_day(
    session: Session, cooperative: Cooperative, import_file: Import
) -> None:
    import_file(csv_file(row("7", joined="15/03/2018", shares="2", paid="45,00")))
    member = members_of(session)["7"]
    entries = session.scalars(select(ShareEntry).order_by(ShareEntry.sequence)).all()
    assert [(e.kind, e.shares, e.amount_cents) for e in entries] == [
        ("subscription", 2, 0),
        ("payment", 0, 4500),
    ]
    assert {e.effective_on for e in entries} == {date(2018, 3, 15)}
    assert {e.nominal_cents for e in entries} == {3000}
    # A partly paid share stays unpaid.
    holding = holding_of(session, member.id)
    assert (holding.issued, holding.paid) == (2, 1)
    assert member.categories[0].code == "A"
    assert member.categories[0].starts_on == date(2018, 3, 15)


def test_a_column_may_name_another_class_of_shares(
    session: Session, cooperative: Cooperative, import_file: Import
) -> None:
    rules = rules_from_json(cooperative.rule_sets[0].rules)
    support = ShareClass("support", {"fr": "Parts de soutien"}, 50_000, ("B",))
    cooperative.rule_sets[0].rules = rules_to_json(
        replace(rules, share_classes=(*rules.share_classes, support))
    )
    session.commit()
    others = {"family": "Maes", "category": "B", "paid": "500,00"}
    rows = [
        row("7", **others) + ";Parts de soutien",
        row("8", given="Bo", email="") + ";",
        row("9", given="Cis", email="", category="A") + ";SUPPORT",
        row("10", given="Di", email="") + ";gold",
    ]
    batch = import_file(csv_file(*rows, header=f"{HEADER};Classe de parts"))
    held = {
        number: (line.share_class, line.nominal_cents, line.shares)
        for number, member in members_of(session).items()
        for line in session.scalars(
            select(ShareEntry).where(ShareEntry.membership_id == member.id, ShareEntry.shares > 0)
        )
    }
    assert held == {"7": ("support", 50_000, 1), "8": ("ordinary", 3000, 1)}
    assert [item for item in problems_of(session, batch) if item[1] == "error"] == [
        (4, "error", "share_class_not_for"),
        (5, "error", "share_class_unknown"),
    ]
    verify_ledger(session, cooperative)


@pytest.fixture
def ordinary_for_a_only(session: Session, cooperative: Cooperative) -> None:
    """Until the end of 2017 everybody could hold ordinary shares, since then category A only."""
    old = cooperative.rule_sets[0]
    rules = rules_from_json(old.rules)
    ordinary = replace(rules.share_class("ordinary"), categories=("A",))
    support = ShareClass("support", {"fr": "Parts de soutien"}, 3000)
    narrow = rules_to_json(replace(rules, share_classes=(ordinary, support)))
    session.add(
        RuleSet(
            cooperative_id=cooperative.id,
            starts_on=date(2018, 1, 1),
            source="statutes of 2018",
            source_confirmed=False,
            recorded_at=old.recorded_at,
            rules=narrow,
        )
    )
    session.commit()


@pytest.mark.usefixtures("ordinary_for_a_only")
def test_the_class_that_counts_where_none_is_named_must_be_one_for_the_category(
    session: Session, cooperative: Cooperative, import_file: Import
) -> None:
    rows = [
        row("7"),
        row("8", given="Bo", email="", category="B"),
        row("9", given="Cis", email="", category="B", joined="01/03/2017"),
        row("10", given="Di", email="", category="B", shares="0", paid=""),
    ]
    batch = import_file(csv_file(*rows))
    # Number 9 held them rightly while everybody could; number 10 holds none.
    assert set(members_of(session)) == {"7", "9", "10"}
    errors = [item for item in problems_of(session, batch) if item[1] == "error"]
    assert errors == [(3, "error", "share_class_needed")]
    # Of a known member the class is not read: a later file may leave the column out.
    import_file(
        csv_file(
            row("8", given="Bo", email="", category="B") + ";Parts de soutien",
            header=f"{HEADER};Classe de parts",
        )
    )
    again = import_file(csv_file(row("8", given="Bo", email="bo@example.org", category="B")))
    assert [item for item in problems_of(session, again) if item[1] == "error"] == []
    assert members_of(session)["8"].email == "bo@example.org"


def test_a_leaving_date_becomes_an_ending(session: Session, import_file: Import) -> None:
    import_file(csv_file(row("7", left="30/06/2019")))
    member = members_of(session)["7"]
    assert member.ended_on == date(2019, 6, 30)
    assert member.end_reason == "unstated"


def test_an_organisation_comes_with_its_representative(
    session: Session, import_file: Import
) -> None:
    import_file(
        csv_file(
            row(
                "53",
                "Atelier CV",
                given="",
                born="",
                category="B",
                enterprise="BE 0871.985.062",
                representative="Victor De Smet",
            )
        )
    )
    member = members_of(session)["53"]
    assert member.organisation is not None
    assert member.organisation.enterprise_number == "0871985062"
    person = member.organisation.representatives[0].person
    assert (person.given_name, person.family_name) == ("Victor", "De Smet")


def test_categories_may_be_written_by_name(session: Session, import_file: Import) -> None:
    import_file(csv_file(row("7", category="gebruikers"), row("8", "Maes", category="b")))
    assert {m.categories[0].code for m in members_of(session).values()} == {"A", "B"}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"number": "=1+1"}, (2, "error", "number_unknown")),
        ({"family": ""}, (2, "error", "name_missing")),
        ({"given": ""}, (2, "error", "holder_unclear")),
        ({"enterprise": "0871985062"}, (2, "error", "holder_both")),
        (
            {"given": "", "born": "", "enterprise": "0871985062"},
            (2, "error", "representative_missing"),
        ),
        (
            {"given": "", "born": "", "enterprise": "0871985063", "representative": "A B"},
            (2, "error", "enterprise_number_invalid"),
        ),
        ({"born": "31/12/2090"}, (2, "error", "birth_in_future")),
        ({"born": ""}, (2, "note", "no_birth_date")),
        ({"joined": ""}, (2, "error", "joined_missing")),
        ({"joined": "01/01/2030"}, (2, "warning", "joins_in_future")),
        ({"left": "01/01/2018"}, (2, "error", "left_before_joined")),
        ({"shares": ""}, (2, "error", "shares_missing")),
        ({"shares": "0", "paid": ""}, (2, "warning", "no_shares")),
        ({"shares": "0", "paid": "30"}, (2, "error", "paid_without_shares")),
        ({"paid": ""}, (2, "warning", "partly_paid")),
        ({"paid": "-30"}, (2, "error", "amount_negative")),
        ({"paid": "many"}, (2, "error", "amount_unknown")),
        ({"category": ""}, (2, "error", "category_missing")),
        ({"language": "tlh"}, (2, "error", "language_unknown")),
        ({"language": ""}, (2, "note", "language_default")),
        ({"country": "Atlantis"}, (2, "error", "country_unknown")),
        ({"country": ""}, (2, "note", "country_default")),
        ({"email": "", "street": ""}, (2, "warning", "no_email_no_address")),
        ({"town": "x" * 130}, (2, "error", "too_long")),
        ({"left": ";surplus"}, (2, "error", "too_many_cells")),
    ],
)
def test_each_oddity_has_its_own_words(
    changes: dict[str, str], problem: tuple[int, str, str], session: Session, check_file: Import
) -> None:
    batch = check_file(csv_file(row(**changes)))
    assert problem in problems_of(session, batch)
    found = session.scalars(select(ImportProblem).where(ImportProblem.batch_id == batch.id))
    for item in found:
        words = problem_text(item.code, item.params)
        assert words.sentence
        assert words.remedy


def test_before_the_first_rule_set_its_nominal_value_is_used(
    session: Session, import_file: Import
) -> None:
    import_file(csv_file(row("7", joined="01/03/2009")))
    assert session.scalars(select(ShareEntry.nominal_cents)).first() == 3000
