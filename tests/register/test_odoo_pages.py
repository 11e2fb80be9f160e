"""An Odoo export comes in through the pages: upload, preview, what is odd, confirmation."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import Role
from govern.cooperatives.models import Cooperative
from govern.jobs import BackgroundJob, JobState
from govern.register import jobs
from govern.register.models import ImportBatch, ImportFile, Membership, ShareEntry
from govern.register.services.imports import purge_imports
from govern.register.services.verifying import verify_ledger
from tests.register.conftest import members_of
from tests.register.test_odoo import files

IMPORTS = "/smartcoop/register/imports"
Change = Callable[[bytes], bytes]


@pytest.fixture(autouse=True)
def _standing(clock: Any) -> None:
    """Everything happens on 1 June 2018."""


@pytest.fixture
def registrar(
    client: FlaskClient,
    cooperative: Cooperative,
    make_account: Callable[..., Any],
    sign_in: Callable[..., None],
) -> FlaskClient:
    sign_in(client, make_account("Rita Registrar", roles=[(cooperative, Role.REGISTRAR)]))
    return client


def upload(client: FlaskClient, **changes: Change) -> Any:
    given = files(compare=True, **changes)
    data = {
        name: (io.BytesIO(content), f"{name}.csv")
        for name, content in (
            ("partners", given.partners), ("register", given.register), ("lines", given.lines)
        )
    }  # fmt: skip
    return client.post(f"{IMPORTS}/odoo", data=data, content_type="multipart/form-data")


def newest(session: Session) -> ImportBatch:
    session.expire_all()
    return session.scalars(select(ImportBatch).order_by(ImportBatch.id.desc()).limit(1)).one()


def check(session: Session, client: FlaskClient) -> tuple[str, str]:
    """The address and the text of the newest import after its check."""
    batch = newest(session)
    jobs.check_import(session, batch.id)
    session.commit()
    address = f"{IMPORTS}/{batch.public_id}"
    return address, client.get(address).text


def confirm(session: Session, client: FlaskClient, address: str, **form: str) -> Any:
    data = {"plan_digest": newest(session).plan_digest, **form}
    answer = client.post(f"{address}/confirm", data=data)
    jobs.run_import(session, newest(session).id)
    session.commit()
    return answer


def test_an_export_is_seen_first_then_confirmed_and_again_it_changes_nothing(
    session: Session, cooperative: Cooperative, registrar: FlaskClient, both_databases: str
) -> None:
    assert "Import from Odoo" in registrar.get(IMPORTS).text
    assert upload(registrar).status_code == 302
    waiting = registrar.get(f"{IMPORTS}/{newest(session).public_id}").text
    assert "being read" in waiting
    address, page = check(session, registrar)
    assert "partners.csv, register.csv, lines.csv" in page
    assert session.scalar(select(Membership.id)) is None
    confirm(session, registrar, address)
    assert newest(session).state == "imported"
    assert "4 members were imported" in registrar.get(address).text
    assert sorted(members_of(session)) == ["1", "2", "3", "4"]
    assert session.scalars(select(ImportFile)).all() == []
    entries = session.scalar(select(func.count()).select_from(ShareEntry))

    # A second run of the job and a second upload of the same files bring nothing.
    jobs.run_import(session, newest(session).id)
    upload(registrar)
    address, page = check(session, registrar)
    assert "There is nothing to import" in page
    assert "The very same files were imported" in page
    confirm(session, registrar, address)
    assert session.scalar(select(func.count()).select_from(ShareEntry)) == entries
    verify_ledger(session, cooperative)


def test_types_that_the_rules_do_not_know_are_said_on_the_preview(
    session: Session, registrar: FlaskClient
) -> None:
    upload(
        registrar,
        partners=lambda data: data.replace(b",A,", b",Old,"),
        register=lambda data: data.replace(b",A,", b",Old,"),
        lines=lambda data: data.replace(b",A,", b",Old,"),
    )
    address, page = check(session, registrar)
    assert "does not tell the category" in page
    assert "Say which category it stands for; the rules know: A, B, C." in page
    assert "--category" not in page
    places = [item["name"] for item in newest(session).layout["types"]]
    wrong = {"options": "y", f"category-{places.index('Old')}": "Z"}
    assert registrar.post(f"{address}/check", data=wrong).status_code == 422
    right = {"options": "y", f"category-{places.index('Old')}": "A"}
    registrar.post(f"{address}/check", data=right)
    address, page = check(session, registrar)
    assert newest(session).counts["errors"] == 0
    confirm(session, registrar, address)
    assert members_of(session)["1"].categories[0].code == "A"


def test_with_errors_nobody_comes_in_unless_the_others_are_asked_for(
    session: Session, cooperative: Cooperative, registrar: FlaskClient
) -> None:
    upload(registrar, register=lambda data: data.replace(b"p_eva,1", b"p_who,1"))
    address, page = check(session, registrar)
    for words in ("Register of operations", "partner_id_to/id", "p_who", "is not among the"):
        assert words in page
    # What others follow from stands first.
    assert page.index("is not among the partners") < page.index("because of another row")
    refused = confirm(session, registrar, address)
    assert refused.status_code == 422
    assert "say that the members concerned stay out" in refused.text
    assert session.scalar(select(Membership.id)) is None
    confirm(session, registrar, address, good_rows="y")
    assert sorted(members_of(session)) == ["3"]
    verify_ledger(session, cooperative)


def test_a_number_of_somebody_else_can_be_trusted_on_the_page(
    session: Session, registrar: FlaskClient, make_member: Callable[..., Membership]
) -> None:
    make_member("2", given_name="Somebody", family_name="Else", shares=0)
    upload(registrar)
    address, page = check(session, registrar)
    assert "Somebody Else" in page
    registrar.post(f"{address}/check", data={"options": "y", "other_names": "y"})
    _address, page = check(session, registrar)
    assert newest(session).counts["errors"] == 0
    assert "checked" in page


def test_what_moved_since_the_preview_is_shown_before_anything_is_written(
    session: Session, registrar: FlaskClient, make_member: Callable[..., Membership]
) -> None:
    upload(registrar)
    address, _page = check(session, registrar)
    make_member("4", given_name="Eva", family_name="Diels", shares=0)
    confirm(session, registrar, address)
    assert newest(session).state == "checked"
    assert "The register changed after you had looked" in registrar.get(address).text
    assert sorted(members_of(session)) == ["4"]


def test_a_file_that_cannot_be_read_is_named_at_its_field(
    session: Session, registrar: FlaskClient
) -> None:
    answer = upload(registrar, register=lambda data: data.replace(b"share_unit_price", b"what"))
    assert answer.status_code == 422
    assert "The file “Register of operations” lacks the columns: share_unit_price" in answer.text
    assert upload(registrar, partners=lambda data: b"").status_code == 422
    assert registrar.post(f"{IMPORTS}/odoo", data={}).status_code == 422
    assert session.scalar(select(ImportBatch.id)) is None


def test_the_columns_of_an_export_are_not_named_by_hand_and_its_files_are_forgotten(
    session: Session, registrar: FlaskClient, clock: Any
) -> None:
    upload(registrar)
    address, _page = check(session, registrar)
    assert registrar.get(f"{address}/columns").status_code == 404
    assert registrar.post(f"{address}/columns", data={}).status_code == 404
    purge_imports(session, clock.now + timedelta(days=31))
    session.commit()
    assert session.scalars(select(ImportFile)).all() == []
    assert registrar.get(address).status_code == 200


def test_an_export_whose_job_died_is_taken_up_again(
    session: Session, registrar: FlaskClient, run_jobs: Callable[[], int]
) -> None:
    upload(registrar)
    batch = newest(session)
    row = session.get_one(BackgroundJob, batch.job_id)
    assert row.state == JobState.QUEUED.value
    run_jobs()
    assert newest(session).state == "checked"
