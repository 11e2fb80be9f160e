"""A real register goes in; what is odd is said; nothing is imported that was not confirmed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.register.models import (
    ImportBatch,
    ImportFile,
    ImportProblem,
    Membership,
)
from govern.register.services.chain import verify_ledger
from tests.register.conftest import DATA

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
def _after_the_data_was_made(clock) -> None:
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
