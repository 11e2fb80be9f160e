"""The blueprint that the routes of the outbox share."""

from __future__ import annotations

from flask import Blueprint

from govern.mail.queueing import Attachment
from govern.mail.texts import linked_paragraphs
from govern.outbox import words

blueprint = Blueprint("outbox", __name__)


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {
        "state_names": words.STATE_NAMES,
        "state_tones": words.STATE_TONES,
        "state_meanings": words.STATE_MEANINGS,
        "channel_names": words.CHANNEL_NAMES,
        "category_name": words.category_name,
        "linked_paragraphs": linked_paragraphs,
    }


def file_headers(attachment: Attachment) -> dict[str, str]:
    """Headers under which an attachment is downloaded, never shown."""
    plain = "".join(c for c in attachment.filename if c.isascii() and c.isprintable() and c != '"')
    return {
        "Content-Disposition": f'attachment; filename="{plain or "file"}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
