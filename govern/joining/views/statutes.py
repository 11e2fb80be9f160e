"""The statutes: to read and download for everybody, to record for the administrator."""

from __future__ import annotations

from typing import Any

import flask
from flask import Response, flash, g, render_template, request
from flask_babel import gettext as _
from wtforms.fields.choices import SelectChoice

from govern.access import Permission, public, requires
from govern.config import LOCALES
from govern.errors import GovernError, NotFound
from govern.extensions import db
from govern.i18n import LANGUAGE_NAMES
from govern.joining import forms
from govern.joining.models import StatutesText
from govern.joining.models.statutes import MARKDOWN
from govern.joining.services import statutes as services
from govern.joining.views.blueprint import blueprint, here, today
from govern.markdown import render_markdown
from govern.submitting import put_error

SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"


@blueprint.get("/<cooperative>/statutes")
@public
def statutes(cooperative: str) -> Any:
    """Every version, the one in force first."""
    session = db.session()
    present = services.statutes_in_force(session, g.cooperative.id, today())
    return render_template(
        "joining/statutes.html",
        versions=services.list_statutes(session, g.cooperative.id),
        present=present,
        may_add=g.actor.may(Permission.RULES_MANAGE, g.cooperative.id),
    )


@blueprint.get("/<cooperative>/statutes/<version>")
@public
def statutes_version(cooperative: str, version: str) -> Any:
    """One version: its text in the reader's language where it is a text, and its files."""
    session = db.session()
    row = services.statutes_by_public_id(session, g.cooperative, version)
    text = services.text_for(row, request.args.get("language"))
    is_text = text.media_type == MARKDOWN
    return render_template(
        "joining/statutes_version.html",
        statutes=row,
        text=text,
        body=render_markdown(text.content.decode()) if is_text else None,
        may_add=g.actor.may(Permission.RULES_MANAGE, g.cooperative.id),
        missing=[code for code in LOCALES if code not in [item.language for item in row.texts]],
    )


@blueprint.get("/<cooperative>/statutes/<version>/<language>/file")
@public
def statutes_file(cooperative: str, version: str, language: str) -> Any:
    """The very bytes that people agreed to, to be saved and never run."""
    row = services.statutes_by_public_id(db.session(), g.cooperative, version)
    text = next((item for item in row.texts if item.language == language), None)
    if text is None:
        raise NotFound(
            _("This version has no text in that language."), remedy=_("Choose another language.")
        )
    response = Response(text.content, mimetype=text.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=_file_name(text))
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


def _file_name(text: StatutesText) -> str:
    ending = "md" if text.media_type == MARKDOWN else "pdf"
    day = text.statutes.adopted_on.isoformat()
    return f"{g.cooperative.code}-statutes-{day}-{text.language}.{ending}"


@blueprint.route("/<cooperative>/statutes/add", methods=["GET", "POST"])
@requires(Permission.RULES_MANAGE)
def add_statutes(cooperative: str) -> Any:
    """Record a version."""
    languages = [code for code in LOCALES if code in g.cooperative.languages] or list(LOCALES)
    form: Any = forms.statutes_form(languages)()
    if request.method == "GET":
        form.adopted_on.data = today()
        return _form_page(form, _("Record statutes"), languages)
    if not form.validate():
        return _form_page(form, _("Record statutes"), languages), 422
    texts = {}
    for code in languages:
        content = _content(form[f"file_{code}"], form[f"text_{code}"])
        if content:
            texts[code] = content
    try:
        row = services.add_statutes(
            db.session(),
            g.actor,
            g.cooperative,
            version=form.version.data,
            adopted_on=form.adopted_on.data,
            texts=texts,
        )
        db.session.commit()
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        return _form_page(form, _("Record statutes"), languages), error.status
    flash(_("The statutes are recorded."), "good")
    return flask.redirect(here("statutes_version", version=row.public_id))


@blueprint.route("/<cooperative>/statutes/<version>/translate", methods=["GET", "POST"])
@requires(Permission.RULES_MANAGE)
def translate_statutes(cooperative: str, version: str) -> Any:
    """Add a language to a version."""
    row = services.statutes_by_public_id(db.session(), g.cooperative, version)
    form = forms.TranslationForm()
    known = [text.language for text in row.texts]
    form.language.choices = [
        SelectChoice(code, LANGUAGE_NAMES[code]) for code in LOCALES if code not in known
    ] or forms.LANGUAGES
    title = _("Add a language to version “%(version)s”", version=row.version)
    if request.method == "GET":
        return _form_page(form, title, [])
    if not form.validate():
        return _form_page(form, title, []), 422
    try:
        services.add_statutes_text(
            db.session(), g.actor, row, form.language.data, _content(form.file, form.text)
        )
        db.session.commit()
    except GovernError as error:
        db.session.rollback()
        put_error(form, error)
        return _form_page(form, title, []), error.status
    flash(_("The text is added."), "good")
    return flask.redirect(here("statutes_version", version=version))


def _content(file: Any, text: Any) -> bytes:
    """What was uploaded, or else what was typed, with line ends as they are counted."""
    if file.data:
        return bytes(file.data.read())
    return "\n".join((text.data or "").strip().splitlines()).encode()


def _form_page(form: Any, title: str, languages: list[str]) -> str:
    return render_template(
        "joining/statutes_form.html", form=form, title=title, languages=languages
    )
