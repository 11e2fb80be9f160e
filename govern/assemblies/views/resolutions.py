"""Resolutions and candidates."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from flask import flash, g, render_template, request
from flask_babel import gettext as _

from govern.access import Permission, requires
from govern.assemblies import services
from govern.assemblies.forms import (
    candidate_form,
    fill_texts,
    per_language,
    resolution_form,
    texts_in,
)
from govern.assemblies.models import AgendaItem, Assembly, Candidate, Resolution
from govern.assemblies.rules import ResolutionKind
from govern.assemblies.services.agenda import find_item
from govern.assemblies.services.explanations import requirement_sentence
from govern.assemblies.services.resolutions import (
    CandidateInput,
    ResolutionInput,
    find_resolution,
    kind_for,
    resolution_input,
    resolution_revision,
)
from govern.assemblies.views.blueprint import address, back_to, blueprint, load
from govern.errors import GovernError, NotFound, RuleViolation
from govern.extensions import db
from govern.i18n import local_text
from govern.submitting import put_error


@blueprint.route(
    "/<cooperative>/assemblies/<slug>/agenda/<item>/resolutions/new", methods=["GET", "POST"]
)
@requires(Permission.ASSEMBLY_EDIT)
def add_resolution(cooperative: str, slug: str, item: str) -> Any:
    """Something to be put to the vote under an item."""
    session = db.session()
    assembly = load(slug)
    row = find_item(session, assembly, item)
    kind = kind_for(row)
    if kind is None:
        raise RuleViolation(
            _("Only decisions and elections of people are voted on."),
            remedy=_("Change the kind of the agenda item first."),
        )
    form = _form(assembly, kind)
    if request.method == "GET":
        if not row.resolutions:
            fill_texts(form, "titles", row.titles, assembly.languages)
        if form.majority_rule.choices:
            form.majority_rule.data = form.majority_rule.choices[0].value
        return _page(form, assembly, row, None)
    if not form.validate():
        return _page(form, assembly, row, None), 422
    try:
        resolution = services.add_resolution(session, g.actor, row, _typed(form, assembly))
        session.commit()
    except GovernError as error:
        session.rollback()
        put_error(form, error)
        return _page(form, load(slug), row, None), error.status
    if resolution.is_about_people:
        flash(_("Saved. Now add the candidates."), "good")
        return back_to(assembly, "edit_resolution", resolution=resolution.public_id)
    flash(_("The resolution is saved."), "good")
    return back_to(assembly, "agenda")


@blueprint.route(
    "/<cooperative>/assemblies/<slug>/resolutions/<resolution>/edit", methods=["GET", "POST"]
)
@requires(Permission.ASSEMBLY_EDIT)
def edit_resolution(cooperative: str, slug: str, resolution: str) -> Any:
    """Change a resolution; for elections of people also the list of candidates."""
    session = db.session()
    assembly = load(slug)
    row = find_resolution(session, assembly, resolution)
    form = _form(assembly, ResolutionKind(row.kind))
    if request.method == "GET":
        _fill(form, row, assembly)
        return _page(form, assembly, row.item, row)
    if not form.validate():
        return _page(form, assembly, row.item, row), 422
    try:
        given = replace(_typed(form, assembly), candidates=resolution_input(row).candidates)
        services.edit_resolution(session, g.actor, row, given, seen=form.seen.data or None)
        session.commit()
    except GovernError as error:
        session.rollback()
        put_error(form, error)
        return _page(form, load(slug), row.item, row), error.status
    flash(_("The resolution is saved."), "good")
    return back_to(assembly, "agenda")


@blueprint.route(
    "/<cooperative>/assemblies/<slug>/resolutions/<resolution>/remove", methods=["GET", "POST"]
)
@requires(Permission.ASSEMBLY_EDIT)
def remove_resolution(cooperative: str, slug: str, resolution: str) -> Any:
    """Ask, then take the resolution off the agenda."""
    session = db.session()
    assembly = load(slug)
    row = find_resolution(session, assembly, resolution)
    if request.method == "POST":
        services.remove_resolution(session, g.actor, row)
        session.commit()
        flash(_("The resolution is removed."), "good")
        return back_to(assembly, "agenda")
    return render_template(
        "assemblies/remove_resolution.html",
        assembly=assembly,
        resolution=row,
        back=address(assembly, "agenda"),
    )


@blueprint.route(
    "/<cooperative>/assemblies/<slug>/resolutions/<resolution>/candidates/new",
    methods=["GET", "POST"],
)
@requires(Permission.ASSEMBLY_EDIT)
def add_candidate(cooperative: str, slug: str, resolution: str) -> Any:
    """Somebody else who stands."""
    return _candidate_page(slug, resolution, None)


@blueprint.route(
    "/<cooperative>/assemblies/<slug>/resolutions/<resolution>/candidates/<candidate>/edit",
    methods=["GET", "POST"],
)
@requires(Permission.ASSEMBLY_EDIT)
def edit_candidate(cooperative: str, slug: str, resolution: str, candidate: str) -> Any:
    """Correct a name or a statement."""
    return _candidate_page(slug, resolution, candidate)


@blueprint.post(
    "/<cooperative>/assemblies/<slug>/resolutions/<resolution>/candidates/<candidate>/remove"
)
@requires(Permission.ASSEMBLY_EDIT)
def remove_candidate(cooperative: str, slug: str, resolution: str, candidate: str) -> Any:
    """Take somebody off the list (add them again to undo it)."""
    session = db.session()
    assembly = load(slug)
    row = find_resolution(session, assembly, resolution)
    services.remove_candidate(session, g.actor, row, candidate)
    session.commit()
    flash(_("The candidate is removed."), "good")
    return back_to(assembly, "edit_resolution", resolution=row.public_id)


def _candidate_page(slug: str, resolution: str, candidate: str | None) -> Any:
    session = db.session()
    assembly = load(slug)
    row = find_resolution(session, assembly, resolution)
    present = _find_candidate(row, candidate) if candidate is not None else None
    form = candidate_form(assembly.languages)
    if request.method == "GET":
        form.seen.data = resolution_revision(row)
        if present is not None:
            form.name.data = present.name
            fill_texts(form, "statements", present.statements, assembly.languages)
        return _candidate_form_page(form, assembly, row, present)
    if not form.validate():
        return _candidate_form_page(form, assembly, row, present), 422
    given = CandidateInput(
        name=form.name.data,
        statements=texts_in(form, "statements", assembly.languages),
        public_id=present.public_id if present is not None else "",
    )
    try:
        services.put_candidate(session, g.actor, row, given, seen=form.seen.data or None)
        session.commit()
    except GovernError as error:
        session.rollback()
        put_error(form, error)
        return _candidate_form_page(form, load(slug), row, present), error.status
    flash(_("The candidate is saved."), "good")
    return back_to(assembly, "edit_resolution", resolution=row.public_id)


def _find_candidate(resolution: Resolution, public_id: str) -> Candidate:
    for candidate in resolution.candidates:
        if candidate.public_id == public_id:
            return candidate
    raise NotFound(
        _("There is no such candidate."), remedy=_("It may have been removed meanwhile.")
    )


def _form(assembly: Assembly, kind: ResolutionKind) -> Any:
    _row, rules = services.rules_of(db.session(), assembly)
    choices = [
        (
            rule.code,
            local_text(rule.names)
            if kind is ResolutionKind.PEOPLE
            else f"{local_text(rule.names)}. {requirement_sentence(asdict(rule))}",
        )
        for rule in rules.majorities
    ]
    return resolution_form(assembly.languages, choices, people=kind is ResolutionKind.PEOPLE)


def _typed(form: Any, assembly: Assembly) -> ResolutionInput:
    return ResolutionInput(
        titles=texts_in(form, "titles", assembly.languages),
        texts=texts_in(form, "texts", assembly.languages),
        majority_rule=form.majority_rule.data,
        seats=form.seats.data if "seats" in form else None,
    )


def _fill(form: Any, resolution: Resolution, assembly: Assembly) -> None:
    form.majority_rule.data = resolution.majority_rule
    if "seats" in form:
        form.seats.data = resolution.seats
    fill_texts(form, "titles", resolution.titles, assembly.languages)
    fill_texts(form, "texts", resolution.texts, assembly.languages)
    form.seen.data = resolution_revision(resolution)


def _page(form: Any, assembly: Assembly, item: AgendaItem, resolution: Resolution | None) -> str:
    return render_template(
        "assemblies/resolution_form.html",
        form=form,
        assembly=assembly,
        item=item,
        resolution=resolution,
        titles=per_language(form, "titles", assembly.languages),
        texts=per_language(form, "texts", assembly.languages),
        back=address(assembly, "agenda"),
    )


def _candidate_form_page(
    form: Any, assembly: Assembly, resolution: Resolution, candidate: Candidate | None
) -> str:
    return render_template(
        "assemblies/candidate_form.html",
        form=form,
        assembly=assembly,
        resolution=resolution,
        candidate=candidate,
        statements=per_language(form, "statements", assembly.languages),
        back=address(assembly, "edit_resolution", resolution=resolution.public_id),
    )
