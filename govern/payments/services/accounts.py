"""The bank accounts of a cooperative: named, made the default one, closed."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput, NotFound, RuleViolation
from govern.payments.models import BankAccount, BatchState, PaymentBatch
from govern.payments.rules.bank import WrongBic, WrongIban, read_bic, read_iban, show_iban
from govern.register.services.chain import lock_register


def checked_iban(text: str) -> str:
    """The compact IBAN; InvalidInput (field "iban") that says what is wrong with it."""
    try:
        return read_iban(text)
    except WrongIban as error:
        messages = {
            "form": _("“%(iban)s” is not an IBAN: letters or digits are missing or too many.",
                      iban=text[:50]),
            "check_digits": _("The check digits of the IBAN %(iban)s do not fit.", iban=text[:50]),
            "not_sepa": _("%(iban)s is an account outside the SEPA area.", iban=text[:50]),
        }  # fmt: skip
        raise InvalidInput(
            messages[error.code],
            remedy=_("Copy it again from the bank card or from a statement."),
            field="iban",
        ) from error


def checked_bic(text: str) -> str:
    """The compact BIC, "" for nothing; InvalidInput (field "bic") for another form."""
    try:
        return read_bic(text)
    except WrongBic as error:
        raise InvalidInput(
            _("“%(bic)s” is not a BIC.", bic=text[:50]),
            remedy=_("It has eight or eleven characters. Inside the SEPA area it may be left out."),
            field="bic",
        ) from error


def bank_accounts(session: Session, cooperative_id: int) -> list[BankAccount]:
    """All accounts: the default one first, then the open ones, then the closed ones."""
    return list(
        session.scalars(
            select(BankAccount)
            .where(BankAccount.cooperative_id == cooperative_id)
            .order_by(
                BankAccount.is_default.desc(), BankAccount.closed_at.is_not(None), BankAccount.id
            )
        )
    )


def default_account(session: Session, cooperative_id: int) -> BankAccount | None:
    """The account that payers are asked to pay on; None while there is none."""
    return session.scalar(
        select(BankAccount).where(
            BankAccount.cooperative_id == cooperative_id, BankAccount.is_default
        )
    )


def require_default_account(session: Session, cooperative: Cooperative) -> BankAccount:
    """The default account. RuleViolation while the cooperative has named none."""
    account = default_account(session, cooperative.id)
    if account is None:
        raise RuleViolation(
            _("%(name)s has named no bank account yet.", name=cooperative.name),
            remedy=_("A treasurer or an administrator names one on the page of bank accounts."),
        )
    return account


def bank_account_by_public_id(
    session: Session, cooperative: Cooperative, public_id: str
) -> BankAccount:
    """The account of that cooperative; NotFound otherwise."""
    found = session.scalar(
        select(BankAccount).where(
            BankAccount.public_id == public_id, BankAccount.cooperative_id == cooperative.id
        )
    )
    if found is None:
        raise NotFound(_("There is no such bank account."), remedy=_("Choose one from the list."))
    return found


def add_bank_account(
    session: Session, actor: Actor, cooperative: Cooperative, *, iban: str, bic: str, holder: str
) -> BankAccount:
    """Name an account; the first open one becomes the default. A closed one is opened again."""
    actor.require(Permission.BANK_ACCOUNTS_MANAGE, cooperative.id)
    compact, code = checked_iban(iban), checked_bic(bic)
    holder = " ".join(holder.split())
    if not 1 <= len(holder) <= 70:
        raise InvalidInput(
            _("The name of the account holder has 1 to 70 characters."),
            remedy=_("Write it as the bank has it."),
            field="holder",
        )
    _lock(session, cooperative)
    account = session.scalar(
        select(BankAccount).where(
            BankAccount.cooperative_id == cooperative.id, BankAccount.iban == compact
        )
    )
    if account is not None and account.is_open:
        raise Conflict(
            _("The account %(iban)s is named already.", iban=show_iban(compact)),
            remedy=_("Choose it from the list."),
            field="iban",
        )
    if account is None:
        account = BankAccount(cooperative_id=cooperative.id, iban=compact, opened_at=clock.now())
        session.add(account)
    account.bic, account.holder, account.closed_at = code, holder, None
    account.is_default = default_account(session, cooperative.id) is None
    session.flush()
    _record(session, actor, account, "named")
    return account


def make_default(session: Session, actor: Actor, account: BankAccount) -> None:
    """Ask payers to pay on this account from now on. RuleViolation for a closed one."""
    actor.require(Permission.BANK_ACCOUNTS_MANAGE, account.cooperative_id)
    _lock(session, account.cooperative)
    session.refresh(account)
    if not account.is_open:
        raise RuleViolation(
            _("The account %(iban)s is closed.", iban=show_iban(account.iban)),
            remedy=_("Choose an open one."),
        )
    former = default_account(session, account.cooperative_id)
    if former is account:
        return
    if former is not None:
        former.is_default = False
        session.flush()
    account.is_default = True
    session.flush()
    _record(session, actor, account, "made_default")


def close_account(session: Session, actor: Actor, account: BankAccount) -> None:
    """Use the account no more: statements of it are refused from now on.

    Raises RuleViolation while a payment file made on it was not followed to its end.
    """
    actor.require(Permission.BANK_ACCOUNTS_MANAGE, account.cooperative_id)
    _lock(session, account.cooperative)
    session.refresh(account)
    if not account.is_open:
        return
    waiting = session.scalar(
        select(PaymentBatch.id)
        .where(
            PaymentBatch.bank_account_id == account.id,
            PaymentBatch.state.in_([BatchState.MADE.value, BatchState.SENT.value]),
        )
        .limit(1)
    )
    if waiting is not None:
        raise RuleViolation(
            _("A payment file on this account was not yet followed to its end."),
            remedy=_("Read the statement that shows its payments first, or cancel the file."),
        )
    account.is_default = False
    account.closed_at = clock.now()
    session.flush()
    _record(session, actor, account, "closed")


def _lock(session: Session, cooperative: Cooperative) -> None:
    """Who changes the accounts of a cooperative waits for the one before."""
    lock_register(session, cooperative.id)


def _record(session: Session, actor: Actor, account: BankAccount, action: str) -> None:
    audit.record(
        session,
        actor,
        f"payments:account:{action}",
        cooperative_id=account.cooperative_id,
        subject=f"bank_account:{account.public_id}",
    )
