"""An import step by step: columns, confirmation, crashes, two at once, what is left of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
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
)
from govern.register.services import imports
from govern.register.services.verifying import verify_ledger
from tests.register.conftest import Import, csv_file, members_of, problems_of, row


@pytest.fixture(autouse=True)
def _after_the_data_was_made(clock: Any) -> None:
    clock.set(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))


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
        patch.setattr("govern.register.services.import_register.writing.append_entries", die)
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
