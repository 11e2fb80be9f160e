"""What a registrar does with an import: upload, name columns, confirm, drop."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput, NotFound
from govern.register.importing.headers import FIELDS, missing_columns, recognise_columns
from govern.register.importing.reading import Table, UnreadableFile, read_table
from govern.register.models import (
    ImportBatch,
    ImportFile,
    ImportKind,
    ImportState,
)
from govern.register.rules.values import cell_text
from govern.register.services.imports.batches import (
    CHECK_JOB,
    IMPORT_JOB,
    enqueue_work,
    forget_contents,
    lock_batch,
    move_batch,
    record_step,
)
from govern.register.services.ledger import refuse_on_hold
from govern.register.texts import FIELD_NAMES, file_text


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
    record_step(session, actor, batch, "uploaded", {"digest": batch.file_digest})
    if is_clear and later:
        enqueue_work(session, batch, CHECK_JOB)
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
    refuse_columns_of_odoo(batch)
    lock_batch(session, batch)
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
    move_batch(batch, ImportState.CHECKING)
    batch.mapping = dict(mapping)
    if hold_back_duplicates is not None:
        batch.hold_back_duplicates = hold_back_duplicates
    batch.failure = ""
    session.flush()
    if later:
        enqueue_work(session, batch, CHECK_JOB)
    return batch


def refuse_columns_of_odoo(batch: ImportBatch) -> None:
    """NotFound for an Odoo export: its columns have the names that Odoo gives them."""
    if batch.kind == ImportKind.ODOO.value:
        raise NotFound(
            _("The columns of an Odoo export are recognised by themselves."),
            remedy=_("Go back to the import."),
        )


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
    refuse_columns_of_odoo(batch)
    lock_batch(session, batch)
    if batch.state != ImportState.MAPPING.value:
        move_batch(batch, ImportState.MAPPING)
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
    lock_batch(session, batch)
    if batch.state in (ImportState.IMPORTING.value, ImportState.IMPORTED.value):
        return batch
    if batch.state == ImportState.CHECKED.value and plan_digest != batch.plan_digest:
        raise Conflict(
            _("The preview was made again since you looked at it."),
            remedy=_("Look at it once more and confirm then."),
        )
    move_batch(batch, ImportState.IMPORTING)
    batch.confirmed_at = clock.now()
    batch.confirmed_by_id = actor.account_id
    batch.failure = ""
    session.flush()
    record_step(session, actor, batch, "confirmed", {"plan": plan_digest})
    if later:
        enqueue_work(session, batch, IMPORT_JOB)
    return batch


def cancel_import(session: Session, actor: Actor, batch: ImportBatch) -> ImportBatch:
    """Drop an import that was not confirmed, and the file with it."""
    actor.require(Permission.REGISTER_IMPORT, batch.cooperative_id)
    lock_batch(session, batch)
    if batch.state == ImportState.CANCELLED.value:
        return batch
    move_batch(batch, ImportState.CANCELLED)
    batch.finished_at = clock.now()
    forget_contents(session, batch)
    record_step(session, actor, batch, "cancelled", {})
    return batch


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
