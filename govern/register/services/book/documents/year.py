"""The balance of a financial year, on paper and as a workbook."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.i18n import day as in_words
from govern.i18n import money, speaking
from govern.pdf import render_pdf
from govern.register.models import EndReason
from govern.register.rules.chain import canonical_json
from govern.register.services.book.balance import (
    HEADINGS,
    Balance,
    Movement,
    People,
    read_movers,
)
from govern.register.services.book.documents.words import Words, euro, moment_facts
from govern.register.spreadsheets import Sheet, Value, write_workbook
from govern.register.texts import END_REASON_NAMES


def movement_headings() -> list[str]:
    """The headings of the columns of a movement of shares, from opening to closing."""
    return [
        _("At the beginning"),
        _("Subscribed"),
        pgettext("shares", "Received"),
        _("Given"),
        _("Converted"),
        pgettext("shares", "Withdrawn"),
        _("Category changed"),
        _("At the end"),
        _("Capital at the beginning"),
        _("Capital paid in"),
        _("Capital withdrawn"),
        _("Capital at the end"),
    ]


def withdrawal_note() -> str:
    """What a withdrawal in a movement means: the money may not have moved yet."""
    return _(
        "Withdrawn shares have left the capital on that day; their value is owed from then on, "
        "and may be paid later."
    )


def movement_values(movement: Movement) -> list[Value]:
    """The values under ``movement_headings``: shares, then amounts."""
    return [
        movement.opening,
        *(movement.moved[heading] for heading in HEADINGS),
        movement.other,
        movement.closing,
        euro(movement.opening_cents),
        euro(movement.paid_cents),
        euro(movement.repaid_cents),
        euro(movement.closing_cents),
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
    with speaking(language):
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
                ),
                withdrawal_note(),
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
