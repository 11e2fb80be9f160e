"""The work on an import: reading rows, comparing them with the register, writing.

The heavy reading happens outside of any transaction (``parse``); checking and writing are one
transaction each. What is confirmed is what was shown: if the register moved meanwhile, the import
goes back to its preview instead of writing something else.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.cooperatives.models import Cooperative
from govern.i18n import speaking
from govern.register.importing.comparing import Plan, make_plan
from govern.register.importing.rows import RegisterRow, RowReader, guard
from govern.register.models import (
    ImportBatch,
    ImportChange,
    ImportFile,
    ImportProblem,
    ImportState,
    Severity,
)
from govern.register.rules.values import cell_text
from govern.register.services.bulk import insert_rows
from govern.register.services.chain import lock_register
from govern.register.services.import_register import apply_plan, load_register
from govern.register.services.imports.batches import lock_batch, move_batch, record_step
from govern.register.services.imports.steps import read_file
from govern.register.texts import problem_text

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ParsedImport:
    """The rows of a file, read under a mapping: the part that needs no database."""

    reader: RowReader
    rows: list[RegisterRow]


def parse(
    content: bytes,
    mapping: Mapping[str, int],
    context: Any,
    progress: Progress | None = None,
) -> ParsedImport:
    """Read every row of the file under ``mapping``. No database is touched."""
    table = read_file(content)
    reader = RowReader(table, mapping, context)
    total = sum(1 for _row in table.records())
    rows: list[RegisterRow] = []
    for row in reader.rows():
        rows.append(row)
        if progress is not None and len(rows) % 500 == 0:
            progress(len(rows), total)
    return ParsedImport(reader, rows)


def write_preview(session: Session, batch: ImportBatch, parsed: ParsedImport) -> Plan | None:
    """Compare with the register and keep what the preview shows. None: no longer asked for."""
    lock_batch(session, batch)
    if batch.state != ImportState.CHECKING.value:
        return None
    cooperative = session.get_one(Cooperative, batch.cooperative_id)
    plan = make_plan(
        parsed.reader,
        parsed.rows,
        load_register(session, cooperative),
        hold_back_duplicates=batch.hold_back_duplicates,
    )
    keep_findings(session, batch, plan)
    move_batch(batch, ImportState.CHECKED)
    batch.checked_at = clock.now()
    session.flush()
    return plan


def write_import(
    session: Session,
    actor: Actor,
    batch: ImportBatch,
    parsed: ParsedImport,
    progress: Callable[[int], None] | None = None,
) -> Plan | None:
    """Write what was confirmed, all of it or nothing. Running twice writes once.

    When the register moved since the preview, the preview is made again and nothing is written.
    Returns the plan that was written, None when there was nothing to do or the preview is new.
    """
    lock_batch(session, batch)
    if batch.state != ImportState.IMPORTING.value:
        return None
    cooperative = session.get_one(Cooperative, batch.cooperative_id)
    lock_register(session, cooperative.id)
    register = load_register(session, cooperative)
    plan = make_plan(
        parsed.reader,
        parsed.rows,
        register,
        hold_back_duplicates=batch.hold_back_duplicates,
    )
    keep_findings(session, batch, plan)
    if plan.digest() != batch.plan_digest:
        batch.plan_digest = plan.digest()
        move_batch(batch, ImportState.CHECKED)
        batch.failure = "register_changed"
        batch.checked_at = clock.now()
        session.flush()
        return None
    apply_plan(
        session,
        actor,
        cooperative,
        plan,
        parsed.reader.context,
        register,
        f"import:{batch.public_id}",
        progress,
    )
    session.refresh(batch)
    if plan.bad_rows:
        session.merge(
            ImportFile(batch_id=batch.id, role="mend", content=mend_file(parsed, plan, batch))
        )
    session.execute(
        delete(ImportFile).where(ImportFile.batch_id == batch.id, ImportFile.role == "source")
    )
    move_batch(batch, ImportState.IMPORTED)
    batch.finished_at = clock.now()
    session.flush()
    record_step(
        session,
        actor,
        batch,
        "imported",
        {key: plan.counts()[key] for key in ("new", "changed", "unchanged", "bad")},
    )
    return plan


def mend_file(parsed: ParsedImport, plan: Plan, batch: ImportBatch) -> bytes:
    """The rows that stayed out, as a CSV file with a column that says what to mend in each.

    It has the columns of the original, so that it can be mended and imported again.
    """
    reasons: dict[int, list[str]] = defaultdict(list)
    with speaking(batch.language):
        for problem in plan.problems:
            if problem.severity == Severity.ERROR.value:
                words = problem_text(problem.code, problem.params)
                reasons[problem.row].append(
                    f"{problem.column}: {words.sentence} {words.remedy}".strip(": ")
                )
        title = _("What to mend")
    layout = parsed.reader.table.layout
    width = len(layout.headers)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=layout.delimiter or ";", lineterminator="\r\n")
    writer.writerow([guard(cell) for cell in [*layout.headers, title]])
    for number, cells in parsed.reader.table.records():
        if number in plan.bad_rows:
            texts = [cell_text(cell) for cell in cells[:width]]
            texts += [""] * (width - len(texts))
            writer.writerow([guard(cell) for cell in [*texts, " ".join(reasons[number])]])
    return text.getvalue().encode("utf-8-sig")


def keep_findings(session: Session, batch: ImportBatch, plan: Plan) -> None:
    session.execute(delete(ImportProblem).where(ImportProblem.batch_id == batch.id))
    session.execute(delete(ImportChange).where(ImportChange.batch_id == batch.id))
    insert_rows(
        session,
        ImportProblem,
        [
            {
                "batch_id": batch.id,
                "row": problem.row,
                "column": problem.column,
                "value": problem.value,
                "severity": problem.severity,
                "code": problem.code,
                "params": dict(problem.params),
            }
            for problem in plan.problems
        ],
    )
    insert_rows(
        session,
        ImportChange,
        [
            {
                "batch_id": batch.id,
                "row": change.row,
                "membership_id": change.membership_id,
                "field": change.field,
                "before": change.before,
                "after": change.after,
            }
            for change in plan.changes
        ],
    )
    batch.counts = plan.counts()
    batch.rows_total = plan.rows
    if batch.state == ImportState.CHECKING.value:
        batch.plan_digest = plan.digest()
