"""The examples of all features, and those of the house and of accounts: see ``example.py``."""

from __future__ import annotations

from typing import Any

from govern.accounts.models import Account
from tests.access.example import Example, OfSide
from tests.access.examples_assemblies import ASSEMBLIES
from tests.access.examples_elections import ELECTIONS
from tests.access.examples_joining import JOINING
from tests.access.examples_leaving import LEAVING
from tests.access.examples_payments import PAYMENTS
from tests.access.examples_quality import QUALITY
from tests.access.examples_register import REGISTER
from tests.access.world import EMAIL, Side

# -- the house ---------------------------------------------------------------------------------

HOUSE = {
    "health.alive": Example(),
    # Not ready: the tests run without Redis.
    "health.ready": Example(answers=frozenset({503})),
    "styleguide.show": Example(),
    "home.index": Example(),
    "home.cooperative": Example(),
}

# -- accounts ----------------------------------------------------------------------------------


def _own_session(side: Side) -> dict[str, str]:
    from govern.accounts.models import AccountSession
    from govern.accounts.services import start_session

    if side.caller is None:
        return {"public_id": "of-nobody"}
    start_session(side.session, side.session.get_one(Account, side.caller))
    query = side.session.query(AccountSession).filter_by(account_id=side.caller)
    return {"public_id": query.all()[-1].public_id}


def _link(side: Side) -> dict[str, str]:
    from datetime import timedelta

    from govern import clock
    from govern.accounts.models import SignInLink
    from govern.accounts.rules import fold_email
    from govern.accounts.tags import keyed_tag, make_token, token_hash

    address, token = EMAIL.format(role="nobody", code=side.code), make_token()
    side.session.add(
        SignInLink(
            token_hash=token_hash(token),
            address_tag=keyed_tag("sign-in address", fold_email(address)),
            identifier=address,
            candidates=[f"account:{side.accounts[None]}"],
            made_at=clock.now(),
            expires_at=clock.now() + timedelta(minutes=20),
        )
    )
    return {"token": token}


ACCOUNTS = {
    "accounts.sign_in": Example(
        # Nobody has this password: the page comes back and says so.
        post=Example(
            form={"identifier": "somebody@example.org", "password": "not the right one"},
            answers=frozenset({422}),
        ),
    ),
    "accounts.choose": Example(),
    "accounts.ask_for_link": Example(form={"identifier": "somebody@example.org"}),
    "accounts.link_sent": Example(),
    "accounts.open_link": Example(arguments=_link),
    "accounts.sign_out": Example(),
    "accounts.set_language": Example(form={"language": "nl", "next": "/profile"}),
    "accounts.profile": Example(),
    "accounts.change_password": Example(form={"password": "seven calm badgers dig"}),
    # A member is told that the register keeps the address (422).
    "accounts.change_address": Example(form={"email": "new@example.org"}, answers=frozenset({422})),
    # The link is over for everybody but its owner: back to one's own account, with a message.
    "accounts.confirm_address": Example(arguments={"token": "over"}),
    "accounts.end_one_session": Example(arguments=_own_session),
    "accounts.end_sessions": Example(),
    "accounts.roles": Example(
        form=lambda side: {
            "identifier": EMAIL.format(role="nobody", code=side.code),
            "role": "trustee",
        }
    ),
    "accounts.end_grant": Example(arguments=lambda side: {"grant": side.grant}),
}

# -- the outbox --------------------------------------------------------------------------------


def _outbox(state: str = "failed", channel: str = "email", secret: bool = False) -> OfSide:
    """A mail or letter with one file, of the side that is visited."""

    def make(side: Side) -> dict[str, Any]:
        from govern import clock
        from govern.database import make_public_id
        from govern.mail import Attachment
        from govern.mail.models import OutboxMail
        from govern.mail.queueing import SEALING_PURPOSE, _attach, _pack
        from govern.mail.texts import Letter
        from govern.sealing import seal

        key, file = make_public_id(), Attachment("a.pdf", "application/pdf", b"%PDF")
        mail = OutboxMail(
            public_id=key,
            cooperative_id=side.cooperative_id,
            channel=channel,
            category="notice",
            state=state,
            to_address="ana@example.org" if channel == "email" else "",
            language="fr",
            dedupe_key=key,
            message_id=key,
            is_secret=secret,
            created_at=clock.now(),
            due_at=clock.now(),
        )
        if secret:
            mail.sealed = seal(SEALING_PURPOSE, _pack(Letter("s", "t", ""), [file]))
        side.session.add(mail)
        side.session.flush()
        if not secret:
            _attach(side.session, mail, [file])
        return {"public_id": key}

    return make


def _with_place(make: OfSide) -> OfSide:
    return lambda side: {**make(side), "place": 0}


def _letter(secret: bool = False) -> OfSide:
    def make(side: Side) -> dict[str, Any]:
        _outbox("queued", "letter", secret)(side)  # type: ignore[operator]
        return {}

    return make


OUTBOX = {
    "outbox.show": Example(),
    "outbox.show_mail": Example(arguments=_outbox()),
    "outbox.download_file": Example(arguments=_with_place(_outbox())),
    "outbox.resend_mail": Example(arguments=_outbox()),
    "outbox.cancel_mail": Example(arguments=_outbox()),
    "outbox.resend_failed": Example(),
    "outbox.letters": Example(),
    "outbox.code_letters": Example(),
    "outbox.download_letters": Example(arguments=_letter()),
    "outbox.download_code_letters": Example(arguments=_letter(secret=True)),
    "outbox.mark_letters_posted": Example(),
    "outbox.mark_code_letters_posted": Example(),
    "outbox.mailbox": Example(),
    "outbox.mailbox_mail": Example(arguments=_outbox()),
    "outbox.mailbox_html": Example(arguments=_outbox()),
    "outbox.mailbox_file": Example(arguments=_with_place(_outbox())),
}

EXAMPLES: dict[str, Example] = {
    **HOUSE,
    **ACCOUNTS,
    **OUTBOX,
    **REGISTER,
    **PAYMENTS,
    **QUALITY,
    **JOINING,
    **LEAVING,
    **ELECTIONS,
    **ASSEMBLIES,
}
