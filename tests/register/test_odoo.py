"""A register kept in Odoo comes in: members, entries in the order of days, and what is odd."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from govern.access import NOBODY, SYSTEM
from govern.cooperatives.rules import ShareClass, rules_from_json, rules_to_json
from govern.errors import InvalidInput, SignInRequired
from govern.register.cli import register
from govern.register.importing.odoo import headers
from govern.register.importing.odoo.reading import OdooProblem
from govern.register.models import Membership, ShareEntry
from govern.register.rules.folding import fold
from govern.register.services import book
from govern.register.services.exchange import OdooFiles, import_odoo
from govern.register.services.verifying import verify_ledger
from govern.register.texts.odoo import ODOO_CODES, odoo_text
from tests.register.conftest import members_of

DATA = Path(__file__).parent / "data" / "odoo"


@pytest.fixture(autouse=True)
def _standing(clock):
    """Everything happens on 1 June 2018."""


def files(suffix="", *, compare=True, **changes):
    """The invented export; ``register=lambda data: …`` changes one of its files."""

    def read(name):
        data = (DATA / f"{name}.csv").read_bytes()
        return changes.get(name.partition("-")[0], lambda same: same)(data)

    return OdooFiles(
        read(f"partners{suffix}"), read(f"register{suffix}"), read("lines") if compare else None
    )


def bring_in(session, cooperative, given=None, **options):
    done = import_odoo(session, SYSTEM, cooperative, given or files(), **options)
    session.commit()
    return done


def holdings(session, cooperative, on=None):
    moment = book.book_at(session, cooperative, on)
    return {
        line.member_number: (line.shares, line.paid_cents, line.numbers)
        for line in book.read_lines(session, moment)
    }


def problems(done):
    return [(item.file, item.row, item.code) for item in done.plan.problems]


def test_the_register_of_operations_becomes_members_and_entries(
    session, cooperative, both_databases
):
    done = bring_in(session, cooperative)
    assert done.was_written
    assert problems(done) == []
    assert done.plan.ignored_partners == 2
    members = members_of(session)
    assert sorted(members) == ["1", "2", "3", "4"]
    assert holdings(session, cooperative) == {
        "2": (2, 6000, "1,4"), "3": (3, 9000, "6-8"), "4": (1, 3000, "2"),
    }  # fmt: skip
    assert holdings(session, cooperative, date(2018, 2, 28))["1"] == (3, 9000, "1-3")
    firm = members["3"]
    assert firm.organisation.representatives[0].person.name == "Victor Verelst"
    assert firm.organisation.enterprise_number == "0871985062"
    assert (members["1"].ended_on, members["1"].end_reason) == (date(2018, 5, 2), "unstated")
    assert [item.code for item in members["2"].categories] == ["A", "B"]
    assert members["1"].language == "nl"
    verify_ledger(session, cooperative)
    days = session.scalars(select(ShareEntry.effective_on).order_by(ShareEntry.sequence)).all()
    assert days == sorted(days)


def test_labels_in_french_mean_the_same(session, cooperative):
    done = bring_in(session, cooperative, files("-fr", compare=False))
    assert problems(done) == []
    assert {number: held[0] for number, held in holdings(session, cooperative).items()} == {
        "2": 2, "3": 3, "4": 1,
    }  # fmt: skip
    assert members_of(session)["3"].organisation.representatives[0].person.name == "Victor Verelst"


def test_the_same_export_again_changes_nothing_and_a_later_one_adds_what_is_new(
    session, cooperative
):
    bring_in(session, cooperative)
    before = session.scalar(select(func.count()).select_from(ShareEntry))
    again = bring_in(session, cooperative)
    assert again.plan.known_operations == again.plan.operations == 8
    assert (again.plan.members, again.plan.entries) == ([], [])
    assert session.scalar(select(func.count()).select_from(ShareEntry)) == before
    later = files(
        compare=False, register=lambda data: data + b"9,sell_back,2018-05-20,p_eva,,1,30.00,A,0,\n"
    )
    done = bring_in(session, cooperative, later)
    assert len(done.plan.entries) == 1
    assert members_of(session)["4"].ended_on == date(2018, 5, 20)
    verify_ledger(session, cooperative)


def test_a_number_that_is_somebody_elses_here_is_an_error_that_names_both(
    session, cooperative, make_member
):
    make_member("2", given_name="Somebody", family_name="Else", shares=0)
    refused = bring_in(session, cooperative)
    assert not refused.was_written
    [problem] = [item for item in refused.plan.problems if item.code == "other_name"]
    assert problem.params["name"] == "Somebody Else"
    sentence = odoo_text(problem.code, {**problem.params, "value": problem.value}).sentence
    assert "Somebody Else" in sentence
    assert problem.params["theirs"] in sentence
    taken = bring_in(session, cooperative, other_names=True)
    assert taken.was_written
    assert holdings(session, cooperative)["2"][0] == 2


def test_a_dry_run_tells_and_writes_nothing(session, cooperative):
    done = bring_in(session, cooperative, dry_run=True)
    assert not done.was_written
    assert len(done.plan.members) == 4
    assert session.scalar(select(Membership.id)) is None


def test_share_lines_that_add_up_to_something_else_are_named(session, cooperative):
    done = bring_in(
        session,
        cooperative,
        files(lines=lambda data: data.replace(b"p_firm,3", b"p_firm,5")),
    )
    assert problems(done) == [("lines", 3, "lines_differ")]
    assert ("B", 5, 7) in done.plan.totals
    assert done.was_written


REFUSED = [
    (lambda data: data.replace(b"04-02,p_firm,,1", b"04-02,p_firm,,9"),
     ("register", 7, "not_held")),
    (lambda data: data.replace(b"p_eva,1", b"p_who,1"), ("register", 6, "partner_unknown")),
    (lambda data: data.replace(b"2018-02-01", b"2018-02-31"), ("register", 4, "date_impossible")),
    (lambda data: data.replace(b"2018-05-02", b"2019-05-02"), ("register", 9, "day_ahead")),
    (lambda data: data.replace(b"6,sell_back", b"6,stolen"), ("register", 7, "operation_unknown")),
    (lambda data: data.replace(b"2,30.00,A,2,B", b"2,30.00,A,2,Z"),
     ("register", 8, "category_unknown")),
    (lambda data: data.replace(b"2,subscription", b"1,subscription"),
     ("register", 3, "operation_twice")),
    (lambda data: data.replace(b"p_ann,p_bo,1", b"p_ann,p_ann,1"), ("register", 5, "same_partner")),
    (lambda data: data.replace(b"p_bo,,1,30.00", b"p_bo,,-1,30.00"),
     ("register", 3, "shares_negative")),
    (lambda data: data.replace(b"p_bo,,1,30.00", b"p_bo,,1,99999999999.00"),
     ("register", 3, "amount_too_large")),
    (lambda data: data.replace(b"p_bo,,1,30.00", b"p_cli,,1,30.00"),
     ("register", 3, "partner_without_number")),
]  # fmt: skip


def test_an_operation_that_cannot_be_is_named_and_nothing_comes_in(session, cooperative):
    for change, expected in REFUSED:
        done = bring_in(session, cooperative, files(compare=False, register=change))
        assert expected in problems(done), (expected, problems(done))
        assert not done.was_written
    assert session.scalar(select(Membership.id)) is None


def test_of_the_good_rows_nobody_comes_in_who_exchanged_shares_with_a_bad_one(session, cooperative):
    bad = files(compare=False, register=lambda data: data.replace(b"p_eva,1", b"p_who,1"))
    done = bring_in(session, cooperative, bad, good_rows=True)
    # Ann gave shares to somebody unknown and to Bo: of the three only the firm has a whole history.
    assert sorted(members_of(session)) == ["3"]
    assert done.plan.left_out == 6
    verify_ledger(session, cooperative)


def test_partners_that_cannot_be_kept_are_named(session, cooperative):
    for change, expected in (
        (lambda data: data.replace(b"0871985062", b"0871985063"), "enterprise_number_invalid"),
        (lambda data: data.replace(b"Bo Claes,False,2", b"Bo Claes,False,1"), "number_twice"),
        (lambda data: data.replace(b"p_bo,Bo Claes", b"p_bo,"), "name_missing"),
    ):
        done = bring_in(session, cooperative, files(compare=False, partners=change))
        assert expected in [code for _file, _row, code in problems(done)]
        assert not done.was_written


def test_a_conversion_to_another_class_carries_the_capital(session, cooperative):
    rules = rules_from_json(cooperative.rule_sets[0].rules)
    support = ShareClass("support", {"en": "Support"}, 6000)
    cooperative.rule_sets[0].rules = rules_to_json(
        replace(rules, share_classes=(*rules.share_classes, support))
    )
    session.commit()
    changed = files(
        compare=False, register=lambda data: data.replace(b"2,30.00,A,2,B", b"2,30.00,A,1,Support")
    )
    done = bring_in(
        session,
        cooperative,
        changed,
        classes={"A": "ordinary", "B": "ordinary"},
        categories={"Support": "C"},
    )
    assert problems(done) == []
    moment = book.book_at(session, cooperative)
    [line] = [item for item in book.read_lines(session, moment) if item.member_number == "2"]
    assert (line.share_class, line.nominal_cents, line.shares, line.paid_cents) == (
        "support", 6000, 1, 6000,
    )  # fmt: skip
    verify_ledger(session, cooperative)


def test_shares_that_the_category_might_not_hold_are_taken_over_and_pointed_out(
    session, cooperative
):
    rules = rules_from_json(cooperative.rule_sets[0].rules)
    ordinary = replace(rules.share_class("ordinary"), categories=("A",))
    cooperative.rule_sets[0].rules = rules_to_json(replace(rules, share_classes=(ordinary,)))
    session.commit()
    done = bring_in(session, cooperative, files(compare=False))
    assert done.was_written
    said = [item for item in done.plan.problems if item.code == "class_not_for"]
    assert said
    assert {item.params["category"] for item in said} == {"B"}
    assert {item.severity for item in said} == {"warning"}
    verify_ledger(session, cooperative)


def test_a_file_without_the_columns_it_needs_is_refused(session, cooperative):
    given = files(register=lambda data: data.replace(b"share_unit_price", b"something"))
    with pytest.raises(InvalidInput, match="share_unit_price"):
        bring_in(session, cooperative, given)


def test_nobody_brings_a_register_in_without_the_role(session, cooperative):
    with pytest.raises(SignInRequired):
        import_odoo(session, NOBODY, cooperative, files())


def test_no_label_stands_for_two_fields_of_a_file():
    for file, names in headers.NAMES.items():
        seen = {}
        for name, words in names.items():
            for word in words.split(";"):
                assert seen.setdefault(fold(word), name) == name, (file, word)


def test_every_problem_has_words(app):
    params = {
        "value": "x", "first": 1, "sequence": 1, "known": "A", "held": 1, "number": "1",
        "before": 1, "after": 2, "register": 1, "lines": 2, "name": "x", "theirs": "y",
        "category": "A", "share_class": "x",
    }  # fmt: skip
    for code in ODOO_CODES:
        words = odoo_text(code, params)
        assert words.sentence
        assert words.remedy
    assert OdooProblem


def test_shares_that_came_in_otherwise_are_named_before_they_count_twice(
    session, cooperative, make_member
):
    make_member("2", given_name="Bo", family_name="Claes")
    session.commit()
    [odd] = bring_in(session, cooperative, dry_run=True).plan.problems
    assert (odd.file, odd.row, odd.code) == ("partners", 3, "shares_here")
    assert (odd.severity, odd.params["held"]) == ("warning", 1)
    # Whoever confirms it has shares from both; a later export is about its own ones only.
    bring_in(session, cooperative)
    assert problems(bring_in(session, cooperative)) == []


def test_the_command_shows_what_is_odd_and_brings_the_register_in(app, session, cooperative):
    code = cooperative.code
    session.commit()
    base = [
        "import-odoo", "--cooperative", code, "--partners", str(DATA / "partners.csv"),
        "--register", str(DATA / "register.csv"), "--lines", str(DATA / "lines.csv"),
    ]  # fmt: skip
    run = CliRunner()
    tried = run.invoke(register, [*base, "--dry-run"], obj=app)
    assert "4 new members" in tried.output, tried.output
    assert session.scalar(select(Membership.id)) is None
    session.rollback()
    done = run.invoke(register, base, obj=app)
    assert done.exit_code == 0, done.output
    refused = run.invoke(register, [*base, "--category", "A=Z"], obj=app)
    assert refused.exit_code == 1
    again = run.invoke(register, base, obj=app)
    assert "0 new members" in again.output
