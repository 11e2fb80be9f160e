"""Everything that is kept about one person, for that person: sections that features contribute.

Nobody is tied to a ballot here: attendance at votes stays where the member sees it now. Memberships
of organisations that the person represents are the organisations' data; that they represent them
is the person's.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict

import flask
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor
from govern.accounts.models import Account
from govern.errors import Forbidden, NotFound
from govern.i18n import speaking
from govern.register.hooks import OwnSection, own_data
from govern.register.models import (
    Person,
)

FORMAT = "govern-own-data/1"


def person_of(session: Session, account_id: int) -> Person | None:
    """The person of the register to whom the account belongs, None where there is none."""
    return session.scalar(select(Person).where(Person.account_id == account_id))


def collect_own_data(session: Session, actor: Actor, account: Account) -> list[OwnSection]:
    """All sections about the person of ``account``, in the language of the page.

    Raises Forbidden for anybody else, NotFound where the register knows nobody with that account.
    """
    if actor.account_id != account.id:
        raise Forbidden(_("This is for the person concerned only."))
    person = person_of(session, account.id)
    if person is None:
        raise NotFound(
            _("No entry in the register belongs to your account."),
            remedy=_("Your account page shows everything that is kept about the account itself."),
        )
    return [section for collect in own_data for section in collect(session, person)]


def pack_own_data(session: Session, actor: Actor, account: Account, language: str) -> bytes:
    """The ZIP: ``data.json`` for programs, ``data.html`` to read (``data.css`` gives it its form).

    Records that it was asked for.
    """
    with speaking(language):
        sections = collect_own_data(session, actor, account)
        now = clock.now()
        page = flask.render_template(
            "register/own_data_file.html", sections=sections, made_at=now, name=account.name
        )
    data = {
        "format": FORMAT,
        "made_at": now.isoformat(),
        "sections": [asdict(section) for section in sections],
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(data, ensure_ascii=False, indent=1))
        archive.writestr("data.html", page)
        archive.writestr("data.css", flask.render_template("register/own_data_file.css"))
    audit.record(
        session,
        actor,
        "register:person:own_data_exported",
        cooperative_id=None,
        subject=f"account:{account.public_id}",
    )
    return buffer.getvalue()
