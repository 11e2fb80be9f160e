"""Examples of the routes of joining."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

from sqlalchemy import select

from govern.access import Role
from govern.accounts.tags import make_token, token_hash
from govern.joining.models import Application
from govern.register.models import TransferRequest
from govern.sealing import seal
from tests.access import world_joining  # noqa: F401  (its builders join the world)
from tests.access.example import Example
from tests.access.world import Side

MEMBER_ONLY = frozenset({Role.MEMBER})


def _form(side: Side) -> dict[str, Any]:
    return {
        "given_name": "Ida",
        "family_name": "Newcomer",
        "birth_date": "1985-02-03",
        "email": "ida@example.org",
        "language": "en",
        "street": "Rue Haute 2",
        "postal_code": "1000",
        "town": "Bruxelles",
        "country": "BE",
        "category": "A",
        "shares": "2",
        "consents": "y",
        "statutes_digest": side.statutes_digest,
    }


def _version(**more: Any) -> Any:
    return lambda side: {"version": side.statutes, **more}


def _application(side: Side) -> dict[str, str]:
    return {"application": side.application}


def _own(side: Side) -> dict[str, str]:
    return {"member": side.own_membership}


def _order(side: Side) -> dict[str, str]:
    return {"member": side.own_membership, "order": side.order}


def _link(side: Side) -> dict[str, str]:
    return {"token": side.application_link}


def _confirmation(side: Side) -> dict[str, str]:
    """A link of this request's own: a job may have mailed another one meanwhile."""
    token = make_token()
    row = side.session.scalars(
        select(Application).where(Application.public_id == side.unconfirmed)
    ).one()
    row.email_token_hash = token_hash(token)
    return {"token": token}


def _invitation(side: Side) -> dict[str, str]:
    """A link of this request's own to the promise of shares to somebody who is no member."""
    token = make_token()
    row = side.session.scalars(
        select(TransferRequest).where(TransferRequest.public_id == side.awaiting_transfer)
    ).one()
    row.invitation_hash = token_hash(token)
    return {"token": token}


def _sealed(side: Side) -> dict[str, str]:
    token = _invitation(side)["token"]
    return {"sealed": base64.urlsafe_b64encode(seal("invitation", token.encode())).decode()}


def _by_transfer(side: Side) -> dict[str, Any]:
    form = _form(side)
    return {name: form[name] for name in form if name not in ("email", "shares")}


def _expired(side: Side) -> dict[str, str]:
    """The application, as if nobody had paid in time."""
    row = side.session.scalars(
        select(Application).where(Application.public_id == side.application)
    ).one()
    row.state, row.accepted_on, row.closed_on = "expired", date(2018, 4, 1), date(2018, 5, 1)
    return {"application": side.application}


JOINING = {
    "joining.join": Example(form=_form),
    "joining.sent": Example(),
    "joining.confirm": Example(arguments=_confirmation),
    "joining.application": Example(arguments=_link),
    "joining.withdraw": Example(arguments=_link),
    "joining.invitation": Example(arguments=_invitation),
    "joining.invitation_as_member": Example(arguments=_sealed),
    "joining.join_by_transfer": Example(arguments=_invitation, form=_by_transfer),
    "joining.decline_invitation": Example(arguments=_invitation),
    "joining.claim_invitation": Example(
        arguments=_invitation,
        form=lambda side: {"member": side.own_membership},
        only=MEMBER_ONLY,
    ),
    "joining.statutes": Example(),
    "joining.statutes_version": Example(arguments=_version()),
    "joining.statutes_file": Example(arguments=_version(language="en")),
    "joining.add_statutes": Example(
        form={"version": "2018", "adopted_on": "2018-05-01", "text_en": "Article 1"}
    ),
    "joining.translate_statutes": Example(
        arguments=_version(), form={"language": "fr", "text": "Article 1"}
    ),
    "joining.application_list": Example(),
    "joining.export_applications": Example(),
    "joining.reopen_application": Example(arguments=_expired),
    "joining.application_page": Example(arguments=_application),
    "joining.accept_application": Example(arguments=_application),
    "joining.choose_identity": Example(arguments=_application, form={"identity": "else"}),
    "joining.retry_application": Example(arguments=_application),
    "joining.refuse_application": Example(
        arguments=_application, form={"reason": "Not in our field of work."}
    ),
    "joining.board": Example(
        form=lambda side: {
            "decided_on": "2018-06-01",
            "reference": "Board of June, item 3",
            f"verdict-{side.application}": "accept",
        }
    ),
    "joining.board_pdf": Example(),
    "joining.more_shares": Example(arguments=_own, form={"shares": "1"}, only=MEMBER_ONLY),
    "joining.pay": Example(arguments=_own, only=MEMBER_ONLY),
    "joining.ask_to_pay": Example(arguments=_own, form={}, only=MEMBER_ONLY),
    "joining.order": Example(arguments=_order, only=MEMBER_ONLY),
    "joining.cancel_order": Example(arguments=_order, only=MEMBER_ONLY),
}
