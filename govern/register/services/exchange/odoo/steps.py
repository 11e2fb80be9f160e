"""An Odoo export on its way through the pages: uploaded, checked, confirmed, written.

It is an import like that of a table (``services.imports``): the same states, the same job that
survives a reload, and what is confirmed is what was shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput
from govern.register.importing.odoo.headers import LINES, PARTNERS, REGISTER
from govern.register.importing.odoo.plan import OdooPlan
from govern.register.importing.odoo.planning import plan_import
from govern.register.importing.odoo.reading import OdooExport, OdooProblem
from govern.register.models import (
    ImportBatch,
    ImportFile,
    ImportKind,
    ImportProblem,
    ImportState,
    Severity,
)
from govern.register.services.bulk import insert_rows
from govern.register.services.chain import lock_register
from govern.register.services.exchange.odoo.reading import (
    OdooFiles,
    Said,
    known_register,
    rules_for,
)
from govern.register.services.exchange.odoo.writing import write_plan
from govern.register.services.imports import CHECK_JOB, confirm_import
from govern.register.services.imports.batches import (
    enqueue_work,
    lock_batch,
    move_batch,
    record_step,
)
from govern.register.services.ledger import refuse_on_hold

FILES = (PARTNERS, REGISTER, LINES)


def start_odoo_import(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    names: Mapping[str, str],
    files: OdooFiles,
    rows: int,
    language: str = "en",
) -> ImportBatch:
    """Take in the files of an export that ``read_export`` has read; a job checks them.

    ``names``: what the files are called, by ``FILES``.
    """
    actor.require(Permission.REGISTER_IMPORT, cooperative.id)
    refuse_on_hold(cooperative)
    contents = {
        role: content
        for role, content in (
            (PARTNERS, files.partners),
            (REGISTER, files.register),
            (LINES, files.lines),
        )
        if content is not None
    }
    digests = "".join(hashlib.sha256(content).hexdigest() for content in contents.values())
    shown = [PurePath(names.get(role, "").replace("\\", "/")).name or role for role in contents]
    batch = ImportBatch(
        cooperative_id=cooperative.id,
        kind=ImportKind.ODOO.value,
        state=ImportState.CHECKING.value,
        file_name=", ".join(name[:60] for name in shown),
        file_digest=hashlib.sha256(digests.encode()).hexdigest(),
        file_size=sum(len(content) for content in contents.values()),
        layout={"types": []},
        mapping={},
        options={},
        rows_total=rows,
        counts={},
        language=language if language in LOCALES else "en",
        created_at=clock.now(),
        created_by_id=actor.account_id,
    )
    session.add(batch)
    session.flush()
    session.add_all(
        ImportFile(batch_id=batch.id, role=role, content=content)
        for role, content in contents.items()
    )
    session.flush()
    record_step(session, actor, batch, "uploaded", {"digest": batch.file_digest})
    enqueue_work(session, batch, CHECK_JOB)
    return batch


def files_of(session: Session, batch: ImportBatch) -> OdooFiles:
    """The files as uploaded. Conflict when they have been deleted."""
    found = {
        role: row.content
        for role in FILES
        if (row := session.get(ImportFile, (batch.id, role))) is not None
    }
    if PARTNERS not in found or REGISTER not in found:
        raise Conflict(_("The file of this import was deleted."), remedy=_("Upload it again."))
    return OdooFiles(found[PARTNERS], found[REGISTER], found.get(LINES))


def say_about(session: Session, actor: Actor, batch: ImportBatch, said: Said) -> ImportBatch:
    """Say what the types of shares are here, and whether numbers can be trusted; check again.

    Raises InvalidInput for a code that the rules do not know.
    """
    actor.require(Permission.REGISTER_IMPORT, batch.cooperative_id)
    rules_for(session, session.get_one(Cooperative, batch.cooperative_id), said)
    lock_batch(session, batch)
    move_batch(batch, ImportState.CHECKING)
    batch.options = {
        "categories": dict(said.categories),
        "classes": dict(said.classes),
        "other_names": said.other_names,
    }
    batch.failure = ""
    session.flush()
    enqueue_work(session, batch, CHECK_JOB)
    return batch


def said_of(batch: ImportBatch) -> Said:
    """What was said about the export so far."""
    options = batch.options
    return Said(
        options.get("categories", {}),
        options.get("classes", {}),
        bool(options.get("other_names")),
    )


def codes_of(session: Session, batch: ImportBatch) -> set[str]:
    """The kinds of oddities that were found."""
    found = select(ImportProblem.code).where(ImportProblem.batch_id == batch.id).distinct()
    return set(session.scalars(found))


def confirm_odoo_import(
    session: Session, actor: Actor, batch: ImportBatch, plan_digest: str, *, good_rows: bool
) -> ImportBatch:
    """Let the export go in as it was previewed. Confirming twice is confirming once.

    With errors only if ``good_rows``: whom an error touches then stays out. InvalidInput otherwise.
    """
    if batch.state == ImportState.CHECKED.value and batch.counts.get("errors", 0) and not good_rows:
        raise InvalidInput(
            _("The export has rows to mend."),
            remedy=_("Mend them, or say that the members concerned stay out."),
            field="good_rows",
        )
    confirmed = confirm_import(session, actor, batch, plan_digest)
    batch.options = {**batch.options, "good_rows": good_rows}
    session.flush()
    return confirmed


def write_odoo_preview(session: Session, batch: ImportBatch, export: OdooExport) -> None:
    """Compare with the register and keep what the preview shows."""
    lock_batch(session, batch)
    if batch.state != ImportState.CHECKING.value:
        return
    cooperative = session.get_one(Cooperative, batch.cooperative_id)
    _keep_findings(session, batch, _plan(session, cooperative, batch, export))
    move_batch(batch, ImportState.CHECKED)
    batch.checked_at = clock.now()
    session.flush()


def write_odoo_import(
    session: Session, actor: Actor, batch: ImportBatch, export: OdooExport
) -> None:
    """Write what was confirmed, all of it or nothing. Running twice writes once.

    When the register moved since the preview, the preview is made again and nothing is written.
    """
    lock_batch(session, batch)
    if batch.state != ImportState.IMPORTING.value:
        return
    cooperative = session.get_one(Cooperative, batch.cooperative_id)
    lock_register(session, cooperative.id)
    plan, shown = _plan(session, cooperative, batch, export), batch.plan_digest
    _keep_findings(session, batch, plan)
    is_refused = plan.has_errors and not batch.options.get("good_rows")
    if batch.plan_digest != shown or is_refused:
        move_batch(batch, ImportState.CHECKED)
        batch.failure = "register_changed"
        batch.checked_at = clock.now()
        session.flush()
        return
    if not plan.is_empty:
        write_plan(session, actor, cooperative, plan)
    session.refresh(batch)
    session.execute(delete(ImportFile).where(ImportFile.batch_id == batch.id))
    move_batch(batch, ImportState.IMPORTED)
    batch.finished_at = clock.now()
    session.flush()
    numbers = {key: plan.counts()[key] for key in ("new", "entries", "left_out")}
    record_step(session, actor, batch, "imported", numbers)


def _plan(
    session: Session, cooperative: Cooperative, batch: ImportBatch, export: OdooExport
) -> OdooPlan:
    rules = rules_for(session, cooperative, said_of(batch))
    return plan_import(export, known_register(session, cooperative), rules)


def _urgency(problem: OdooProblem) -> tuple[int, bool, int, int]:
    """Errors first, and of them those that others follow from."""
    severity = (Severity.ERROR, Severity.WARNING, Severity.NOTE).index(Severity(problem.severity))
    follows = problem.code == "depends_on_bad"
    return severity, follows, FILES.index(problem.file), problem.row


def _keep_findings(session: Session, batch: ImportBatch, plan: OdooPlan) -> None:
    session.execute(delete(ImportProblem).where(ImportProblem.batch_id == batch.id))
    rows: list[dict[str, Any]] = [
        {
            "batch_id": batch.id,
            "file": problem.file,
            "row": problem.row,
            "column": problem.column[:200],
            "value": problem.value,
            "severity": problem.severity,
            "code": problem.code,
            "params": dict(problem.params),
        }
        for problem in sorted(plan.problems, key=_urgency)
    ]
    insert_rows(session, ImportProblem, rows)
    totals = {name: (register, lines) for name, register, lines in plan.totals}
    types = {item.name: item for item in plan.types}
    batch.layout = {
        "types": [
            {
                "name": name,
                "class": types[name].share_class if name in types else "",
                "category": types[name].category if name in types else "",
                "is_known": name in types,
                "shares": totals.get(name, (0, None))[0],
                "lines": totals.get(name, (0, None))[1],
            }
            for name in sorted({*types, *totals})
        ]
    }
    batch.counts = plan.counts()
    batch.plan_digest = plan.digest()
