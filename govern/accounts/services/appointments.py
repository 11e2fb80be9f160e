"""Finding the person whom an administrator wants to give a role, and telling them."""

from __future__ import annotations

from flask import current_app
from sqlalchemy.orm import Session

from govern import audit
from govern.access import Actor, Permission, Role
from govern.accounts.models import Account, RoleGrant
from govern.accounts.rules import Person, fold_identifier, looks_like_email, people_among
from govern.accounts.services.accounts import contact_address, create_account
from govern.accounts.services.sign_in import candidates_for
from govern.accounts.words import ROLE_NAMES
from govern.cooperatives.models import Cooperative
from govern.mail import queue_mail


def people_to_appoint(
    session: Session, actor: Actor, cooperative: Cooperative, identifier: str
) -> list[Person]:
    """Whom ``identifier`` may mean: a member number of this cooperative, or an address.

    A number of another cooperative finds nobody: its register is not this administrator's.
    """
    actor.require(Permission.ROLES_MANAGE, cooperative.id)
    folded = fold_identifier(identifier)
    if not looks_like_email(folded):
        number = folded.removeprefix(f"{cooperative.code}/")
        if "/" in number:
            return []
        folded = f"{cooperative.code}/{number}"
    return people_among(candidates_for(session, folded))


def invite_person(
    session: Session, actor: Actor, cooperative: Cooperative, *, name: str, email: str
) -> Account:
    """Open an account for somebody outside the register (an auditor, a trustee)."""
    actor.require(Permission.ROLES_MANAGE, cooperative.id)
    account = create_account(session, name=name, email=email, language=cooperative.languages[0])
    audit.record(
        session,
        actor,
        "accounts:account:opened",
        cooperative_id=cooperative.id,
        subject=account.public_id,
    )
    return account


def tell_about_role(session: Session, grant: RoleGrant) -> None:
    """Mail the person that they hold a role now; nothing for somebody without address."""
    account = grant.account
    address = contact_address(session, account)
    if address is None:
        return
    queue_mail(
        session,
        cooperative_id=grant.cooperative_id,
        to_address=address,
        to_name=account.name,
        language=account.language,
        template="role_granted",
        context={
            "role": ROLE_NAMES[Role(grant.role)],
            "cooperative_name": grant.cooperative.name,
            "address": address,
            "link": f"{current_app.config['GOVERN'].public_url}/sign-in",
        },
        dedupe_key=f"role-granted:{grant.public_id}",
        category="role",
    )
