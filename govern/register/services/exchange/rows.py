"""The rows of a full export, written: identifiers are kept, row numbers are this database's."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.register.models import (
    EntryRemark,
    HolderOpening,
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    RegisterHead,
    Representative,
    ShareEntry,
    ShareNumbering,
)
from govern.register.rules import chain
from govern.register.rules.folding import email_key, fold, name_key, number_key
from govern.register.services.bulk import insert_rows, reserve_ids
from govern.register.services.exchange.files import ExportFiles, at_line, refusal
from govern.register.services.members import member_search_text

CHUNK = 2000
Progress = Callable[[int, int], None]
Chunk = list[tuple[int, dict[str, Any]]]


@dataclass
class _Names:
    """What the rows of this database are called, by what the export calls them."""

    people: array[int] = field(default_factory=lambda: array("q", [0]))
    organisations: array[int] = field(default_factory=lambda: array("q", [0]))
    memberships: dict[str, int] = field(default_factory=dict)
    entries: array[int] = field(default_factory=lambda: array("q", [0]))


def write_rows(
    session: Session, cooperative: Cooperative, source: ExportFiles, progress: Progress | None
) -> tuple[dict[str, int], bool]:
    """Write every table in its order; rows per file, and whether the chain is the export's."""
    names = _Names()
    steps: dict[str, Callable[[Chunk], None]] = {
        "people.csv": lambda rows: _people(session, rows, names),
        "organisations.csv": lambda rows: _organisations(session, rows, names),
        "memberships.csv": lambda rows: _memberships(session, cooperative, rows, names),
        "categories.csv": lambda rows: _categories(session, rows, names),
        "representatives.csv": lambda rows: _representatives(session, rows, names),
        "holders.csv": lambda rows: _holders(session, rows, names),
        "entries.csv": _Chain(session, cooperative, names).add,
        "remarks.csv": lambda rows: _remarks(session, rows, names),
        "numbering.csv": lambda rows: _numbering(session, cooperative, rows),
    }
    counts = {}
    for number, (name, step) in enumerate(steps.items()):
        counts[name] = 0
        for chunk in _chunks(source.rows(name)):
            try:
                step(chunk)
            except (KeyError, IndexError) as error:
                raise refusal(
                    _(
                        "%(name)s, lines %(first)s to %(last)s: a row speaks of something that "
                        "the export does not hold.",
                        name=name,
                        first=chunk[0][0],
                        last=chunk[-1][0],
                    )
                ) from error
            counts[name] += len(chunk)
        if progress is not None:
            progress(number + 1, len(steps))
    _index(session, cooperative)
    head = session.get_one(RegisterHead, cooperative.id)
    session.refresh(head)
    stated = source.manifest.get("head", {})
    same = (head.sequence, head.hash) == (stated.get("sequence"), stated.get("hash"))
    if not same and source.manifest.get("cooperative") == cooperative.code:
        raise refusal(_("The entries do not lead to the head that the export states."))
    return counts, same


def _chunks(rows: Iterator[tuple[int, dict[str, Any]]]) -> Iterator[Chunk]:
    chunk: Chunk = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _people(session: Session, rows: Chunk, names: _Names) -> None:
    ids = reserve_ids(session, Person, len(rows))
    made = []
    for key, (line, row) in zip(ids, rows, strict=True):
        if row.pop("person") != len(names.people):
            raise at_line("people.csv", line, _("The numbers do not run on."))
        names.people.append(key)
        made.append({**row, "id": key, "name_key": name_key(row["given_name"], row["family_name"])})
    insert_rows(session, Person, made)


def _organisations(session: Session, rows: Chunk, names: _Names) -> None:
    ids = reserve_ids(session, Organisation, len(rows))
    made = []
    for key, (line, row) in zip(ids, rows, strict=True):
        if row.pop("organisation") != len(names.organisations):
            raise at_line("organisations.csv", line, _("The numbers do not run on."))
        names.organisations.append(key)
        made.append({**row, "id": key})
    insert_rows(session, Organisation, made)


def _of(ids: array[int], number: int | None) -> int | None:
    if number is None:
        return None
    if number < 1:
        raise IndexError(number)
    return ids[number]


def _memberships(session: Session, cooperative: Cooperative, rows: Chunk, names: _Names) -> None:
    ids = reserve_ids(session, Membership, len(rows))
    made = []
    for key, (line, row) in zip(ids, rows, strict=True):
        public_id = row.pop("membership")
        person = _of(names.people, row.pop("person"))
        organisation = _of(names.organisations, row.pop("organisation"))
        if public_id in names.memberships or (person is None) == (organisation is None):
            raise at_line("memberships.csv", line, _("A membership belongs to exactly one holder."))
        names.memberships[public_id] = key
        made.append(
            {
                **row,
                "id": key,
                "public_id": public_id,
                "cooperative_id": cooperative.id,
                "person_id": person,
                "organisation_id": organisation,
                "number_key": number_key(row["member_number"]),
                "email_key": email_key(row["email"]) if row["email"] else None,
                # Folded once everything is there (``_index``).
                "sort_name": "",
                "search_text": "",
            }
        )
    insert_rows(session, Membership, made)


def _categories(session: Session, rows: Chunk, names: _Names) -> None:
    insert_rows(
        session,
        MembershipCategory,
        [{"membership_id": names.memberships[row.pop("membership")], **row} for _line, row in rows],
    )


def _representatives(session: Session, rows: Chunk, names: _Names) -> None:
    insert_rows(
        session,
        Representative,
        [
            {
                "organisation_id": _of(names.organisations, row.pop("organisation")),
                "person_id": _of(names.people, row.pop("person")),
                **row,
            }
            for _line, row in rows
        ],
    )


def _holders(session: Session, rows: Chunk, names: _Names) -> None:
    insert_rows(
        session,
        HolderOpening,
        [{"membership_id": names.memberships[row.pop("membership")], **row} for _line, row in rows],
    )


def _remarks(session: Session, rows: Chunk, names: _Names) -> None:
    insert_rows(
        session,
        EntryRemark,
        [
            {"entry_id": _of(names.entries, row["sequence"]), "text": row["text"]}
            for _line, row in rows
        ],
    )


def _numbering(session: Session, cooperative: Cooperative, rows: Chunk) -> None:
    insert_rows(
        session, ShareNumbering, [{"cooperative_id": cooperative.id, **row} for _line, row in rows]
    )


class _Chain:
    """Writes the entries; where the code is another one, hashes them anew."""

    def __init__(self, session: Session, cooperative: Cooperative, names: _Names) -> None:
        self.session = session
        self.cooperative = cooperative
        self.names = names
        self.previous = chain.BEGINNING

    def add(self, rows: Chunk) -> None:
        session, names = self.session, self.names
        ids = reserve_ids(session, ShareEntry, len(rows))
        made = []
        for key, (line, row) in zip(ids, rows, strict=True):
            if row["sequence"] != len(names.entries):
                raise at_line("entries.csv", line, _("The numbers do not run on."))
            if row["version"] not in (1, 2):
                raise at_line("entries.csv", line, _("The version of the entry is not known here."))
            names.entries.append(key)
            made.append(self._row(key, row))
        insert_rows(session, ShareEntry, made)
        head = session.get_one(RegisterHead, self.cooperative.id)
        head.sequence, head.hash = len(names.entries) - 1, self.previous
        session.flush()

    def _row(self, key: int, row: dict[str, Any]) -> dict[str, Any]:
        public_id, act, reverses = row.pop("membership"), row.pop("act"), row.pop("reverses")
        row.pop("previous_hash")
        row.pop("hash")
        membership_id = self.names.memberships[public_id]
        reverses_id = _of(self.names.entries, reverses)
        digest = chain.entry_hash(
            **row,
            cooperative=self.cooperative.code,
            membership=public_id,
            act_id=act,
            reverses=reverses,
            previous_hash=self.previous,
        )
        made = {
            **row,
            "id": key,
            "cooperative_id": self.cooperative.id,
            "membership_id": membership_id,
            "act_id": act,
            "reverses_id": reverses_id,
            "recorded_by_id": None,
            "previous_hash": self.previous,
            "hash": digest,
            "row_digest": chain.row_digest(
                entry_hash=digest,
                row_id=key,
                cooperative_id=self.cooperative.id,
                membership_id=membership_id,
                recorded_by_id=None,
                reverses_id=reverses_id,
            ),
        }
        self.previous = digest
        return made


def _index(session: Session, cooperative: Cooperative) -> None:
    """Fold what is searched and sorted, in chunks."""
    delegates: dict[int, str] = {}
    for organisation_id, given, family in session.execute(
        select(Representative.organisation_id, Person.given_name, Person.family_name)
        .join(Person, Person.id == Representative.person_id)
        .join(Membership, Membership.organisation_id == Representative.organisation_id)
        .where(Membership.cooperative_id == cooperative.id, Representative.ends_on.is_(None))
    ):
        delegates[organisation_id] = f"{given} {family}".strip()
    last = 0
    table = Membership.__table__
    while True:
        rows = session.execute(
            select(
                Membership.id, Membership.member_number, Membership.email, Membership.town,
                Membership.organisation_id, Person.given_name, Person.family_name,
                Organisation.name, Organisation.enterprise_number,
            )
            .outerjoin(Person, Person.id == Membership.person_id)
            .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
            .where(Membership.cooperative_id == cooperative.id, Membership.id > last)
            .order_by(Membership.id).limit(CHUNK)
        ).all()  # fmt: skip
        if not rows:
            return
        last = rows[-1].id
        session.connection().execute(
            table.update().where(table.c.id == bindparam("key")).values(
                sort_name=bindparam("sort_name_"), search_text=bindparam("search_text_")
            ),
            [
                {
                    "key": row.id,
                    "sort_name_": fold(row.name or f"{row.family_name} {row.given_name}"),
                    "search_text_": member_search_text(
                        row.member_number,
                        row.name or f"{row.given_name} {row.family_name}".strip(),
                        delegates.get(row.organisation_id or 0, ""),
                        row.email or "",
                        row.town,
                        row.enterprise_number or "",
                    ),
                }
                for row in rows
            ],
        )  # fmt: skip
