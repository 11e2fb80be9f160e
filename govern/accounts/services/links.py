"""Signing in by a link in a mail.

Asking writes one row and does nothing else, whoever is meant (``request_link``). A job finds out
who that is, makes one link per address and mails it (``answer_request``). Opening the link shows
whom it signs in; only pressing the button uses it up, so that programs which open links in mails
to inspect them do not (``read_link``, ``use_link``).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

import flask
from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from govern import clock
from govern.accounts.models import Account, SignInLink, SignInRequest
from govern.accounts.rules import (
    LINK_LIFE,
    LINK_SPACING,
    Person,
    SignInCandidate,
    fold_email,
    fold_identifier,
    people_among,
    safe_next,
)
from govern.accounts.services.sessions import SIGN_IN_MAIL
from govern.accounts.services.sign_in import candidates_for, open_account
from govern.accounts.tags import keyed_tag, make_token, token_hash
from govern.database import changed_rows
from govern.errors import InvalidInput, NotFound
from govern.jobs import enqueue
from govern.mail import queue_mail

ANSWER_JOB = "accounts.answer_request"
STALE_REQUEST = timedelta(hours=1)


def request_link(
    session: Session, identifier: str, *, language: str, next_path: str = ""
) -> SignInRequest:
    """Note that somebody who goes by ``identifier`` wants a link; a job does the rest."""
    request = SignInRequest(
        identifier=fold_identifier(identifier),
        language=language,
        next_path=safe_next(next_path),
        requested_at=clock.now(),
    )
    session.add(request)
    session.flush()
    enqueue(session, ANSWER_JOB, request.id)
    return request


def answer_request(session: Session, request_id: int) -> int:
    """Mail a link to each address behind a request and delete the request; how many were mailed.

    An address to which a link went out in the last four minutes, for the same people, gets no
    second one: that link is still good. A request that has waited for an hour is dropped.
    """
    request = session.get(SignInRequest, request_id)
    if request is None:
        return 0
    session.delete(request)
    session.execute(delete(SignInLink).where(SignInLink.expires_at <= clock.now()))
    if request.requested_at <= clock.now() - STALE_REQUEST:
        return 0
    by_address: defaultdict[str, list[SignInCandidate]] = defaultdict(list)
    for candidate in candidates_for(session, request.identifier):
        if candidate.email:
            by_address[fold_email(candidate.email)].append(candidate)
    return sum(
        _send_link(session, request, candidates) for _address, candidates in by_address.items()
    )


def _send_link(session: Session, request: SignInRequest, candidates: list[SignInCandidate]) -> bool:
    address = candidates[0].email or ""
    tag = keyed_tag("sign-in address", fold_email(address))
    people = people_among(candidates)
    keys = [person.key for person in people]
    recent = session.scalars(
        select(SignInLink).where(
            SignInLink.address_tag == tag, SignInLink.made_at > clock.now() - LINK_SPACING
        )
    )
    if any(set(keys) <= set(link.candidates) for link in recent):
        return False
    token = make_token()
    try:
        _queue_link_mail(session, address, people, token, request.language)
    except InvalidInput:
        # An address in the register that no mail can go to; the registrar sees it there.
        return False
    session.add(
        SignInLink(
            token_hash=token_hash(token),
            address_tag=tag,
            identifier=request.identifier,
            candidates=keys,
            next_path=request.next_path,
            made_at=clock.now(),
            expires_at=clock.now() + LINK_LIFE,
        )
    )
    return True


def _queue_link_mail(
    session: Session, address: str, people: list[Person], token: str, asked_in: str
) -> None:
    public_url = flask.current_app.config["GOVERN"].public_url
    queue_mail(
        session,
        cooperative_id=None,
        to_address=address,
        to_name=people[0].name if len(people) == 1 else "",
        language=_language_of(session, people, asked_in),
        template="sign_in_link",
        context={
            "link": f"{public_url}/sign-in/link/{token}",
            "minutes": int(LINK_LIFE.total_seconds() // 60),
            "people": people,
        },
        dedupe_key=f"sign-in:{token_hash(token)[:40]}",
        category=SIGN_IN_MAIL,
        secret=True,
    )


def _language_of(session: Session, people: list[Person], asked_in: str) -> str:
    """The language of the account where one person is meant, else that of the page."""
    if len(people) == 1 and people[0].account_id is not None:
        account = session.get(Account, people[0].account_id)
        if account is not None:
            return account.language
    return asked_in


@dataclass(frozen=True)
class OpenLink:
    """A link that may still be used: whom it signs in, and where the person was going."""

    people: tuple[Person, ...]
    next_path: str


def read_link(session: Session, token: str) -> OpenLink:
    """Whom the link of ``token`` may sign in, without using it up; NotFound if it is over."""
    link = session.get(SignInLink, token_hash(token))
    if link is None or link.expires_at <= clock.now():
        raise _over()
    people = _people_of(session, link)
    if not people:
        raise _over()
    return OpenLink(tuple(people), link.next_path)


def use_link(session: Session, token: str, key: str) -> Account:
    """Use the link up and return the account of the chosen person (opened the first time).

    ``key`` is one of the link's people; "" will do where there is one. Raises NotFound if the
    link is over, or the person is not one whom it may sign in.
    """
    opened = read_link(session, token)
    keys = [person.key for person in opened.people]
    if not key and len(keys) == 1:
        key = keys[0]
    if key not in keys:
        raise NotFound(
            _("This link does not belong to the person whom you chose."),
            remedy=_("Go back and choose again."),
        )
    used = session.execute(
        delete(SignInLink).where(
            SignInLink.token_hash == token_hash(token), SignInLink.expires_at > clock.now()
        )
    )
    if changed_rows(used) == 0:
        # Somebody pressed the button twice: the first press has signed in already.
        raise _over()
    return open_account(session, key)


def _people_of(session: Session, link: SignInLink) -> list[Person]:
    """Those of the link's people who still go by the identifier and have the address.

    Whoever opened their account since the link was sent is found again as that account.
    """
    allowed = set(link.candidates)
    found = [
        candidate
        for candidate in candidates_for(session, link.identifier)
        if candidate.email
        and keyed_tag("sign-in address", fold_email(candidate.email)) == link.address_tag
        and (candidate.key in allowed or f"person:{candidate.person_id}" in allowed)
    ]
    return people_among(found)


def _over() -> NotFound:
    return NotFound(
        _("This link has been used or is too old."), remedy=_("Ask for a new one below.")
    )
