"""What the pages of elections show, read from the database. Nothing here changes anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import Forbidden, NotFound
from govern.i18n import current_language
from govern.paging import Page, paginate
from govern.register.models import RollEntry
from govern.register.services.rolls import entries_for_account, memberships_for_account
from govern.voting.models import (
    BoxState,
    Election,
    ElectionEvent,
    ElectionQuestion,
    ElectionTrustee,
    TrusteeState,
)
from govern.voting.protocol.archive import EventType
from govern.voting.rules import BEFORE_OPENING, ElectionState, Texts
from govern.voting.services.attendance import entries_that_voted

_TRACKER = re.compile(r"[A-Za-z0-9+/]{4,43}")
LANGUAGE_ORDER = ("fr", "nl", "de", "en")


def require_visible(actor: Actor, election: Election) -> None:
    """Raise NotFound for a draft, unless the actor works on elections of the cooperative."""
    if election.stage is ElectionState.DRAFT and not actor.may(
        Permission.ELECTION_MANAGE, election.cooperative_id
    ):
        raise NotFound(
            _("There is no such election."), remedy=_("Check the address for a missing letter.")
        )


def elections_of(
    session: Session, actor: Actor, cooperative: Cooperative, limit: int | None = None
) -> list[Election]:
    """The elections of a cooperative, latest first; drafts only for those who make them."""
    query = (
        select(Election)
        .where(Election.cooperative_id == cooperative.id)
        .order_by(Election.opens_at.desc(), Election.id.desc())
    )
    if not actor.may(Permission.ELECTION_MANAGE, cooperative.id):
        query = query.where(Election.state != ElectionState.DRAFT.value)
    return list(session.scalars(query.limit(limit) if limit else query))


@dataclass(frozen=True)
class LocalText:
    """A text of the election in the reader's language; another language is named, not hidden."""

    text: str
    language: str
    is_fallback: bool


def in_language(texts: Texts) -> LocalText:
    """The text in the current language, else in the first that there is."""
    wanted = current_language()
    if texts.get(wanted):
        return LocalText(texts[wanted], wanted, False)
    for code in LANGUAGE_ORDER:
        if texts.get(code):
            return LocalText(texts[code], code, True)
    return LocalText("", wanted, False)


@dataclass(frozen=True)
class Standing:
    """One member of the roll for whom the person who asks may vote."""

    entry: RollEntry
    is_own: bool
    has_voted: bool


def standings(session: Session, election: Election, account_id: int | None) -> list[Standing]:
    """For whom an account may vote: its own membership, and organisations it represents."""
    if account_id is None:
        return []
    entries = entries_for_account(session, election.roll, account_id)
    voted = entries_that_voted(session, election, [entry.id for entry in entries])
    return [Standing(entry, entry.kind == "natural", entry.id in voted) for entry in entries]


def own_entry(
    session: Session, election: Election, account_id: int | None, wanted: int | None
) -> RollEntry:
    """The entry for which the account votes: the one ``wanted``, or its only one.

    Raises Forbidden for somebody else's entry, and where there is none or more than one.
    """
    entries = [] if account_id is None else entries_for_account(session, election.roll, account_id)
    if wanted is not None:
        entries = [entry for entry in entries if entry.id == wanted]
    if not entries:
        raise Forbidden(
            _("You are not on the roll of this election."),
            remedy=_("The page of the election says why, and whom to ask."),
        )
    if len(entries) > 1:
        raise Forbidden(
            _("You may vote for more than one member: say for which."),
            remedy=_("Open the booth again from the page of the election."),
        )
    return entries[0]


@dataclass(frozen=True)
class BoardLine:
    """One ballot on the public board. ``replaced_by``: height of the ballot that counts instead."""

    height: int
    tracker: str
    day: date
    event_hash: str
    replaced_by: int | None


@dataclass(frozen=True)
class Board:
    """The public board: a page of ballots, and the end of the chain."""

    page: Page[BoardLine]
    height: int
    head: str
    ballots: int
    voters: int


def find_tracker(text: str) -> str | None:
    """What was typed as (the beginning of) a tracker, or None if it cannot be one."""
    compact = "".join(text.split())
    return compact if _TRACKER.fullmatch(compact) else None


def read_board(session: Session, election: Election, tracker: str | None = None) -> Board:
    """One page of the board (``?page=``), latest ballot first, or those with that tracker."""
    box = session.get(BoxState, election.id)
    if box is None:
        raise NotFound(
            _("This election has no ballot box yet."), remedy=_("Come back when it has opened.")
        )
    query: Select[tuple[ElectionEvent]] = (
        select(ElectionEvent)
        .where(
            ElectionEvent.election_id == election.id,
            ElectionEvent.kind == EventType.BALLOT.value,
        )
        .order_by(ElectionEvent.height.desc())
    )
    total: int | None = box.ballots
    if tracker:
        # substr, not LIKE: capital and small letters differ in a tracker on every database.
        query = query.where(func.substr(ElectionEvent.tracker, 1, len(tracker)) == tracker)
        total = None
    page = paginate(session, query, total=total)
    last = _last_heights(session, election, [event.credential for event in page.items])
    lines = [
        BoardLine(
            event.height,
            event.tracker,
            event.day,
            event.hash,
            last[event.credential] if last[event.credential] != event.height else None,
        )
        for event in page.items
    ]
    shown = Page(lines, page.page, page.pages, page.total, page.per_page)
    return Board(shown, box.height, box.head, box.ballots, box.voters)


def _last_heights(
    session: Session, election: Election, credentials: Sequence[str | None]
) -> dict[str | None, int]:
    rows = session.execute(
        select(ElectionEvent.credential, func.max(ElectionEvent.height))
        .where(ElectionEvent.election_id == election.id, ElectionEvent.credential.in_(credentials))
        .group_by(ElectionEvent.credential)
    )
    return {row[0]: row[1] for row in rows}


def questions_of(election: Election) -> list[ElectionQuestion]:
    """The questions in their order."""
    return sorted(election.questions, key=lambda question: question.position)


def open_elections_for(session: Session, account_id: int) -> list[tuple[Election, list[Standing]]]:
    """Elections that are open now and in which the account may vote for somebody."""
    memberships = memberships_for_account(session, account_id)
    rolls = select(RollEntry.roll_id).where(
        RollEntry.membership_id.in_([item.id for item in memberships])
    )
    found = session.scalars(
        select(Election)
        .where(
            Election.state.in_([ElectionState.OPEN.value, ElectionState.CREDENTIALS.value]),
            Election.closes_at > clock.now(),
            Election.roll_id.in_(rolls),
        )
        .order_by(Election.closes_at)
    )
    return [(election, standings(session, election, account_id)) for election in found]


def trustee_tasks(session: Session, account_id: int) -> list[ElectionTrustee]:
    """Where an account must make a key or open its part of the count."""
    return list(
        session.scalars(
            select(ElectionTrustee)
            .join(ElectionTrustee.election)
            .where(
                ElectionTrustee.account_id == account_id,
                or_(
                    (Election.state == ElectionState.KEYS.value)
                    & (ElectionTrustee.state == TrusteeState.INVITED.value),
                    (Election.state == ElectionState.TALLYING.value)
                    & Election.recounted_at.is_not(None)
                    & Election.unsound_since.is_(None)
                    & (ElectionTrustee.state == TrusteeState.KEY_REGISTERED.value),
                ),
            )
            .order_by(ElectionTrustee.election_id)
        )
    )


def is_before_opening(election: Election) -> bool:
    """Whether everything but the fixed bytes may still be changed."""
    return election.stage in BEFORE_OPENING
