"""What members do themselves: order more shares."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _

from govern.access import signed_in
from govern.errors import GovernError
from govern.extensions import db
from govern.joining import forms
from govern.joining.rules import OrderState
from govern.joining.services import orders, owing
from govern.joining.texts import ORDER_STATE_NAMES
from govern.joining.views.blueprint import (
    blueprint,
    chosen_class,
    here,
    instruction_of,
    offer_classes,
    today,
)
from govern.payments.services.entries import over_paid_cents
from govern.register.models import Membership
from govern.register.services.holdings import holding_of
from govern.submitting import act, put_error


def _own(member: str) -> Membership:
    return orders.own_membership(db.session(), g.actor, g.cooperative, member)


@blueprint.route("/<cooperative>/me/<member>/more-shares", methods=["GET", "POST"])
@signed_in
def more_shares(cooperative: str, member: str) -> Any:
    """Order more shares, as many as the rules allow; earlier orders stand below."""
    session, membership = db.session(), _own(member)
    form = forms.OrderForm()
    _range, classes, _rules = orders.offered(session, membership)
    offer_classes(form, classes)
    if request.method == "GET":
        form.shares.data = 1
    if request.method == "GET" or "show_total" in request.form:
        return _page(form, membership)
    if not form.validate():
        return _page(form, membership), 422
    wanted_class = form.share_class.data or "" if "share_class" in form else ""
    try:
        order = orders.order_shares(
            session, g.actor, membership, form.shares.data or 0, wanted_class
        )
        session.commit()
    except GovernError as error:
        session.rollback()
        put_error(form, error)
        return _page(form, _own(member)), error.status
    return flask.redirect(here("order", member=member, order=order.public_id))


def _page(form: Any, membership: Membership) -> str:
    session = db.session()
    range_, classes, rules = orders.offered(session, membership)
    price = chosen_class(form, classes).nominal_cents if classes else rules.share_nominal_cents
    shares = form.shares.data if isinstance(form.shares.data, int) else 1
    return render_template(
        "joining/more_shares.html",
        form=form,
        membership=membership,
        range=range_,
        rules=rules,
        price=price,
        total=price * max(0, shares) if shares <= range_.most else None,
        orders=orders.orders_of(session, membership.id),
        order_states=ORDER_STATE_NAMES,
    )


@blueprint.get("/<cooperative>/me/<member>/orders/<order>")
@signed_in
def order(cooperative: str, member: str, order: str) -> Any:
    """One order: how to pay, or that it is done."""
    membership = _own(member)
    row = orders.order_by_public_id(db.session(), membership, order)
    return render_template(
        "joining/order.html",
        order=row,
        membership=membership,
        instruction=instruction_of(row.request),
        over_paid=over_paid_cents(db.session(), row.request),
        is_open=row.state == OrderState.OPEN.value,
        order_states=ORDER_STATE_NAMES,
    )


@blueprint.get("/<cooperative>/me/<member>/pay")
@signed_in
def pay(cooperative: str, member: str) -> Any:
    """How to pay for shares that are held and not paid."""
    membership = _own(member)
    row = owing.request_due(db.session(), membership)
    return render_template(
        "joining/pay.html",
        membership=membership,
        due=holding_of(db.session(), membership.id, today()).due_cents,
        request=row,
        instruction=instruction_of(row),
    )


@blueprint.post("/<cooperative>/me/<member>/pay")
@signed_in
def ask_to_pay(cooperative: str, member: str) -> Any:
    """Ask for a reference under which to pay what is due."""
    membership = _own(member)
    return act(
        lambda: owing.ask_to_pay(db.session(), g.actor, membership),
        _("Pay under this reference."),
        lambda _request: here("pay", member=member),
    )


@blueprint.post("/<cooperative>/me/<member>/orders/<order>/cancel")
@signed_in
def cancel_order(cooperative: str, member: str, order: str) -> Any:
    """Cancel an order of which nothing was paid."""
    session, membership = db.session(), _own(member)
    row = orders.order_by_public_id(session, membership, order)
    orders.cancel_order(session, g.actor, row)
    session.commit()
    flash(_("The order is cancelled."), "good")
    return flask.redirect(here("more_shares", member=member))
