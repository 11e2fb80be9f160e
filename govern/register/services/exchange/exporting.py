"""The whole register of a cooperative as one ZIP file, streamed; the same register, the same bytes.

Not in it: accounts and passwords, rolls and elections, applications, departures and payments,
flagged addresses, the records of merges and erasures. Who recorded an entry stays in the audit log
of this installation.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from govern import audit
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative, RuleSet
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
from govern.register.services.exchange.tables import (
    COOPERATIVE,
    FORMAT,
    MANIFEST,
    README,
    RULE_SETS,
    TABLES,
    VERSION,
)

COOPERATIVE_FIELDS = (
    "code", "name", "country", "legal_form", "enterprise_number", "seat", "email", "time_zone",
    "languages",
)  # fmt: skip
_EXPLANATION = """\
Full export of a register of members and shares, made by govern.

manifest.json      format, counts, the head of the chain, the SHA-256 of every file
cooperative.json   the cooperative; rule_sets.json: its dated rules
people.csv, organisations.csv, memberships.csv, categories.csv, representatives.csv
holders.csv        opens the commitments of the entries: who held a membership when
entries.csv        the share ledger with both times, numbers, causes, reversals and hashes
remarks.csv        notes on entries; numbering.csv: the highest share number per class

UTF-8, semicolons, one heading. A text that begins with = + - @ tab or ' has one ' before it.
Bring it in with: govern register import-full FILE
"""

Progress = Callable[[int, int], None]


def export_register(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    target: Path | IO[bytes],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write the full export to ``target``; returns its manifest. Needs REGISTER_WRITE.

    The caller commits: that everything was taken out is on record.
    """
    actor.require(Permission.REGISTER_WRITE, cooperative.id)
    head = session.get(RegisterHead, cooperative.id)
    digests: dict[str, str] = {}
    counts: dict[str, int] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        _add(archive, README, [_EXPLANATION.encode()], digests)
        _add(archive, COOPERATIVE, [_pretty(_cooperative_facts(cooperative))], digests)
        _add(archive, RULE_SETS, [_pretty(_rule_sets(session, cooperative))], digests)
        for name, rows in _rows_of(session, cooperative).items():
            counts[name] = 0
            _add(archive, name, _csv(name, rows, counts, progress), digests)
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "cooperative": cooperative.code,
            "head": {
                "sequence": head.sequence if head else 0,
                "hash": head.hash if head else chain.BEGINNING,
            },
            "rows": counts,
            "sha256": digests,
        }
        _add(archive, MANIFEST, [_pretty(manifest)], {})
    audit.record(
        session,
        actor,
        "register:full:exported",
        cooperative_id=cooperative.id,
        data={"head": manifest["head"], "rows": counts},
    )
    return manifest


def _add(archive: zipfile.ZipFile, name: str, pieces: Any, digests: dict[str, str]) -> None:
    """Write one file under a fixed time, so that the same register gives the same bytes."""
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    digest = hashlib.sha256()
    with archive.open(info, "w", force_zip64=True) as stream:
        for piece in pieces:
            digest.update(piece)
            stream.write(piece)
    digests[name] = digest.hexdigest()


def _pretty(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    return f"{text}\n".encode()


def _csv(
    name: str, rows: Iterator[Any], counts: dict[str, int], progress: Progress | None
) -> Iterator[bytes]:
    columns = TABLES[name]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    for row in rows:
        writer.writerow([column.write(value) for column, value in zip(columns, row, strict=True)])
        counts[name] += 1
        if counts[name] % 1000 == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
            if progress is not None:
                progress(list(TABLES).index(name), len(TABLES))
    yield text.getvalue().encode()


def _cooperative_facts(cooperative: Cooperative) -> dict[str, Any]:
    return {name: getattr(cooperative, name) for name in COOPERATIVE_FIELDS}


def _rule_sets(session: Session, cooperative: Cooperative) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(RuleSet).where(RuleSet.cooperative_id == cooperative.id).order_by(RuleSet.starts_on)
    )
    return [
        {
            "starts_on": row.starts_on.isoformat(),
            "source": row.source,
            "source_confirmed": row.source_confirmed,
            "recorded_at": row.recorded_at.isoformat(timespec="microseconds"),
            "rules": row.rules,
        }
        for row in rows
    ]


def _rows_of(session: Session, cooperative: Cooperative) -> dict[str, Iterator[Any]]:
    """The rows of each file, in the order of their columns, streamed from the database."""
    here = Membership.cooperative_id == cooperative.id
    firms = select(Membership.organisation_id).where(here, Membership.organisation_id.is_not(None))
    delegates = select(Representative.person_id).where(Representative.organisation_id.in_(firms))
    own = select(Membership.person_id).where(here, Membership.person_id.is_not(None))
    concerned = or_(Person.id.in_(own), Person.id.in_(delegates))
    # Numbered from 1 in the order of their rows: the same after the import into another database.
    people = {
        key: number
        for number, key in enumerate(
            session.scalars(select(Person.id).where(concerned).order_by(Person.id)), start=1
        )
    }
    organisations = {
        key: number
        for number, key in enumerate(
            session.scalars(
                select(Organisation.id).where(Organisation.id.in_(firms)).order_by(Organisation.id)
            ),
            start=1,
        )
    }
    taken_back = aliased(ShareEntry)

    def read(*columns: Any) -> Any:
        return select(*columns).execution_options(yield_per=2000)

    def numbered(statement: Any, *places: tuple[int, dict[int, int]]) -> Iterator[list[Any]]:
        for row in session.execute(statement):
            values = list(row)
            for place, numbers in places:
                values[place] = numbers[values[place]] if values[place] is not None else None
            yield values

    return {
        "people.csv": numbered(
            read(
                Person.id, Person.given_name, Person.family_name, Person.birth_date,
                Person.created_at,
            ).where(concerned).order_by(Person.id),
            (0, people),
        ),
        "organisations.csv": numbered(
            read(
                Organisation.id, Organisation.name, Organisation.enterprise_number,
                Organisation.country, Organisation.created_at,
            ).where(Organisation.id.in_(firms)).order_by(Organisation.id),
            (0, organisations),
        ),
        "memberships.csv": numbered(
            read(
                Membership.public_id, Membership.member_number, Membership.person_id,
                Membership.organisation_id, Membership.joined_on, Membership.ended_on,
                Membership.end_reason, Membership.end_note, Membership.language, Membership.email,
                Membership.street, Membership.postal_code, Membership.town, Membership.country,
                Membership.created_at, Membership.changed_at,
            ).where(here).order_by(Membership.id),
            (2, people), (3, organisations),
        ),
        "categories.csv": numbered(
            read(
                Membership.public_id, MembershipCategory.code, MembershipCategory.starts_on,
                MembershipCategory.ends_on, MembershipCategory.recorded_at,
            )
            .join(Membership, Membership.id == MembershipCategory.membership_id)
            .where(here).order_by(Membership.id, MembershipCategory.starts_on)
        ),
        "representatives.csv": numbered(
            read(
                Representative.organisation_id, Representative.person_id, Representative.starts_on,
                Representative.ends_on, Representative.recorded_at,
            )
            .where(Representative.organisation_id.in_(firms))
            .order_by(Representative.organisation_id, Representative.id),
            (0, organisations), (1, people),
        ),
        "holders.csv": numbered(
            read(
                HolderOpening.commitment, Membership.public_id, HolderOpening.salt,
                HolderOpening.statement, HolderOpening.is_current, HolderOpening.recorded_at,
            )
            .join(Membership, Membership.id == HolderOpening.membership_id)
            .where(here)
            .order_by(Membership.id, HolderOpening.recorded_at, HolderOpening.commitment)
        ),
        "entries.csv": numbered(
            read(
                ShareEntry.sequence, ShareEntry.version, Membership.public_id, ShareEntry.kind,
                ShareEntry.share_class, ShareEntry.nominal_cents, ShareEntry.shares,
                ShareEntry.numbers, ShareEntry.amount_cents, ShareEntry.cause,
                ShareEntry.effective_on, ShareEntry.recorded_at, ShareEntry.act_id,
                ShareEntry.source, taken_back.sequence, ShareEntry.commitment,
                ShareEntry.previous_hash, ShareEntry.hash,
            )
            .join(Membership, Membership.id == ShareEntry.membership_id)
            .outerjoin(taken_back, taken_back.id == ShareEntry.reverses_id)
            .where(ShareEntry.cooperative_id == cooperative.id).order_by(ShareEntry.sequence)
        ),
        "remarks.csv": numbered(
            read(ShareEntry.sequence, EntryRemark.text)
            .join(ShareEntry, ShareEntry.id == EntryRemark.entry_id)
            .where(ShareEntry.cooperative_id == cooperative.id).order_by(ShareEntry.sequence)
        ),
        "numbering.csv": numbered(
            read(ShareNumbering.share_class, ShareNumbering.last_number)
            .where(ShareNumbering.cooperative_id == cooperative.id)
            .order_by(ShareNumbering.share_class)
        ),
    }  # fmt: skip
