"""A later file changes contact data only, and says where the register knows otherwise."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.cooperatives.models import Cooperative
from govern.register.models import (
    ImportChange,
)
from govern.register.services import erasure, ledger
from govern.register.services.verifying import verify_ledger
from tests.register.conftest import DATA, Import, csv_file, members_of, problems_of, row


@pytest.fixture(autouse=True)
def _after_the_data_was_made(clock: Any) -> None:
    clock.set(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))


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


def test_what_was_erased_does_not_come_back_with_a_later_file(
    session: Session, import_file: Import, clock: Any
) -> None:
    content = csv_file(row("7", shares="1", left="01/04/2018"))
    import_file(content)
    member = members_of(session)["7"]
    ledger.refund_shares(session, SYSTEM, member, 1, date(2018, 4, 1))
    done = erasure.erase_member(session, SYSTEM, member)
    session.commit()
    for _step in ("contact data", "name"):
        batch = import_file(content)
        session.refresh(member)
        assert (member.email, member.street) == (None, "")
        assert problems_of(session, batch) == [(2, "warning", "was_erased")]
        if done.keep_until is not None and done.state == "partial":
            clock.set(datetime(2030, 1, 1, 12, 0, tzinfo=UTC))
            erasure.complete_erasure(session, SYSTEM, done)
            session.commit()
