"""The book of members and shares: extracts, entries, the view for members, the yearly balance."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import g, render_template, request
from flask_babel import gettext as _

from govern import clock
from govern.access import Permission, requires
from govern.cooperatives.services import rules_on
from govern.errors import InvalidInput, RuleViolation
from govern.extensions import db
from govern.i18n import current_language, local_text
from govern.paging import PER_PAGE, Page, requested_page
from govern.register.rules import values
from govern.register.rules.privacy import FieldGroup
from govern.register.services import book
from govern.register.services.book import documents
from govern.register.texts import KIND_NAMES
from govern.register.views.blueprint import attachment, blueprint, member_of, today
from govern.register.views.traces import leave_trace, shown_fields

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DIGEST_LINES = 5000
"""Up to so many lines the page itself shows the digest; beyond, the downloads do."""


# -- what the address asks for ----------------------------------------------------------------


def _day_asked(name: str) -> date | None:
    text = request.args.get(name, "").strip()[:40]
    if not text:
        return None
    try:
        return values.read_date(text)
    except values.Unreadable as error:
        raise InvalidInput(
            _("“%(text)s” is not a day.", text=text),
            remedy=_("Write a day such as 2018-12-31."),
            field=name,
        ) from error


def end_of(day: date) -> datetime:
    """The last moment of ``day`` where the cooperative is."""
    zone = ZoneInfo(g.cooperative.time_zone)
    following = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    return following.astimezone(UTC) - timedelta(microseconds=1)


def _moment() -> book.BookMoment:
    """The day and the moment that the address asks for (``on``, ``known``: days)."""
    known = _day_asked("known")
    if known is not None and known > today():
        raise InvalidInput(
            _("The book cannot be shown as it will be known later."),
            remedy=_("Leave the day empty for what is known now."),
            field="known",
        )
    is_past = known is not None and known < today()
    return book.book_at(
        db.session(),
        g.cooperative,
        _day_asked("on"),
        end_of(known) if known is not None and is_past else None,
    )


def book_words(day: date) -> documents.Words:
    """The names of categories and classes of shares as of ``day``, or of today before any rule."""
    try:
        rules = rules_on(db.session(), g.cooperative.id, day)[1]
    except RuleViolation:
        rules = rules_on(db.session(), g.cooperative.id, today())[1]
    return documents.Words(
        {category.code: category.names for category in rules.categories},
        {item.code: item.names for item in rules.share_classes},
    )


def _asked(moment: book.BookMoment) -> dict[str, str]:
    """The query of the page, for links to the same moment."""
    asked = {"on": moment.on.isoformat()}
    if not moment.is_present:
        asked["known"] = request.args.get("known", "")[:40]
    return asked


def _stem(moment: book.BookMoment) -> str:
    return f"{g.cooperative.code}-register-{moment.on.isoformat()}"


def _may_see_domiciles() -> bool:
    """Contact data is for those to whom the table of privacy gives it."""
    return FieldGroup.CONTACT in shown_fields()


# -- the complete extract ---------------------------------------------------------------------


@blueprint.get("/<cooperative>/register/book")
@requires(Permission.REGISTER_READ)
def book_page(cooperative: str) -> Any:
    """The holders at the end of a day, as known then or now, in pages and searchable."""
    session, moment = db.session(), _moment()
    text = request.args.get("q", "")[:200]
    names_only = not _may_see_domiciles()
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
        asked=_asked(moment),
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
        with_domicile=_may_see_domiciles(),
        pdf_rows=documents.PDF_ROWS,
    )


def _page_of(total: int, read: Any) -> Page[Any]:
    pages = max(1, -(-total // PER_PAGE))
    number = min(requested_page(), pages)
    items = list(read(PER_PAGE, (number - 1) * PER_PAGE))
    return Page(items, number, pages, total, PER_PAGE)


@blueprint.get("/<cooperative>/register/book.pdf")
@requires(Permission.REGISTER_READ)
def book_pdf(cooperative: str) -> Any:
    """The extract on paper."""
    leave_trace(None)
    moment = _moment()
    content = documents.extract_pdf(
        db.session(),
        g.cooperative,
        moment,
        book_words(moment.on),
        current_language(),
        with_domicile=_may_see_domiciles(),
    )
    return attachment(content, f"{_stem(moment)}.pdf", "application/pdf")


@blueprint.get("/<cooperative>/register/book.xlsx")
@requires(Permission.REGISTER_READ)
def book_xlsx(cooperative: str) -> Any:
    """The whole extract as a workbook."""
    leave_trace(None)
    moment = _moment()
    content = documents.extract_xlsx(
        db.session(),
        g.cooperative,
        moment,
        book_words(moment.on),
        with_domicile=_may_see_domiciles(),
    )
    return attachment(content, f"{_stem(moment)}.xlsx", XLSX)


@blueprint.get("/<cooperative>/register/book/entries")
@requires(Permission.REGISTER_READ)
def book_entries(cooperative: str) -> Any:
    """Every entry in the order in which it was written, with both of its times."""
    session, moment = db.session(), _moment()
    page = _page_of(
        book.count_entries_of(session, moment),
        lambda limit, offset: book.read_entries(session, moment, limit=limit, offset=offset),
    )
    return render_template(
        "register/book_entries.html",
        moment=moment,
        asked=_asked(moment),
        page=page,
        words=book_words(moment.on),
        kind_name=documents.kind_name,
    )


@blueprint.get("/<cooperative>/register/book/members/<member>")
@requires(Permission.REGISTER_READ)
def book_member(cooperative: str, member: str) -> Any:
    """One holder's page of the book."""
    session, moment, membership = db.session(), _moment(), member_of(member)
    leave_trace(membership)
    lines = book.read_lines_of(session, moment, membership)
    entries = list(book.read_entries(session, moment, membership_id=membership.id))
    return render_template(
        "register/book_member.html",
        membership=membership,
        moment=moment,
        asked=_asked(moment),
        lines=lines,
        entries=entries,
        name=(lines or entries[-1:] or [membership])[0],
        words=book_words(moment.on),
        kind_name=documents.kind_name,
        with_domicile=_may_see_domiciles(),
        digest_value=documents.member_digest(g.cooperative, moment, membership, lines, entries),
    )


@blueprint.get("/<cooperative>/register/book/members/<member>/extract.pdf")
@requires(Permission.REGISTER_READ)
def book_member_pdf(cooperative: str, member: str) -> Any:
    """One holder's page of the book on paper."""
    moment, membership = _moment(), member_of(member)
    leave_trace(membership)
    content = documents.member_extract_pdf(
        db.session(),
        g.cooperative,
        membership,
        moment,
        book_words(moment.on),
        current_language(),
        with_domicile=_may_see_domiciles(),
    )
    number = membership.member_number.replace("/", "-").replace(" ", "-")
    return attachment(content, f"{_stem(moment)}-{number}.pdf", "application/pdf")


# -- what every member may consult ------------------------------------------------------------


@blueprint.get("/<cooperative>/book")
@requires(Permission.BOOK_READ)
def public_book(cooperative: str) -> Any:
    """Names, categories and numbers of shares, which the law opens to every member."""
    moment = book.book_at(db.session(), g.cooperative, _day_asked("on"))
    text = request.args.get("q", "")[:200]
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
        text=text,
        page=page,
        lines=page.items,
        totals=book.totals_per_class(db.session(), moment),
        words=words,
        categories={code: local_text(texts) for code, texts in words.categories.items()},
        kinds=KIND_NAMES,
    )


# -- the financial year -----------------------------------------------------------------------


def _balance() -> book.Balance:
    year = book.financial_year(db.session(), g.cooperative, request.args.get("year", "")[:20])
    return book.balance_of(db.session(), g.cooperative, year)


@blueprint.get("/<cooperative>/register/years")
@requires(Permission.REGISTER_READ)
def year_page(cooperative: str) -> Any:
    """Who joined and left in a financial year, and what became of the shares."""
    session, balance = db.session(), _balance()
    words = book_words(balance.moment.on)
    return render_template(
        "register/year.html",
        balance=balance,
        years=book.financial_years(session, g.cooperative),
        words=words,
        headings=documents.movement_headings(),
        people_headings=documents.people_headings(),
        people_rows=documents.people_rows(balance, words),
        reasons=documents.reasons_of(balance.people),
        digest_value=documents.balance_digest(g.cooperative, balance),
        is_under_way=balance.year.last > clock.today(g.cooperative.time_zone),
    )


@blueprint.get("/<cooperative>/register/years.pdf")
@requires(Permission.REGISTER_READ)
def year_pdf(cooperative: str) -> Any:
    """The balance of a financial year on paper."""
    balance = _balance()
    content = documents.balance_pdf(
        g.cooperative, balance, book_words(balance.moment.on), current_language()
    )
    return attachment(content, f"{_year_stem(balance)}.pdf", "application/pdf")


@blueprint.get("/<cooperative>/register/years.xlsx")
@requires(Permission.REGISTER_READ)
def year_xlsx(cooperative: str) -> Any:
    """The balance of a financial year as a workbook, with the names of joiners and leavers."""
    balance = _balance()
    content = documents.balance_xlsx(
        db.session(), g.cooperative, balance, book_words(balance.moment.on)
    )
    return attachment(content, f"{_year_stem(balance)}.xlsx", XLSX)


def _year_stem(balance: book.Balance) -> str:
    return f"{g.cooperative.code}-year-{balance.year.name.replace('/', '-')}"
