"""``/<cooperative>/outbox``: what was sent, what was not, and letters to print."""

from __future__ import annotations

from typing import Any

import flask
from flask import Response, flash, g, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from govern.access import Permission, requires
from govern.errors import NotFound
from govern.extensions import db
from govern.mail.models import Channel, DeliveryState
from govern.mail.queueing import read_content
from govern.outbox import services
from govern.outbox.views.blueprint import blueprint, file_headers
from govern.paging import paginate


def _filter() -> services.Filter:
    asked = flask.request.args
    return services.Filter(
        state=_one_of(asked.get("state", ""), [state.value for state in DeliveryState]),
        channel=_one_of(asked.get("channel", ""), [channel.value for channel in Channel]),
        category=asked.get("category", "")[:60],
        words=asked.get("q", "")[:200],
    )


def _one_of(value: str, allowed: list[str]) -> str:
    return value if value in allowed else ""


@blueprint.get("/<cooperative>/outbox")
@requires(Permission.OUTBOX_READ)
def show(cooperative: str) -> Any:
    """The list, with the numbers per state."""
    session, wanted, own = db.session(), _filter(), g.cooperative.id
    return render_template(
        "outbox/list.html",
        page=paginate(session, services.list_outbox(g.actor, own, wanted)),
        wanted=wanted,
        counts=services.count_outbox(session, g.actor, own),
        categories=services.categories_of(session, own),
        failed=len(services.failed_mails(session, g.actor, own)),
        may_resend=g.actor.may(Permission.OUTBOX_RESEND, own),
    )


@blueprint.get("/<cooperative>/outbox/mails/<public_id>")
@requires(Permission.OUTBOX_READ)
def show_mail(cooperative: str, public_id: str) -> Any:
    """One mail or letter: what became of it, and what it says unless that is secret."""
    mail = services.find_mail(db.session(), g.actor, g.cooperative.id, public_id)
    own = g.cooperative.id
    return render_template(
        "outbox/mail.html",
        mail=mail,
        content=services.content_for(g.actor, mail),
        may_resend=g.actor.may(Permission.OUTBOX_RESEND, own),
        may_print=g.actor.may(
            Permission.CREDENTIALS_MANAGE if mail.is_secret else Permission.OUTBOX_READ, own
        ),
    )


@blueprint.get("/<cooperative>/outbox/mails/<public_id>/files/<int:place>")
@requires(Permission.OUTBOX_READ)
def download_file(cooperative: str, public_id: str, place: int) -> Response:
    """A file of a mail or letter; those with a voting code for the returning officer only."""
    mail = services.find_mail(db.session(), g.actor, g.cooperative.id, public_id)
    services.require_secret_holder(g.actor, mail)
    content = read_content(mail)
    if content is None or place >= len(content.attachments):
        raise NotFound(_("There is no such file."), remedy=_("Go back to the mail."))
    attachment = content.attachments[place]
    return Response(
        attachment.content, mimetype=attachment.media_type, headers=file_headers(attachment)
    )


@blueprint.post("/<cooperative>/outbox/mails/<public_id>/resend")
@requires(Permission.OUTBOX_RESEND)
def resend_mail(cooperative: str, public_id: str) -> Any:
    """Send one failed or unclear mail again."""
    session = db.session()
    mail = services.find_mail(session, g.actor, g.cooperative.id, public_id)
    services.resend(session, g.actor, [mail])
    session.commit()
    flash(_("The mail is being sent again."), "good")
    return redirect(url_for(".show_mail", cooperative=cooperative, public_id=public_id))


@blueprint.post("/<cooperative>/outbox/mails/<public_id>/cancel")
@requires(Permission.OUTBOX_RESEND)
def cancel_mail(cooperative: str, public_id: str) -> Any:
    """Stop one mail or letter that has not left."""
    session = db.session()
    mail = services.find_mail(session, g.actor, g.cooperative.id, public_id)
    services.cancel(session, g.actor, mail)
    session.commit()
    flash(_("The mail was stopped."), "good")
    return redirect(url_for(".show_mail", cooperative=cooperative, public_id=public_id))


@blueprint.route("/<cooperative>/outbox/resend", methods=["GET", "POST"])
@requires(Permission.OUTBOX_RESEND)
def resend_failed(cooperative: str) -> Any:
    """Send everything again that failed and, if ticked, what may have arrived."""
    session = db.session()
    mails = services.failed_mails(session, g.actor, g.cooperative.id)
    certain = [mail for mail in mails if mail.state == DeliveryState.FAILED.value]
    if flask.request.method == "GET":
        return render_template(
            "outbox/resend.html", certain=len(certain), unclear=len(mails) - len(certain)
        )
    also_unclear = flask.request.form.get("also_unclear") == "yes"
    count = services.resend(session, g.actor, mails if also_unclear else certain)
    session.commit()
    flash(
        ngettext("%(num)s mail is being sent again.", "%(num)s mails are being sent again.", count),
        "good",
    )
    return redirect(url_for(".show", cooperative=cooperative))


@blueprint.get("/<cooperative>/outbox/letters")
@requires(Permission.OUTBOX_RESEND)
def letters(cooperative: str) -> Any:
    """Letters that wait to be printed, and the button that says they were posted."""
    return _letters_page(secret=False)


@blueprint.get("/<cooperative>/outbox/code-letters")
@requires(Permission.CREDENTIALS_MANAGE)
def code_letters(cooperative: str) -> Any:
    """The same for letters with voting codes."""
    return _letters_page(secret=True)


def _letters_page(*, secret: bool) -> str:
    return render_template(
        "outbox/letters.html",
        letters=services.letters_to_post(db.session(), g.actor, g.cooperative.id, secret=secret),
        secret=secret,
        largest=services.LETTERS_PER_FILE,
    )


@blueprint.get("/<cooperative>/outbox/letters.zip")
@requires(Permission.OUTBOX_RESEND)
def download_letters(cooperative: str) -> Response:
    """The PDFs of the letters that wait."""
    return _letters_zip(secret=False)


@blueprint.get("/<cooperative>/outbox/code-letters.zip")
@requires(Permission.CREDENTIALS_MANAGE)
def download_code_letters(cooperative: str) -> Response:
    """The PDFs of the letters with voting codes that wait."""
    return _letters_zip(secret=True)


def _letters_zip(*, secret: bool) -> Response:
    own = g.cooperative
    waiting = services.letters_to_post(db.session(), g.actor, own.id, secret=secret)
    if not waiting:
        raise NotFound(_("No letter waits to be printed."), remedy=_("Reload the page."))
    response = Response(services.letters_file(g.actor, waiting), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename=f"{own.code}-letters.zip")
    return response


@blueprint.post("/<cooperative>/outbox/letters/posted")
@requires(Permission.OUTBOX_RESEND)
def mark_letters_posted(cooperative: str) -> Any:
    """Note that the letters of the form were posted."""
    return _mark_posted(secret=False)


@blueprint.post("/<cooperative>/outbox/code-letters/posted")
@requires(Permission.CREDENTIALS_MANAGE)
def mark_code_letters_posted(cooperative: str) -> Any:
    """The same for letters with voting codes: what they hold is wiped here."""
    return _mark_posted(secret=True)


def _mark_posted(*, secret: bool) -> Any:
    session = db.session()
    named = flask.request.form.getlist("letter")
    count = services.mark_posted(session, g.actor, g.cooperative.id, named, secret=secret)
    session.commit()
    flash(
        ngettext(
            "%(num)s letter was noted as posted.", "%(num)s letters were noted as posted.", count
        ),
        "good",
    )
    return redirect(url_for(".show", cooperative=g.cooperative.code))
