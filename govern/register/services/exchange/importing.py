"""A full export brought into an empty register: every row checked, all of it or nothing.

Identifiers, both times, numbers and hashes are kept. Under the same code the chain is the same to
its head; under another code (which every hash covers) it is written anew, entry by entry. In the
end the ledger is verified as a whole.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import bindparam, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from govern import audit
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative, RuleSet
from govern.cooperatives.rules import rules_from_json
from govern.cooperatives.services import create_cooperative
from govern.errors import Conflict, InvalidInput
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
from govern.register.services.chain import lock_register
from govern.register.services.exchange.exporting import COOPERATIVE_FIELDS
from govern.register.services.exchange.tables import (
    COOPERATIVE,
    FORMAT,
    MANIFEST,
    RULE_SETS,
    TABLES,
    VERSION,
)
from govern.register.services.members import member_search_text
from govern.register.services.verifying import LedgerState, verify_ledger

CHUNK = 2000
MAX_JSON_BYTES = 20 * 1024 * 1024
MAX_TABLE_BYTES = 4 * 1024**3
Progress = Callable[[int, int], None]
Chunk = list[tuple[int, dict[str, Any]]]


@dataclass(frozen=True)
class ImportedRegister:
    """What came in: rows per file, what the verification found, whether the chain is the same."""

    cooperative: Cooperative
    rows: dict[str, int]
    state: LedgerState
    same_chain: bool


@dataclass
class _Names:
    """What the rows of this database are called, by what the export calls them."""

    people: array[int] = field(default_factory=lambda: array("q", [0]))
    organisations: array[int] = field(default_factory=lambda: array("q", [0]))
    memberships: dict[str, int] = field(default_factory=dict)
    entries: array[int] = field(default_factory=lambda: array("q", [0]))


class _Source:
    """The files of an export; InvalidInput names the file and the line of what does not fit."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.manifest = self._json(MANIFEST)
        if (
            not isinstance(self.manifest, dict)
            or self.manifest.get("format") != FORMAT
            or self.manifest.get("version") != VERSION
        ):
            raise _refusal(_("This is no full export, or one of a version that is not known here."))

    def json(self, name: str) -> Any:
        """A small file whose digest the manifest states."""
        value = self._json(name)
        content = self.archive.read(name)
        self._check_digest(name, hashlib.sha256(content).hexdigest())
        return value

    def _json(self, name: str) -> Any:
        try:
            info = self.archive.getinfo(name)
            if info.file_size > MAX_JSON_BYTES:
                raise _refusal(_("The file %(name)s is larger than it can be.", name=name))
            return json.loads(self.archive.read(info))
        except KeyError as error:
            raise _refusal(_("The file %(name)s is missing.", name=name)) from error
        except (ValueError, zipfile.BadZipFile) as error:
            raise _refusal(_("The file %(name)s cannot be read.", name=name)) from error

    def _check_digest(self, name: str, found: str) -> None:
        stated = self.manifest.get("sha256", {}).get(name)
        if stated != found:
            raise _refusal(_("The file %(name)s was changed after the export.", name=name))

    def rows(self, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows of a table: line in the file, values by column."""
        columns = TABLES[name]
        try:
            info = self.archive.getinfo(name)
        except KeyError as error:
            raise _refusal(_("The file %(name)s is missing.", name=name)) from error
        if info.file_size > MAX_TABLE_BYTES:
            raise _refusal(_("The file %(name)s is larger than it can be.", name=name))
        with self.archive.open(info) as stream:
            counted = _Counted(stream)
            text = io.TextIOWrapper(io.BufferedReader(counted), encoding="utf-8", newline="")
            try:
                reader = csv.reader(text, delimiter=";", strict=True)
                heading = next(reader, [])
                if heading != [column.name for column in columns]:
                    raise _at(name, 1, _("The heading is not the one of this file."))
                for cells in reader:
                    if len(cells) != len(columns):
                        raise _at(name, reader.line_num, _("The row has too few or many cells."))
                    values = {}
                    for column, cell in zip(columns, cells, strict=True):
                        try:
                            values[column.name] = column.read(cell)
                        except (ValueError, OverflowError) as error:
                            raise _at(
                                name,
                                reader.line_num,
                                _(
                                    "“%(cell)s” cannot stand under “%(column)s”.",
                                    cell=cell[:60],
                                    column=column.name,
                                ),
                            ) from error
                    yield reader.line_num, values
            except (UnicodeDecodeError, csv.Error, zipfile.BadZipFile, EOFError) as error:
                raise _refusal(_("The file %(name)s cannot be read.", name=name)) from error
            self._check_digest(name, counted.digest.hexdigest())


class _Counted(io.RawIOBase):
    """Reads on, and digests what was read."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self.stream.read(len(buffer))
        self.digest.update(piece)
        buffer[: len(piece)] = piece
        return len(piece)


def _refusal(message: str) -> InvalidInput:
    return InvalidInput(
        message,
        remedy=_("Nothing was imported. Take the file of “govern register export-full” as it is."),
        field="file",
    )


def _at(name: str, line: int, message: str) -> InvalidInput:
    return _refusal(
        _("%(name)s, line %(line)s: %(message)s", name=name, line=line, message=message)
    )


def import_register(
    session: Session,
    actor: Actor,
    path: Path,
    *,
    code: str | None = None,
    progress: Progress | None = None,
) -> ImportedRegister:
    """Bring a full export into the cooperative with ``code`` (None: the code of the export).

    A cooperative that is not there is created with its rule sets; one that is there must have an
    empty register. The caller commits; on any error it rolls back and nothing was imported.
    Raises InvalidInput naming file and line, Conflict, or BrokenLedger.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise _refusal(_("This is no ZIP file.")) from error
    with archive:
        source = _Source(archive)
        cooperative = _cooperative(session, actor, source, code)
        actor.require(Permission.REGISTER_IMPORT, cooperative.id)
        _refuse_filled(session, cooperative)
        try:
            rows, same_chain = _write(session, cooperative, source, progress)
        except (IntegrityError, DataError) as error:
            raise Conflict(
                _("The export does not fit: members or entries of it are here already, or its "
                  "values contradict each other."),
                remedy=_("Bring it into another installation, or into one that lacks them."),
            ) from error  # fmt: skip
    session.expire_all()
    state = verify_ledger(session, cooperative)
    audit.record(
        session,
        actor,
        "register:full:imported",
        cooperative_id=cooperative.id,
        data={"head": state.head, "rows": rows},
    )
    return ImportedRegister(cooperative, rows, state, same_chain)


def _cooperative(session: Session, actor: Actor, source: _Source, code: str | None) -> Cooperative:
    facts = source.json(COOPERATIVE)
    try:
        wanted = code or str(facts["code"])
        values = {name: facts[name] for name in COOPERATIVE_FIELDS if name != "code"}
    except (KeyError, TypeError) as error:
        raise _refusal(_("The file %(name)s cannot be read.", name=COOPERATIVE)) from error
    found = session.scalar(select(Cooperative).where(Cooperative.code == wanted))
    if found is None:
        found = create_cooperative(session, actor, code=wanted, **values)
    _add_rule_sets(session, found, source)
    return found


def _add_rule_sets(session: Session, cooperative: Cooperative, source: _Source) -> None:
    """The rule sets of the export that begin on a day on which the cooperative has none."""
    known = set(
        session.scalars(select(RuleSet.starts_on).where(RuleSet.cooperative_id == cooperative.id))
    )
    try:
        for item in source.json(RULE_SETS):
            rules_from_json(item["rules"])
            starts_on = date.fromisoformat(item["starts_on"])
            if starts_on not in known:
                session.add(
                    RuleSet(
                        cooperative_id=cooperative.id,
                        starts_on=starts_on,
                        source=str(item["source"]),
                        source_confirmed=bool(item["source_confirmed"]),
                        recorded_at=datetime.fromisoformat(item["recorded_at"]),
                        rules=item["rules"],
                    )
                )
    except (KeyError, TypeError, ValueError) as error:
        raise _refusal(_("The file %(name)s cannot be read.", name=RULE_SETS)) from error
    session.flush()


def _refuse_filled(session: Session, cooperative: Cooperative) -> None:
    head = lock_register(session, cooperative.id)
    some = session.scalar(
        select(Membership.id).where(Membership.cooperative_id == cooperative.id).limit(1)
    )
    if head.sequence or some is not None:
        raise Conflict(
            _("The register of %(name)s is not empty.", name=cooperative.name),
            remedy=_("A full export goes into an empty register: give another code."),
        )


# -- writing ----------------------------------------------------------------------------------


def _write(
    session: Session, cooperative: Cooperative, source: _Source, progress: Progress | None
) -> tuple[dict[str, int], bool]:
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
                raise _refusal(
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
        raise _refusal(_("The entries do not lead to the head that the export states."))
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
            raise _at("people.csv", line, _("The numbers do not run on."))
        names.people.append(key)
        made.append({**row, "id": key, "name_key": name_key(row["given_name"], row["family_name"])})
    insert_rows(session, Person, made)


def _organisations(session: Session, rows: Chunk, names: _Names) -> None:
    ids = reserve_ids(session, Organisation, len(rows))
    made = []
    for key, (line, row) in zip(ids, rows, strict=True):
        if row.pop("organisation") != len(names.organisations):
            raise _at("organisations.csv", line, _("The numbers do not run on."))
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
            raise _at("memberships.csv", line, _("A membership belongs to exactly one holder."))
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
                raise _at("entries.csv", line, _("The numbers do not run on."))
            if row["version"] not in (1, 2):
                raise _at("entries.csv", line, _("The version of the entry is not known here."))
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
