"""``govern accounts``: the first administrator, and what whoever runs the server must be able to
do without a browser."""

from __future__ import annotations

import sys

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit
from govern.access import SYSTEM, Role
from govern.accounts.models import GRANTED_ROLES, Account, RoleGrant
from govern.accounts.roles_table import roles_table
from govern.accounts.rules import people_among
from govern.accounts.services import (
    candidates_for,
    create_account,
    disable_account,
    end_role,
    grant_role,
    open_account,
    tell_about_role,
)
from govern.cli_tools import app_context
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput, NotFound
from govern.extensions import db

ROLE_CHOICE = click.Choice([role.value for role in GRANTED_ROLES])


@click.group()
def accounts() -> None:
    """Accounts and the roles that they hold."""


@accounts.command()
@click.option("--name", required=True)
@click.option("--email", required=True)
@click.option("--language", type=click.Choice(LOCALES), default="en", show_default=True)
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read a password from standard input. Without it the person signs in by a link.",
)
@click.option("--shared-address", is_flag=True, help="Allow an address that another account has.")
@app_context
def create(
    name: str, email: str, language: str, password_stdin: bool, shared_address: bool
) -> None:
    """Open an account."""
    session = db.session()
    if not shared_address and candidates_for(session, email):
        raise Conflict(
            f"Somebody already goes by {email}.",
            remedy="Use that account, or say --shared-address if this is another person.",
            field="email",
        )
    password = None
    if password_stdin:
        password = sys.stdin.read().rstrip("\r\n")
    account = create_account(session, name=name, email=email, language=language, password=password)
    audit.record(
        session, SYSTEM, "accounts:account:opened", cooperative_id=None, subject=account.public_id
    )
    session.commit()
    click.echo(f"{account.public_id}: opened for {account.name}")


@accounts.command()
@click.argument("who")
@click.argument("role", type=ROLE_CHOICE)
@click.option("--cooperative", "code", required=True, help="Code of the cooperative.")
@app_context
def grant(who: str, role: str, code: str) -> None:
    """Give WHO (address, cooperative/number or account id) a role."""
    session = db.session()
    account, cooperative = _find_account(session, who), _find_cooperative(session, code)
    given = grant_role(session, SYSTEM, account, cooperative.id, Role(role))
    tell_about_role(session, given)
    session.commit()
    click.echo(f"{account.name}: {role} of {cooperative.code}")


@accounts.command()
@click.argument("who")
@click.argument("role", type=ROLE_CHOICE)
@click.option("--cooperative", "code", required=True, help="Code of the cooperative.")
@app_context
def revoke(who: str, role: str, code: str) -> None:
    """End a role of WHO. The last administrator of a cooperative stays."""
    session = db.session()
    account, cooperative = _find_account(session, who), _find_cooperative(session, code)
    held = session.scalar(
        select(RoleGrant).where(
            RoleGrant.account_id == account.id,
            RoleGrant.cooperative_id == cooperative.id,
            RoleGrant.role == role,
            RoleGrant.ends_at.is_(None),
        )
    )
    if held is None:
        raise NotFound(
            f"{account.name} is not {role} of {cooperative.code}.",
            remedy="See: govern accounts list",
        )
    end_role(session, SYSTEM, held)
    session.commit()
    click.echo(f"{account.name}: no longer {role} of {cooperative.code}")


@accounts.command()
@click.argument("who")
@app_context
def close(who: str) -> None:
    """Close the account of WHO: nobody signs in with it any more."""
    session = db.session()
    account = _find_account(session, who)
    disable_account(session, SYSTEM, account)
    session.commit()
    click.echo(f"{account.name}: closed")


@accounts.command(name="list")
@app_context
def list_accounts() -> None:
    """List who holds which role where (accounts without a role are not listed)."""
    query = (
        select(RoleGrant)
        .join(RoleGrant.account)
        .join(RoleGrant.cooperative)
        .where(RoleGrant.ends_at.is_(None))
        .order_by(Cooperative.code, RoleGrant.role, Account.name)
    )
    for held in db.session.scalars(query):
        account = held.account
        state = "\tclosed" if account.disabled_at else ""
        click.echo(
            f"{held.cooperative.code}\t{held.role}\t{account.name}\t"
            f"{account.email or '-'}\t{account.public_id}{state}"
        )


@accounts.command("roles-table")
@app_context
def print_roles_table() -> None:
    """Print docs/roles.md."""
    click.echo(roles_table(), nl=False)


def _find_account(session: Session, who: str) -> Account:
    by_id = session.scalar(select(Account).where(Account.public_id == who))
    if by_id is not None:
        return by_id
    people = people_among(candidates_for(session, who))
    if not people:
        raise NotFound(f"Nobody goes by {who}.", remedy="Use: govern accounts create")
    if len(people) > 1:
        named = "; ".join(f"{person.name} ({person.key})" for person in people)
        raise InvalidInput(
            f"Several people go by {who}: {named}.",
            remedy="Use cooperative/number, or the account id that “govern accounts list” shows.",
        )
    return open_account(session, people[0].key)


def _find_cooperative(session: Session, code: str) -> Cooperative:
    found = session.scalar(select(Cooperative).where(Cooperative.code == code))
    if found is None:
        raise NotFound(f"There is no cooperative {code!r}.", remedy="See: govern cooperatives list")
    return found
