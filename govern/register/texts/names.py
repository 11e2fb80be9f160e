"""The words for states, kinds, reasons and fields, and why somebody is not on a roll."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from sqlalchemy.orm import Session

from govern.cooperatives.services import rules_on
from govern.errors import RuleViolation
from govern.i18n import day, local_text
from govern.register.models import (
    CorrectionAction,
    EndReason,
    EntryKind,
    ImportState,
    MemberKind,
    RollState,
    Severity,
    TransferCause,
    TransferState,
)
from govern.register.rules.roll import Obstacle

KIND_NAMES = {
    MemberKind.NATURAL: _l("Person"),
    MemberKind.LEGAL: _l("Organisation"),
}


END_REASON_NAMES = {
    EndReason.RESIGNATION: _l("Resignation"),
    EndReason.DEATH: _l("Death"),
    EndReason.EXCLUSION: _l("Exclusion"),
    EndReason.LOSS_OF_STATUS: _l("Conditions no longer met"),
    EndReason.TRANSFER: _l("All shares transferred"),
    EndReason.UNSTATED: _l("Not stated"),
}


ENTRY_KIND_NAMES = {
    EntryKind.SUBSCRIPTION: _l("Subscription"),
    EntryKind.PAYMENT: _l("Payment"),
    EntryKind.TRANSFER_IN: _l("Transfer received"),
    EntryKind.TRANSFER_OUT: _l("Transfer given"),
    EntryKind.REFUND: _l("Refund"),
    EntryKind.CONVERSION_OUT: _l("Changed for another class"),
    EntryKind.CONVERSION_IN: _l("Received for another class"),
}


CAUSE_NAMES = {
    TransferCause.SALE: _l("Sale"),
    TransferCause.GIFT: _l("Gift"),
    TransferCause.SUCCESSION: _l("Succession"),
    TransferCause.MERGER: _l("Merger of organisations"),
    TransferCause.OTHER: _l("Another cause"),
}


CORRECTION_NAMES = {
    CorrectionAction.ADDED: _l("Added"),
    CorrectionAction.REMOVED: _l("Removed"),
    CorrectionAction.UPDATED: _l("Read again"),
}


TRANSFER_STATE_NAMES = {
    TransferState.PROPOSED: _l("Waits for the receiver"),
    TransferState.AWAITING_ADMISSION: _l("Waits for the receiver to become a member"),
    TransferState.AWAITING_ACCEPTANCE: _l("The receiver has applied"),
    TransferState.COMPLETED: _l("Completed"),
    TransferState.DECLINED: _l("Declined"),
    TransferState.REFUSED: _l("The receiver was not admitted"),
    TransferState.WITHDRAWN: _l("Withdrawn"),
    TransferState.EXPIRED: _l("Expired"),
}


ROLL_STATE_NAMES = {
    RollState.DRAFT: _l("Draft"),
    RollState.FROZEN: _l("Frozen"),
}


IMPORT_STATE_NAMES = {
    ImportState.MAPPING: _l("Columns to be named"),
    ImportState.CHECKING: _l("Being checked"),
    ImportState.CHECKED: _l("To be confirmed"),
    ImportState.IMPORTING: _l("Being imported"),
    ImportState.IMPORTED: _l("Imported"),
    ImportState.FAILED: lazy_pgettext("import", "Failed"),
    ImportState.CANCELLED: lazy_pgettext("import", "Cancelled"),
}


SEVERITY_NAMES = {
    Severity.ERROR: _l("To mend"),
    Severity.WARNING: _l("To look at"),
    Severity.NOTE: lazy_pgettext("row of an import", "Accepted"),
}


FIELD_NAMES = {
    "member_number": _l("Member number"),
    "family_name": _l("Name"),
    "given_name": _l("Given name"),
    "birth_date": _l("Birth date"),
    "email": _l("E-mail"),
    "language": _l("Language"),
    "street": _l("Street and number"),
    "postal_code": _l("Postal code"),
    "town": _l("Municipality"),
    "country": _l("Country"),
    "category": _l("Category"),
    "joined_on": _l("Joined on"),
    "shares": _l("Number of shares"),
    "paid": _l("Paid amount"),
    "share_class": _l("Class of shares"),
    "enterprise_number": _l("Enterprise number"),
    "representative": _l("Representative"),
    "ended_on": _l("Left on"),
    "organisation_name": _l("Name of the organisation"),
}


def obstacle_text(obstacle: Obstacle, record_date: date) -> str:
    """Why a member is not on the roll of ``record_date``, as a sentence."""
    when = day(record_date)
    sentences = {
        Obstacle.JOINED_LATER: _("The membership began after the record date, %(day)s.", day=when),
        Obstacle.ENDED: _("The membership had ended by the record date, %(day)s.", day=when),
        Obstacle.NO_SHARE: _("No share was held on the record date, %(day)s.", day=when),
        Obstacle.NO_PAID_SHARE: _(
            "No share was paid in full on the record date, %(day)s.", day=when
        ),
        Obstacle.NO_CATEGORY: _("No category was recorded on the record date, %(day)s.", day=when),
        Obstacle.REMOVED: _("The entry was removed by a correction of the roll."),
        Obstacle.RECORDED_LATER: _("It was recorded in the register after the roll was taken."),
    }
    return sentences[obstacle]


def share_class_name(session: Session, cooperative_id: int, code: str, on: date) -> str:
    """The name of a class of shares in the reader's language; its code if the rules forgot it."""
    try:
        _row, rules = rules_on(session, cooperative_id, on)
        return local_text(rules.share_class(code).names)
    except (KeyError, RuleViolation):
        return code
