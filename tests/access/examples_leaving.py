"""Examples of the routes of leaving."""

from __future__ import annotations

from typing import Any

from govern.access import Role
from tests.access import world_leaving  # noqa: F401  (its builder joins the world)
from tests.access.example import Example
from tests.access.world_leaving import IBAN

DAY = "2018-05-30"
TODAY = "2018-06-01"
ACCOUNT = {"holder": "Camille", "iban": IBAN}
MEMBER = frozenset({Role.MEMBER})


def _own(form: Any = None, which: str = "own_request", **more: str) -> Example:
    """A page about a departure of one's own; ``more``: names of what else its address holds."""
    return Example(
        arguments=lambda side: {
            "member": side.own_membership,
            "departure": getattr(side, which),
            **{name: getattr(side, value) for name, value in more.items()},
        },
        form=form or {},
        only=MEMBER,
    )


def _member(form: Any = None, member: str = "membership") -> Example:
    return Example(arguments=lambda side: {"member": getattr(side, member)}, form=form or {})


def _departure(which: str, form: Any = None, *, leaves_trace: bool = False) -> Example:
    return Example(
        arguments=lambda side: {"departure": getattr(side, which)},
        form=form or {},
        leaves_trace=leaves_trace,
    )


def _exclusion(form: Any, step: str) -> Example:
    return _departure(f"exclusion_{step}", form)


def _refund(form: Any = None, which: str = "refund") -> Example:
    return Example(arguments=lambda side: {"refund": getattr(side, which)}, form=form or {})


STEP = {"done_on": TODAY, "text": "What was said and found."}
ANSWER = {"received_on": TODAY, "text": "What was said and found."}

LEAVING = {
    "leaving.leave": Example(
        arguments=lambda side: {"member": side.own_membership}, form=ACCOUNT, only=MEMBER
    ),
    "leaving.period_reminder": Example(
        arguments=lambda side: {"member": side.own_membership}, only=MEMBER
    ),
    "leaving.own_departure": _own(),
    # The account of the world has no password: a signature with it is asked for again.
    "leaving.sign": Example(
        arguments=lambda side: {"member": side.own_membership, "departure": side.own_request},
        form={"present": "four quiet herons"},
        only=MEMBER,
        answers=frozenset({422}),
    ),
    "leaving.send_link": _own(),
    "leaving.sign_by_link": _own(token="signing_token"),
    "leaving.withdraw": _own(),
    "leaving.own_account": _own(ACCOUNT),
    "leaving.write_observations": _own({"text": "It was not so."}, "own_proposal"),
    "leaving.ask_hearing": _own({}, "own_proposal"),
    "leaving.own_paper": _own({}, "own_proposal", paper="own_paper"),
    "leaving.departure_list": Example(),
    "leaving.left_shares": Example(),
    "leaving.departure_page": _departure("pending", leaves_trace=True),
    "leaving.paper": Example(
        arguments=lambda side: {"departure": side.pending, "paper": side.pending_paper},
        leaves_trace=True,
    ),
    "leaving.member_leaving": _member(),
    "leaving.founder": _member({"founder": "yes"}),
    "leaving.paper_request": _member({"received_on": DAY}),
    "leaving.death": _member({"died_on": DAY}),
    "leaving.loss": _member({"lost_on": DAY, "reason": "Has moved away."}),
    "leaving.past_ending": _member(
        {"ended_on": DAY, "reason": "resignation", "note": "from the old list"}
    ),
    "leaving.former": _member({"owed_since": DAY}, "former_member"),
    "leaving.withdraw_for_member": _departure("pending", {"reason": "A letter came."}),
    "leaving.account": _departure("pending", ACCOUNT),
    "leaving.retry": _departure("pending"),
    "leaving.estate": _departure("died", ACCOUNT),
    "leaving.succession": _departure(
        "died",
        lambda side: {"receiver_number": side.number, "shares": "1", "effective_on": DAY},
    ),
    "leaving.exclusion": _member(STEP),
    "leaving.exclusion_send_proposal": _exclusion({"how": "post", "posted_on": TODAY}, "proposed"),
    "leaving.exclusion_observations": _exclusion(ANSWER, "sent"),
    "leaving.exclusion_hearing_asked": _exclusion(ANSWER, "sent"),
    "leaving.exclusion_hearing": _exclusion(STEP, "sent"),
    "leaving.exclusion_decide": _exclusion(STEP, "sent"),
    "leaving.exclusion_send_decision": _exclusion({"how": "mail"}, "decided"),
    "leaving.exclusion_discontinue": _exclusion({"reason": "It was not so."}, "sent"),
    "leaving.refund_list": Example(),
    "leaving.refund_page": _refund(),
    "leaving.release": Example(
        query=lambda side: {"refund": side.refund}, form=lambda side: {"refund": side.refund}
    ),
    "leaving.refund_account": _refund(ACCOUNT),
    "leaving.split": _refund({"count": "2", "first_due_on": "2018-07-01", "months_between": "12"}),
    "leaving.postpone": _refund({"reason": "Liquidity is short."}),
    "leaving.resume": _refund(which="postponed"),
    "leaving.test_list": Example(),
    "leaving.add_test": Example(
        form={
            "kind": "liquidity",
            "decided_on": DAY,
            "passed": "y",
            "up_to": "1000",
            "valid_until": "2018-12-31",
            "text": "Accounts of 2017",
        }
    ),
    "leaving.test_paper": Example(arguments=lambda side: {"test": side.board_test}),
}
