"""The pages of an import: upload, columns, progress, preview, confirmation, rows to mend."""

from __future__ import annotations

from datetime import date
from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from govern import database
from govern.access import Permission, reads_first, requires
from govern.errors import GovernError, InvalidInput, NotFound
from govern.extensions import db
from govern.i18n import current_language, day
from govern.jobs import BackgroundJob, read_progress
from govern.paging import paginate
from govern.register.forms import UploadForm
from govern.register.importing.headers import FIELDS, REQUIRED, missing_columns
from govern.register.importing.reading import ENCODING_NAMES, MAX_ROWS
from govern.register.models import (
    ImportBatch,
    ImportFile,
    ImportKind,
    ImportState,
    Membership,
    Severity,
)
from govern.register.services import imports
from govern.register.services.exchange import odoo
from govern.register.texts import (
    FIELD_NAMES,
    IMPORT_STATE_NAMES,
    SEVERITY_NAMES,
    problem_text,
)
from govern.register.views.blueprint import attachment, blueprint, here
from govern.register.views.odoo import odoo_page, said_in_form
from govern.submitting import put_error

WORKING = (ImportState.CHECKING.value, ImportState.IMPORTING.value)


def _batch(public_id: str) -> ImportBatch:
    return imports.import_by_public_id(db.session(), g.cooperative, public_id)


@blueprint.route("/<cooperative>/register/imports", methods=["GET", "POST"])
@reads_first
@requires(Permission.REGISTER_IMPORT)
def import_list(cooperative: str) -> Any:
    """Earlier imports, and the form that takes a new file."""
    form = UploadForm()
    if request.method == "POST":
        if not form.validate():
            return _list_page(form), 422
        content = form.file.data.read()
        try:
            # Reading a large file takes a while: nobody waits for the write lock meanwhile.
            table = imports.read_file(content)
            database.begin_writing(db.session)
            batch = imports.start_import(
                db.session(),
                g.actor,
                g.cooperative,
                form.file.data.filename or "",
                content,
                current_language(),
                table=table,
            )
        except GovernError as error:
            db.session.rollback()
            put_error(form, error)
            return _list_page(form), error.status
        db.session.commit()
        return flask.redirect(here("import_page", batch=batch.public_id))
    return _list_page(form)


def _list_page(form: UploadForm) -> str:
    page = paginate(
        db.session(),
        select(ImportBatch)
        .where(ImportBatch.cooperative_id == g.cooperative.id)
        .order_by(ImportBatch.id.desc()),
        per_page=20,
    )
    return render_template(
        "register/imports.html",
        form=form,
        page=page,
        states=IMPORT_STATE_NAMES,
        needed=[FIELD_NAMES[name] for name in REQUIRED],
        known=[FIELD_NAMES[name] for name in FIELDS if name not in REQUIRED],
        max_rows=MAX_ROWS,
        max_bytes=flask.current_app.config["MAX_CONTENT_LENGTH"],
    )


@blueprint.get("/<cooperative>/register/imports/<batch>")
@requires(Permission.REGISTER_IMPORT)
def import_page(cooperative: str, batch: str) -> Any:
    """Where an import stands: its columns, its progress, its preview, or what became of it."""
    found = _batch(batch)
    if found.state == ImportState.MAPPING.value:
        return _columns_page(found)
    if found.state in WORKING:
        return render_template(
            "register/import_working.html", batch=found, progress=_progress(found)
        )
    if found.kind == ImportKind.ODOO.value:
        return odoo_page(found, findings_shown(found))
    session = db.session()
    return render_template(
        "register/import_preview.html",
        **findings_shown(found),
        changes=paginate(session, _changes_with_members(found), rows=True, page=_changes_page()),
        has_mend_file=session.get(ImportFile, (found.id, "mend")) is not None,
        words=lambda problem: problem_text(problem.code, problem.params),
        fields=FIELD_NAMES,
        encoding=ENCODING_NAMES.get(found.layout["encoding"], ""),
        change_value=_change_value,
    )


def findings_shown(batch: ImportBatch) -> dict[str, Any]:
    """What every preview shows: where the import stands, and one page of what is odd."""
    severity = request.args.get("show", "")
    shown = Severity(severity) if severity in tuple(Severity) else None
    return {
        "batch": batch,
        "state": ImportState(batch.state),
        "states": IMPORT_STATE_NAMES,
        "problems": paginate(db.session(), imports.problems_of(batch, shown)),
        "shown": shown,
        "severities": SEVERITY_NAMES,
        "earlier": imports.earlier_import_of_same_file(db.session(), batch),
    }


def _changes_page() -> int:
    value = request.args.get("changes", "1")
    return int(value) if value.isdecimal() and 0 < len(value) < 8 else 1


def _changes_with_members(batch: ImportBatch) -> Any:
    query = imports.changes_of(batch)
    change = query.column_descriptions[0]["entity"]
    return query.add_columns(Membership.member_number, Membership.public_id).join(
        Membership, Membership.id == change.membership_id
    )


def _change_value(field: str, value: str) -> str:
    if field == "ended_on" and value:
        return day(date.fromisoformat(value))
    return value.upper() if field == "language" else value


def _progress(batch: ImportBatch) -> dict[str, Any]:
    """What the progress bar shows; also what it asks for while the page is open."""
    row = db.session.get(BackgroundJob, batch.job_id) if batch.job_id else None
    kept = read_progress(row) if row is not None else None
    done, total = (kept.done, kept.total) if kept is not None else (0, 0)
    if batch.state == ImportState.IMPORTING.value:
        label = _("The members are being written, all together.")
        following = _("Then you see what was imported, and the rows to mend.")
    else:
        label = _("The file is being read and compared with the register.")
        following = _("Then you see everything that is odd, before anything is imported.")
    return {
        "done": done,
        "total": total,
        "label": label,
        "next": following,
        "finished": batch.state not in WORKING,
        "href": here("import_page", batch=batch.public_id),
    }


@blueprint.get("/<cooperative>/register/imports/<batch>/progress")
@requires(Permission.REGISTER_IMPORT)
def import_progress(cooperative: str, batch: str) -> Any:
    """How far an import is, as JSON."""
    return flask.jsonify(_progress(_batch(batch)))


# -- the columns ------------------------------------------------------------------------------


def _columns_page(batch: ImportBatch, error: GovernError | None = None) -> str:
    fields = {column: name for name, column in batch.mapping.items()}
    mapping = batch.mapping
    if request.method == "POST":
        fields = {
            column: request.form[f"column-{column}"]
            for column in range(len(batch.layout["headers"]))
            if request.form.get(f"column-{column}")
        }
        mapping = {name: column for column, name in fields.items()}
    return render_template(
        "register/import_columns.html",
        batch=batch,
        chosen=fields,
        fields={name: FIELD_NAMES[name] for name in FIELDS},
        required=REQUIRED,
        unnamed=[FIELD_NAMES[name] for name in missing_columns(mapping)],
        error=error,
    )


@blueprint.route("/<cooperative>/register/imports/<batch>/columns", methods=["GET", "POST"])
@requires(Permission.REGISTER_IMPORT)
def import_columns(cooperative: str, batch: str) -> Any:
    """Say which column holds what."""
    found = _batch(batch)
    imports.refuse_columns_of_odoo(found)
    if request.method == "GET":
        return _columns_page(found)
    mapping: dict[str, int] = {}
    try:
        for column in range(len(found.layout["headers"])):
            name = request.form.get(f"column-{column}", "")
            if name in mapping:
                raise imports.two_columns(name)
            if name:
                mapping[name] = column
        imports.map_columns(db.session(), g.actor, found, mapping)
    except GovernError as error:
        db.session.rollback()
        return _columns_page(_batch(batch), error), error.status
    db.session.commit()
    return flask.redirect(here("import_page", batch=batch))


# -- the decision -----------------------------------------------------------------------------


@blueprint.post("/<cooperative>/register/imports/<batch>/confirm")
@requires(Permission.REGISTER_IMPORT)
def import_confirm(cooperative: str, batch: str) -> Any:
    """Let the import go in as it was shown."""
    found = _batch(batch)
    digest = request.form.get("plan_digest", "")
    if found.kind == ImportKind.ODOO.value:
        try:
            odoo.confirm_odoo_import(
                db.session(), g.actor, found, digest, good_rows="good_rows" in request.form
            )
        except InvalidInput as error:
            db.session.rollback()
            found = _batch(batch)
            return odoo_page(found, findings_shown(found), error), error.status
    else:
        imports.confirm_import(db.session(), g.actor, found, digest)
    db.session.commit()
    return flask.redirect(here("import_page", batch=batch))


@blueprint.post("/<cooperative>/register/imports/<batch>/check")
@requires(Permission.REGISTER_IMPORT)
def import_check(cooperative: str, batch: str) -> Any:
    """Check again: possible duplicates held back or let in, or after a failure."""
    found = _batch(batch)
    if found.kind == ImportKind.ODOO.value:
        odoo.say_about(db.session(), g.actor, found, said_in_form(found))
    else:
        imports.check_again(
            db.session(),
            g.actor,
            found,
            hold_back_duplicates=request.form.get("duplicates") == "hold_back",
        )
    db.session.commit()
    return flask.redirect(here("import_page", batch=batch))


@blueprint.post("/<cooperative>/register/imports/<batch>/cancel")
@requires(Permission.REGISTER_IMPORT)
def import_cancel(cooperative: str, batch: str) -> Any:
    """Drop an import that was not confirmed."""
    imports.cancel_import(db.session(), g.actor, _batch(batch))
    db.session.commit()
    flash(_("The import was dropped, and the file deleted. Nothing was changed."), "good")
    return flask.redirect(here("import_list"))


@blueprint.get("/<cooperative>/register/imports/<batch>/mend.csv")
@requires(Permission.REGISTER_IMPORT)
def import_mend(cooperative: str, batch: str) -> Any:
    """The rows that stayed out, with what to mend."""
    found = _batch(batch)
    row = db.session.get(ImportFile, (found.id, "mend"))
    if row is None:
        raise NotFound(
            _("This import has no rows to mend, or they were deleted after thirty days."),
            remedy=_("Import the file again."),
        )
    stem = found.file_name.rpartition(".")[0] or found.file_name
    return attachment(row.content, f"{stem}-mend.csv", "text/csv")
