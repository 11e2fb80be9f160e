"""The outbox in words: states, channels, categories."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from govern.mail.models import Channel, DeliveryState

STATE_NAMES: Mapping[str, LazyString] = {
    DeliveryState.QUEUED.value: _l("waiting"),
    DeliveryState.SENDING.value: _l("being sent"),
    DeliveryState.SENT.value: _l("sent"),
    DeliveryState.FAILED.value: _l("failed"),
    DeliveryState.UNCLEAR.value: _l("unclear"),
    DeliveryState.CANCELLED.value: _l("stopped"),
}

STATE_TONES: Mapping[str, str] = {
    DeliveryState.QUEUED.value: "info",
    DeliveryState.SENDING.value: "info",
    DeliveryState.SENT.value: "good",
    DeliveryState.FAILED.value: "bad",
    DeliveryState.UNCLEAR.value: "warn",
    DeliveryState.CANCELLED.value: "neutral",
}

STATE_MEANINGS: Mapping[str, LazyString] = {
    DeliveryState.QUEUED.value: _l("It has not left yet."),
    DeliveryState.SENDING.value: _l("It is being handed to the mail server now."),
    DeliveryState.SENT.value: _l("The mail server has taken it, or somebody has posted it."),
    DeliveryState.FAILED.value: _l("It was not sent, and is not tried again by itself."),
    DeliveryState.UNCLEAR.value: _l(
        "It may have left or not: the connection broke while it was being handed over, its voting "
        "code was withdrawn at that moment, or the server was restored from a backup. It is not "
        "sent again by itself."
    ),
    DeliveryState.CANCELLED.value: _l("It was stopped before it left."),
}

CHANNEL_NAMES: Mapping[str, LazyString] = {
    Channel.EMAIL.value: _l("Mail"),
    Channel.LETTER.value: _l("Letter"),
}

CATEGORY_NAMES: Mapping[str, LazyString] = {
    "account": _l("Accounts"),
    "certificate": _l("Certificates of shares"),
    "erasure": _l("Erasure"),
    "joining": _l("Applications"),
    "leaving": _l("Departures"),
    "notice": _l("Notices of assemblies"),
    "register": _l("Register"),
    "role": _l("Roles"),
    "sign_in": _l("Sign-in links"),
    "transfer": _l("Transfers"),
    "voting.code": _l("Voting codes"),
    "voting.office": _l("Conduct of votes"),
}


def category_name(category: str) -> str:
    """The category in words; the code itself for one that has no words yet."""
    return str(CATEGORY_NAMES.get(category, category))
