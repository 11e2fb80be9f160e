"""``/mailbox``: where the mails to invented people arrive (demonstration and development only)."""

from __future__ import annotations

from typing import Any

import flask
from flask import Response, current_app, render_template
from flask_babel import gettext as _
from sqlalchemy import select

from govern.access import public
from govern.errors import NotFound
from govern.extensions import db
from govern.mail.models import OutboxMail
from govern.mail.queueing import Content, read_content
from govern.outbox.services import Filter
from govern.outbox.views.blueprint import blueprint, file_headers
from govern.paging import paginate


def _only_where_people_are_invented() -> None:
    if not current_app.config["GOVERN"].shows_mailbox:
        raise NotFound(
            _("There is no such page."),
            remedy=_("Check the address, or start from the front page."),
        )


@blueprint.get("/mailbox")
@public
def mailbox() -> Any:
    """All mails and letters, newest first; by address or name."""
    _only_where_people_are_invented()
    words = flask.request.args.get("q", "")[:200]
    query = Filter(words=words).apply(select(OutboxMail)).order_by(OutboxMail.id.desc())
    page = paginate(db.session(), query)
    subjects = {mail.id: _subject(mail) for mail in page}
    return render_template("outbox/mailbox.html", page=page, words=words, subjects=subjects)


def _subject(mail: OutboxMail) -> str:
    content = read_content(mail) if mail.is_secret else None
    return content.subject if content else mail.subject


def _find(public_id: str) -> tuple[OutboxMail, Content]:
    _only_where_people_are_invented()
    mail = db.session.scalar(select(OutboxMail).where(OutboxMail.public_id == public_id))
    content = read_content(mail) if mail is not None else None
    if mail is None or content is None:
        raise NotFound(_("There is no such mail."), remedy=_("Start from the mailbox again."))
    return mail, content


@blueprint.get("/mailbox/<public_id>")
@public
def mailbox_mail(public_id: str) -> Any:
    """One mail as its reader would see it."""
    mail, content = _find(public_id)
    return render_template("outbox/mailbox_mail.html", mail=mail, content=content)


@blueprint.get("/mailbox/<public_id>/html")
@public
def mailbox_html(public_id: str) -> Response:
    """The HTML part, in a page that may do nothing."""
    _mail, content = _find(public_id)
    policy = "sandbox allow-popups; default-src 'none'; img-src data:"
    return Response(content.html, headers={"Content-Security-Policy": policy})


@blueprint.get("/mailbox/<public_id>/files/<int:place>")
@public
def mailbox_file(public_id: str, place: int) -> Response:
    """A file that came with the mail, or the letter itself."""
    _mail, content = _find(public_id)
    if place >= len(content.attachments):
        raise NotFound(_("There is no such file."), remedy=_("Go back to the mail."))
    attachment = content.attachments[place]
    return Response(
        attachment.content, mimetype=attachment.media_type, headers=file_headers(attachment)
    )
