"""The whole extract on paper: a numbered series of documents, each complete in itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.components import number
from govern.cooperatives.models import Cooperative
from govern.i18n import day as in_words
from govern.i18n import money, speaking
from govern.pdf import render_large_pdf, render_pdf
from govern.register.services.book.documents.extract import (
    entries_section,
    extract_notes,
    total_headings,
    total_values,
)
from govern.register.services.book.documents.words import Words, holder_name, moment_facts
from govern.register.services.book.extracts import BookLine, digest_of
from govern.register.services.book.holders import ClassTotal, totals_per_class
from govern.register.services.book.moments import BookMoment
from govern.register.services.book.volumes import (
    Volume,
    Volumes,
    entries_in,
    lines_in,
    volumes_of,
)
from govern.register.services.certificate_document import spaced

FEW_ROWS = 200
"""More rows are typeset in a process of its own, and by each server process one after the other."""

_one_at_a_time = Lock()


@dataclass(frozen=True)
class Extract:
    """What all volumes of one extract share. ``digest`` covers the lines of all of them."""

    cooperative: Cooperative
    moment: BookMoment
    words: Words
    language: str
    with_domicile: bool
    volumes: Volumes
    digest: str

    @property
    def code(self) -> str:
        """The verification code: the beginning of the digest."""
        return verification_code(self.digest)


def verification_code(digest: str) -> str:
    """The first twelve digits of a digest, as they stand at the foot of every page."""
    return digest[:12].upper()


def make_extract(
    session: Session,
    cooperative: Cooperative,
    moment: BookMoment,
    words: Words,
    language: str,
    *,
    with_domicile: bool,
) -> Extract:
    """The extract of ``moment``, of which ``volume_pdf`` makes one volume after the other."""
    return Extract(
        cooperative=cooperative,
        moment=moment,
        words=words,
        language=language,
        with_domicile=with_domicile,
        volumes=volumes_of(session, moment),
        digest=digest_of(session, cooperative, moment),
    )


def volume_pdf(session: Session, extract: Extract, volume: Volume) -> bytes:
    """One volume of the extract; the first one has the totals and says what the others hold."""
    moment, words = extract.moment, extract.words
    with speaking(extract.language):
        facts = moment_facts(moment)
        sections = []
        if len(extract.volumes.all) > 1:
            facts.append([_("This volume holds"), contents_of(extract.volumes, volume)])
        if volume.number == 1:
            sections.append(_totals_section(totals_per_class(session, moment), words))
            if len(extract.volumes.all) > 1:
                sections.append(_contents_section(extract.volumes))
        if volume.holders is not None:
            lines = lines_in(session, moment, volume)
            sections.append(_holders_section(lines, words, extract.with_domicile))
        if volume.entries is not None:
            entries = entries_in(session, moment, volume)
            sections.append(entries_section(entries, words, named=True))
        data = {
            "cooperative": extract.cooperative.name,
            "title": volume_title(extract.volumes, volume),
            "subtitle": _("at the end of %(day)s", day=in_words(moment.on)),
            "digest": extract.digest,
            "verification_code": extract.code,
            "wide_page": True,
            "lead": "",
            "facts": facts,
            "sections": sections,
            "notes": extract_notes(extract.with_domicile),
        }
        if sum(len(section["rows"]) for section in sections) <= FEW_ROWS:
            return render_pdf("register_tables", data, extract.language)
        with _one_at_a_time:
            return render_large_pdf("register_tables", data, extract.language)


def volume_name(number: int, total: int) -> str:
    """The part of a file's name that tells a volume, in an order that every listing keeps."""
    return f"volume-{number:0{len(str(total))}}-of-{total}"


def volume_title(volumes: Volumes, volume: Volume) -> str:
    """The title of a volume, which stands at the head of each of its pages."""
    if len(volumes.all) == 1:
        return _("Extract of the share register")
    return _(
        "Extract of the share register, volume %(number)s of %(total)s",
        number=volume.number,
        total=len(volumes.all),
    )


def contents_of(volumes: Volumes, volume: Volume) -> str:
    """What a volume of several holds, in words."""
    if volume.holders is not None:
        return _(
            "holders %(first)s to %(last)s of %(total)s: member numbers %(first_number)s to "
            "%(last_number)s",
            first=number(volume.holders.first),
            last=number(volume.holders.last),
            total=number(volumes.holders),
            first_number=volume.holders.first_number,
            last_number=volume.holders.last_number,
        )
    if volume.entries is not None:
        return _(
            "%(count)s of %(total)s entries: numbers %(first)s to %(last)s",
            count=number(volume.entries.last - volume.entries.first + 1),
            total=number(volumes.entries),
            first=volume.entries.first_sequence,
            last=volume.entries.last_sequence,
        )
    return ""


def _contents_section(volumes: Volumes) -> dict[str, Any]:
    return {
        "heading": _("What the volumes hold"),
        "note": "",
        "columns": [_("Volume"), _("Contents")],
        "numbers": [0],
        "wide": [1],
        "rows": [[str(volume.number), contents_of(volumes, volume)] for volume in volumes.all],
    }


def _totals_section(totals: Sequence[ClassTotal], words: Words) -> dict[str, Any]:
    return {
        "heading": _("Totals per class"),
        "note": "" if totals else _("Nobody held a share."),
        "columns": total_headings(),
        "numbers": [1, 2, 3, 4],
        "wide": [0],
        "rows": [
            [*map(str, total_values(total, words)[:-1]), money(total.paid_cents)]
            for total in totals
        ],
    }


def _holders_section(
    lines: Iterable[BookLine], words: Words, with_domicile: bool
) -> dict[str, Any]:
    headings = _headings(with_domicile)
    return {
        "heading": _("Holders, by member number"),
        "note": "",
        "columns": headings,
        "numbers": list(range(len(headings) - 3, len(headings))),
        "wide": [1, 2] if with_domicile else [1],
        "rows": [_texts(line, words, with_domicile) for line in lines],
    }


def _headings(with_domicile: bool) -> list[str]:
    """The headings of the holders on paper, where the enterprise number stands under the name."""
    return [
        _("Number"),
        _("Holder"),
        *([_("Domicile")] if with_domicile else []),
        _("Category"),
        _("Class"),
        _("Numbers"),
        _("Shares"),
        _("Paid in full"),
        _("Capital paid"),
    ]


def _texts(line: BookLine, words: Words, with_domicile: bool) -> list[str]:
    return [
        line.member_number,
        f"{holder_name(line)} {line.enterprise_number}".strip(),
        *([line.domicile] if with_domicile else []),
        line.category,
        words.share_class(line.share_class, line.nominal_cents),
        spaced(line.numbers),
        str(line.shares),
        str(line.paid_shares),
        money(line.paid_cents),
    ]
