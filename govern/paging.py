"""Long lists in pages: the same arithmetic and the same look everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

Item = TypeVar("Item")

PER_PAGE = 50


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a longer list. ``page`` counts from 1; ``total`` is the length of the list."""

    items: Sequence[Item]
    page: int
    pages: int
    total: int
    per_page: int = PER_PAGE

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def first(self) -> int:
        """The number, from 1, of the first item shown; 0 where there is none."""
        return (self.page - 1) * self.per_page + 1 if self.items else 0

    @property
    def last(self) -> int:
        """The number of the last item shown."""
        return self.first + len(self.items) - 1 if self.items else 0

    @property
    def previous(self) -> int | None:
        return self.page - 1 if self.page > 1 else None

    @property
    def next(self) -> int | None:
        return self.page + 1 if self.page < self.pages else None

    def numbers(self) -> list[int | None]:
        """Page numbers to offer: both ends and the neighbours; None stands for a gap."""
        wanted = {1, self.pages, self.page - 1, self.page, self.page + 1}
        shown: list[int | None] = []
        for number in sorted(n for n in wanted if 1 <= n <= self.pages):
            if shown and shown[-1] is not None and number - shown[-1] > 1:
                # A gap of one page is as long as its number: show the number.
                shown.append(number - 1 if number - shown[-1] == 2 else None)
            shown.append(number)
        return shown


def paginate(
    session: Session,
    statement: Select[Any],
    page: int | None = None,
    per_page: int = PER_PAGE,
    *,
    total: int | None = None,
    rows: bool = False,
) -> Page[Any]:
    """The ``page``-th page of ``statement`` (ordered; a page beyond the last gives the last).

    ``page`` None reads ``?page=`` of the request. ``total`` saves the counting query where the
    caller knows the length. ``rows`` gives whole rows instead of their first column.
    """
    wanted = requested_page() if page is None else page
    if total is None:
        counted = statement.order_by(None).options().subquery()
        total = session.scalar(select(func.count()).select_from(counted)) or 0
    pages = max(1, -(-total // per_page))
    number = min(max(1, wanted), pages)
    part = statement.limit(per_page).offset((number - 1) * per_page)
    items = session.execute(part).all() if rows else session.scalars(part).unique().all()
    return Page(items=items, page=number, pages=pages, total=total, per_page=per_page)


def paginate_list(
    items: Sequence[Item], page: int | None = None, per_page: int = PER_PAGE
) -> Page[Item]:
    """The ``page``-th page of a list that is in memory already."""
    wanted = requested_page() if page is None else page
    pages = max(1, -(-len(items) // per_page))
    number = min(max(1, wanted), pages)
    start = (number - 1) * per_page
    return Page(items[start : start + per_page], number, pages, len(items), per_page)


def requested_page() -> int:
    """``?page=`` of the request as a number from 1; anything else counts as the first page."""
    value = request.args.get("page", "1")
    return int(value) if value.isdecimal() and 0 < len(value) < 10 and int(value) > 0 else 1
