"""What a mail says: a text template, and an HTML part made from it where none is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import flask
from flask import current_app
from jinja2 import TemplateNotFound
from markupsafe import Markup, escape

_LINK = re.compile(r"https?://[^\s<>]+[^\s<>.,;:!?)\]]")


@dataclass(frozen=True)
class Letter:
    """Subject (one line), plain text, HTML document."""

    subject: str
    text: str
    html: str


def render_mail(template: str, context: Mapping[str, Any]) -> Letter:
    """Render ``email/<template>.txt`` (and ``.html``) in the language in force.

    Raises ValueError when the text does not begin with ``Subject: …`` and an empty line.
    """
    shared = {**context, "public_url": current_app.config["GOVERN"].public_url}
    whole = flask.render_template(f"email/{template}.txt", **shared).replace("\r\n", "\n").strip()
    head, _, text = whole.partition("\n")
    if not head.startswith("Subject: ") or not text.startswith("\n"):
        raise ValueError(f"email/{template}.txt must begin with 'Subject: …' and an empty line")
    subject = " ".join(head.removeprefix("Subject: ").split())
    text = re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n"
    try:
        html = flask.render_template(f"email/{template}.html", subject=subject, **shared)
    except TemplateNotFound as error:
        if error.name != f"email/{template}.html":
            raise
        html = flask.render_template(
            "email/from_text.html", subject=subject, paragraphs=linked_paragraphs(text), **shared
        )
    return Letter(subject, text, html)


def linked_paragraphs(text: str) -> list[Markup]:
    """The paragraphs of ``text`` as safe HTML: escaped, with line breaks and links."""
    return [_linked(paragraph) for paragraph in text.strip().split("\n\n")]


def _linked(paragraph: str) -> Markup:
    parts: list[Markup] = []
    position = 0
    for found in _LINK.finditer(paragraph):
        address = found.group(0)
        parts.append(escape(paragraph[position : found.start()]))
        parts.append(Markup('<a href="{0}">{0}</a>').format(address))
        position = found.end()
    parts.append(escape(paragraph[position:]))
    return Markup("").join(parts).replace("\n", Markup("<br>\n"))
