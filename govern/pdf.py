"""Official documents as PDF, in the reader's language (``govern.typesetting`` does the work)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from govern.i18n import speaking
from govern.typesetting import typeset, typeset_apart


def render_pdf(template: str, data: Mapping[str, Any], language: str) -> bytes:
    """The PDF (PDF/A-2b, PDF/UA-1) that ``templates/pdf/<template>.typ`` makes of ``data``.

    ``data`` holds JSON values; ``cooperative`` (a name) and ``title`` must be there, ``base.typ``
    lists what else the common parts understand. Texts must already be in ``language``.
    Raises ValueError naming the template and the place when it does not compile.
    """
    with speaking(language):
        return typeset(template, data, language, _)


def render_large_pdf(template: str, data: Mapping[str, Any], language: str) -> bytes:
    """``render_pdf`` for a hundred pages and more: the same bytes, made in a process of its own."""
    with speaking(language):
        return typeset_apart(template, data, language, _)
