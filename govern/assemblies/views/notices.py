"""The notice: to how many, in time or not, how far, and what failed."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, g, render_template
from flask_babel import gettext as _
from flask_babel import ngettext

from govern.access import Permission, requires
from govern.assemblies import services
from govern.assemblies.forms import NoticeForm
from govern.assemblies.models import Assembly, Notice, NoticeKind
from govern.assemblies.services.deliveries import (
    failed_deliveries,
    notice_progress,
    resend_failed,
)
from govern.assemblies.services.notices import find_notice, missing_members, plan_notice
from govern.assemblies.views.blueprint import address, back_to, blueprint, load
from govern.errors import GovernError, NotFound
from govern.extensions import db
from govern.mail.models import DeliveryState
from govern.submitting import put_error


@blueprint.route("/<cooperative>/assemblies/<slug>/notice", methods=["GET", "POST"])
@requires(Permission.NOTICE_SEND)
def notice(cooperative: str, slug: str) -> Any:
    """Before: what will happen, to how many. Afterwards: how far it is."""
    session = db.session()
    assembly = load(slug)
    form = NoticeForm()
    sent = _current(assembly)
    if flask.request.method == "GET" or sent is not None:
        return _page(form, assembly, sent)
    if not form.validate():
        return _page(form, assembly, None), 422
    try:
        services.send_notice(
            session, g.actor, assembly, override_reason=form.override_reason.data or ""
        )
        session.commit()
    except GovernError as error:
        session.rollback()
        put_error(form, error)
        return _page(form, load(slug), None), error.status
    flash(_("The notice is on its way. You may close this page."), "good")
    return back_to(assembly, "notice")


@blueprint.get("/<cooperative>/assemblies/<slug>/notice/progress")
@requires(Permission.NOTICE_SEND)
def notice_progress_json(cooperative: str, slug: str) -> Any:
    """How far the notice is, for the bar on the page."""
    assembly = load(slug)
    progress = notice_progress(db.session(), _started(assembly))
    return flask.jsonify(
        done=progress.done,
        total=progress.total,
        label=_progress_label(progress.waiting),
        next=_("Letters are for you to print and post; failed mails can be sent again."),
        finished=progress.is_over,
        href=address(assembly, "notice"),
    )


@blueprint.post("/<cooperative>/assemblies/<slug>/notice/extend")
@requires(Permission.NOTICE_SEND)
def extend_notice(cooperative: str, slug: str) -> Any:
    """Also to members admitted since."""
    session = db.session()
    assembly = load(slug)
    added = services.extend_notice(session, g.actor, _started(assembly))
    session.commit()
    flash(
        ngettext(
            "The notice also goes to %(num)s member.",
            "The notice also goes to %(num)s members.",
            added,
        ),
        "good",
    )
    return back_to(assembly, "notice")


@blueprint.post("/<cooperative>/assemblies/<slug>/notice/resend")
@requires(Permission.OUTBOX_RESEND)
def resend_notice(cooperative: str, slug: str) -> Any:
    """Again what certainly failed and, if ticked, what may have arrived."""
    session = db.session()
    assembly = load(slug)
    also_unclear = flask.request.form.get("also_unclear") == "yes"
    count = resend_failed(session, g.actor, _started(assembly), also_unclear=also_unclear)
    session.commit()
    flash(
        ngettext("%(num)s mail is being sent again.", "%(num)s mails are being sent again.", count),
        "good",
    )
    return back_to(assembly, "notice")


def _current(assembly: Assembly) -> Notice | None:
    session = db.session()
    return find_notice(session, assembly, NoticeKind.CANCELLATION) or find_notice(
        session, assembly, NoticeKind.CONVENING
    )


def _started(assembly: Assembly) -> Notice:
    found = _current(assembly)
    if found is None:
        raise NotFound(
            _("No notice of this assembly has been sent."), remedy=_("Send the notice first.")
        )
    return found


def _progress_label(waiting: int) -> str:
    if waiting:
        return _("Writing mails and letters")
    return _("Sending mails")


def _page(form: NoticeForm, assembly: Assembly, sent: Notice | None) -> str:
    session = db.session()
    if sent is None:
        plan = plan_notice(session, assembly)
        form.override_reason.flags.required = not plan.check.is_in_time
        return render_template(
            "assemblies/notice_plan.html",
            form=form,
            assembly=assembly,
            plan=plan,
            back=address(assembly),
        )
    progress = notice_progress(session, sent)
    return render_template(
        "assemblies/notice_sent.html",
        assembly=assembly,
        notice=sent,
        progress=progress,
        label=_progress_label(progress.waiting),
        states=DeliveryState,
        failed=failed_deliveries(session, sent),
        newcomers=0
        if sent.kind == NoticeKind.CANCELLATION.value
        else missing_members(session, sent),
        may_resend=g.actor.may(Permission.OUTBOX_RESEND, assembly.cooperative_id),
        back=address(assembly),
    )
