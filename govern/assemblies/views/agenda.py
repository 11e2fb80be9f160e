"""The agenda editor."""

from __future__ import annotations

from typing import Any

from flask import flash, g, render_template, request
from flask_babel import gettext as _

from govern.access import Permission, requires
from govern.assemblies import services
from govern.assemblies.forms import fill_texts, item_form, per_language, texts_in
from govern.assemblies.labels import AGENDA_KINDS
from govern.assemblies.models import AgendaItem, Assembly
from govern.assemblies.rules import AgendaKind, EditScope
from govern.assemblies.services.agenda import (
    ItemInput,
    agenda_list,
    find_item,
    item_revision,
    removal_of,
)
from govern.assemblies.services.guards import scope_of
from govern.assemblies.services.resolutions import kind_for
from govern.assemblies.views.blueprint import address, back_to, blueprint, load
from govern.errors import GovernError
from govern.extensions import db
from govern.submitting import put_error


@blueprint.get("/<cooperative>/assemblies/<slug>/agenda")
@requires(Permission.ASSEMBLY_EDIT)
def agenda(cooperative: str, slug: str) -> Any:
    """All items, with what can be done with each."""
    assembly = load(slug)
    return render_template(
        "assemblies/agenda.html",
        assembly=assembly,
        nodes=agenda_list(assembly),
        kinds=AGENDA_KINDS,
        kind_of=AgendaKind,
        kind_for=kind_for,
        may_change=scope_of(db.session(), assembly)
        in (EditScope.EVERYTHING, EditScope.ALL_BUT_THE_DAY),
    )


@blueprint.route("/<cooperative>/assemblies/<slug>/agenda/new", methods=["GET", "POST"])
@requires(Permission.ASSEMBLY_EDIT)
def add_item(cooperative: str, slug: str) -> Any:
    """A new item, at the end or below the item named ``?under=``."""
    session = db.session()
    assembly = load(slug)
    under_id = request.args.get("under", "")
    under = find_item(session, assembly, under_id) if under_id else None
    form = item_form(assembly.languages)
    if request.method == "GET":
        form.kind.data = AgendaKind.DECISION.value
        return _page(form, assembly, None, under)
    if not form.validate():
        return _page(form, assembly, None, under), 422
    try:
        item = services.add_item(session, g.actor, assembly, _typed(form, assembly), under=under)
        session.commit()
    except GovernError as error:
        session.rollback()
        put_error(form, error)
        return _page(form, load(slug), None, under), error.status
    if kind_for(item) is not None:
        flash(_("The item is saved. Now write what is put to the vote."), "good")
        return back_to(assembly, "add_resolution", item=item.public_id)
    flash(_("The item is saved."), "good")
    return back_to(assembly, "agenda")


@blueprint.route("/<cooperative>/assemblies/<slug>/agenda/<item>/edit", methods=["GET", "POST"])
@requires(Permission.ASSEMBLY_EDIT)
def edit_item(cooperative: str, slug: str, item: str) -> Any:
    """Change an item."""
    session = db.session()
    assembly = load(slug)
    row = find_item(session, assembly, item)
    form = item_form(assembly.languages)
    if request.method == "GET":
        _fill(form, row, assembly)
        return _page(form, assembly, row, None)
    if not form.validate():
        return _page(form, assembly, row, None), 422
    try:
        services.edit_item(
            session, g.actor, row, _typed(form, assembly), seen=form.seen.data or None
        )
        session.commit()
    except GovernError as error:
        session.rollback()
        put_error(form, error)
        return _page(form, load(slug), row, None), error.status
    flash(_("The item is saved."), "good")
    return back_to(assembly, "agenda")


@blueprint.post("/<cooperative>/assemblies/<slug>/agenda/<item>/move")
@requires(Permission.ASSEMBLY_EDIT)
def move_item(cooperative: str, slug: str, item: str) -> Any:
    """One step up, down, in or out."""
    session = db.session()
    assembly = load(slug)
    row = find_item(session, assembly, item)
    services.move_item(session, g.actor, row, request.form.get("move", ""))
    session.commit()
    # The anchor brings keyboard users back to the item that they are moving.
    return back_to(assembly, "agenda", _anchor=f"item-{row.public_id}")


@blueprint.route("/<cooperative>/assemblies/<slug>/agenda/<item>/remove", methods=["GET", "POST"])
@requires(Permission.ASSEMBLY_EDIT)
def remove_item(cooperative: str, slug: str, item: str) -> Any:
    """What would go, and the button."""
    session = db.session()
    assembly = load(slug)
    row = find_item(session, assembly, item)
    if request.method == "POST":
        services.remove_item(session, g.actor, row)
        session.commit()
        flash(_("The item is removed."), "good")
        return back_to(assembly, "agenda")
    return render_template(
        "assemblies/remove_item.html",
        assembly=assembly,
        item=row,
        removal=removal_of(assembly, row),
        back=address(assembly, "agenda"),
    )


def _typed(form: Any, assembly: Assembly) -> ItemInput:
    return ItemInput(
        kind=form.kind.data,
        titles=texts_in(form, "titles", assembly.languages),
        texts=texts_in(form, "texts", assembly.languages),
        duration_minutes=form.duration_minutes.data,
        presented_by=form.presented_by.data or "",
    )


def _fill(form: Any, item: AgendaItem, assembly: Assembly) -> None:
    form.kind.data, form.duration_minutes.data = item.kind, item.duration_minutes
    form.presented_by.data = item.presented_by
    fill_texts(form, "titles", item.titles, assembly.languages)
    fill_texts(form, "texts", item.texts, assembly.languages)
    form.seen.data = item_revision(item)


def _page(form: Any, assembly: Assembly, item: AgendaItem | None, under: AgendaItem | None) -> str:
    return render_template(
        "assemblies/item_form.html",
        form=form,
        assembly=assembly,
        item=item,
        under=under,
        titles=per_language(form, "titles", assembly.languages),
        texts=per_language(form, "texts", assembly.languages),
        back=address(assembly, "agenda"),
    )
