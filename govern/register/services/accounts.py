"""The register and the accounts: whom an identifier means, first sign-ins, roles, home items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import flask
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from govern import clock
from govern.access import Actor, Permission, Role
from govern.accounts.hooks import MembershipLine
from govern.accounts.models import Account
from govern.accounts.rules import SignInCandidate, looks_like_email
from govern.accounts.services import create_account
from govern.cooperatives.models import Cooperative
from govern.home.hooks import HomeItem
from govern.i18n import money
from govern.register.models import (
    ImportBatch,
    ImportState,
    Membership,
    Organisation,
    Person,
    Representative,
)
from govern.register.rules.folding import email_key, number_key
from govern.register.services.holdings import holding_of
from govern.register.services.merging.reading import merged_accounts_of
from govern.register.services.rolls import memberships_for_account
from govern.register.services.transfers import is_open, transfers_of

MAX_CANDIDATES = 50


def find_candidates(session: Session, identifier: str) -> list[SignInCandidate]:
    """The people whom a member number, ``cooperative/number`` or an address may mean.

    For an organisation that is its representative of today, reached at its address. Members who
    have left are found while they still have an account.
    """
    query = _voters(clock.today())
    if looks_like_email(identifier):
        query = query.where(Membership.email_key == email_key(identifier))
    else:
        code, slash, number = identifier.rpartition("/")
        whole = number_key(identifier)
        keys = {whole, number_key(number)} if slash and code else {whole}
        # A number may hold a slash itself: "2018/17" is one, "smartcoop/17" is another's 17.
        query = query.where(
            Membership.number_key.in_(keys),
            or_(Membership.number_key == whole, Cooperative.code == code),
        )
    found = []
    for membership, person, cooperative_name in session.execute(
        query.order_by(Membership.id).limit(MAX_CANDIDATES)
    ):
        # A second account that a merge closed is named too: it is told why it is closed.
        for account_id in (person.account_id, *merged_accounts_of(session, person.id)):
            found.append(
                SignInCandidate(
                    account_id=account_id,
                    person_id=person.id,
                    name=person.name,
                    cooperative_name=cooperative_name,
                    member_number=membership.member_number,
                    email=membership.email,
                )
            )
    return found


def open_person_account(session: Session, person_id: int) -> Account | None:
    """The account of a person of the register, opened at the first sign-in. None: no such person.

    The address is not copied: it belongs to the membership, where the registrar changes it.
    """
    # Of two first sign-ins at once one waits and finds the account that the other has opened.
    person = session.scalar(
        select(Person)
        .where(Person.id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if person is None:
        return None
    if person.account is not None:
        return person.account
    account = create_account(
        session, name=person.name, email=None, language=_language_of(session, person)
    )
    person.account_id = account.id
    session.flush()
    return account


def member_roles(session: Session, account_id: int) -> Mapping[int, set[Role]]:
    """MEMBER wherever the person has a current membership or represents one."""
    return {
        membership.cooperative_id: {Role.MEMBER}
        for membership in memberships_for_account(session, account_id)
        if is_current(membership, clock.today())
    }


def is_current(membership: Membership, today: date) -> bool:
    """Whether the membership has begun and not ended (paid or not) on ``today``."""
    return membership.joined_on <= today and (
        membership.ended_on is None or membership.ended_on > today
    )


def membership_lines(session: Session, account_id: int) -> list[MembershipLine]:
    """The person's memberships, and those of organisations represented, for the profile."""
    lines = []
    for membership in memberships_for_account(session, account_id):
        cooperative = membership.cooperative
        if membership.organisation is None:
            title = _("Member %(number)s", number=membership.member_number)
        else:
            title = _(
                "Representative of %(organisation)s, member %(number)s",
                organisation=membership.organisation.name,
                number=membership.member_number,
            )
        lines.append(
            MembershipLine(
                cooperative_code=cooperative.code,
                cooperative_name=cooperative.name,
                member_number=membership.member_number,
                title=title,
                href=flask.url_for("register.me", cooperative=cooperative.code),
                email=membership.email or "",
            )
        )
    return lines


def expected_of(session: Session, actor: Actor, account_id: int) -> list[HomeItem]:
    """What the register expects: shares to be paid, imports to be confirmed."""
    items = []
    today = clock.today()
    for membership in memberships_for_account(session, account_id):
        if not is_current(membership, today):
            continue
        due = holding_of(session, membership.id, today).due_cents
        if due:
            items.append(
                HomeItem(
                    title=_("Pay for your shares: %(amount)s", amount=money(due)),
                    detail=_(
                        "Only shares that are paid in full give a vote in %(cooperative)s.",
                        cooperative=membership.cooperative.name,
                    ),
                    href=flask.url_for("register.me", cooperative=membership.cooperative.code),
                    tone="warn",
                )
            )
    return items + _transfers_to_answer(session, account_id) + _imports_to_confirm(session, actor)


def _transfers_to_answer(session: Session, account_id: int) -> list[HomeItem]:
    """Shares that somebody wants to give to this person, or to an organisation of theirs."""
    own = {item.id for item in memberships_for_account(session, account_id)}
    return [
        HomeItem(
            title=ngettext(
                "%(giver)s wants to give you %(num)d share",
                "%(giver)s wants to give you %(num)d shares",
                request.shares,
                giver=request.giver.display_name,
            ),
            detail=_("Nothing happens until you confirm."),
            due=request.expires_at,
            href=flask.url_for(
                "register.own_transfer",
                cooperative=request.giver.cooperative.code,
                transfer=request.public_id,
            ),
            tone="warn",
        )
        for request in transfers_of(session, sorted(own))
        if request.receiver_id in own and is_open(request)
    ]


def _imports_to_confirm(session: Session, actor: Actor) -> list[HomeItem]:
    cooperatives = [
        number for number in actor.roles if actor.may(Permission.REGISTER_IMPORT, number)
    ]
    if not cooperatives:
        return []
    waiting = session.execute(
        select(ImportBatch, Cooperative)
        .join(Cooperative, ImportBatch.cooperative_id == Cooperative.id)
        .where(
            ImportBatch.cooperative_id.in_(cooperatives),
            ImportBatch.state == ImportState.CHECKED.value,
        )
        .order_by(ImportBatch.id.desc())
        .limit(5)
    )
    return [
        HomeItem(
            title=_("Confirm the import “%(file)s”", file=batch.file_name),
            detail=ngettext(
                "%(num)d new member for %(cooperative)s.",
                "%(num)d new members for %(cooperative)s.",
                batch.counts.get("new", 0),
                cooperative=cooperative.name,
            ),
            href=flask.url_for(
                "register.import_page", cooperative=cooperative.code, batch=batch.public_id
            ),
            tone="warn",
        )
        for batch, cooperative in waiting
    ]


def forget_first_sign_ins(session: Session) -> None:
    """Rewrite the rows that link people to accounts, so that PostgreSQL's ``xmin`` and ``ctid`` do
    not keep the order in which members signed in for the first time. SQLite keeps none."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            update(Person)
            .where(Person.account_id.is_not(None))
            .values(account_id=Person.account_id)
        )
        session.execute(text("CLUSTER person USING pk_person"))


# -- inside -----------------------------------------------------------------------------------


def _voters(today: date) -> Any:
    """(Membership, Person who votes for it, name of the cooperative)."""
    delegate = aliased(Representative)
    return (
        select(Membership, Person, Cooperative.name)
        .join(Cooperative, Membership.cooperative_id == Cooperative.id)
        .outerjoin(Organisation, Membership.organisation_id == Organisation.id)
        .outerjoin(
            delegate,
            (delegate.organisation_id == Organisation.id)
            & (delegate.starts_on <= today)
            & or_(delegate.ends_on.is_(None), delegate.ends_on > today),
        )
        .join(Person, Person.id == func.coalesce(Membership.person_id, delegate.person_id))
        .where(
            or_(
                Membership.ended_on.is_(None),
                Membership.ended_on > today,
                Person.account_id.is_not(None),
            )
        )
    )


def _language_of(session: Session, person: Person) -> str:
    """The language in which the register writes to the person."""
    own: Iterable[str] = session.scalars(
        select(Membership.language).where(Membership.person_id == person.id).limit(1)
    )
    represented: Iterable[str] = session.scalars(
        select(Membership.language)
        .join(Representative, Representative.organisation_id == Membership.organisation_id)
        .where(Representative.person_id == person.id)
        .limit(1)
    )
    return next(iter([*own, *represented]), "en")
