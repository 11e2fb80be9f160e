"""Long lists in pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.components import page_address
from govern.cooperatives.models import Cooperative
from govern.paging import Page, paginate, paginate_list, requested_page


def _page(number: int, pages: int) -> Page[int]:
    return Page(items=[1], page=number, pages=pages, total=pages * 50)


@pytest.mark.parametrize(
    ("number", "pages", "shown"),
    [
        (1, 1, [1]),
        (1, 3, [1, 2, 3]),
        (1, 12, [1, 2, None, 12]),
        (3, 12, [1, 2, 3, 4, None, 12]),
        (4, 12, [1, 2, 3, 4, 5, None, 12]),
        (6, 12, [1, None, 5, 6, 7, None, 12]),
        (12, 12, [1, None, 11, 12]),
    ],
)
def test_the_ends_and_the_neighbours_are_offered(
    number: int, pages: int, shown: list[int | None]
) -> None:
    assert _page(number, pages).numbers() == shown


def test_a_list_is_cut_into_pages() -> None:
    page = paginate_list(list(range(120)), 3, 50)
    assert list(page) == list(range(100, 120))
    assert (page.first, page.last, page.total, page.previous, page.next) == (101, 120, 120, 2, None)


def test_an_empty_list_has_one_empty_page() -> None:
    page = paginate_list([], 1)
    assert (page.pages, page.first, page.last) == (1, 0, 0)


def test_a_page_beyond_the_end_gives_the_last() -> None:
    assert paginate_list(list(range(10)), 99, 4).page == 3


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "9" * 30, "١"])
def test_a_strange_page_number_counts_as_the_first(app: Flask, value: str) -> None:
    with app.test_request_context("/", query_string={"page": value}):
        assert requested_page() == 1


def test_a_query_is_cut_in_the_database(
    session: Session, make_cooperative: Callable[..., Any]
) -> None:
    for number in range(5):
        make_cooperative(code=f"coop{number}", name=f"Coop {number}")
    page = paginate(session, select(Cooperative).order_by(Cooperative.code), 2, 2)
    assert [each.code for each in page] == ["coop2", "coop3"]
    assert (page.total, page.pages) == (5, 3)


def test_the_address_of_another_page_keeps_the_filters(app: Flask) -> None:
    with app.test_request_context("/members?q=du%20pont&status=a&status=b&page=2"):
        assert page_address(3) == "/members?q=du+pont&status=a&status=b&page=3"
