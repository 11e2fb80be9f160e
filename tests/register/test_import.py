"""A real register goes in; what is odd is said; nothing is imported that was not confirmed."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern import clock as govern_clock
from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.cooperatives.models import Cooperative
from govern.errors import (
    Conflict,
    Forbidden,
    ForbiddenTransition,
    InvalidInput,
    NotFound,
    RuleViolation,
)
from govern.extensions import db
from govern.jobs import BackgroundJob
from govern.register import jobs as register_jobs
from govern.register.models import (
    ImportBatch,
    ImportChange,
    ImportFile,
    ImportProblem,
    Membership,
    ShareEntry,
)
from govern.register.services import imports
from govern.register.services.chain import verify_ledger
from govern.register.services.holdings import holding_of
from govern.register.texts import problem_text
from tests.register.conftest import DATA, csv_file, row

Import = Callable[..., ImportBatch]
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


@pytest.fixture(autouse=True)
def _after_the_data_was_made(clock: Any) -> None:
    clock.set(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))


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


def members_of(session: Session) -> dict[str, Membership]:
    return {item.member_number: item for item in session.scalars(select(Membership))}


def problems_of(session: Session, batch: ImportBatch) -> list[tuple[int, str, str]]:
    rows = session.scalars(select(ImportProblem).where(ImportProblem.batch_id == batch.id))
    return sorted((item.row, item.severity, item.code) for item in rows)


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


def test_the_same_file_again_changes_nothing(
    session: Session, cooperative: Cooperative, import_file: Import
) -> None:
    content = (DATA / "register-fr.xlsx").read_bytes()
    import_file(content)
    before = verify_ledger(session, cooperative)
    again = import_file(content)
    assert (again.counts["new"], again.counts["changed"]) == (0, 0)
    assert again.counts["unchanged"] == 392
    assert verify_ledger(session, cooperative) == before


def test_a_later_file_shows_and_then_changes_contact_data(
    session: Session, check_file: Import, import_file: Import
) -> None:
    import_file(csv_file(row("7"), row("8", "Maes", "Bo", "02/02/1981", "bo@example.org")))
    later = csv_file(
        row("7", email="an@elsewhere.example.org", language="FR", street="Nieuwstraat 2"),
        row("8", "Maes", "Bo", "02/02/1981", "bo@example.org"),
    )
    batch = check_file(later)
    changes = {
        (change.field, change.before, change.after)
        for change in session.scalars(select(ImportChange).where(ImportChange.batch_id == batch.id))
    }
    assert changes == {
        ("email", "an@example.org", "an@elsewhere.example.org"),
        ("language", "nl", "fr"),
        ("street", "Kerkstraat 1", "Nieuwstraat 2"),
    }
    assert members_of(session)["7"].email == "an@example.org"
    batch = import_file(later)
    member = members_of(session)["7"]
    assert (member.email, member.email_key) == ("an@elsewhere.example.org",) * 2
    assert (member.language, member.street) == ("fr", "Nieuwstraat 2")
    assert "elsewhere" in member.search_text
    assert (batch.counts["changed"], batch.counts["unchanged"]) == (1, 1)


def test_an_empty_cell_of_a_later_file_changes_nothing(
    session: Session, import_file: Import
) -> None:
    import_file(csv_file(row("7")))
    batch = import_file(csv_file(row("7", email="", street="", language="")))
    member = members_of(session)["7"]
    assert (member.email, member.street, member.language) == (
        "an@example.org",
        "Kerkstraat 1",
        "nl",
    )
    assert batch.counts["changes"] == 0
    assert batch.counts["notes"] == 0


def test_a_later_file_never_rewrites_the_ledger(
    session: Session, cooperative: Cooperative, import_file: Import
) -> None:
    import_file(csv_file(row("7", shares="1", paid="30")))
    before = verify_ledger(session, cooperative)
    batch = import_file(csv_file(row("7", shares="3", paid="90")))
    assert verify_ledger(session, cooperative) == before
    assert problems_of(session, batch) == [(2, "warning", "shares_differ")]
    batch = import_file(csv_file(row("7", shares="1", paid="15")))
    assert problems_of(session, batch) == [(2, "warning", "paid_differs")]
    assert verify_ledger(session, cooperative) == before


def test_a_leaving_date_in_a_later_file_ends_the_membership(
    session: Session, check_file: Import, import_file: Import
) -> None:
    import_file(csv_file(row("7")))
    later = csv_file(row("7", left="01/02/2020"))
    assert check_file(later).counts["changes"] == 1
    import_file(later)
    assert members_of(session)["7"].ended_on == date(2020, 2, 1)
    batch = import_file(csv_file(row("7", left="01/03/2021")))
    assert members_of(session)["7"].ended_on == date(2020, 2, 1)
    assert problems_of(session, batch) == [(2, "warning", "ending_differs")]


def test_a_number_that_belongs_to_somebody_else_keeps_the_row_out(
    session: Session, import_file: Import
) -> None:
    import_file(csv_file(row("7")))
    batch = import_file(csv_file(row("7", "Maes", "Bo", "02/02/1981", "bo@example.org")))
    assert problems_of(session, batch) == [(2, "error", "other_holder")]
    assert members_of(session)["7"].display_name == "An Peeters"


def test_what_the_register_says_otherwise_is_pointed_out_and_kept(
    session: Session, import_file: Import
) -> None:
    import_file(csv_file(row("7")))
    batch = import_file(
        csv_file(row("7", family="PEETERS", born="01/02/1981", category="B", joined="01/04/2018"))
    )
    assert [code for _row, _severity, code in problems_of(session, batch)] == [
        "birth_date_differs",
        "category_differs",
        "joined_differs",
        "name_differs",
    ]
    member = members_of(session)["7"]
    assert member.display_name == "An Peeters"
    assert member.categories[0].code == "A"


def test_possible_duplicates_are_found_in_the_register_too(
    session: Session, import_file: Import, check_file: Import
) -> None:
    firm = {"given": "", "born": "", "enterprise": "0871985062", "representative": "Al Bo"}
    import_file(csv_file(row("7"), row("8", "Firm", email="f@example.org", **firm)))
    batch = check_file(
        csv_file(
            row("17", email="AN@example.org"),
            row("18", "Firm bis", email="g@example.org", **firm),
            row("19", "Peeters", "Àn", email="other@example.org"),
        )
    )
    assert problems_of(session, batch) == [
        (2, "warning", "same_email_in_register"),
        (2, "warning", "same_person"),
        (2, "warning", "same_person_in_register"),
        (3, "warning", "same_enterprise_in_register"),
        (4, "warning", "same_person"),
        (4, "warning", "same_person_in_register"),
    ]
    assert batch.counts["likely_twice"] == 3
    assert batch.counts["new"] == 3


def test_likely_duplicates_are_held_back_on_request(session: Session, import_file: Import) -> None:
    content = csv_file(row("7"), row("8", email="two@example.org"), row("9", "Other"))
    batch = import_file(content, hold_back_duplicates=True)
    assert set(members_of(session)) == {"9"}
    assert batch.counts["bad"] == 2


def test_the_rows_to_mend_come_back_as_a_file_that_can_be_imported(
    session: Session, import_file: Import
) -> None:
    bad = row("8", "=cmd|'/c calc'!A1", "Bo", "02/02/1981", "bo@example.org", shares="drie")
    batch = import_file(csv_file(row("7"), bad))
    mend = session.get(ImportFile, (batch.id, "mend"))
    assert mend is not None
    text = mend.content.decode("utf-8-sig")
    assert "'=cmd|" in text
    assert "“drie” is not a number of shares" in text
    mended = text.replace("drie", "2").replace("30,00", "60,00").encode()
    import_file(mended)
    assert members_of(session)["8"].person.family_name == "=cmd|'/c calc'!A1"


def test_the_file_to_mend_speaks_the_language_of_who_uploaded_it(
    session: Session, cooperative: Cooperative
) -> None:
    batch = imports.start_import(
        session, SYSTEM, cooperative, "x.csv", csv_file(row("7", shares="drie")), "fr"
    )
    assert batch.language == "fr"
    assert (
        imports.start_import(session, SYSTEM, cooperative, "x.csv", csv_file(row()), "xx").language
        == "en"
    )


def test_columns_that_are_not_recognised_are_named_on_a_screen(
    session: Session, cooperative: Cooperative
) -> None:
    header = "Kolom A;Kolom B;Kolom C;Kolom D;Kolom E;Kolom F"
    content = csv_file("7;Peeters;An;A;01/03/2018;1", header=header)
    batch = imports.start_import(session, SYSTEM, cooperative, "x.csv", content)
    assert batch.state == "mapping"
    with pytest.raises(InvalidInput, match="Category, Joined on"):
        imports.map_columns(
            session, SYSTEM, batch, {"member_number": 0, "family_name": 1, "shares": 5}
        )
    with pytest.raises(InvalidInput, match="no such column"):
        imports.map_columns(session, SYSTEM, batch, {"member_number": 99})
    with pytest.raises(InvalidInput, match="two fields"):
        imports.map_columns(session, SYSTEM, batch, {"member_number": 0, "family_name": 0})
    names = ("member_number", "family_name", "given_name", "category", "joined_on", "shares")
    imports.map_columns(session, SYSTEM, batch, {name: column for column, name in enumerate(names)})
    session.commit()
    register_jobs.check_import(session, batch.id)
    assert batch.state == "checked"
    assert batch.counts["new"] == 1


def test_categories_may_be_written_by_name(session: Session, import_file: Import) -> None:
    import_file(csv_file(row("7", category="gebruikers"), row("8", "Maes", category="b")))
    assert {m.categories[0].code for m in members_of(session).values()} == {"A", "B"}


def test_confirming_twice_imports_once(
    session: Session, cooperative: Cooperative, check_file: Import
) -> None:
    batch = check_file(csv_file(row("7")))
    for _person in range(2):
        imports.confirm_import(session, SYSTEM, batch, batch.plan_digest)
        session.commit()
    register_jobs.run_import(session, batch.id)
    session.commit()
    register_jobs.run_import(session, batch.id)
    imports.confirm_import(session, SYSTEM, batch, batch.plan_digest)
    session.commit()
    assert len(members_of(session)) == 1
    assert verify_ledger(session, cooperative).entries == 2


def test_only_the_preview_that_was_seen_can_be_confirmed(
    session: Session, check_file: Import
) -> None:
    batch = check_file(csv_file(row("7")))
    with pytest.raises(Conflict, match="made again"):
        imports.confirm_import(session, SYSTEM, batch, "0" * 64)
    assert batch.state == "checked"


def test_two_files_with_the_same_member_bring_in_one(
    session: Session, cooperative: Cooperative, check_file: Import
) -> None:
    first, second = check_file(csv_file(row("7"))), check_file(csv_file(row("7")))
    for batch in (first, second):
        imports.confirm_import(session, SYSTEM, batch, batch.plan_digest)
        session.commit()
        register_jobs.run_import(session, batch.id)
        session.commit()
    # The second preview had promised a new member: it is made again instead of doing otherwise.
    assert first.state == "imported"
    assert (second.state, second.failure) == ("checked", "register_changed")
    assert second.counts["unchanged"] == 1
    assert len(members_of(session)) == 1


def test_an_import_that_dies_halfway_leaves_nothing(
    session: Session,
    cooperative: Cooperative,
    check_file: Import,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = check_file(csv_file(row("7"), row("8", "Maes")))
    imports.confirm_import(session, SYSTEM, batch, batch.plan_digest)
    session.commit()

    def die(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the power went off")

    with monkeypatch.context() as patch:
        patch.setattr("govern.register.services.import_register.append_entries", die)
        with pytest.raises(RuntimeError):
            register_jobs.run_import(session, batch.id)
        session.rollback()
    assert members_of(session) == {}
    assert verify_ledger(session, cooperative).entries == 0
    assert batch.state == "importing"
    register_jobs.run_import(session, batch.id)
    session.commit()
    assert batch.state == "imported"
    assert len(members_of(session)) == 2


def test_a_lost_job_is_asked_for_again_and_a_failed_one_is_said(
    session: Session, check_file: Import, run_jobs: Callable[[], int]
) -> None:
    batch = check_file(csv_file(row("7")))
    run_jobs()
    imports.confirm_import(session, SYSTEM, batch, batch.plan_digest, later=False)
    session.commit()
    register_jobs.resume_imports(session)
    session.commit()
    assert run_jobs() == 1
    assert batch.state == "imported"

    other = check_file(csv_file(row("8", "Maes")))
    imports.confirm_import(session, SYSTEM, other, other.plan_digest)
    session.get_one(BackgroundJob, other.job_id).state = "failed"
    session.commit()
    register_jobs.mark_failed_imports(session, datetime.now(UTC))
    assert other.state == "failed"
    imports.check_again(session, SYSTEM, other)
    assert other.state == "checking"


def test_a_dropped_import_forgets_its_file(session: Session, check_file: Import) -> None:
    batch = check_file(csv_file(row("7", shares="drie")))
    imports.cancel_import(session, SYSTEM, batch)
    session.commit()
    assert session.scalar(select(func.count()).select_from(ImportFile)) == 0
    assert problems_of(session, batch) == []
    with pytest.raises(ForbiddenTransition):
        imports.confirm_import(session, SYSTEM, batch, batch.plan_digest)


def test_contents_are_forgotten_after_thirty_days(
    session: Session, import_file: Import, clock: Any
) -> None:
    import_file(csv_file(row("7")))
    batch = import_file(csv_file(row("7", street="Nieuwstraat 2"), row("", "No number")))
    register_jobs.purge_old_imports(session, govern_clock.now())
    assert batch.forgotten_at is None
    clock.advance(days=31)
    register_jobs.purge_old_imports(session, govern_clock.now())
    session.commit()
    assert batch.forgotten_at is not None
    assert session.get(ImportFile, (batch.id, "mend")) is None
    assert [(c.before, c.after) for c in session.scalars(select(ImportChange))] == [("", "")]
    assert batch.state == "imported"


def test_only_a_registrar_of_the_cooperative_imports(
    session: Session,
    cooperative: Cooperative,
    make_cooperative: Callable[..., Cooperative],
    make_account: Callable[..., Any],
) -> None:
    other = make_cooperative("elsewhere", "Elsewhere")
    secretary = make_account("Sam", roles=[(cooperative, Role.SECRETARY)])
    stranger = make_account("Rita", roles=[(other, Role.REGISTRAR)])
    for account in (secretary, stranger):
        with pytest.raises(Forbidden):
            imports.start_import(
                session, actor_for(session, account), cooperative, "x.csv", csv_file(row())
            )
    batch = imports.start_import(session, SYSTEM, cooperative, "x.csv", csv_file(row()))
    with pytest.raises(NotFound):
        imports.import_by_public_id(session, other, batch.public_id)


def test_nobody_is_imported_into_a_cooperative_on_hold(
    session: Session, cooperative: Cooperative
) -> None:
    cooperative.status = "on_hold"
    with pytest.raises(RuleViolation, match="on hold"):
        imports.start_import(session, SYSTEM, cooperative, "x.csv", csv_file(row()))


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


def test_two_imports_at_once_keep_one_chain(
    both_databases: str, app: Any, session: Session, cooperative: Cooperative, check_file: Import
) -> None:
    batches = []
    for part in range(3):
        rows = [
            row(str(part * 100 + n), f"Name{part}x{n}", email=f"m{part}.{n}@example.org")
            for n in range(1, 30)
        ]
        batch = check_file(csv_file(*rows))
        imports.confirm_import(session, SYSTEM, batch, batch.plan_digest)
        batches.append(batch.id)
    session.commit()

    def run(batch_id: int) -> None:
        with app.app_context():
            register_jobs.run_import(db.session, batch_id)
            db.session.commit()

    with ThreadPoolExecutor(6) as pool:
        # Each is run by two workers at once.
        list(pool.map(run, batches * 2))
    session.expire_all()
    assert {session.get_one(ImportBatch, number).state for number in batches} == {"imported"}
    assert verify_ledger(session, cooperative).entries == 3 * 29 * 2
    assert len(members_of(session)) == 3 * 29
