"""The row of an import: its states, its findings, its end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, ForbiddenTransition, NotFound
from govern.jobs import enqueue
from govern.register.models import (
    ImportBatch,
    ImportChange,
    ImportFile,
    ImportKind,
    ImportProblem,
    ImportState,
    Severity,
)

CHECK_JOB = "register.check_import"


IMPORT_JOB = "register.run_import"


KEEP_FOR = timedelta(days=30)


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


def source_of(session: Session, batch: ImportBatch) -> bytes:
    """The bytes as uploaded. Conflict when they have been deleted."""
    row = session.get(ImportFile, (batch.id, "source"))
    if row is None:
        raise Conflict(_("The file of this import was deleted."), remedy=_("Upload it again."))
    return row.content


def fail_import(session: Session, batch: ImportBatch, failure: str) -> None:
    """Note why an import could not be checked or written; nothing was changed."""
    lock_batch(session, batch)
    if batch.state in (ImportState.CHECKING.value, ImportState.IMPORTING.value):
        move_batch(batch, ImportState.FAILED)
        batch.failure = failure[:2000]
        session.flush()


def enqueue_again(session: Session, batch: ImportBatch) -> None:
    """Ask once more for the work that the state of the import calls for."""
    if batch.state == ImportState.CHECKING.value:
        enqueue_work(session, batch, CHECK_JOB)
    elif batch.state == ImportState.IMPORTING.value:
        enqueue_work(session, batch, IMPORT_JOB)


def problems_of(batch: ImportBatch, severity: Severity | None = None) -> Any:
    """The statement that selects the problems of an import in the order of the rows."""
    query = select(ImportProblem).where(ImportProblem.batch_id == batch.id)
    if severity is not None:
        query = query.where(ImportProblem.severity == severity.value)
    if batch.kind == ImportKind.ODOO.value:
        # They were put down in the order in which they are to be mended.
        return query.order_by(ImportProblem.id)
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


def lock_batch(session: Session, batch: ImportBatch) -> None:
    session.flush()
    session.refresh(batch, with_for_update=True)


def move_batch(batch: ImportBatch, state: ImportState) -> None:
    present = ImportState(batch.state)
    if state not in TRANSITIONS[present]:
        raise ForbiddenTransition(
            _("This import is past that step."),
            remedy=_("Reload the page to see where it stands."),
        )
    batch.state = state.value


def enqueue_work(session: Session, batch: ImportBatch, name: str) -> None:
    batch.job_id = enqueue(session, name, batch.id).id
    session.flush()


def record_step(
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
