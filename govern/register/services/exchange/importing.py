"""A full export brought into an empty register: every row checked, all of it or nothing.

Identifiers, both times, numbers and hashes are kept. Under the same code the chain is the same to
its head; under another code (which every hash covers) it is written anew, entry by entry. In the
end the ledger is verified as a whole.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from govern import audit
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative, RuleSet
from govern.cooperatives.rules import rules_from_json
from govern.cooperatives.services import create_cooperative
from govern.errors import Conflict
from govern.register.models import (
    Membership,
)
from govern.register.services.chain import lock_register
from govern.register.services.exchange.exporting import COOPERATIVE_FIELDS
from govern.register.services.exchange.files import ExportFiles, refusal
from govern.register.services.exchange.rows import Progress, write_rows
from govern.register.services.exchange.tables import (
    COOPERATIVE,
    RULE_SETS,
)
from govern.register.services.verifying import LedgerState, verify_ledger


@dataclass(frozen=True)
class ImportedRegister:
    """What came in: rows per file, what the verification found, whether the chain is the same."""

    cooperative: Cooperative
    rows: dict[str, int]
    state: LedgerState
    same_chain: bool


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
        raise refusal(_("This is no ZIP file.")) from error
    with archive:
        source = ExportFiles(archive)
        cooperative = _cooperative(session, actor, source, code)
        actor.require(Permission.REGISTER_IMPORT, cooperative.id)
        _refuse_filled(session, cooperative)
        try:
            rows, same_chain = write_rows(session, cooperative, source, progress)
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


def _cooperative(
    session: Session, actor: Actor, source: ExportFiles, code: str | None
) -> Cooperative:
    facts = source.json(COOPERATIVE)
    try:
        wanted = code or str(facts["code"])
        values = {name: facts[name] for name in COOPERATIVE_FIELDS if name != "code"}
    except (KeyError, TypeError) as error:
        raise refusal(_("The file %(name)s cannot be read.", name=COOPERATIVE)) from error
    found = session.scalar(select(Cooperative).where(Cooperative.code == wanted))
    if found is None:
        found = create_cooperative(session, actor, code=wanted, **values)
    _add_rule_sets(session, found, source)
    return found


def _add_rule_sets(session: Session, cooperative: Cooperative, source: ExportFiles) -> None:
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
        raise refusal(_("The file %(name)s cannot be read.", name=RULE_SETS)) from error
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
