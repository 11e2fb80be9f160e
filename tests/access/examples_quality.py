"""Examples of the routes of data quality and privacy."""

from __future__ import annotations

from govern.access import Role
from tests.access import world_register  # noqa: F401  (its members come first)

from tests.access import world_quality  # noqa: F401  isort: skip
from tests.access.example import Example

_OWN = frozenset({Role.MEMBER})

QUALITY = {
    "register.quality_list": Example(),
    "register.quality_csv": Example(),
    "register.duplicate_list": Example(),
    "register.pair_page": Example(
        arguments=lambda side: {"first": side.membership, "second": side.flagged},
        form={"act": "distinct", "distinct-reason": "mother and daughter"},
        leaves_trace=True,
    ),
    "register.undo_merge": Example(
        arguments=lambda side: {"merge": side.merge}, form={"reason": "they are two after all"}
    ),
    "register.flag_address": Example(
        arguments=lambda side: {"member": side.membership, "channel": "email"},
        form={"reason": "moved away"},
    ),
    "register.clear_address": Example(
        arguments=lambda side: {"member": side.flagged, "channel": "email"}
    ),
    "register.withdraw_representative_change": Example(
        arguments=lambda side: {"member": side.organisation, "row": side.announced}
    ),
    "register.own_data_page": Example(),
    "register.own_data_export": Example(),
    "register.ask_erasure": Example(
        arguments=lambda side: {"member": side.own_membership}, form={"note": ""}, only=_OWN
    ),
    "register.withdraw_own_erasure": Example(
        arguments=lambda side: {"member": side.own_membership}, only=_OWN
    ),
    "register.erasure_list": Example(),
    "register.erase_member": Example(
        arguments=lambda side: {"member": side.former}, form={"reason": "", "sure": "y"}
    ),
    "register.refuse_erasure": Example(
        arguments=lambda side: {"request_id": side.erasure},
        form={"reason": "a refund is still to be paid"},
    ),
}
