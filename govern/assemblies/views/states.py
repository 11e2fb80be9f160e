"""Publishing, holding, closing and cancelling: each with a page that says what it means."""

from __future__ import annotations

from typing import Any

from flask import flash, g, render_template, request
from flask_babel import gettext as _

from govern.access import Permission, requires
from govern.assemblies import services
from govern.assemblies.forms import CancelForm
from govern.assemblies.models import Assembly, NoticeKind
from govern.assemblies.services.deliveries import count_deliveries
from govern.assemblies.services.notices import find_notice, plan_notice
from govern.assemblies.services.states import missing_texts, publication_obstacles
from govern.assemblies.views.blueprint import back_to, blueprint, load, may
from govern.errors import GovernError
from govern.extensions import db
from govern.i18n import LANGUAGE_NAMES
from govern.submitting import put_error


@blueprint.route("/<cooperative>/assemblies/<slug>/publish", methods=["GET", "POST"])
@requires(Permission.ASSEMBLY_EDIT)
def publish(cooperative: str, slug: str) -> Any:
    """What publishing means, what is missing, and the button."""
    session = db.session()
    assembly = load(slug)
    if request.method == "POST":
        services.publish_assembly(session, g.actor, assembly)
        session.commit()
        flash(
            _("The assembly is published. Members are not told by this: send the notice."), "good"
        )
        return back_to(assembly, "notice" if may(Permission.NOTICE_SEND) else "show")
    return render_template(
        "assemblies/publish.html",
        assembly=assembly,
        obstacles=publication_obstacles(session, assembly),
        gaps=missing_texts(assembly),
        language_names=LANGUAGE_NAMES,
        plan=plan_notice(session, assembly),
    )


@blueprint.route("/<cooperative>/assemblies/<slug>/hold", methods=["GET", "POST"])
@requires(Permission.ASSEMBLY_EDIT)
def hold(cooperative: str, slug: str) -> Any:
    """Say that the assembly took place."""
    session = db.session()
    assembly = load(slug)
    if request.method == "POST":
        services.hold_assembly(session, g.actor, assembly)
        session.commit()
        flash(_("The assembly is marked as held."), "good")
        return back_to(assembly)
    return render_template("assemblies/hold.html", assembly=assembly)


@blueprint.route("/<cooperative>/assemblies/<slug>/close", methods=["GET", "POST"])
@requires(Permission.ASSEMBLY_EDIT)
def close(cooperative: str, slug: str) -> Any:
    """Close the file of the assembly."""
    session = db.session()
    assembly = load(slug)
    if request.method == "POST":
        services.close_assembly(session, g.actor, assembly)
        session.commit()
        flash(_("The assembly is closed."), "good")
        return back_to(assembly)
    return render_template("assemblies/close.html", assembly=assembly)


@blueprint.route("/<cooperative>/assemblies/<slug>/cancel", methods=["GET", "POST"])
@requires(Permission.ASSEMBLY_EDIT)
def cancel(cooperative: str, slug: str) -> Any:
    """Call the assembly off, with a reason; those who were convened are told."""
    session = db.session()
    assembly = load(slug)
    form = CancelForm()
    if request.method == "GET":
        return _cancel_page(form, assembly)
    if not form.validate():
        return _cancel_page(form, assembly), 422
    try:
        services.cancel_assembly(session, g.actor, assembly, form.reason.data)
        told = services.send_cancellation(session, g.actor, assembly)
        session.commit()
    except GovernError as error:
        session.rollback()
        put_error(form, error)
        return _cancel_page(form, load(slug)), error.status
    if told is None:
        flash(_("The assembly is cancelled. Nobody had been convened to it."), "good")
    else:
        flash(_("The assembly is cancelled. Those who were convened are being told."), "good")
    return back_to(assembly)


def _cancel_page(form: CancelForm, assembly: Assembly) -> str:
    session = db.session()
    notice = find_notice(session, assembly, NoticeKind.CONVENING)
    return render_template(
        "assemblies/cancel.html",
        form=form,
        assembly=assembly,
        convened=count_deliveries(session, notice) if notice is not None else 0,
    )
