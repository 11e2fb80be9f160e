"""The pages of an import, from the upload to the rows to mend."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.register.models import ImportBatch, Membership
from tests.register.conftest import DATA, csv_file, row

Make = Callable[..., Membership]
IMPORTS = "/smartcoop/register/imports"

# A form that will not work with the next version of a library is a mistake today.
pytestmark = pytest.mark.filterwarnings("error::DeprecationWarning")


@pytest.fixture(autouse=True)
def _in_june_2018(clock: Any) -> None:
    """The clock stands still before anybody is given a role."""


def upload(client: FlaskClient, content: bytes, name: str = "register.csv") -> Any:
    return client.post(
        IMPORTS, data={"file": (io.BytesIO(content), name)}, content_type="multipart/form-data"
    )


def test_an_import_from_upload_to_the_rows_to_mend(
    registrar: FlaskClient, session: Session, run_jobs: Callable[[], int]
) -> None:
    answer = upload(registrar, (DATA / "register-fr.xlsx").read_bytes(), "C:\\register-fr.xlsx")
    page = registrar.get(answer.location).text
    assert "being read and compared" in page
    assert registrar.get(f"{answer.location}/progress").json["finished"] is False
    run_jobs()
    state = registrar.get(f"{answer.location}/progress").json
    assert (state["finished"], state["href"]) == (True, answer.location)
    page = registrar.get(answer.location).text
    for words in ("392", "register-fr.xlsx", "Hold possible duplicates back"):
        assert words in page
    errors = registrar.get(f"{answer.location}?show=error").text
    assert "not a category" in errors
    assert "There is no e-mail address" not in errors
    batch = session.scalars(select(ImportBatch)).one()
    assert session.scalars(select(Membership)).all() == []
    registrar.post(f"{answer.location}/confirm", data={"plan_digest": batch.plan_digest})
    assert "being written" in registrar.get(answer.location).text
    run_jobs()
    page = registrar.get(answer.location).text
    assert "392 members were imported" in page
    mend = registrar.get(f"{answer.location}/mend.csv")
    assert "What to mend" in mend.text
    assert "register-fr-mend.csv" in mend.headers["Content-Disposition"]
    assert "Imported" in registrar.get(IMPORTS).text


def test_columns_are_named_on_the_page(
    registrar: FlaskClient, session: Session, run_jobs: Callable[[], int]
) -> None:
    header = "Kolom A;Kolom B;Kolom C;Kolom D;Kolom E;Kolom F"
    answer = upload(registrar, csv_file("7;Peeters;An;A;01/03/2018;1", header=header))
    page = registrar.get(answer.location).text
    assert "Which column holds what?" in page
    assert "Peeters" in page
    names = ("member_number", "family_name", "given_name", "category", "joined_on", "shares")
    form = {f"column-{column}": name for column, name in enumerate(names)}
    twice = registrar.post(f"{answer.location}/columns", data={**form, "column-5": "category"})
    assert twice.status_code == 422
    assert "chosen for two columns" in twice.text
    assert '<option value="given_name" selected>' in twice.text
    assert registrar.post(f"{answer.location}/columns", data=form).location == answer.location
    run_jobs()
    assert "1 new member is written" in registrar.get(answer.location).text
    # From the preview one may come back to the columns.
    assert "Which column" in registrar.get(f"{answer.location}/columns").text


def test_what_is_no_register_is_refused_at_once(registrar: FlaskClient) -> None:
    answer = upload(registrar, b"%PDF-1.7")
    assert answer.status_code == 422
    assert "neither a CSV file nor an XLSX workbook" in answer.text
    empty = registrar.post(IMPORTS, data={}, content_type="multipart/form-data")
    assert "Choose a file." in empty.text


def test_the_preview_shows_what_would_change_and_possible_duplicates(
    registrar: FlaskClient,
    session: Session,
    run_jobs: Callable[[], int],
    import_file: Callable[..., ImportBatch],
) -> None:
    import_file(csv_file(row("7")))
    answer = upload(
        registrar,
        csv_file(row("7", street="Nieuwstraat 2"), row("8", email="other@example.org")),
    )
    run_jobs()
    page = registrar.get(answer.location).text
    assert "Nieuwstraat 2" in page
    assert "Hold possible duplicates back" in page
    registrar.post(f"{answer.location}/check", data={"duplicates": "hold_back"})
    run_jobs()
    assert "Let possible duplicates in" in registrar.get(answer.location).text
    stale = registrar.post(f"{answer.location}/confirm", data={"plan_digest": "0" * 64})
    assert stale.status_code == 409
    registrar.post(f"{answer.location}/cancel")
    assert "was dropped" in registrar.get(answer.location).text
    assert registrar.get(f"{answer.location}/mend.csv").status_code == 404
