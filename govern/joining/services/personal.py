"""What joining keeps about a person: for their own export, and what an erasure takes away."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from govern import clock
from govern.i18n import day as in_words
from govern.i18n import instant, money
from govern.joining.models import Application, ShareOrder
from govern.joining.rules import OrderState
from govern.joining.services.admitting import SUBJECT
from govern.joining.services.guards import applied_on, today_of
from govern.joining.services.letters import CATEGORY, about_application
from govern.joining.texts import ORDER_STATE_NAMES, STATE_NAMES
from govern.mail import DeliveryState, OutboxMail
from govern.payments.models import PaymentRequest
from govern.register.hooks import OwnSection
from govern.register.models import Membership, Person
from govern.register.rules.folding import search_text
from govern.register.services.erasure.mails import empty_mails

PERSONAL = (
    "given_name family_name organisation_name enterprise_number street postal_code town "
    "representative_given_name representative_family_name email email_key hold_note"
).split()


def forget_person(session: Session, application: Application) -> None:
    """Delete who applied; what was agreed to, when, and what came of it stays.

    The mails about the application go too, and where nobody was admitted the name beside the
    request for payment; a member's is erased with the membership.
    """
    if application.membership_id is None:
        _forget_requests(session, application)
    _forget_mails(session, application)
    for name in PERSONAL:
        setattr(application, name, "")
    application.birth_date = None
    application.decision_reason = "–" if application.decision_reason else ""
    application.forgotten_on = today_of(application)
    application.changed_at = clock.now()
    session.flush()


def _forget_requests(session: Session, application: Application) -> None:
    requests = session.scalars(
        select(PaymentRequest).where(
            PaymentRequest.cooperative_id == application.cooperative_id,
            PaymentRequest.subject == f"{SUBJECT}{application.public_id}",
            # Not before the application: so that its index serves.
            PaymentRequest.created_at >= application.created_at,
        )
    )
    for request in requests:
        request.payer_name = ""
        request.search_text = search_text(request.reference)


def _forget_mails(session: Session, application: Application) -> None:
    # Rows from before mails said what they are about: by the address, which has an index; the key
    # says about which application it was.
    older = and_(
        OutboxMail.about.is_(None),
        OutboxMail.to_address == application.email,
        OutboxMail.cooperative_id == application.cooperative_id,
        OutboxMail.category == CATEGORY,
        OutboxMail.dedupe_key.contains(application.public_id, autoescape=True),
    )
    found = or_(OutboxMail.about == about_application(application), older)
    rows = session.scalars(
        select(OutboxMail.id).where(
            found if application.email else OutboxMail.about == about_application(application),
            OutboxMail.state != DeliveryState.SENDING.value,
        )
    ).all()
    empty_mails(session, rows)


def own_applications(session: Session, person: Person) -> Sequence[OwnSection]:
    """Applications that made the person a member, and orders of more shares."""
    applications = session.scalars(
        select(Application)
        .join(Membership, Membership.id == Application.membership_id)
        .where(Membership.person_id == person.id)
        .order_by(Application.id)
    ).all()
    orders = session.scalars(
        select(ShareOrder)
        .join(Membership, Membership.id == ShareOrder.membership_id)
        .where(Membership.person_id == person.id)
        .order_by(ShareOrder.id)
    ).all()
    sections = []
    if applications:
        sections.append(
            OwnSection(
                "applications",
                _("Applications"),
                [
                    _("Cooperative"),
                    _("Applied on"),
                    _("Shares"),
                    _("How"),
                    _("Agreed to the statutes"),
                    _("Agreed on"),
                    "SHA-256",
                    _("State"),
                    _("E-mail"),
                    _("Address"),
                ],
                [
                    [
                        row.cooperative.name,
                        in_words(applied_on(row)),
                        str(row.shares),
                        _("by transfer") if row.is_by_transfer else _("subscribed"),
                        row.statutes.version,
                        instant(row.consented_at),
                        row.statutes_digest,
                        str(STATE_NAMES[row.status]),
                        row.email,
                        f"{row.street}, {row.postal_code} {row.town} {row.country}".strip(", "),
                    ]
                    for row in applications
                ],
            )
        )
    if orders:
        sections.append(
            OwnSection(
                "orders",
                _("Orders of shares"),
                [_("Ordered on"), _("Shares"), _("Amount"), _("State")],
                [
                    [
                        in_words(row.ordered_on),
                        str(row.shares),
                        money(row.amount_cents),
                        str(ORDER_STATE_NAMES[row.state]),  # type: ignore[index]
                    ]
                    for row in orders
                ],
            )
        )
    return sections


def erase_applications(session: Session, membership: Membership, _when: str) -> int:
    """The application need not be kept beside the book: who applied is in the book. How many."""
    rows = session.scalars(
        select(Application).where(
            Application.membership_id == membership.id, Application.forgotten_on.is_(None)
        )
    ).all()
    for row in rows:
        forget_person(session, row)
    return len(rows)


def open_orders_hold(session: Session, membership: Membership) -> Sequence[str]:
    """Nothing is erased while money for ordered shares may still arrive."""
    is_open = session.scalar(
        select(ShareOrder.id)
        .where(ShareOrder.membership_id == membership.id, ShareOrder.state == OrderState.OPEN.value)
        .limit(1)
    )
    return [_("An order of shares is still to be paid or cancelled.")] if is_open else []
