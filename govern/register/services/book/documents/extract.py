"""The extract of the book as a workbook, and one holder's page of it on paper."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.i18n import choose_time_zone, money, speaking
from govern.i18n import day as in_words
from govern.pdf import render_pdf
from govern.register.models import Membership
from govern.register.rules.chain import canonical_json
from govern.register.services.book.documents.words import (
    Words,
    euro,
    holder_name,
    kind_name,
    moment_facts,
)
from govern.register.services.book.entries import BookEntry, read_entries
from govern.register.services.book.extracts import (
    BookLine,
    digest_of,
    read_lines,
    read_lines_of,
)
from govern.register.services.book.holders import ClassTotal, totals_per_class
from govern.register.services.book.moments import BookMoment
from govern.register.services.certificate_document import spaced
from govern.register.spreadsheets import Sheet, Value, write_workbook


def extract_xlsx(
    session: Session,
    cooperative: Cooperative,
    moment: BookMoment,
    words: Words,
    *,
    with_domicile: bool,
) -> bytes:
    """The whole extract: facts, totals, holders, entries, each on a sheet of its own."""
    digest = digest_of(session, cooperative, moment)
    facts: list[Sequence[Value]] = [
        *moment_facts(moment),
        [_("Digest (SHA-256)"), digest],
        *([note, ""] for note in extract_notes(with_domicile)),
    ]
    totals = totals_per_class(session, moment)
    return write_workbook(
        [
            Sheet(_("Extract"), [cooperative.name, _("Extract of the share register")], facts),
            Sheet(_("Totals"), total_headings(), (total_values(t, words) for t in totals)),
            Sheet(
                _("Holders"),
                _line_headings(with_domicile),
                (_line_values(line, words, with_domicile) for line in read_lines(session, moment)),
            ),
            Sheet(
                _("Entries"),
                [*_entry_headings(named=True), _("Takes back entry"), _("Hash")],
                (_entry_values(entry, words) for entry in read_entries(session, moment)),
            ),
        ]
    )


def member_extract_pdf(
    session: Session,
    cooperative: Cooperative,
    membership: Membership,
    moment: BookMoment,
    words: Words,
    language: str,
    *,
    with_domicile: bool,
) -> bytes:
    """One holder's page of the book at the moment; its digest covers its lines and entries."""
    lines = read_lines_of(session, moment, membership)
    entries = list(read_entries(session, moment, membership_id=membership.id))
    digest = member_digest(cooperative, moment, membership, lines, entries)
    name = lines[0].name if lines else (entries[-1].name if entries else membership.display_name)
    with speaking(language):
        facts = [
            [_("Member number"), membership.member_number],
            [_("Holder"), name or _("(name erased)")],
        ]
        if membership.organisation is not None and lines:
            facts.append([_("Enterprise number"), lines[0].enterprise_number])
        if with_domicile and lines and lines[0].domicile:
            facts.append([_("Domicile"), lines[0].domicile])
        if lines and lines[0].category:
            facts.append([_("Category"), words.category(lines[0].category)])
        headings = [_("Class"), _("Shares"), _("Numbers"), _("Paid in full"), _("Capital paid")]
        data = {
            "cooperative": cooperative.name,
            "title": _("Extract of the share register"),
            "subtitle": _("at the end of %(day)s", day=in_words(moment.on)),
            "digest": digest,
            "verification_code": digest[:12].upper(),
            "wide_page": False,
            "lead": "",
            "facts": [*facts, *moment_facts(moment)],
            "sections": [
                {
                    "heading": _("Shares held"),
                    "note": "" if lines else _("On that day the holder held no share."),
                    "columns": headings,
                    "numbers": [1, 3, 4],
                    "wide": [0, 2],
                    "rows": [
                        [
                            words.share_class(line.share_class, line.nominal_cents),
                            str(line.shares),
                            spaced(line.numbers) or "–",
                            str(line.paid_shares),
                            money(line.paid_cents),
                        ]
                        for line in lines
                    ],
                },
                entries_section(iter(entries), words, named=False),
            ],
            "notes": extract_notes(with_domicile),
        }
        return render_pdf("register_tables", data, language)


def member_digest(
    cooperative: Cooperative,
    moment: BookMoment,
    membership: Membership,
    lines: Sequence[BookLine],
    entries: Sequence[BookEntry],
) -> str:
    """SHA-256 over one holder's lines and the hashes of the entries behind them."""
    heading = {
        "cooperative": cooperative.code,
        "entries": [entry.hash for entry in entries],
        "head": moment.hash,
        "member": membership.public_id,
        "on": moment.on.isoformat(),
        "sequence": moment.sequence,
    }
    digest = hashlib.sha256(b"govern/book-page/1\n" + canonical_json(heading) + b"\n")
    for line in lines:
        digest.update(line.canonical() + b"\n")
    return digest.hexdigest()


def extract_notes(with_domicile: bool) -> list[str]:
    """What a reader of an extract must know about its names and addresses."""
    notes = [
        _(
            "Names are those that the register had recorded at the moment given above. The number "
            "and the hash of the newest entry tell which entries the extract rests on."
        )
    ]
    if with_domicile:
        notes.append(_("Domiciles are the present ones: the book keeps no earlier address."))
    return notes


def _line_headings(with_domicile: bool) -> list[str]:
    return [
        _("Member number"),
        _("Holder"),
        _("Enterprise number"),
        *([_("Domicile")] if with_domicile else []),
        _("Category"),
        _("Class"),
        _("Numbers"),
        _("Shares"),
        _("Paid in full"),
        _("Capital paid"),
    ]


def _line_values(line: BookLine, words: Words, with_domicile: bool) -> list[Value]:
    return [
        line.member_number,
        holder_name(line),
        line.enterprise_number,
        *([line.domicile] if with_domicile else []),
        line.category,
        words.share_class(line.share_class, line.nominal_cents),
        line.numbers,
        line.shares,
        line.paid_shares,
        euro(line.paid_cents),
    ]


def total_headings() -> list[str]:
    """The headings of the totals per class."""
    return [_("Class"), _("Holders"), _("Shares"), _("Paid in full"), _("Capital paid")]


def total_values(total: ClassTotal, words: Words) -> list[Value]:
    """The values under ``total_headings``, the capital in euro."""
    return [
        words.share_class(total.share_class, total.nominal_cents),
        total.holders,
        total.shares,
        total.paid_shares,
        euro(total.paid_cents),
    ]


def _entry_headings(*, named: bool) -> list[str]:
    holder = [_("Member number"), _("Holder")] if named else []
    return [
        _("Entry"),
        _("Counts from"),
        _("Recorded"),
        *holder,
        _("What"),
        _("Class"),
        _("Numbers"),
        _("Shares"),
        _("Capital"),
    ]


def entries_section(entries: Iterator[BookEntry], words: Words, *, named: bool) -> dict[str, Any]:
    """The entries as a table of a document; ``named``: with their holders."""
    headings = _entry_headings(named=named)
    last = len(headings) - 1
    return {
        "heading": _("Entries in the order in which they were written"),
        "note": "",
        "columns": headings,
        "numbers": [0, last - 1, last],
        "wide": [4, 5] if named else [4],
        "rows": [_entry_texts(entry, words, named) for entry in entries],
    }


def _entry_texts(entry: BookEntry, words: Words, named: bool) -> list[str]:
    return [
        str(entry.sequence),
        in_words(entry.effective_on, "short"),
        in_words(entry.recorded_at.astimezone(ZoneInfo(choose_time_zone())).date(), "short"),
        *([entry.member_number, holder_name(entry)] if named else []),
        kind_name(entry)
        if entry.reverses is None
        else _("%(kind)s, taking back entry %(number)s", kind=kind_name(entry),
               number=entry.reverses),
        words.share_class(entry.share_class, entry.nominal_cents),
        spaced(entry.numbers),
        f"{entry.shares:+d}" if entry.shares else "",
        money(entry.amount_cents) if entry.amount_cents else "",
    ]  # fmt: skip


def _entry_values(entry: BookEntry, words: Words) -> list[Value]:
    return [
        entry.sequence,
        entry.effective_on,
        entry.recorded_at.isoformat(timespec="seconds"),
        entry.member_number,
        holder_name(entry),
        kind_name(entry),
        words.share_class(entry.share_class, entry.nominal_cents),
        entry.numbers,
        entry.shares,
        euro(entry.amount_cents),
        entry.reverses,
        entry.hash,
    ]
