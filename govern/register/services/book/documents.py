"""The book on paper and as a workbook: an extract, one member's page of it, a year's balance."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.i18n import day as in_words
from govern.i18n import instant, local_text, money
from govern.pdf import render_pdf
from govern.register.models import EndReason, EntryKind, MemberKind, Membership, TransferCause
from govern.register.rules.chain import canonical_json
from govern.register.services.book.balance import (
    HEADINGS,
    Balance,
    Movement,
    People,
    read_movers,
)
from govern.register.services.book.entries import BookEntry, count_entries_of, read_entries
from govern.register.services.book.extracts import (
    BookLine,
    ClassTotal,
    count_lines,
    digest_of,
    read_lines,
    read_lines_of,
    totals_per_class,
)
from govern.register.services.book.moments import BookMoment
from govern.register.spreadsheets import Sheet, Value, write_workbook
from govern.register.texts import CAUSE_NAMES, END_REASON_NAMES, ENTRY_KIND_NAMES, KIND_NAMES

PDF_ROWS = 2000
"""So many lines go on paper; whoever needs more takes the workbook, and the PDF says so."""


@dataclass(frozen=True)
class Words:
    """Names of categories and classes of shares, as the rule set of the day has them."""

    categories: Mapping[str, Any]
    classes: Mapping[str, Any]

    def category(self, code: str) -> str:
        texts = self.categories.get(code)
        return f"{code} – {local_text(texts)}" if texts else code or _("none")

    def share_class(self, code: str, nominal_cents: int) -> str:
        texts = self.classes.get(code)
        return _(
            "%(name)s at %(value)s",
            name=local_text(texts) if texts else code,
            value=money(nominal_cents),
        )


def kind_name(entry: BookEntry) -> str:
    """What an entry is, in words, with the cause of a transfer."""
    name = str(ENTRY_KIND_NAMES[EntryKind(entry.kind)])
    if not entry.cause:
        return name
    cause = CAUSE_NAMES[TransferCause(entry.cause)]
    return _("%(kind)s (%(cause)s)", kind=name, cause=cause)


def holder_name(line: BookLine | BookEntry) -> str:
    """The name on a line, or that it was erased."""
    if line.name:
        return line.name
    return _("(name erased)")


# -- the extract ------------------------------------------------------------------------------


def extract_pdf(
    session: Session,
    cooperative: Cooperative,
    moment: BookMoment,
    words: Words,
    language: str,
    *,
    with_domicile: bool,
) -> bytes:
    """The extract with the holders and the entries, at most ``PDF_ROWS`` of each."""
    lines, entries = count_lines(session, moment), count_entries_of(session, moment)
    with force_locale(language):
        headings, wide = _line_headings(with_domicile)
        sections = [
            _totals_section(totals_per_class(session, moment), words),
            {
                "heading": _("Holders"),
                "note": _capped(lines),
                "columns": headings,
                "numbers": _figures_of(headings, 5),
                "wide": wide,
                "rows": [
                    _line_texts(line, words, with_domicile)
                    for line in read_lines(session, moment, limit=PDF_ROWS)
                ],
            },
            _entries_section(
                read_entries(session, moment, limit=PDF_ROWS), words, _capped(entries), named=True
            ),
        ]
        digest = digest_of(session, cooperative, moment)
        data = {
            "cooperative": cooperative.name,
            "title": _("Extract of the share register"),
            "subtitle": _("at the end of %(day)s", day=in_words(moment.on)),
            "digest": digest,
            "verification_code": digest[:12].upper(),
            "wide_page": True,
            "lead": "",
            "facts": moment_facts(moment),
            "sections": sections,
            "notes": _extract_notes(with_domicile),
        }
        return render_pdf("register_tables", data, language)


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
        *([note, ""] for note in _extract_notes(with_domicile)),
    ]
    totals = totals_per_class(session, moment)
    return write_workbook(
        [
            Sheet(_("Extract"), [cooperative.name, _("Extract of the share register")], facts),
            Sheet(_("Totals"), _total_headings(), (_total_values(t, words) for t in totals)),
            Sheet(
                _("Holders"),
                _line_headings(with_domicile)[0],
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
    with force_locale(language):
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
                            line.numbers or "–",
                            str(line.paid_shares),
                            money(line.paid_cents),
                        ]
                        for line in lines
                    ],
                },
                _entries_section(iter(entries), words, "", named=False),
            ],
            "notes": _extract_notes(with_domicile),
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


def moment_facts(moment: BookMoment) -> list[list[str]]:
    """Both times and the head of the chain, for the top of every extract."""
    return [
        [_("Holdings at the end of"), in_words(moment.on)],
        [_("As known at"), instant(moment.known_at)],
        [_("Newest entry known"), _("number %(number)s", number=moment.sequence)],
        [_("Hash of that entry"), moment.hash],
    ]


def _extract_notes(with_domicile: bool) -> list[str]:
    notes = [
        _(
            "Names are those that the register had recorded at the moment given above. The number "
            "and the hash of the newest entry tell which entries the extract rests on."
        )
    ]
    if with_domicile:
        notes.append(_("Domiciles are the present ones: the book keeps no earlier address."))
    return notes


def _capped(count: int) -> str:
    if count <= PDF_ROWS:
        return ""
    return _(
        "The first %(shown)s of %(count)s lines. The workbook (XLSX) of the same extract has all "
        "of them, under the same digest.",
        shown=PDF_ROWS,
        count=count,
    )


def _line_headings(with_domicile: bool) -> tuple[list[str], list[int]]:
    """The headings of the holders, and which of them take the room that is left."""
    domicile = [_("Domicile")] if with_domicile else []
    headings = [
        _("Member number"),
        _("Holder"),
        _("Enterprise number"),
        *domicile,
        _("Category"),
        _("Class"),
        _("Numbers"),
        _("Shares"),
        _("Paid in full"),
        _("Capital paid"),
    ]
    return headings, [1, 3] if with_domicile else [1]


def _figures_of(headings: Sequence[str], from_end: int) -> list[int]:
    return list(range(len(headings) - from_end + 2, len(headings)))


def _line_texts(line: BookLine, words: Words, with_domicile: bool) -> list[str]:
    return [
        line.member_number,
        holder_name(line),
        line.enterprise_number,
        *([line.domicile] if with_domicile else []),
        line.category,
        words.share_class(line.share_class, line.nominal_cents),
        line.numbers,
        str(line.shares),
        str(line.paid_shares),
        money(line.paid_cents),
    ]


def _line_values(line: BookLine, words: Words, with_domicile: bool) -> list[Value]:
    values: list[Value] = list(_line_texts(line, words, with_domicile))
    return [*values[:-3], line.shares, line.paid_shares, _euro(line.paid_cents)]


def _euro(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _total_headings() -> list[str]:
    return [_("Class"), _("Holders"), _("Shares"), _("Paid in full"), _("Capital paid")]


def _total_values(total: ClassTotal, words: Words) -> list[Value]:
    return [
        words.share_class(total.share_class, total.nominal_cents),
        total.holders,
        total.shares,
        total.paid_shares,
        _euro(total.paid_cents),
    ]


def _totals_section(totals: Sequence[ClassTotal], words: Words) -> dict[str, Any]:
    return {
        "heading": _("Totals per class"),
        "note": "" if totals else _("Nobody held a share."),
        "columns": _total_headings(),
        "numbers": [1, 2, 3, 4],
        "wide": [0],
        "rows": [
            [*map(str, _total_values(total, words)[:-1]), money(total.paid_cents)]
            for total in totals
        ],
    }


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


def _entries_section(
    entries: Iterator[BookEntry], words: Words, note: str, *, named: bool
) -> dict[str, Any]:
    headings = _entry_headings(named=named)
    last = len(headings) - 1
    return {
        "heading": _("Entries in the order in which they were written"),
        "note": note,
        "columns": headings,
        "numbers": [0, last - 1, last],
        "wide": [4, 5] if named else [4],
        "rows": [_entry_texts(entry, words, named) for entry in entries],
    }


def _entry_texts(entry: BookEntry, words: Words, named: bool) -> list[str]:
    return [
        str(entry.sequence),
        in_words(entry.effective_on, "short"),
        in_words(entry.recorded_at.date(), "short"),
        *([entry.member_number, holder_name(entry)] if named else []),
        kind_name(entry)
        if entry.reverses is None
        else _("%(kind)s, taking back entry %(number)s", kind=kind_name(entry),
               number=entry.reverses),
        words.share_class(entry.share_class, entry.nominal_cents),
        entry.numbers,
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
        _euro(entry.amount_cents),
        entry.reverses,
        entry.hash,
    ]


# -- the balance of a year --------------------------------------------------------------------


def movement_headings() -> list[str]:
    """The headings of the columns of a movement of shares, from opening to closing."""
    return [
        _("At the beginning"),
        _("Subscribed"),
        _("Received"),
        _("Given"),
        _("Converted"),
        _("Refunded"),
        _("Category changed"),
        _("At the end"),
        _("Capital at the beginning"),
        _("Capital paid in"),
        _("Capital paid back"),
        _("Capital at the end"),
    ]


def movement_values(movement: Movement) -> list[Value]:
    """The values under ``movement_headings``: shares, then amounts."""
    return [
        movement.opening,
        *(movement.moved[heading] for heading in HEADINGS),
        movement.other,
        movement.closing,
        _euro(movement.opening_cents),
        _euro(movement.paid_cents),
        _euro(movement.repaid_cents),
        _euro(movement.closing_cents),
    ]


def reasons_of(people: People) -> list[tuple[str, int]]:
    """How many left for each reason, in words."""
    return [
        (str(END_REASON_NAMES[reason]), people.left[reason.value])
        for reason in EndReason
        if people.left.get(reason.value)
    ]


def balance_digest(cooperative: Cooperative, balance: Balance) -> str:
    """SHA-256 over the figures of the report and the head of the chain that they rest on."""
    content = {
        "cooperative": cooperative.code,
        "first": balance.year.first.isoformat(),
        "head": balance.moment.hash,
        "last": balance.moment.on.isoformat(),
        "sequence": balance.moment.sequence,
        "classes": [
            [list(key), [str(value) for value in movement_values(movement)]]
            for key, movement in balance.per_class.items()
        ],
        "people": [
            balance.people.opening,
            balance.people.joined,
            dict(sorted(balance.people.left.items())),
            balance.people.closing,
        ],
    }
    return hashlib.sha256(b"govern/year-balance/1\n" + canonical_json(content)).hexdigest()


def balance_pdf(cooperative: Cooperative, balance: Balance, words: Words, language: str) -> bytes:
    """The balance of the year for the report to the assembly. It names nobody."""
    digest = balance_digest(cooperative, balance)
    with force_locale(language):
        data = {
            "cooperative": cooperative.name,
            "title": _("Members and shares in %(year)s", year=balance.year.name),
            "subtitle": _(
                "from %(first)s to %(last)s",
                first=in_words(balance.year.first),
                last=in_words(balance.moment.on),
            ),
            "digest": digest,
            "verification_code": digest[:12].upper(),
            "wide_page": True,
            "lead": "",
            "facts": moment_facts(balance.moment)[2:],
            "sections": [
                _people_section(balance, words),
                _reasons_section(balance),
                *_movement_sections(balance, words),
            ],
            "notes": [
                _(
                    "Members are counted from the day of their admission to the day before their "
                    "membership ended; shares by the day on which an entry counts."
                )
            ],
        }
        return render_pdf("register_tables", data, language)


def people_rows(balance: Balance, words: Words) -> list[list[Value]]:
    """Members per category and in all: opening, joined, left, category changed, closing."""
    rows: list[list[Value]] = [
        [
            words.category(code),
            people.opening,
            people.joined,
            -people.left_in_all,
            people.other,
            people.closing,
        ]
        for code, people in balance.people_per_category.items()
    ]
    whole = balance.people
    return [
        *rows,
        [_("All"), whole.opening, whole.joined, -whole.left_in_all, whole.other, whole.closing],
    ]


def people_headings() -> list[str]:
    """The headings over ``people_rows``."""
    return [
        _("Category"),
        _("At the beginning"),
        _("Joined"),
        _("Left"),
        _("Category changed"),
        _("At the end"),
    ]


def _people_section(balance: Balance, words: Words) -> dict[str, Any]:
    return {
        "heading": _("Members"),
        "note": "",
        "columns": people_headings(),
        "numbers": [1, 2, 3, 4, 5],
        "wide": [0],
        "rows": [[str(value) for value in row] for row in people_rows(balance, words)],
    }


def _reasons_section(balance: Balance) -> dict[str, Any]:
    reasons = reasons_of(balance.people)
    return {
        "heading": _("Why members left"),
        "note": "" if reasons else _("Nobody left."),
        "columns": [_("Reason"), _("Members")],
        "numbers": [1],
        "wide": [0],
        "rows": [[reason, str(count)] for reason, count in reasons],
    }


def _movement_sections(balance: Balance, words: Words) -> Iterator[dict[str, Any]]:
    shares, capital = movement_headings()[:8], movement_headings()[8:]
    parts = (
        (_("Shares per class"), _("Class"), _class_rows(balance, words)),
        (_("Shares per category"), _("Category"), _category_rows(balance, words)),
    )
    for heading, first, rows in parts:
        yield {
            "heading": heading,
            "note": "",
            "columns": [first, *shares],
            "numbers": list(range(1, 9)),
            "wide": [0],
            "rows": [[name, *map(str, movement_values(item)[:8])] for name, item in rows],
        }
        yield {
            "heading": _("Capital: %(what)s", what=heading),
            "note": "",
            "columns": [first, *capital],
            "numbers": [1, 2, 3, 4],
            "wide": [0],
            "rows": [
                [
                    name,
                    money(item.opening_cents),
                    money(item.paid_cents),
                    money(item.repaid_cents),
                    money(item.closing_cents),
                ]
                for name, item in rows
            ],
        }


def _class_rows(balance: Balance, words: Words) -> list[tuple[str, Movement]]:
    return [(words.share_class(*key), movement) for key, movement in balance.per_class.items()]


def _category_rows(balance: Balance, words: Words) -> list[tuple[str, Movement]]:
    return [(words.category(code), movement) for code, movement in balance.per_category.items()]


def balance_xlsx(
    session: Session, cooperative: Cooperative, balance: Balance, words: Words
) -> bytes:
    """The balance, and who joined and left, by name."""
    digest = balance_digest(cooperative, balance)
    year = balance.year
    facts: list[Sequence[Value]] = [
        [_("First day"), year.first],
        [_("Last day"), balance.moment.on],
        *moment_facts(balance.moment)[2:],
        [_("Digest (SHA-256)"), digest],
    ]
    movers = (_("Day"), _("Member number"), _("Holder"), _("Category"))
    return write_workbook(
        [
            Sheet(_("Year"), [cooperative.name, year.name], facts),
            Sheet(_("Members"), people_headings(), people_rows(balance, words)),
            Sheet(
                _("Why members left"),
                [_("Reason"), _("Members")],
                [[reason, count] for reason, count in reasons_of(balance.people)],
            ),
            Sheet(
                _("Shares per class"),
                [_("Class"), *movement_headings()],
                [[name, *movement_values(item)] for name, item in _class_rows(balance, words)],
            ),
            Sheet(
                _("Shares per category"),
                [_("Category"), *movement_headings()],
                [[name, *movement_values(item)] for name, item in _category_rows(balance, words)],
            ),
            Sheet(
                _("Joined"),
                movers,
                (
                    [mover.day, mover.member_number, mover.name, mover.category]
                    for mover in read_movers(session, cooperative, year, leaving=False)
                ),
            ),
            Sheet(
                _("Left"),
                [*movers, _("Reason")],
                (
                    [
                        mover.day,
                        mover.member_number,
                        mover.name,
                        mover.category,
                        str(END_REASON_NAMES[EndReason(mover.reason)]),
                    ]
                    for mover in read_movers(session, cooperative, year, leaving=True)
                ),
            ),
        ]
    )


def member_kind_name(kind: str) -> str:
    """Person or organisation, in words."""
    return str(KIND_NAMES[MemberKind(kind)])
