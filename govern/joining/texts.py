"""The words of joining: states, reasons to wait, who accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext, pgettext

from govern.joining.rules import ApplicationState, Hold, OrderState

if TYPE_CHECKING:
    from govern.joining.models import Application

STATE_NAMES = {
    ApplicationState.UNCONFIRMED: _l("Address not confirmed"),
    ApplicationState.CONFIRMED: _l("To be decided"),
    ApplicationState.ACCEPTED: _l("Accepted, awaiting payment"),
    ApplicationState.ADMITTED: lazy_pgettext("application", "Admitted"),
    ApplicationState.REFUSED: lazy_pgettext("application", "Refused"),
    ApplicationState.WITHDRAWN: lazy_pgettext("application", "Withdrawn"),
    ApplicationState.EXPIRED: lazy_pgettext("application", "Expired"),
    ApplicationState.LAPSED: _l("Ended with the transfer"),
}

STATE_TONES = {
    ApplicationState.UNCONFIRMED: "neutral",
    ApplicationState.CONFIRMED: "warn",
    ApplicationState.ACCEPTED: "info",
    ApplicationState.ADMITTED: "good",
    ApplicationState.REFUSED: "bad",
    ApplicationState.WITHDRAWN: "neutral",
    ApplicationState.EXPIRED: "neutral",
    ApplicationState.LAPSED: "neutral",
}

ORDER_STATE_NAMES = {
    OrderState.OPEN: _l("awaiting payment"),
    OrderState.DONE: lazy_pgettext("order", "done"),
    OrderState.CANCELLED: lazy_pgettext("order", "cancelled"),
    OrderState.EXPIRED: lazy_pgettext("order", "expired"),
}

HOLD_NAMES = {
    Hold.LIKENESS: _l("paid: say who it is"),
    Hold.REFUSED: _l("paid, but the register refuses"),
}

_HOLDS_BY_TRANSFER = {
    Hold.LIKENESS: _l("accepted: say who it is"),
    Hold.REFUSED: _l("accepted, but the register refuses"),
}


def hold_words(application: Application) -> str:
    """Why an application waits for the registrar, "" where it does not."""
    names = _HOLDS_BY_TRANSFER if application.is_by_transfer else HOLD_NAMES
    return str(names.get(Hold(application.hold), ""))


def state_words(application: Application) -> str:
    """Where an application stands. What comes by a transfer never waits for a payment."""
    if application.is_by_transfer and application.status is ApplicationState.ACCEPTED:
        return pgettext("application", "Accepted")
    return str(STATE_NAMES[application.status])


ACCEPTANCE_TEXTS = {
    "automatic": _l("Nobody has to decide: whoever fulfils the conditions is admitted."),
    "delegate": _l("The board has charged somebody with deciding about applications."),
    "board": _l("The board decides about a list of applications at its meetings."),
}

SIGN_NAMES = {
    "email": _l("same e-mail address"),
    "name": _l("same name"),
    "name_and_birth": _l("same name and birth date"),
    "enterprise_number": _l("same enterprise number"),
}

_ACTS = {
    "confirmed": _l("Address confirmed"),
    "accepted": lazy_pgettext("application", "Accepted"),
    "refused": lazy_pgettext("application", "Refused"),
    "withdrawn": _l("Withdrawn by the applicant"),
    "expired": _l("Not paid in time"),
    "lapsed": _l("The shares will not be transferred"),
    "reopened": _l("Given more time to pay"),
    "identified": _l("Said who it is"),
    "admitted": lazy_pgettext("application", "Admitted"),
    "payment_returned": _l("The bank took the payment back"),
    "paid_again": _l("Paid again"),
    "forgotten": _l("Personal data deleted"),
}


def act_words(tag: str) -> str:
    """What an audit entry about an application says, in words."""
    action = tag.rpartition(":")[2]
    return str(_ACTS.get(action, action))
