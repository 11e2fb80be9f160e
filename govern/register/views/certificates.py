"""Certificates of shares: made for members, checked by anybody."""

from __future__ import annotations

from typing import Any

import flask
from flask import g, render_template, request
from flask_babel import gettext as _

from govern.access import SYSTEM, Permission, public, requires, signed_in
from govern.errors import NotFound
from govern.extensions import db, limiter
from govern.i18n import current_language
from govern.register.models import Membership
from govern.register.services.certificates import (
    certificate_pdf,
    check_certificate,
    file_name,
    issue_certificate,
    latest_certificate,
)
from govern.register.views.blueprint import attachment, blueprint, here, member_of
from govern.register.views.own import own_membership

CHECKS = "30 per minute; 200 per hour"
"""How often one address may try codes."""


@blueprint.post("/<cooperative>/register/members/<member>/certificate")
@requires(Permission.REGISTER_READ)
def make_member_certificate(cooperative: str, member: str) -> Any:
    """Issue the certificate of a member's shares today."""
    membership = member_of(member)
    issue_certificate(db.session(), g.actor, membership)
    db.session.commit()
    return flask.redirect(here("member_certificate", member=member), 303)


@blueprint.get("/<cooperative>/register/members/<member>/certificate.pdf")
@requires(Permission.REGISTER_READ)
def member_certificate(cooperative: str, member: str) -> Any:
    """The newest certificate of a member's shares."""
    return _newest(member_of(member))


@blueprint.post("/<cooperative>/me/<member>/certificate")
@signed_in
def make_own_certificate(cooperative: str, member: str) -> Any:
    """Issue the certificate of one's own shares today."""
    issue_certificate(db.session(), SYSTEM, own_membership(member))
    db.session.commit()
    return flask.redirect(here("own_certificate", member=member), 303)


@blueprint.get("/<cooperative>/me/<member>/certificate.pdf")
@signed_in
def own_certificate(cooperative: str, member: str) -> Any:
    """The newest certificate of one's own shares; NotFound for anybody else's."""
    return _newest(own_membership(member))


def _newest(membership: Membership) -> Any:
    """The certificate as a download, in the language of the page."""
    certificate = latest_certificate(db.session(), membership)
    if certificate is None:
        raise NotFound(
            _("No certificate was made for this member yet."),
            remedy=_("Make one with the button on the member’s page."),
        )
    content = certificate_pdf(db.session(), certificate, current_language())
    return attachment(content, file_name(g.cooperative, membership), "application/pdf")


@blueprint.get("/<cooperative>/certificates")
@public
def certificates(cooperative: str) -> Any:
    """Where a certificate's code is typed in."""
    code = request.args.get("code", "").strip()
    if code:
        # Only what a code is made of goes into the address.
        letters = "".join(item for item in code if item.isalnum() or item == "-")[:80]
        if letters:
            return flask.redirect(here("certificate_check", code=letters))
    return render_template("register/certificates.html", checked=None, refused=None, typed=code)


@blueprint.get("/<cooperative>/certificates/<code>")
@limiter.limit(CHECKS)
@public
def certificate_check(cooperative: str, code: str) -> Any:
    """Whether a certificate was issued, for which day, over how many shares; not for whom."""
    try:
        checked = check_certificate(db.session(), g.cooperative, code)
    except NotFound as error:
        page = render_template(
            "register/certificates.html", checked=None, refused=error, typed=code[:80]
        )
        return page, error.status
    return render_template(
        "register/certificates.html", checked=checked, refused=None, typed=checked.code
    )
