"""Where the features above tell ``accounts`` what they know, without being imported by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from govern.access import Role
from govern.accounts.models import Account
from govern.accounts.rules import SignInCandidate
from govern.hooks import Hook


@dataclass(frozen=True)
class MembershipLine:
    """One membership as the profile shows it. ``title`` says what it is, in the page's language;
    ``email`` is where the register writes to, "" if nowhere."""

    cooperative_code: str
    cooperative_name: str
    member_number: str
    title: str
    href: str = ""
    email: str = ""


identifier_resolvers: Hook[Callable[[Session, str], list[SignInCandidate]]] = Hook(
    "whom a folded identifier (member number, cooperative/number, address) may mean"
)
account_openers: Hook[Callable[[Session, int], Account | None]] = Hook(
    "open the account of a person of the register at the first sign-in (None: not mine)"
)
role_sources: Hook[Callable[[Session, int], Mapping[int, set[Role]]]] = Hook(
    "roles that follow from other facts, per cooperative id, for an account id"
)
membership_sources: Hook[Callable[[Session, int], list[MembershipLine]]] = Hook(
    "the memberships of an account, for its profile"
)
sign_in_traces: Hook[Callable[[Session], None]] = Hook(
    "rewrite what would tell the order in which people signed in, when an election closes"
)
closed_accounts: Hook[Callable[[Session, int], str]] = Hook(
    "why that closed account takes no sign-in, told to whoever knows its password ('': not mine)"
)
