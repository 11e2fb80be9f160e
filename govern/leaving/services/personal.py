"""What leaving keeps about a person: for their own export, and what an erasure takes away."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.i18n import day as in_words
from govern.i18n import money
from govern.leaving.models import Departure, LeavingDocument, Refund
from govern.leaving.rules.states import OWED
from govern.leaving.services.common import (
    departures_of,
    may_be_read,
    open_departures,
    refunds_of,
)
from govern.leaving.services.refunds import SUBJECT
from govern.leaving.texts import KIND_NAMES, REFUND_STATE_NAMES, STATE_NAMES, STEP_NAMES
from govern.payments.rules.bank import show_iban
from govern.payments.services.personal import forget_outgoing
from govern.register.hooks import OwnSection
from govern.register.models import Membership, Person
from govern.register.services.holdings import holding_of

ERASED = "–"


def own_departures(session: Session, person: Person) -> Sequence[OwnSection]:
    """Departures, the steps of an exclusion and refunds, as the person may read them."""
    rows = session.scalars(
        select(Departure)
        .join(Membership, Membership.id == Departure.membership_id)
        .where(Membership.person_id == person.id)
        .order_by(Departure.id)
    )
    departures = [row for row in rows if may_be_read(row)]
    if not departures:
        return []
    steps, owed, list_of = [], [], []
    for row in departures:
        kind = str(KIND_NAMES[row.kind])  # type: ignore[index]
        list_of.append(
            [
                kind,
                str(STATE_NAMES[row.state]),  # type: ignore[index]
                in_words(row.requested_on),
                in_words(row.effective_on) if row.effective_on else "",
                row.holder,
                show_iban(row.iban),
                row.note,
            ]
        )
        steps += [
            [str(STEP_NAMES[step.step]), in_words(step.done_on), step.text]  # type: ignore[index]
            for step in row.steps
        ]
        owed += [
            [
                money(refund.amount_cents),
                in_words(refund.due_on),
                str(REFUND_STATE_NAMES[refund.state]),  # type: ignore[index]
                in_words(refund.paid_on) if refund.paid_on else "",
                refund.holder,
                show_iban(refund.iban),
            ]
            for refund in refunds_of(session, row)
        ]
    sections = [
        OwnSection(
            "departures",
            _("Departures"),
            [
                _("Kind"),
                _("State"),
                _("Day of the request"),
                _("Takes effect on"),
                _("Holder of the account"),
                _("IBAN"),
                _("Note"),
            ],
            list_of,
        )
    ]
    if steps:
        sections.append(
            OwnSection("exclusion", _("Exclusion"), [_("Step"), _("Day"), _("Text")], steps)
        )
    if owed:
        sections.append(
            OwnSection(
                "refunds",
                _("Refunds"),
                [
                    _("Amount"),
                    _("Due on"),
                    _("State"),
                    _("Paid on"),
                    _("Holder of the account"),
                    _("IBAN"),
                ],
                owed,
            )
        )
    return sections


def why_not_merged(session: Session, membership: Membership) -> Sequence[str]:
    """What is under way would be lost with the membership, and a signed request with it."""
    return [_("A departure is under way.")] if open_departures(session, membership.id) else []


def why_not_erased(session: Session, membership: Membership) -> Sequence[str]:
    """What is still under way or owed."""
    reasons = [*why_not_merged(session, membership)]
    owed = session.scalars(
        select(Refund.amount_cents).where(
            Refund.membership_id == membership.id,
            Refund.state.in_([state.value for state in OWED]),
        )
    ).all()
    if owed:
        reasons.append(
            _("%(amount)s is still to be paid back for the shares.", amount=money(sum(owed)))
        )
    left = holding_of(session, membership.id)
    if not left.issued and left.paid_cents:
        reasons.append(
            _("%(amount)s of capital belongs to no share any more.", amount=money(left.paid_cents))
        )
    return reasons


def erase_departures(session: Session, membership: Membership, extent: str) -> int:
    """Now: accounts that money was paid to need not be kept. At the end: every text and paper.

    Days, kinds, amounts and states stay: they are the cooperative's own books.
    """
    erased = 0
    for row in departures_of(session, membership.id):
        refunds = refunds_of(session, row)
        if row.iban or row.holder:
            row.iban = row.holder = ""
            erased += 1
        for refund in refunds:
            if refund.iban or refund.holder:
                refund.iban = refund.holder = ""
                erased += 1
        if extent != "end":
            continue
        erased += forget_outgoing(
            session, row.cooperative_id, [f"{SUBJECT}{refund.public_id}" for refund in refunds]
        )
        for field in ("note", "ended_note", "problem"):
            if getattr(row, field):
                setattr(row, field, "")
                erased += 1
        for step in row.steps:
            if step.text or step.late_reason:
                step.text = ""
                step.late_reason = ERASED * 5 if step.late_reason else ""
                erased += 1
            step.document_id = None
        session.flush()
        papers = session.scalars(
            select(LeavingDocument).where(LeavingDocument.departure_id == row.id)
        ).all()
        for paper in papers:
            session.delete(paper)
            erased += 1
    session.flush()
    return erased
