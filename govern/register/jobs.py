"""What the register does in the background: checking an import, and writing it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import Actor
from govern.cooperatives.models import Cooperative
from govern.database import reading
from govern.errors import GovernError
from govern.jobs import BackgroundJob, JobState, every_tick, job, register_resume, report_progress
from govern.register.importing.odoo.reading import OdooExport
from govern.register.models import ImportBatch, ImportKind, ImportState
from govern.register.services import imports
from govern.register.services.exchange import odoo
from govern.register.services.import_register import import_context
from govern.register.services.transfers import end_void_transfers, expire_transfers


@job(imports.CHECK_JOB)
def check_import(session: Session, batch_id: int) -> None:
    """Read and check an uploaded file, and keep the preview."""
    parsed = _parsed(session, batch_id, ImportState.CHECKING)
    if isinstance(parsed, OdooExport):
        odoo.write_odoo_preview(session, session.get_one(ImportBatch, batch_id), parsed)
    elif parsed is not None:
        imports.write_preview(session, session.get_one(ImportBatch, batch_id), parsed)


@job(imports.IMPORT_JOB)
def run_import(session: Session, batch_id: int) -> None:
    """Write a confirmed import, in one transaction."""
    parsed = _parsed(session, batch_id, ImportState.IMPORTING)
    if parsed is None:
        return
    batch = session.get_one(ImportBatch, batch_id)
    actor = Actor(account_id=batch.confirmed_by_id, is_system=True)
    if isinstance(parsed, OdooExport):
        odoo.write_odoo_import(session, actor, batch, parsed)
        return
    total = len(parsed.rows)
    imports.write_import(
        session, actor, batch, parsed, lambda done: report_progress(total + done, 2 * total)
    )


def _parsed(
    session: Session, batch_id: int, state: ImportState
) -> imports.ParsedImport | OdooExport | None:
    """Read the file between two transactions, so that nobody waits for the write lock meanwhile.

    Of an Odoo export: the files.
    """
    steps = 2 if state is ImportState.IMPORTING else 1
    try:
        with reading(session):
            batch = session.get(ImportBatch, batch_id)
            if batch is None or batch.state != state.value:
                return None
            cooperative = session.get_one(Cooperative, batch.cooperative_id)
            if batch.kind == ImportKind.ODOO.value:
                return odoo.read_export(
                    odoo.files_of(session, batch),
                    cooperative,
                    lambda done, total: report_progress(done, steps * total),
                )
            context = import_context(session, cooperative)
            content, mapping = imports.source_of(session, batch), dict(batch.mapping)
        return imports.parse(
            content,
            mapping,
            context,
            lambda done, total: report_progress(done, steps * total),
        )
    except GovernError as error:
        session.rollback()
        imports.fail_import(
            session, session.get_one(ImportBatch, batch_id), f"{error.message} {error.remedy}"
        )
        return None


def resume_imports(session: Session) -> None:
    """Ask again for imports whose job is lost; those whose job gave up are marked failed."""
    waiting = session.scalars(
        select(ImportBatch).where(
            ImportBatch.state.in_([ImportState.CHECKING.value, ImportState.IMPORTING.value])
        )
    ).all()
    for batch in waiting:
        row = session.get(BackgroundJob, batch.job_id) if batch.job_id else None
        if row is not None and row.state == JobState.FAILED.value:
            imports.fail_import(session, batch, row.error)
        elif row is None or row.state == JobState.DONE.value:
            imports.enqueue_again(session, batch)


def mark_failed_imports(session: Session, _now: datetime) -> None:
    """An import whose job gave up says so instead of showing a bar that never moves."""
    stuck = session.execute(
        select(ImportBatch, BackgroundJob.error)
        .join(BackgroundJob, BackgroundJob.id == ImportBatch.job_id)
        .where(
            ImportBatch.state.in_([ImportState.CHECKING.value, ImportState.IMPORTING.value]),
            BackgroundJob.state == JobState.FAILED.value,
        )
        .limit(20)
    ).all()
    for batch, error in stuck:
        imports.fail_import(session, batch, error)


def purge_old_imports(session: Session, now: datetime) -> None:
    """Files and findings of imports are kept for thirty days."""
    imports.purge_imports(session, now)


def register_jobs() -> None:
    """Bind what runs at ticks and after a crash."""
    register_resume(resume_imports)
    every_tick(mark_failed_imports)
    every_tick(expire_transfers)
    every_tick(end_void_transfers)
    every_tick(purge_old_imports)
