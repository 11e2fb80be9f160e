"""More shares for a member: ordered on one's own page, issued on the day the money arrives.

The request's subject is ``order:<membership>:<order>``. Parts of the price wait: the shares are
issued and paid together once the whole price is there, and taken back when it no longer is.
"""

from __future__ import annotations

from datetime import date

from flask_babel import format_decimal
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import SYSTEM, Actor
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import Rules, ShareClass
from govern.cooperatives.services import rules_on
from govern.database import make_public_id
from govern.errors import Conflict, Forbidden, InvalidInput, NotFound, RuleViolation
from govern.jobs import enqueue
from govern.joining.models import ShareOrder
from govern.joining.rules import (
    OrderState,
    ShareRange,
    classes_for,
    payment_due,
    shares_for_member,
)
from govern.joining.services import letters
from govern.joining.services.admitting import (
    CERTIFICATE_JOB,
    standing_entries,
    take_back_beyond,
    whole_since,
)
from govern.joining.services.guards import refuse_other_price
from govern.payments.models import PaymentRequest
from govern.payments.services import cancel_request, request_payment
from govern.register.models import EntryKind, Membership
from govern.register.services.accounts import is_current
from govern.register.services.chain import lock_register
from govern.register.services.holdings import holding_of
from govern.register.services.ledger import (
    record_payment,
    refuse_on_hold,
    reverse_act,
    subscribe_shares,
)
from govern.register.services.listing import category_on
from govern.register.services.rolls import memberships_for_account

SUBJECT = "order:"


def own_membership(
    session: Session, actor: Actor, cooperative: Cooperative, public_id: str
) -> Membership:
    """The actor's own membership, or that of an organisation they represent; NotFound otherwise."""
    if actor.account_id is not None:
        for membership in memberships_for_account(session, actor.account_id, cooperative.id):
            if membership.public_id == public_id:
                return membership
    raise NotFound(
        _("This is not one of your memberships."), remedy=_("Choose one from your own page.")
    )


def offered(session: Session, membership: Membership) -> tuple[ShareRange, list[ShareClass], Rules]:
    """How many more shares the member may order now, of which classes, under which rules."""
    cooperative = session.get_one(Cooperative, membership.cooperative_id)
    today = clock.today(cooperative.time_zone)
    _row, rules = rules_on(session, cooperative.id, today)
    held = holding_of(session, membership.id).issued
    ordered = session.scalar(
        select(func.coalesce(func.sum(ShareOrder.shares), 0)).where(
            ShareOrder.membership_id == membership.id,
            ShareOrder.state == OrderState.OPEN.value,
        )
    )
    classes = classes_for(rules.share_classes, category_on(membership, today))
    return shares_for_member(rules.joining, held, ordered or 0), classes, rules


def order_shares(
    session: Session, actor: Actor, membership: Membership, shares: int, share_class: str = ""
) -> ShareOrder:
    """Order ``shares`` more and ask for their price. Only the member may (or who represents it).

    Raises RuleViolation beyond the maximum of the rule set or for a membership that has ended,
    InvalidInput naming the field.
    """
    cooperative = session.get_one(Cooperative, membership.cooperative_id)
    own_membership(session, actor, cooperative, membership.public_id)
    refuse_on_hold(cooperative)
    # Two orders at once are counted one after the other.
    lock_register(session, cooperative.id)
    session.refresh(membership)
    today = clock.today(cooperative.time_zone)
    if not is_current(membership, today):
        raise RuleViolation(
            _("This membership has ended."), remedy=_("Apply again to become a member.")
        )
    wanted, classes, rules = offered(session, membership)
    if wanted.most < 1:
        raise RuleViolation(
            _("You have the greatest number of shares that a member may hold."),
            remedy=_("There is nothing to order."),
            field="shares",
        )
    if not wanted.holds(shares):
        raise RuleViolation(
            _(
                "The number of shares must be between %(least)s and %(most)s.",
                least=format_decimal(wanted.least),
                most=format_decimal(wanted.most),
            ),
            remedy=_("Write another number."),
            field="shares",
        )
    chosen = next((item for item in classes if item.code == share_class or not share_class), None)
    if chosen is None:
        raise InvalidInput(
            _("Members of this category cannot hold shares of that class."),
            remedy=_("Choose another class of shares."),
            field="share_class",
        )
    public_id = make_public_id()
    due_on = payment_due(today, rules.joining)
    request = request_payment(
        session,
        actor,
        cooperative,
        amount_cents=shares * chosen.nominal_cents,
        subject=f"{SUBJECT}{membership.public_id}:{public_id}",
        payer_name=membership.display_name,
        language=membership.language,
        due_on=due_on,
        membership=membership,
    )
    order = ShareOrder(
        public_id=public_id,
        membership_id=membership.id,
        shares=shares,
        share_class=chosen.code,
        price_cents=chosen.nominal_cents,
        request_id=request.id,
        payment_due_on=due_on,
        ordered_on=today,
    )
    session.add(order)
    session.flush()
    _record(session, actor, order, membership, "ordered")
    return order


def order_by_public_id(session: Session, membership: Membership, public_id: str) -> ShareOrder:
    """That order of that membership; NotFound otherwise."""
    order = session.scalar(
        select(ShareOrder).where(
            ShareOrder.public_id == public_id, ShareOrder.membership_id == membership.id
        )
    )
    if order is None:
        raise NotFound(_("There is no such order."), remedy=_("Choose one from your own page."))
    return order


def orders_of(session: Session, membership_id: int) -> list[ShareOrder]:
    """The member's orders, the newest first."""
    return list(
        session.scalars(
            select(ShareOrder)
            .where(ShareOrder.membership_id == membership_id)
            .order_by(ShareOrder.id.desc())
            .limit(20)
        )
    )


def open_orders(session: Session, account_id: int) -> list[ShareOrder]:
    """What the person, and organisations they represent, ordered and have still to pay."""
    own = [membership.id for membership in memberships_for_account(session, account_id)]
    if not own:
        return []
    return list(
        session.scalars(
            select(ShareOrder)
            .where(
                ShareOrder.membership_id.in_(own),
                ShareOrder.state == OrderState.OPEN.value,
            )
            .order_by(ShareOrder.payment_due_on, ShareOrder.id)
        )
    )


def cancel_order(session: Session, actor: Actor, order: ShareOrder) -> None:
    """The member no longer wants the shares. RuleViolation once something was paid."""
    membership = order.membership
    cooperative = session.get_one(Cooperative, membership.cooperative_id)
    if actor.account_id is None:
        raise Forbidden(_("Only the member cancels an order."), remedy=_("Sign in."))
    own_membership(session, actor, cooperative, membership.public_id)
    _end(session, actor, order, OrderState.CANCELLED, "cancelled")


def expire_order(session: Session, order: ShareOrder) -> None:
    """End an order that was not paid in time. RuleViolation once something was paid."""
    cooperative = session.get_one(Cooperative, order.membership.cooperative_id)
    if order.payment_due_on < clock.today(cooperative.time_zone):
        _end(session, SYSTEM, order, OrderState.EXPIRED, "expired")


def _end(session: Session, actor: Actor, order: ShareOrder, state: OrderState, action: str) -> None:
    lock_register(session, order.membership.cooperative_id)
    session.refresh(order)
    if order.state != OrderState.OPEN.value:
        raise Conflict(
            _("This order is no longer open."), remedy=_("There is nothing to cancel any more.")
        )
    cancel_request(session, actor, order.request)
    order.state = state.value
    session.flush()
    _record(session, actor, order, order.membership, action)


def order_of(session: Session, request: PaymentRequest) -> ShareOrder | None:
    """The order that a request for payment is about, None for other requests."""
    if not request.subject.startswith(SUBJECT):
        return None
    return session.scalar(select(ShareOrder).where(ShareOrder.request_id == request.id))


def note_payment(session: Session, request: PaymentRequest) -> None:
    """Money for an order came in: a part of it waits, the whole issues and pays the shares.

    They count from the day on which the last part arrived. What the ledger refuses (the membership
    has ended) is raised: the entry of the statement then waits for a person.
    """
    order = order_of(session, request)
    if order is None or request.due_cents:
        return
    lock_register(session, request.cooperative_id)
    session.refresh(order)
    received_on = whole_since(session, request)
    if order.state != OrderState.DONE.value:
        refuse_other_price(
            session,
            request.cooperative_id,
            order.share_class,
            order.price_cents,
            received_on,
            _("Give the money back, or record the shares by hand."),
        )
        subscribe_shares(
            session,
            SYSTEM,
            order.membership,
            order.shares,
            received_on,
            share_class=order.share_class,
            source=_source(order),
        )
    # Shares that had been given on when their price went back stand issued, and are paid again.
    recorded = standing_entries(session, order.membership, _source(order), EntryKind.PAYMENT)
    record_payment(
        session,
        SYSTEM,
        order.membership,
        order.amount_cents - sum(row.amount_cents for row in recorded),
        received_on,
        share_class=order.share_class,
        source=_source(order),
    )
    order.state = OrderState.DONE.value
    order.paid_on = received_on
    session.flush()
    _record(session, SYSTEM, order, order.membership, "issued")
    enqueue(session, CERTIFICATE_JOB, order.membership_id)


def note_return(
    session: Session, request: PaymentRequest, *, returned_on: date, reason: str
) -> None:
    """Money of an order is gone: its shares leave the register again, and the order is open.

    Shares that the member has given on meanwhile cannot be taken back: they stand unpaid. Raises
    what the ledger refuses even then; the entry of the statement waits for a person.
    """
    order = order_of(session, request)
    if order is None:
        return
    lock_register(session, request.cooperative_id)
    session.refresh(order)
    if order.state != OrderState.DONE.value:
        return
    membership, source = order.membership, _source(order)
    is_taken_back = True
    try:
        with session.begin_nested():
            take_back_beyond(session, membership, source, order.share_class, 0)
            for row in standing_entries(session, membership, source, EntryKind.SUBSCRIPTION):
                reverse_act(session, SYSTEM, row, _("The bank took the payment back."))
    except RuleViolation:
        is_taken_back = False
        take_back_beyond(session, membership, source, order.share_class, request.paid_cents)
    if is_taken_back:
        cooperative = session.get_one(Cooperative, membership.cooperative_id)
        today = clock.today(cooperative.time_zone)
        _row, rules = rules_on(session, cooperative.id, today)
        order.state = OrderState.OPEN.value
        order.paid_on = None
        # As long again as for a new order.
        order.payment_due_on = request.due_on = payment_due(today, rules.joining)
        _record(session, SYSTEM, order, membership, "taken_back")
    session.flush()
    letters.tell_order_returned(session, order, reason, returned_on, is_taken_back=is_taken_back)


def _source(order: ShareOrder) -> str:
    return f"order:{order.public_id}"


def _record(
    session: Session, actor: Actor, order: ShareOrder, membership: Membership, action: str
) -> None:
    audit.record(
        session,
        actor,
        f"joining:order:{action}",
        cooperative_id=membership.cooperative_id,
        subject=f"order:{order.public_id}",
        data={"membership": membership.public_id, "shares": order.shares},
    )
