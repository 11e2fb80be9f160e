"""Examples of the register's routes."""

from __future__ import annotations

import io
from typing import Any

from govern.access import Role
from govern.register.importing.headers import FIELDS
from tests.access import world_register
from tests.access.example import Example
from tests.access.world import Side
from tests.register.conftest import DATA, csv_file, row

ODOO = DATA / "odoo"
DAY = "2018-05-30"
CONTACT = {"language": "fr", "email": "new@example.org", "town": "Liège", "country": "BE"}
ADMISSION = {**CONTACT, "category": "A", "joined_on": DAY, "shares": "1", "paid": "30,00"}


def _member(form: Any = None, member: str = "membership", **others: Any) -> Example:
    return Example(
        arguments=lambda side: {"member": getattr(side, member)}, form=form or {}, **others
    )


def _import(which: str, form: Any = None) -> Example:
    return Example(arguments=lambda side: {"batch": getattr(side, which)}, form=form or {})


def _roll(form: Any = None) -> Example:
    return Example(arguments=lambda side: {"roll": side.roll}, form=form or {})


def _columns(side: Side) -> dict[str, str]:
    """The columns of ``world_register``'s file in the order of its heading."""
    names = (
        "member_number family_name given_name birth_date email language street postal_code town "
        "country category joined_on shares paid enterprise_number representative ended_on"
    ).split()
    known = {name: name for name in FIELDS}
    return {f"column-{number}": known.get(name, "") for number, name in enumerate(names)}


def _program(side: Side) -> dict[str, str]:
    return {"program": side.program}


# The API asks for a token instead of a session: with one of ``thuis`` it answers everybody alike.
TOKEN = {"Authorization": f"Bearer {world_register.token_of('thuis')}"}

# Before anything was written: the same moment however the clock stands.
MOMENT = {"known": "2010-01-01T00:00:00Z", "entry": "0"}

REGISTER = {
    "register.book_page": Example(),
    "register.book_pdf": Example(leaves_trace=True),
    "register.book_xlsx": Example(leaves_trace=True),
    "register.book_volumes": Example(query=MOMENT),
    "register.book_volume": Example(query=MOMENT, leaves_trace=True),
    "register.book_entries": Example(),
    "register.book_member": _member(leaves_trace=True),
    "register.book_member_pdf": _member(leaves_trace=True),
    "register.public_book": Example(),
    "register.year_page": Example(),
    "register.year_pdf": Example(),
    "register.year_xlsx": Example(),
    "register.program_list": Example(
        form={"name": "Accounting", "members": "y", "expires_on": "2019-01-01"}
    ),
    "register.program_page": Example(arguments=_program),
    "register.program_revoke": Example(arguments=_program),
    "api.document": Example(),
    "api.members": Example(headers=TOKEN),
    "api.member": Example(arguments=lambda side: {"number": side.number}, headers=TOKEN),
    "api.holdings": Example(headers=TOKEN),
    "cooperatives.rules": Example(),
    "register.member_list": Example(),
    "register.export_csv": Example(leaves_trace=True),
    "register.export_xlsx": Example(leaves_trace=True),
    "register.member_page": _member(leaves_trace=True),
    "register.member_certificate": _member(),
    "register.make_member_certificate": _member(),
    "register.certificates": Example(),
    "register.certificate_check": Example(arguments=lambda side: {"code": side.certificate}),
    "register.add_person": Example(
        form={**ADMISSION, "given_name": "Dora", "family_name": "New", "birth_date": "1990-01-31"}
    ),
    "register.add_organisation": Example(
        form={
            **ADMISSION,
            "category": "B",
            "organisation_name": "Another firm",
            "enterprise_number": "0403.170.701",
            "representative_given_name": "Eva",
            "representative_family_name": "New",
        }
    ),
    "register.add_payment": _member({"amount": "30", "effective_on": DAY}),
    "register.add_subscription": _member({"shares": "1", "effective_on": DAY}),
    "register.add_transfer": _member(
        lambda side: {"shares": "1", "receiver": side.other_number, "effective_on": DAY}
    ),
    # The rules of the tests know one class of shares: whoever may is told so on the form.
    "register.convert_shares": Example(
        arguments=lambda side: {"member": side.membership},
        form={
            "shares": "1",
            "share_class": "ordinary",
            "to_class": "ordinary",
            "effective_on": DAY,
        },
        answers=frozenset({422}),
    ),
    "register.transfer_list": Example(),
    "register.transfer_page": Example(arguments=lambda side: {"transfer": side.transfer}),
    "register.settle_transfer": Example(
        arguments=lambda side: {"transfer": side.transfer}, form={"answer": "withdraw"}
    ),
    "register.name_transfer_receiver": Example(
        arguments=lambda side: {"transfer": side.awaiting_transfer},
        form=lambda side: {"receiver": side.other_number},
    ),
    "register.add_refund": _member(
        {"shares": "1", "effective_on": DAY, "remark": "Paid out in cash."}
    ),
    "register.reverse_entry": Example(
        arguments=lambda side: {"member": side.membership, "sequence": side.sequence},
        form={"reason": "typed twice"},
    ),
    "register.take_back_ending": _member({"reason": "Another person died."}, "former"),
    "register.change_contact": _member(CONTACT, leaves_trace=True),
    "register.change_identity": _member(
        {"given_name": "Camille", "family_name": "Corrected"}, leaves_trace=True
    ),
    "register.change_category": _member({"category": "B", "starts_on": DAY}),
    "register.change_representative": _member(
        {"given_name": "Fay", "family_name": "New", "starts_on": DAY}, "organisation"
    ),
    "register.import_list": Example(
        form=lambda side: {"file": (io.BytesIO(csv_file(row("905"))), "register.csv")}
    ),
    "register.import_odoo": Example(
        form=lambda side: {
            name: (io.BytesIO((ODOO / f"{name}.csv").read_bytes()), f"{name}.csv")
            for name in ("partners", "register")
        }
    ),
    "register.import_page": _import("checked_import"),
    "register.import_progress": _import("checked_import"),
    "register.import_columns": _import("unnamed_import", _columns),
    "register.import_check": _import("checked_import"),
    "register.import_confirm": _import(
        "checked_import", lambda side: {"plan_digest": side.plan_digest}
    ),
    "register.import_cancel": _import("checked_import"),
    "register.import_mend": _import("done_import"),
    "register.me": Example(),
    "register.own_certificate": Example(
        arguments=lambda side: {"member": side.own_membership}, only=frozenset({Role.MEMBER})
    ),
    "register.change_own_address": Example(
        arguments=lambda side: {"member": side.own_membership},
        form={"street": "Rue Neuve 1", "town": "Namur", "country": "BE", "language": "fr"},
        only=frozenset({Role.MEMBER}),
    ),
    "register.propose_transfer": Example(
        arguments=lambda side: {"member": side.own_membership},
        form=lambda side: {"shares": "1", "cause": "gift", "receiver_number": side.other_number},
        only=frozenset({Role.MEMBER}),
    ),
    "register.own_transfer": Example(
        arguments=lambda side: {"transfer": side.transfer}, only=frozenset({Role.MEMBER})
    ),
    "register.answer_transfer": Example(
        arguments=lambda side: {"transfer": side.transfer},
        form={"answer": "withdraw"},
        only=frozenset({Role.MEMBER}),
    ),
    "register.make_own_certificate": Example(
        arguments=lambda side: {"member": side.own_membership}, only=frozenset({Role.MEMBER})
    ),
    "register.roll_list": Example(),
    "register.roll_page": _roll(),
    "register.roll_entries": _roll(),
    "register.roll_csv": _roll(),
    "register.roll_canonical": _roll(),
    "register.roll_correct": _roll(
        lambda side: {
            "member_number": side.number,
            "action": "remove",
            "reason": "left before the record date",
        }
    ),
}
