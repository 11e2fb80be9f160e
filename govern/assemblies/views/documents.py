"""Documents: the list for the secretary, and the files for everyone."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, g, render_template, request, url_for
from flask_babel import gettext as _

from govern.access import Permission, public, requires
from govern.assemblies import services
from govern.assemblies.forms import DocumentForm, as_choices
from govern.assemblies.models import Assembly, Document
from govern.assemblies.rules import EditScope
from govern.assemblies.services.agenda import agenda_list, find_item
from govern.assemblies.services.guards import scope_of
from govern.assemblies.views.blueprint import address, back_to, blueprint, load
from govern.errors import GovernError, NotFound
from govern.extensions import db
from govern.i18n import LANGUAGE_NAMES, local_text
from govern.submitting import put_error

SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"


@blueprint.route("/<cooperative>/assemblies/<slug>/documents", methods=["GET", "POST"])
@requires(Permission.ASSEMBLY_EDIT)
def documents(cooperative: str, slug: str) -> Any:
    """All documents, and the form that adds one."""
    session = db.session()
    assembly = load(slug)
    form = _form(assembly)
    if request.method == "GET":
        form.item.data = request.args.get("item", "")
        return _page(form, assembly)
    if not form.validate():
        return _page(form, assembly), 422
    upload = form.file.data
    try:
        services.add_document(
            session,
            g.actor,
            assembly,
            title=form.title.data,
            filename=upload.filename or "",
            content=upload.read(),
            language=form.language.data,
            item=find_item(session, assembly, form.item.data) if form.item.data else None,
        )
        session.commit()
    except GovernError as error:
        session.rollback()
        put_error(form, error)
        return _page(form, load(slug)), error.status
    flash(_("The document is added."), "good")
    return back_to(assembly, "documents")


@blueprint.post("/<cooperative>/assemblies/<slug>/documents/<document>/remove")
@requires(Permission.ASSEMBLY_EDIT)
def remove_document(cooperative: str, slug: str, document: str) -> Any:
    """Take a document out again."""
    session = db.session()
    assembly = load(slug)
    row = next((one for one in assembly.documents if one.public_id == document), None)
    if row is None:
        raise NotFound(
            _("There is no such document."), remedy=_("It may have been removed meanwhile.")
        )
    services.remove_document(session, g.actor, row)
    session.commit()
    flash(_("The document is removed."), "good")
    return back_to(assembly, "documents")


@blueprint.get("/documents/<public_id>/<filename>")
@public
def document(public_id: str, filename: str) -> Any:
    """The file, to be saved and never run: an attachment of the kind found in its content."""
    row, content = services.read_document(db.session(), g.actor, public_id)
    response = Response(content, mimetype=row.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=row.filename)
    response.headers["Content-Security-Policy"] = SANDBOX
    # Named by its content's digest it never changes; a draft's must not stay in a shared cache.
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.set_etag(row.digest)
    return response.make_conditional(request)


def _form(assembly: Assembly) -> DocumentForm:
    form = DocumentForm()
    languages = [(code, LANGUAGE_NAMES[code]) for code in assembly.languages]
    items = [
        (node.item.public_id, f"{node.number}. {local_text(node.item.titles)}")
        for node in agenda_list(assembly)
    ]
    form.language.choices = as_choices([("", _("all languages")), *languages])
    form.item.choices = as_choices([("", _("the whole assembly")), *items])
    return form


def _page(form: DocumentForm, assembly: Assembly) -> str:
    scope = scope_of(db.session(), assembly)
    return render_template(
        "assemblies/documents.html",
        form=form,
        assembly=assembly,
        documents=assembly.documents,
        language_names=LANGUAGE_NAMES,
        accepted=DocumentForm.accepted(),
        may_add=scope is not EditScope.NOTHING,
        may_remove=scope in (EditScope.EVERYTHING, EditScope.ALL_BUT_THE_DAY),
        file_of=_address_of,
        back=address(assembly),
    )


def _address_of(document: Document) -> str:
    return url_for("assemblies.document", public_id=document.public_id, filename=document.filename)
