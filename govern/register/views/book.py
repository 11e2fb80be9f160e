"""The book of members and shares: extracts, entries, the view for members, the yearly balance."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request
from wtforms.fields.choices import SelectChoice

from govern import clock
from govern.access import Permission, requires
from govern.errors import InvalidInput
from govern.extensions import db
from govern.i18n import current_language, local_text
from govern.paging import PER_PAGE, Page, requested_page
from govern.register.asking_forms import HoldersForm, MomentForm, PublicForm, YearForm
from govern.register.services import book
from govern.register.services.book import documents
from govern.register.texts import KIND_NAMES
from govern.register.views.asked import AskedWrongly
from govern.register.views.blueprint import attachment, blueprint, member_of
from govern.register.views.moments import (
    book_words,
    may_see_domiciles,
    moment_asked,
    moment_of,
    query_of,
    stem_of,
)
from govern.register.views.traces import leave_trace
from govern.submitting import put_error

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DIGEST_LINES = 5000
"""Up to so many lines the page itself shows the digest; beyond, the downloads do."""


# -- the complete extract ---------------------------------------------------------------------


@blueprint.get("/<cooperative>/register/book")
@requires(Permission.REGISTER_READ)
def book_page(cooperative: str) -> Any:
    """The holders at the end of a day, as known then or now, in pages and searchable."""
    session, form = db.session(), HoldersForm(request.args)
    moment, text = moment_of(form), form.q.data
    names_only = not may_see_domiciles()
    page = _page_of(
        book.count_holders(session, moment, text, names_only=names_only),
        lambda limit, offset: book.find_holders(
            session, moment, text, limit=limit, offset=offset, names_only=names_only
        ),
    )
    lines = book.count_lines(session, moment)
    return render_template(
        "register/book.html",
        moment=moment,
        form=form,
        asked=query_of(moment),
        text=text,
        page=page,
        shown=list(book.read_lines(session, moment, membership_ids=page.items)),
        totals=book.totals_per_class(session, moment),
        words=book_words(moment.on),
        kinds=KIND_NAMES,
        lines=lines,
        digest_value=(
            book.digest_of(session, g.cooperative, moment) if lines <= DIGEST_LINES else ""
        ),
        with_domicile=may_see_domiciles(),
        is_one_volume=book.is_one_volume(session, moment),
    )


def _page_of(total: int, read: Any) -> Page[Any]:
    pages = max(1, -(-total // PER_PAGE))
    number = min(requested_page(), pages)
    items = list(read(PER_PAGE, (number - 1) * PER_PAGE))
    return Page(items, number, pages, total, PER_PAGE)


@blueprint.get("/<cooperative>/register/book.xlsx")
@requires(Permission.REGISTER_READ)
def book_xlsx(cooperative: str) -> Any:
    """The whole extract as a workbook."""
    moment = moment_asked()
    leave_trace(None)
    content = documents.extract_xlsx(
        db.session(),
        g.cooperative,
        moment,
        book_words(moment.on),
        with_domicile=may_see_domiciles(),
    )
    return attachment(content, f"{stem_of(moment)}.xlsx", XLSX)


@blueprint.get("/<cooperative>/register/book/entries")
@requires(Permission.REGISTER_READ)
def book_entries(cooperative: str) -> Any:
    """Every entry in the order in which it was written, with both of its times."""
    session, form = db.session(), MomentForm(request.args)
    moment = moment_of(form)
    page = _page_of(
        book.count_entries_of(session, moment),
        lambda limit, offset: book.read_entries(session, moment, limit=limit, offset=offset),
    )
    return render_template(
        "register/book_entries.html",
        moment=moment,
        form=form,
        asked=query_of(moment),
        page=page,
        words=book_words(moment.on),
        kind_name=documents.kind_name,
    )


@blueprint.get("/<cooperative>/register/book/members/<member>")
@requires(Permission.REGISTER_READ)
def book_member(cooperative: str, member: str) -> Any:
    """One holder's page of the book."""
    session, membership, form = db.session(), member_of(member), MomentForm(request.args)
    moment = moment_of(form)
    leave_trace(membership)
    lines = book.read_lines_of(session, moment, membership)
    entries = list(book.read_entries(session, moment, membership_id=membership.id))
    return render_template(
        "register/book_member.html",
        membership=membership,
        moment=moment,
        form=form,
        asked=query_of(moment),
        lines=lines,
        entries=entries,
        name=(lines or entries[-1:] or [membership])[0],
        words=book_words(moment.on),
        kind_name=documents.kind_name,
        with_domicile=may_see_domiciles(),
        digest_value=documents.member_digest(g.cooperative, moment, membership, lines, entries),
    )


@blueprint.get("/<cooperative>/register/book/members/<member>/extract.pdf")
@requires(Permission.REGISTER_READ)
def book_member_pdf(cooperative: str, member: str) -> Any:
    """One holder's page of the book on paper."""
    moment, membership = moment_asked(), member_of(member)
    leave_trace(membership)
    content = documents.member_extract_pdf(
        db.session(),
        g.cooperative,
        membership,
        moment,
        book_words(moment.on),
        current_language(),
        with_domicile=may_see_domiciles(),
    )
    number = membership.member_number.replace("/", "-").replace(" ", "-")
    return attachment(content, f"{stem_of(moment)}-{number}.pdf", "application/pdf")


# -- what every member may consult ------------------------------------------------------------


@blueprint.get("/<cooperative>/book")
@requires(Permission.BOOK_READ)
def public_book(cooperative: str) -> Any:
    """Names, categories and numbers of shares, which the law opens to every member."""
    form = PublicForm(request.args)
    moment, text = moment_of(form), form.q.data
    page = _page_of(
        book.count_public_lines(db.session(), moment, text),
        lambda limit, offset: book.find_public_lines(
            db.session(), moment, text, limit=limit, offset=offset
        ),
    )
    words = book_words(moment.on)
    return render_template(
        "register/public_book.html",
        moment=moment,
        form=form,
        text=text,
        page=page,
        lines=page.items,
        totals=book.totals_per_class(db.session(), moment),
        words=words,
        categories={code: local_text(texts) for code, texts in words.categories.items()},
        kinds=KIND_NAMES,
    )


# -- the financial year -----------------------------------------------------------------------


def _balance() -> tuple[YearForm, book.Balance]:
    session, form = db.session(), YearForm(request.args)
    form.year.choices = [
        SelectChoice(year.key, year.name) for year in book.financial_years(session, g.cooperative)
    ]
    try:
        year = book.financial_year(session, g.cooperative, form.year.data or "")
    except InvalidInput as error:
        put_error(form, error)
        raise AskedWrongly(form) from error
    form.year.data = year.key
    return form, book.balance_of(session, g.cooperative, year)


@blueprint.get("/<cooperative>/register/years")
@requires(Permission.REGISTER_READ)
def year_page(cooperative: str) -> Any:
    """Who joined and left in a financial year, and what became of the shares."""
    form, balance = _balance()
    words = book_words(balance.moment.on)
    return render_template(
        "register/year.html",
        balance=balance,
        form=form,
        words=words,
        headings=documents.movement_headings(),
        people_headings=documents.people_headings(),
        people_rows=documents.people_rows(balance, words),
        reasons=documents.reasons_of(balance.people),
        withdrawal_note=documents.withdrawal_note(),
        digest_value=documents.balance_digest(g.cooperative, balance),
        is_under_way=balance.year.last > clock.today(g.cooperative.time_zone),
    )


@blueprint.get("/<cooperative>/register/years.pdf")
@requires(Permission.REGISTER_READ)
def year_pdf(cooperative: str) -> Any:
    """The balance of a financial year on paper."""
    _form, balance = _balance()
    content = documents.balance_pdf(
        g.cooperative, balance, book_words(balance.moment.on), current_language()
    )
    return attachment(content, f"{_year_stem(balance)}.pdf", "application/pdf")


@blueprint.get("/<cooperative>/register/years.xlsx")
@requires(Permission.REGISTER_READ)
def year_xlsx(cooperative: str) -> Any:
    """The balance of a financial year as a workbook, with the names of joiners and leavers."""
    _form, balance = _balance()
    content = documents.balance_xlsx(
        db.session(), g.cooperative, balance, book_words(balance.moment.on)
    )
    return attachment(content, f"{_year_stem(balance)}.xlsx", XLSX)


def _year_stem(balance: book.Balance) -> str:
    return f"{g.cooperative.code}-year-{balance.year.name.replace('/', '-')}"
