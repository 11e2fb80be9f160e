"""An import on its way: uploaded, columns named, checked, confirmed, written, mended.

The heavy reading happens outside of any transaction (``parse``); checking and writing are one
transaction each. What is confirmed is what was shown: if the register moved meanwhile, the import
goes back to its preview instead of writing something else.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, ForbiddenTransition, InvalidInput, NotFound
from govern.jobs import enqueue
from govern.register.importing.comparing import Plan, make_plan
from govern.register.importing.headers import FIELDS, missing_columns, recognise_columns
from govern.register.importing.reading import Table, UnreadableFile, read_table
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
from govern.register.services.ledger import refuse_on_hold
from govern.register.texts import FIELD_NAMES, file_text, problem_text

CHECK_JOB = "register.check_import"
IMPORT_JOB = "register.run_import"
KEEP_FOR = timedelta(days=30)

Progress = Callable[[int, int], None]

TRANSITIONS: Mapping[ImportState, frozenset[ImportState]] = {
    ImportState.MAPPING: frozenset({ImportState.CHECKING, ImportState.CANCELLED}),
    ImportState.CHECKING: frozenset(
        {ImportState.CHECKED, ImportState.FAILED, ImportState.CANCELLED, ImportState.CHECKING}
    ),
    ImportState.CHECKED: frozenset(
        {
            ImportState.MAPPING,
            ImportState.CHECKING,
            ImportState.IMPORTING,
            ImportState.CANCELLED,
        }
    ),
    ImportState.IMPORTING: frozenset(
        {ImportState.IMPORTED, ImportState.CHECKED, ImportState.FAILED}
    ),
    ImportState.IMPORTED: frozenset(),
    ImportState.FAILED: frozenset({ImportState.CHECKING, ImportState.CANCELLED}),
    ImportState.CANCELLED: frozenset(),
}


@dataclass(frozen=True)
class ParsedImport:
    """The rows of a file, read under a mapping: the part that needs no database."""

    reader: RowReader
    rows: list[RegisterRow]


def start_import(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    file_name: str,
    content: bytes,
    language: str = "en",
    *,
    later: bool = True,
    table: Table | None = None,
) -> ImportBatch:
    """Take in a file. If its columns are recognised it is checked at once (``later``: by a job),
    else they must be named first. ``table`` saves reading ``content`` again. Raises InvalidInput
    when the file cannot be read at all."""
    actor.require(Permission.REGISTER_IMPORT, cooperative.id)
    refuse_on_hold(cooperative)
    table = table or read_file(content)
    mapping = recognise_columns(table.layout.headers)
    is_clear = not missing_columns(mapping)
    batch = ImportBatch(
        cooperative_id=cooperative.id,
        state=(ImportState.CHECKING if is_clear else ImportState.MAPPING).value,
        file_name=PurePath(file_name.replace("\\", "/")).name[:200] or "register",
        file_digest=hashlib.sha256(content).hexdigest(),
        file_size=len(content),
        layout=_layout_json(table),
        mapping=mapping,
        rows_total=sum(1 for _row in table.records()),
        counts={},
        language=language if language in LOCALES else "en",
        created_at=clock.now(),
        created_by_id=actor.account_id,
    )
    session.add(batch)
    session.flush()
    session.add(ImportFile(batch_id=batch.id, role="source", content=content))
    session.flush()
    _record(session, actor, batch, "uploaded", {"digest": batch.file_digest})
    if is_clear and later:
        _enqueue(session, batch, CHECK_JOB)
    return batch


def read_file(content: bytes) -> Table:
    """The cells of a file; InvalidInput with a sentence and a remedy when it cannot be read."""
    try:
        return read_table(content)
    except UnreadableFile as error:
        words = file_text(error.code, error.params)
        raise InvalidInput(words.sentence, remedy=words.remedy, field="file") from error


def map_columns(
    session: Session,
    actor: Actor,
    batch: ImportBatch,
    mapping: Mapping[str, int],
    *,
    hold_back_duplicates: bool | None = None,
    later: bool = True,
) -> ImportBatch:
    """Say which column (from 0) holds which field, and check again.

    Raises InvalidInput for a column named twice, beyond the file, or a needed field without one.
    """
    actor.require(Permission.REGISTER_IMPORT, batch.cooperative_id)
    _lock(session, batch)
    width = len(batch.layout["headers"])
    unknown = [name for name in mapping if name not in FIELDS]
    if unknown or any(not 0 <= column < width for column in mapping.values()):
        raise InvalidInput(
            _("The file has no such column."), remedy=_("Choose one of the columns shown.")
        )
    if len(set(mapping.values())) < len(mapping):
        raise InvalidInput(
            _("One column was chosen for two fields."),
            remedy=_("Choose another column for one of them."),
        )
    missing = missing_columns(mapping)
    if missing:
        words = file_text(
            "file_columns_missing",
            {"columns": ", ".join(str(FIELD_NAMES[name]) for name in missing)},
        )
        raise InvalidInput(
            words.sentence, remedy=_("Choose a column for each of them."), field=missing[0]
        )
    _move(batch, ImportState.CHECKING)
    batch.mapping = dict(mapping)
    if hold_back_duplicates is not None:
        batch.hold_back_duplicates = hold_back_duplicates
    batch.failure = ""
    session.flush()
    if later:
        _enqueue(session, batch, CHECK_JOB)
    return batch


def two_columns(field: str) -> InvalidInput:
    """The error for a field that was chosen for two columns."""
    return InvalidInput(
        _("“%(field)s” was chosen for two columns.", field=FIELD_NAMES.get(field, field)),
        remedy=_("Choose it for one of them only."),
    )


def check_again(
    session: Session,
    actor: Actor,
    batch: ImportBatch,
    *,
    hold_back_duplicates: bool | None = None,
    later: bool = True,
) -> ImportBatch:
    """Check the file again: after a failure, or with possible duplicates held back or let in."""
    return map_columns(
        session,
        actor,
        batch,
        batch.mapping,
        hold_back_duplicates=hold_back_duplicates,
        later=later,
    )


def name_columns(session: Session, actor: Actor, batch: ImportBatch) -> ImportBatch:
    """Go back from the preview to the screen on which columns are named."""
    actor.require(Permission.REGISTER_IMPORT, batch.cooperative_id)
    _lock(session, batch)
    if batch.state != ImportState.MAPPING.value:
        _move(batch, ImportState.MAPPING)
        session.flush()
    return batch


def confirm_import(
    session: Session,
    actor: Actor,
    batch: ImportBatch,
    plan_digest: str,
    *,
    later: bool = True,
) -> ImportBatch:
    """Let the import go in as it was previewed. Confirming twice is confirming once.

    ``plan_digest`` is that of the preview that was looked at: Conflict when it is another now.
    """
    actor.require(Permission.REGISTER_IMPORT, batch.cooperative_id)
    _lock(session, batch)
    if batch.state in (ImportState.IMPORTING.value, ImportState.IMPORTED.value):
        return batch
    if batch.state == ImportState.CHECKED.value and plan_digest != batch.plan_digest:
        raise Conflict(
            _("The preview was made again since you looked at it."),
            remedy=_("Look at it once more and confirm then."),
        )
    _move(batch, ImportState.IMPORTING)
    batch.confirmed_at = clock.now()
    batch.confirmed_by_id = actor.account_id
    batch.failure = ""
    session.flush()
    _record(session, actor, batch, "confirmed", {"plan": plan_digest})
    if later:
        _enqueue(session, batch, IMPORT_JOB)
    return batch


def cancel_import(session: Session, actor: Actor, batch: ImportBatch) -> ImportBatch:
    """Drop an import that was not confirmed, and the file with it."""
    actor.require(Permission.REGISTER_IMPORT, batch.cooperative_id)
    _lock(session, batch)
    if batch.state == ImportState.CANCELLED.value:
        return batch
    _move(batch, ImportState.CANCELLED)
    batch.finished_at = clock.now()
    forget_contents(session, batch)
    _record(session, actor, batch, "cancelled", {})
    return batch


# -- the work itself --------------------------------------------------------------------------


def source_of(session: Session, batch: ImportBatch) -> bytes:
    """The bytes as uploaded. Conflict when they have been deleted."""
    row = session.get(ImportFile, (batch.id, "source"))
    if row is None:
        raise Conflict(_("The file of this import was deleted."), remedy=_("Upload it again."))
    return row.content


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
    _lock(session, batch)
    if batch.state != ImportState.CHECKING.value:
        return None
    cooperative = session.get_one(Cooperative, batch.cooperative_id)
    plan = make_plan(
        parsed.reader,
        parsed.rows,
        load_register(session, cooperative),
        hold_back_duplicates=batch.hold_back_duplicates,
    )
    _keep_findings(session, batch, plan)
    _move(batch, ImportState.CHECKED)
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
    _lock(session, batch)
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
    _keep_findings(session, batch, plan)
    if plan.digest() != batch.plan_digest:
        batch.plan_digest = plan.digest()
        _move(batch, ImportState.CHECKED)
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
    _move(batch, ImportState.IMPORTED)
    batch.finished_at = clock.now()
    session.flush()
    _record(
        session,
        actor,
        batch,
        "imported",
        {key: plan.counts()[key] for key in ("new", "changed", "unchanged", "bad")},
    )
    return plan


def fail_import(session: Session, batch: ImportBatch, failure: str) -> None:
    """Note why an import could not be checked or written; nothing was changed."""
    _lock(session, batch)
    if batch.state in (ImportState.CHECKING.value, ImportState.IMPORTING.value):
        _move(batch, ImportState.FAILED)
        batch.failure = failure[:2000]
        session.flush()


def enqueue_again(session: Session, batch: ImportBatch) -> None:
    """Ask once more for the work that the state of the import calls for."""
    if batch.state == ImportState.CHECKING.value:
        _enqueue(session, batch, CHECK_JOB)
    elif batch.state == ImportState.IMPORTING.value:
        _enqueue(session, batch, IMPORT_JOB)


def mend_file(parsed: ParsedImport, plan: Plan, batch: ImportBatch) -> bytes:
    """The rows that stayed out, as a CSV file with a column that says what to mend in each.

    It has the columns of the original, so that it can be mended and imported again.
    """
    reasons: dict[int, list[str]] = defaultdict(list)
    with force_locale(batch.language):
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


def problems_of(batch: ImportBatch, severity: Severity | None = None) -> Any:
    """The statement that selects the problems of an import in the order of the rows."""
    query = select(ImportProblem).where(ImportProblem.batch_id == batch.id)
    if severity is not None:
        query = query.where(ImportProblem.severity == severity.value)
    return query.order_by(ImportProblem.row, ImportProblem.id)


def changes_of(batch: ImportBatch) -> Any:
    """The statement that selects the changes of known members in the order of the rows."""
    return (
        select(ImportChange)
        .where(ImportChange.batch_id == batch.id)
        .order_by(ImportChange.row, ImportChange.id)
    )


def import_by_public_id(session: Session, cooperative: Cooperative, public_id: str) -> ImportBatch:
    """The import of that cooperative; NotFound otherwise."""
    found = session.scalar(
        select(ImportBatch).where(
            ImportBatch.public_id == public_id, ImportBatch.cooperative_id == cooperative.id
        )
    )
    if found is None:
        raise NotFound(
            _("There is no such import."), remedy=_("Choose one from the list of imports.")
        )
    return found


def earlier_import_of_same_file(session: Session, batch: ImportBatch) -> ImportBatch | None:
    """The latest finished import of the very same bytes, if any."""
    return session.scalar(
        select(ImportBatch)
        .where(
            ImportBatch.cooperative_id == batch.cooperative_id,
            ImportBatch.file_digest == batch.file_digest,
            ImportBatch.state == ImportState.IMPORTED.value,
            ImportBatch.id != batch.id,
        )
        .order_by(ImportBatch.id.desc())
        .limit(1)
    )


def forget_contents(session: Session, batch: ImportBatch) -> None:
    """Delete the personal data that an import holds: its files, its findings, what was before."""
    session.execute(delete(ImportFile).where(ImportFile.batch_id == batch.id))
    session.execute(delete(ImportProblem).where(ImportProblem.batch_id == batch.id))
    session.execute(
        update(ImportChange).where(ImportChange.batch_id == batch.id).values(before="", after="")
    )
    batch.forgotten_at = clock.now()


def purge_imports(session: Session, now: datetime) -> int:
    """Forget the contents of imports that were made over thirty days ago; their number."""
    old = session.scalars(
        select(ImportBatch)
        .where(ImportBatch.created_at < now - KEEP_FOR, ImportBatch.forgotten_at.is_(None))
        .limit(50)
    ).all()
    for batch in old:
        if batch.state not in (ImportState.IMPORTED.value, ImportState.CANCELLED.value):
            batch.state = ImportState.CANCELLED.value
            batch.finished_at = now
        forget_contents(session, batch)
    session.flush()
    return len(old)


# -- inside -----------------------------------------------------------------------------------


def _keep_findings(session: Session, batch: ImportBatch, plan: Plan) -> None:
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


def _layout_json(table: Table) -> dict[str, Any]:
    layout = table.layout
    samples: list[list[str]] = []
    for _number, cells in table.records():
        samples.append([cell_text(cell)[:60] for cell in cells[: len(layout.headers)]])
        if len(samples) == 3:
            break
    return {
        "kind": layout.kind,
        "header_row": layout.header_row,
        "headers": list(layout.headers),
        "encoding": layout.encoding,
        "delimiter": layout.delimiter,
        "sheet": layout.sheet,
        "samples": samples,
    }


def _lock(session: Session, batch: ImportBatch) -> None:
    session.flush()
    session.refresh(batch, with_for_update=True)


def _move(batch: ImportBatch, state: ImportState) -> None:
    present = ImportState(batch.state)
    if state not in TRANSITIONS[present]:
        raise ForbiddenTransition(
            _("This import is past that step."),
            remedy=_("Reload the page to see where it stands."),
        )
    batch.state = state.value


def _enqueue(session: Session, batch: ImportBatch, name: str) -> None:
    batch.job_id = enqueue(session, name, batch.id).id
    session.flush()


def _record(
    session: Session, actor: Actor, batch: ImportBatch, action: str, data: dict[str, Any]
) -> None:
    audit.record(
        session,
        actor,
        f"register:import:{action}",
        cooperative_id=batch.cooperative_id,
        subject=f"import:{batch.public_id}",
        data=data,
    )
