"""Days as each language says them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask

from govern.i18n import day, instant, speaking

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("language", "value", "expected"),
    [
        ("fr", date(2018, 6, 1), "1er juin 2018"),
        ("fr", date(2018, 6, 11), "11 juin 2018"),
        ("nl", date(2018, 6, 1), "1 juni 2018"),
        ("de", date(2018, 6, 1), "1. Juni 2018"),
        ("en", date(2018, 6, 1), "1 June 2018"),
    ],
)
def test_the_first_of_a_month_is_an_ordinal_in_french(
    app: Flask, language: str, value: date, expected: str
) -> None:
    with app.test_request_context(), speaking(language):
        assert day(value) == expected


def test_an_instant_names_its_day_in_the_same_way(app: Flask) -> None:
    with app.test_request_context(), speaking("fr"):
        assert "1er juin 2018" in instant(datetime(2018, 6, 1, 12, tzinfo=UTC))
        assert "vendredi 1er juin 2018" in instant(datetime(2018, 6, 1, 12, tzinfo=UTC), "full")


def test_no_day_in_english_can_be_taken_for_another_one(app: Flask) -> None:
    with app.test_request_context(), speaking("en"):
        assert day(date(2018, 6, 1), "short") == "01/06/2018"


def test_only_one_place_chooses_the_form_of_dates() -> None:
    """``speaking`` gives English the days of Europe; ``force_locale("en")`` writes 6/1/18."""
    found = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "govern").rglob("*.py")
        if "force_locale" in path.read_text()
    ]
    assert found == ["govern/i18n.py"]
