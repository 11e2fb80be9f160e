"""What payments expect of whoever keeps them."""

from __future__ import annotations

from datetime import date

import flask
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.home.hooks import HomeItem
from govern.i18n import day as in_words
from govern.payments.models import (
    BankEntry,
    EntryState,
    OutgoingPayment,
    OutgoingState,
)
from govern.payments.services.batches import waiting_batch


def expected_of(session: Session, actor: Actor, account_id: int) -> list[HomeItem]:
    """Entries that wait, payments to release or to put into a file, a file for the bank."""
    ids = [one for one in actor.roles if actor.may(Permission.PAYMENTS_READ, one)]
    if not ids:
        return []
    items: list[HomeItem] = []
    for cooperative in session.scalars(select(Cooperative).where(Cooperative.id.in_(ids))):
        if actor.may(Permission.PAYMENTS_WRITE, cooperative.id):
            items += _entries(session, cooperative)
        if actor.may(Permission.PAYMENTS_RELEASE, cooperative.id):
            items += _releases(session, cooperative) + _files(session, cooperative)
    return items


def _entries(session: Session, cooperative: Cooperative) -> list[HomeItem]:
    waiting = session.scalar(
        select(func.count())
        .select_from(BankEntry)
        .where(
            BankEntry.cooperative_id == cooperative.id,
            BankEntry.state.in_([EntryState.DOUBTFUL.value, EntryState.UNMATCHED.value]),
        )
    )
    if not waiting:
        return []
    return [
        HomeItem(
            title=ngettext(
                "%(num)s entry of the bank waits to be matched",
                "%(num)s entries of the bank wait to be matched",
                waiting,
            ),
            detail=cooperative.name,
            href=flask.url_for("payments.entry_list", cooperative=cooperative.code),
            tone="warn",
        )
    ]


def _standing(
    session: Session, cooperative: Cooperative, state: OutgoingState
) -> tuple[int, date | None]:
    """How many payments stand at ``state``, and the day on which the first is due."""
    count, first = session.execute(
        select(func.count(), func.min(OutgoingPayment.due_on)).where(
            OutgoingPayment.cooperative_id == cooperative.id, OutgoingPayment.state == state.value
        )
    ).one()
    return count, first


def _releases(session: Session, cooperative: Cooperative) -> list[HomeItem]:
    count, first = _standing(session, cooperative, OutgoingState.PLANNED)
    if not count:
        return []
    return [
        HomeItem(
            title=ngettext(
                "%(num)s payment waits to be released",
                "%(num)s payments wait to be released",
                count,
            ),
            detail=cooperative.name,
            due=first,
            href=flask.url_for(
                "payments.outgoing_list", cooperative=cooperative.code, list="planned"
            ),
            tone="warn",
        )
    ]


def _files(session: Session, cooperative: Cooperative) -> list[HomeItem]:
    batch = waiting_batch(session, cooperative)
    if batch is None:
        return _in_no_file(session, cooperative)
    return [
        HomeItem(
            title=_("A payment file is waiting to be handed to the bank"),
            detail=_(
                "%(cooperative)s, to be paid on %(day)s",
                cooperative=cooperative.name,
                day=in_words(batch.execute_on),
            ),
            due=batch.execute_on,
            href=flask.url_for(
                "payments.batch_page", cooperative=cooperative.code, batch=batch.public_id
            ),
            tone="warn",
        )
    ]


def _in_no_file(session: Session, cooperative: Cooperative) -> list[HomeItem]:
    """Payments that are released: nobody is paid before they are in a file."""
    count, first = _standing(session, cooperative, OutgoingState.RELEASED)
    if not count:
        return []
    return [
        HomeItem(
            title=ngettext(
                "Put %(num)s released payment into a file for the bank",
                "Put %(num)s released payments into a file for the bank",
                count,
            ),
            detail=cooperative.name,
            due=first,
            href=flask.url_for("payments.new_batch", cooperative=cooperative.code),
            tone="warn",
        )
    ]
