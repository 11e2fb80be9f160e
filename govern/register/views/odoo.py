"""The pages of an import from Odoo: upload, preview with what is odd, what the types of shares are.

The address of an import is the same as for a table (``views.imports``), which hands over here.
"""

from __future__ import annotations

from typing import Any

import flask
from flask import g, render_template, request

from govern import database
from govern.access import Permission, reads_first, requires
from govern.cooperatives.services import rules_on
from govern.errors import GovernError
from govern.extensions import db
from govern.i18n import current_language, local_text
from govern.register.forms import OdooForm
from govern.register.importing.odoo.headers import NAMES, REQUIRED
from govern.register.importing.reading import MAX_ROWS
from govern.register.models import ImportBatch
from govern.register.services.exchange import odoo
from govern.register.texts.odoo import ODOO_FILE_NAMES, odoo_text
from govern.register.views.blueprint import blueprint, here, today
from govern.submitting import put_error


@blueprint.route("/<cooperative>/register/imports/odoo", methods=["GET", "POST"])
@reads_first
@requires(Permission.REGISTER_IMPORT)
def import_odoo(cooperative: str) -> Any:
    """The form that takes the files of an Odoo export."""
    form = OdooForm()
    if request.method == "GET":
        return _upload_page(form)
    if not form.validate():
        return _upload_page(form), 422
    fields = {name: form[name].data for name in odoo.FILES}
    contents = {name: field.read() for name, field in fields.items() if field}
    files = odoo.OdooFiles(contents["partners"], contents["register"], contents.get("lines"))
    try:
        # Reading large files takes a while: nobody waits for the write lock meanwhile.
        rows = odoo.read_export(files, g.cooperative).rows
        database.begin_writing(db.session)
        batch = odoo.start_odoo_import(
            db.session(),
            g.actor,
            g.cooperative,
            {name: field.filename or "" for name, field in fields.items() if field},
            files,
            rows,
            current_language(),
        )
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        return _upload_page(form), error.status
    db.session.commit()
    return flask.redirect(here("import_page", batch=batch.public_id))


def _upload_page(form: OdooForm) -> str:
    def technical(file: str, names: Any) -> list[str]:
        return [NAMES[file][name].partition(";")[0] for name in names]

    return render_template(
        "register/import_odoo.html",
        form=form,
        columns=[
            (
                ODOO_FILE_NAMES[file],
                technical(file, REQUIRED[file]),
                technical(file, [name for name in NAMES[file] if name not in REQUIRED[file]]),
            )
            for file in odoo.FILES
        ],
        max_rows=MAX_ROWS,
        max_bytes=flask.current_app.config["MAX_CONTENT_LENGTH"],
    )


def odoo_page(batch: ImportBatch, shown: dict[str, Any], error: GovernError | None = None) -> str:
    """The preview of an export, or what became of it. ``shown``: as every preview."""
    _row, rules = rules_on(db.session(), g.cooperative.id, today())
    return render_template(
        "register/import_odoo_preview.html",
        **shown,
        error=error,
        words=lambda problem: odoo_text(problem.code, problem.params),
        files=ODOO_FILE_NAMES,
        fields={},
        said=odoo.said_of(batch),
        categories=[(item.code, local_text(item.names)) for item in rules.categories],
        classes=[(item.code, local_text(item.names)) for item in rules.share_classes],
        has_other_names="other_name" in odoo.codes_of(db.session(), batch),
    )


def said_in_form(batch: ImportBatch) -> odoo.Said:
    """What the form of the preview says about the types of shares; empty fields say nothing."""
    said = odoo.said_of(batch)
    if "options" not in request.form:
        return said
    categories, classes = {}, {}
    for place, item in enumerate(batch.layout["types"]):
        if category := request.form.get(f"category-{place}", ""):
            categories[item["name"]] = category
        if share_class := request.form.get(f"class-{place}", ""):
            classes[item["name"]] = share_class
    return odoo.Said(categories, classes, "other_names" in request.form)
