"""Making an assembly and changing it."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, g, render_template, request
from flask_babel import gettext as _

from govern.access import Permission, requires
from govern.assemblies import services
from govern.assemblies.forms import (
    LINK_ROWS,
    assembly_form,
    fill_texts,
    per_language,
    texts_in,
)
from govern.assemblies.models import Assembly
from govern.assemblies.rules import AssemblyMode, EditScope, local_instant
from govern.assemblies.services.editing import AssemblyInput, assembly_revision
from govern.assemblies.services.guards import scope_of
from govern.assemblies.services.reading import second_assembly_choices
from govern.assemblies.views.blueprint import address, back_to, blueprint, load
from govern.errors import GovernError, InvalidInput
from govern.extensions import db
from govern.i18n import local_text
from govern.submitting import put_error


@blueprint.route("/<cooperative>/assemblies/new", methods=["GET", "POST"])
@requires(Permission.ASSEMBLY_EDIT)
def create(cooperative: str) -> Any:
    """A new draft."""
    form = _form()
    if request.method == "GET":
        form.mode.data = AssemblyMode.HYBRID.value
        form.languages.data = list(g.cooperative.languages)
        form.second_of.data = request.args.get("second_of", "")
        return _page(form, None, EditScope.EVERYTHING)
    if not form.validate():
        return _page(form, None, EditScope.EVERYTHING), 422
    session = db.session()
    try:
        assembly = services.create_assembly(session, g.actor, g.cooperative, _typed(form))
        session.commit()
    except GovernError as error:
        session.rollback()
        put_error(form, error)
        return _page(form, None, EditScope.EVERYTHING), error.status
    flash(_("The draft is saved. Now write its agenda."), "good")
    return back_to(assembly, "agenda")


@blueprint.route("/<cooperative>/assemblies/<slug>/edit", methods=["GET", "POST"])
@requires(Permission.ASSEMBLY_EDIT)
def edit(cooperative: str, slug: str) -> Any:
    """Change what may still be changed."""
    session = db.session()
    assembly = load(slug)
    scope = scope_of(session, assembly)
    form = _form(assembly)
    if request.method == "GET":
        _fill(form, assembly)
        return _page(form, assembly, scope)
    if scope is EditScope.PRACTICAL:
        # The page shows place and links only: everything else is what it was.
        place, links = form.place.data, _links(form)
        _fill(form, assembly, keep=("place", "links"))
        form.place.data = place
        given = _typed(form, links=links)
    elif not form.validate():
        return _page(form, assembly, scope), 422
    else:
        given = _typed(form)
    try:
        services.edit_assembly(
            session, g.actor, assembly, given, seen=request.form.get("seen") or None
        )
        session.commit()
    except GovernError as error:
        session.rollback()
        put_error(form, error)
        return _page(form, load(slug), scope), error.status
    flash(_("Saved."), "good")
    return back_to(assembly)


def _form(assembly: Assembly | None = None) -> Any:
    choices = [
        (str(one.id), f"{local_text(one.titles)} ({one.slug})")
        for one in second_assembly_choices(db.session(), g.cooperative)
        if assembly is None or one.id != assembly.id
    ]
    known = {value for value, _label in choices}
    if assembly is not None and assembly.second_of and str(assembly.second_of_id) not in known:
        first = assembly.second_of
        choices.append((str(first.id), f"{local_text(first.titles)} ({first.slug})"))
    return assembly_form(g.cooperative.languages, choices)


def _typed(form: Any, links: list[dict[str, str]] | None = None) -> AssemblyInput:
    """What the form holds, as the service wants it. InvalidInput for a time that never comes."""
    starts_on: date = form.starts_on.data
    ends: time | None = form.ends_time.data
    return AssemblyInput(
        kind=form.kind.data,
        mode=form.mode.data,
        titles=texts_in(form, "titles", g.cooperative.languages),
        introductions=texts_in(form, "introductions", g.cooperative.languages),
        languages=form.languages.data,
        starts_at=_instant(starts_on, form.starts_time.data, "starts_time"),
        ends_at=_instant(starts_on, ends, "ends_time") if ends is not None else None,
        place=form.place.data or "",
        links=_links(form) if links is None else links,
        record_date=form.record_date.data,
        objection_deadline=form.objection_deadline.data,
        second_of_id=int(form.second_of.data) if form.second_of.data else None,
    )


def _instant(day: date, clock_time: time, name: str) -> datetime:
    try:
        return local_instant(day, clock_time, g.cooperative.time_zone)
    except ValueError as error:
        raise InvalidInput(
            _("On that day the clocks skip this time."),
            remedy=_("Choose a time one hour later."),
            field=name,
        ) from error


def _links(form: Any) -> list[dict[str, str]]:
    return [
        {"kind": form[f"links_{number}_kind"].data, "url": form[f"links_{number}_url"].data or ""}
        for number in range(LINK_ROWS)
    ]


def _fill(form: Any, assembly: Assembly, keep: tuple[str, ...] = ()) -> None:
    zone = ZoneInfo(g.cooperative.time_zone)
    starts = assembly.starts_at.astimezone(zone)
    form.kind.data, form.mode.data = assembly.kind, assembly.mode
    form.languages.data = list(assembly.languages)
    form.starts_on.data, form.starts_time.data = starts.date(), starts.time()
    form.ends_time.data = assembly.ends_at.astimezone(zone).time() if assembly.ends_at else None
    form.record_date.data = assembly.record_date
    form.objection_deadline.data = assembly.objection_deadline
    form.second_of.data = str(assembly.second_of_id or "")
    fill_texts(form, "titles", assembly.titles, g.cooperative.languages)
    fill_texts(form, "introductions", assembly.introductions, g.cooperative.languages)
    if "place" not in keep:
        form.place.data = assembly.place
    if "links" not in keep:
        for number, link in enumerate(assembly.links[:LINK_ROWS]):
            form[f"links_{number}_kind"].data = link["kind"]
            form[f"links_{number}_url"].data = link["url"]
    form.seen.data = assembly_revision(assembly)


def _page(form: Any, assembly: Assembly | None, scope: EditScope) -> str:
    languages = g.cooperative.languages
    return render_template(
        "assemblies/form.html",
        form=form,
        assembly=assembly,
        titles=per_language(form, "titles", languages),
        introductions=per_language(form, "introductions", languages),
        links=[
            (form[f"links_{number}_kind"], form[f"links_{number}_url"])
            for number in range(LINK_ROWS)
        ],
        practical_only=scope is EditScope.PRACTICAL,
        day_is_fixed=scope is not EditScope.EVERYTHING,
        closed=scope in (EditScope.NOTHING, EditScope.DOCUMENTS),
        back=address(assembly) if assembly is not None else None,
    )
