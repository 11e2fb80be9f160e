"""Admission: when an application is accepted and paid, everything happens in one transaction.

Money is told by ``govern.payments``: a match that completes the amount admits at once. What the
register refuses, or somebody alike whom the registrar has not looked at, leaves the application on
hold with the money received; it never undoes the reading of a bank statement.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit
from govern.access import SYSTEM, Actor
from govern.errors import GovernError, RuleViolation
from govern.jobs import enqueue
from govern.joining.models import Application
from govern.joining.rules import (
    CLOSED_STATES,
    ApplicationState,
    Hold,
    IdentityChoice,
    effective_day,
)
from govern.joining.services import letters
from govern.joining.services.giving_back import cancel_giving_back, give_back
from govern.joining.services.guards import (
    lock_application,
    move,
    record,
    refuse_other_price,
    today_of,
)
from govern.joining.services.likeness import find_likenesses, needs_decision
from govern.payments.models import PaymentMatch, PaymentRequest
from govern.register.models import EntryKind, MemberKind, Membership, ShareEntry
from govern.register.services.accounts import is_current
from govern.register.services.ledger import record_payment, reverse_act, subscribe_shares
from govern.register.services.members import Contact, NewMember, add_member
from govern.register.services.transfers import complete_for_applicant

SUBJECT = "application:"
CERTIFICATE_JOB = "joining.send_certificate"


def application_of(session: Session, request: PaymentRequest) -> Application | None:
    """The application that a request for payment is about, locked; None for other requests.

    An application that was reopened may have had another request before.
    """
    if not request.subject.startswith(SUBJECT):
        return None
    number = session.scalar(
        select(Application.id).where(
            Application.public_id == request.subject.removeprefix(SUBJECT),
            Application.cooperative_id == request.cooperative_id,
        )
    )
    return None if number is None else lock_application(session, number)


def note_payment(
    session: Session,
    request: PaymentRequest,
    *,
    match: PaymentMatch,
    amount_cents: int,
    received_on: date,
) -> None:
    """Money came in for an application: part of it waits, the whole admits if it is accepted."""
    application = application_of(session, request)
    if application is None:
        return
    if application.status in CLOSED_STATES or application.request_id != request.id:
        give_back(session, SYSTEM, application, [match])
        return
    if application.status is ApplicationState.ADMITTED:
        _pay_again(session, application, request, amount_cents, received_on)
        return
    if request.due_cents == 0:
        application.paid_on = whole_since(session, request)
        session.flush()
        admit_when_ready(session, SYSTEM, application)
    session.flush()


def whole_since(session: Session, request: PaymentRequest) -> date:
    """The latest booking day among the matches that make up the whole amount."""
    days = [match.entry.booked_on for match in live_matches(session, request)]
    return max(days)


def live_matches(session: Session, request: PaymentRequest) -> list[PaymentMatch]:
    """The incoming matches of a request that count: not undone, not returned."""
    rows = session.scalars(
        select(PaymentMatch)
        .where(PaymentMatch.request_id == request.id, PaymentMatch.undone_at.is_(None))
        .order_by(PaymentMatch.id)
    ).all()
    returned = {row.returns_id for row in rows if row.returns_id is not None}
    return [row for row in rows if row.amount_cents > 0 and row.id not in returned]


def admit_when_ready(session: Session, actor: Actor, application: Application) -> Membership | None:
    """Admit if the application is accepted, paid (or the shares are given by a member), and nobody
    alike is left to look at.

    The caller holds the application's lock. What the register refuses is written beside the
    application (``hold_note``) for the registrar, and None is returned.
    """
    is_paid = application.paid_on is not None or application.is_by_transfer
    if application.status is not ApplicationState.ACCEPTED or not is_paid:
        return None
    if application.identity == IdentityChoice.UNDECIDED.value and needs_decision(
        find_likenesses(session, application)
    ):
        application.hold, application.hold_note = Hold.LIKENESS.value, ""
        session.flush()
        return None
    try:
        with session.begin_nested():
            membership = _admit(session, application)
    except GovernError as error:
        session.refresh(application)
        application.hold = Hold.REFUSED.value
        application.hold_note = f"{error.message} {error.remedy}".strip()[:1000]
        session.flush()
        return None
    letters.welcome(session, application, membership)
    # The document takes its time, and a statement may admit many: a job makes it.
    enqueue(session, CERTIFICATE_JOB, membership.id)
    record(
        session, actor, application, "admitted", membership=membership.public_id,
        shares=application.shares,
    )  # fmt: skip
    return membership


def _admit(session: Session, application: Application) -> Membership:
    """Membership, shares and payment, of the later day of payment and acceptance; or the transfer
    that gives the shares, of the day of acceptance.

    Whom the registrar recognised keeps the one membership: one that began later than that day
    gets the shares on its first day, and one that ended after it is followed by a new one.
    """
    if application.accepted_on is None:
        raise ValueError("only what is accepted is admitted")
    # Nothing is to be paid where a member gives the shares.
    day = effective_day(application.paid_on or application.accepted_on, application.accepted_on)
    own = _own_memberships(session, application)
    held = next((row for row in own if is_current(row, today_of(application))), None)
    if held is not None:
        day = max(day, held.joined_on)
    else:
        day = max([day, *(row.ended_on for row in own if row.ended_on is not None)])
    if not application.is_by_transfer:
        refuse_other_price(
            session,
            application.cooperative_id,
            application.share_class,
            application.price_cents,
            day,
            _("Refuse the application, so that the money goes back, or admit by hand."),
        )
    membership = held or add_member(
        session, SYSTEM, application.cooperative, _new_member(application, day)
    )
    if application.is_by_transfer:
        _receive_shares(session, application, membership, day)
    else:
        _subscribe_shares(session, application, membership, day)
    move(application, ApplicationState.ADMITTED)
    application.membership_id = membership.id
    application.admitted_on = day
    application.hold, application.hold_note = Hold.NOTHING.value, ""
    if application.request is not None:
        application.request.membership_id = membership.id
    session.flush()
    session.expire(application, ["membership"])
    return membership


def _receive_shares(
    session: Session, application: Application, membership: Membership, day: date
) -> None:
    if application.transfer is None:
        raise RuleViolation(
            _("The transfer by which the shares were to come was deleted."),
            remedy=_("Refuse the application."),
        )
    complete_for_applicant(session, application.transfer, membership, day)


def _subscribe_shares(
    session: Session, application: Application, membership: Membership, day: date
) -> None:
    source = f"{SUBJECT}{application.public_id}"
    subscribe_shares(
        session,
        SYSTEM,
        membership,
        application.shares,
        day,
        share_class=application.share_class,
        source=source,
    )
    record_payment(
        session,
        SYSTEM,
        membership,
        application.amount_cents,
        day,
        share_class=application.share_class,
        source=source,
    )


def _own_memberships(session: Session, application: Application) -> list[Membership]:
    """The memberships, past and present, of whom the registrar recognised: the newest first."""
    if application.identity != IdentityChoice.SAME.value:
        return []
    holder = (
        Membership.person_id == application.linked_person_id
        if application.linked_person_id is not None
        else Membership.organisation_id == application.linked_organisation_id
    )
    return list(
        session.scalars(
            select(Membership)
            .where(Membership.cooperative_id == application.cooperative_id, holder)
            .order_by(Membership.id.desc())
        )
    )


def _new_member(application: Application, day: date) -> NewMember:
    is_legal = application.kind == MemberKind.LEGAL.value
    return NewMember(
        member_number="",
        joined_on=day,
        category=application.category,
        contact=Contact(
            language=application.language,
            email=application.email,
            street=application.street,
            postal_code=application.postal_code,
            town=application.town,
            country=application.country,
        ),
        family_name=application.family_name,
        given_name=application.given_name,
        birth_date=application.birth_date,
        organisation_name=application.organisation_name if is_legal else "",
        enterprise_number=application.enterprise_number,
        representative_given_name=application.representative_given_name,
        representative_family_name=application.representative_family_name,
        # Whoever is alike was looked at by the registrar, or is alike in the address alone.
        accept_duplicate=True,
        person_id=application.linked_person_id,
        organisation_id=application.linked_organisation_id,
    )


# -- money that goes back ---------------------------------------------------------------------


def note_return(
    session: Session,
    request: PaymentRequest,
    *,
    match: PaymentMatch,
    returned_on: date,
    reason: str,
    **_more: Any,
) -> None:
    """Money that had been received is gone: before admission it waits again; after it the payment
    is taken back in the ledger, so that the shares stand unpaid, and the registrar is told."""
    application = application_of(session, request)
    if application is None:
        return
    if application.status in CLOSED_STATES or application.request_id != request.id:
        cancel_giving_back(session, SYSTEM, application, match)
        return
    if application.status is not ApplicationState.ADMITTED:
        application.paid_on, application.hold, application.hold_note = None, "", ""
        session.flush()
        return
    membership = session.get_one(Membership, application.membership_id)
    take_back_beyond(
        session,
        membership,
        f"{SUBJECT}{application.public_id}",
        application.share_class,
        request.paid_cents,
    )
    application.returned_on = returned_on
    session.flush()
    letters.tell_returned(session, application, reason)
    record(session, SYSTEM, application, "payment_returned")


def take_back_beyond(
    session: Session, membership: Membership, source: str, share_class: str, kept_cents: int
) -> None:
    """Reverse payments recorded under ``source``, the newest first, until ``kept_cents`` stand.

    Of an act that was only in part too much, the rest is recorded again as of its day.
    """
    acts: dict[str, list[ShareEntry]] = {}
    for row in standing_entries(session, membership, source, EntryKind.PAYMENT):
        acts.setdefault(row.act_id, []).append(row)
    standing = sum(row.amount_cents for rows in acts.values() for row in rows)
    for rows in acts.values():
        if standing <= kept_cents:
            break
        amount = sum(row.amount_cents for row in rows)
        reverse_act(session, SYSTEM, rows[0], _("The bank took the payment back."))
        standing -= amount
        if standing < kept_cents:
            record_payment(
                session,
                SYSTEM,
                membership,
                kept_cents - standing,
                rows[0].effective_on,
                share_class=share_class,
                source=source,
            )
            break


def standing_entries(
    session: Session, membership: Membership, source: str, kind: EntryKind
) -> list[ShareEntry]:
    """What was recorded under ``source`` and not taken back, the newest first."""
    # Sifted here: asked for entries that reverse none, SQLite reads those of the whole ledger.
    rows = session.scalars(
        select(ShareEntry)
        .where(ShareEntry.membership_id == membership.id)
        .order_by(ShareEntry.sequence.desc())
    ).all()
    reversed_ids = {row.reverses_id for row in rows}
    return [
        row
        for row in rows
        if row.source == source
        and row.kind == kind.value
        and row.reverses_id is None
        and row.id not in reversed_ids
    ]


def _pay_again(
    session: Session,
    application: Application,
    request: PaymentRequest,
    amount_cents: int,
    received_on: date,
) -> None:
    """After a return the money came in again: the shares are paid from that day on."""
    membership = session.get_one(Membership, application.membership_id)
    record_payment(
        session,
        SYSTEM,
        membership,
        amount_cents,
        max(received_on, application.admitted_on or membership.joined_on),
        share_class=application.share_class,
        source=f"{SUBJECT}{application.public_id}",
    )
    if request.due_cents == 0:
        application.returned_on = None
    session.flush()
    audit.record(
        session,
        SYSTEM,
        "joining:application:paid_again",
        cooperative_id=application.cooperative_id,
        subject=f"application:{application.public_id}",
    )
