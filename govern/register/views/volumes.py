"""The book on paper: one document, or the list of its volumes and each of them."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, render_template, request
from flask_babel import gettext as _

from govern.access import Permission, requires
from govern.errors import Conflict, NotFound
from govern.extensions import db
from govern.i18n import current_language
from govern.register.services import book
from govern.register.services.book import documents
from govern.register.views.blueprint import attachment, blueprint, here
from govern.register.views.moments import (
    book_words,
    may_see_domiciles,
    moment_asked,
    query_of,
    stem_of,
)
from govern.register.views.traces import leave_trace


@blueprint.get("/<cooperative>/register/book.pdf")
@requires(Permission.REGISTER_READ)
def book_pdf(cooperative: str) -> Any:
    """The extract on paper, or the list of its volumes where it has several."""
    moment = moment_asked()
    if not book.is_one_volume(db.session(), moment):
        return redirect(here("book_volumes", **query_of(moment)))
    leave_trace(None)
    extract = _extract(moment)
    content = documents.volume_pdf(db.session(), extract, extract.volumes.all[0])
    return attachment(content, f"{stem_of(moment)}.pdf", "application/pdf")


def _extract(moment: book.BookMoment) -> documents.Extract:
    return documents.make_extract(
        db.session(),
        g.cooperative,
        moment,
        book_words(moment.on),
        current_language(),
        with_domicile=may_see_domiciles(),
    )


@blueprint.get("/<cooperative>/register/book/volumes")
@requires(Permission.REGISTER_READ)
def book_volumes(cooperative: str) -> Any:
    """The volumes of the book at a moment that stands in the address, so that it stays the same."""
    moment = moment_asked()
    if "entry" not in request.args or moment.is_present:
        return redirect(here("book_volumes", **_fixed(moment)))
    extract = _extract(moment)
    return render_template(
        "register/book_volumes.html",
        moment=moment,
        asked=query_of(moment),
        volumes=extract.volumes,
        digest_value=extract.digest,
        code=extract.code,
        contents_of=documents.contents_of,
    )


def _fixed(moment: book.BookMoment) -> dict[str, Any]:
    """The query that gives this moment again, whatever is written meanwhile."""
    known = moment.known_at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {"on": moment.on.isoformat(), "known": known, "entry": moment.sequence}


@blueprint.get("/<cooperative>/register/book/volume.pdf")
@requires(Permission.REGISTER_READ)
def book_volume(cooperative: str) -> Any:
    """The volume ``number``. ``code``: that of the list which led here, whose digest it has."""
    moment = moment_asked()
    if "entry" not in request.args or moment.is_present:
        return redirect(here("book_volumes", **_fixed(moment)))
    leave_trace(None)
    extract = _extract(moment)
    asked, total = request.args.get("number", "1")[:20], len(extract.volumes.all)
    number = int(asked) if asked.isdecimal() else 0
    if not 1 <= number <= total:
        raise NotFound(
            _("The book has no volume %(number)s at that moment.", number=asked),
            remedy=_("Choose one from the list of the volumes."),
        )
    if request.args.get("code", extract.code).upper() != extract.code:
        raise Conflict(
            _("A name in the book was erased or corrected since the list of volumes was made."),
            remedy=_("Open the list again from the page of the book, and take all volumes anew."),
        )
    content = documents.volume_pdf(db.session(), extract, extract.volumes.all[number - 1])
    name = f"{stem_of(moment)}-{documents.volume_name(number, total)}.pdf"
    return attachment(content, name, "application/pdf")
