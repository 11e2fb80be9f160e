"""What the register, the accounts and the outbox keep about a person, section by section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from govern.accounts.models import RoleGrant
from govern.accounts.services import running_sessions
from govern.accounts.words import ROLE_NAMES
from govern.i18n import LANGUAGE_NAMES, instant, local_day, money
from govern.i18n import day as in_words
from govern.mail import Channel, DeliveryState, OutboxMail
from govern.register.hooks import OwnSection
from govern.register.models import (
    ContactProblem,
    EndReason,
    EntryKind,
    EntryRemark,
    Erasure,
    ErasureState,
    Membership,
    Person,
    Representative,
    Roll,
    RollEntry,
    ShareEntry,
)
from govern.register.services.certificate_document import spaced
from govern.register.services.own_mails import mails_to
from govern.register.services.privacy import readings_of
from govern.register.texts import END_REASON_NAMES, ENTRY_KIND_NAMES
from govern.register.texts.privacy import ERASURE_STATE_NAMES


def register_sections(session: Session, person: Person) -> Sequence[OwnSection]:
    """What the register, the accounts and the outbox keep about ``person``."""
    memberships = memberships_of_person(session, person)
    return [
        _identity(person),
        _memberships(memberships),
        _categories(memberships),
        _ledger(session, memberships),
        _representations(session, person),
        _rolls(session, person, memberships),
        _address_problems(session, memberships),
        _mails(session, person, memberships),
        _account(session, person),
        _roles(session, person),
        _readings(session, memberships),
        _erasures(session, memberships),
    ]


def memberships_of_person(session: Session, person: Person) -> Sequence[Membership]:
    """The person's own memberships, in every cooperative."""
    return session.scalars(
        select(Membership).where(Membership.person_id == person.id).order_by(Membership.id)
    ).all()


def _section(
    key: str, title: str, headings: Sequence[str], rows: Any, note: str = ""
) -> OwnSection:
    return OwnSection(
        key, title, list(headings), [[str(cell) for cell in row] for row in rows], note
    )


def _identity(person: Person) -> OwnSection:
    return _section(
        "person",
        _("Who you are"),
        [_("Name"), _("Birth date")],
        [[person.name, in_words(person.birth_date) if person.birth_date else "–"]],
    )


def _memberships(memberships: Sequence[Membership]) -> OwnSection:
    return _section(
        "memberships",
        _("Memberships"),
        [
            _("Cooperative"),
            _("Member number"),
            _("Admitted on"),
            _("Ended on"),
            _("Reason of the ending"),
            _("Note on the ending"),
            _("E-mail"),
            _("Address"),
            _("Language"),
        ],
        [
            [
                row.cooperative.name,
                row.member_number,
                in_words(row.joined_on),
                in_words(row.ended_on) if row.ended_on else "–",
                END_REASON_NAMES[EndReason(row.end_reason)] if row.end_reason else "–",
                row.end_note or "–",
                row.email or "–",
                " ".join(
                    part for part in (row.street, row.postal_code, row.town, row.country) if part
                )
                or "–",
                LANGUAGE_NAMES.get(row.language, row.language),
            ]
            for row in memberships
        ],
    )


def _categories(memberships: Sequence[Membership]) -> OwnSection:
    return _section(
        "categories",
        _("Categories"),
        [_("Member number"), _("Category"), pgettext("day", "From"), _("Until")],
        [
            [
                row.member_number,
                item.code,
                in_words(item.starts_on),
                in_words(item.ends_on) if item.ends_on else "–",
            ]
            for row in memberships
            for item in row.categories
        ],
    )


def _ledger(session: Session, memberships: Sequence[Membership]) -> OwnSection:
    numbers = {row.id: row.member_number for row in memberships}
    rows = session.execute(
        select(ShareEntry, EntryRemark.text)
        .outerjoin(EntryRemark, EntryRemark.entry_id == ShareEntry.id)
        .where(ShareEntry.membership_id.in_(numbers))
        .order_by(ShareEntry.cooperative_id, ShareEntry.sequence)
    )
    return _section(
        "ledger",
        _("Share ledger"),
        [
            _("Member number"),
            _("Entry"),
            _("What"),
            _("Counts from"),
            _("Recorded"),
            _("Shares"),
            _("Share numbers"),
            _("Capital"),
            _("Remark"),
        ],
        [
            [
                numbers[entry.membership_id],
                entry.sequence,
                ENTRY_KIND_NAMES[EntryKind(entry.kind)],
                in_words(entry.effective_on, "medium"),
                instant(entry.recorded_at, "short"),
                entry.shares,
                spaced(entry.numbers) or "–",
                money(entry.amount_cents),
                remark or "–",
            ]
            for entry, remark in rows
        ],
    )


def _representations(session: Session, person: Person) -> OwnSection:
    rows = session.scalars(
        select(Representative)
        .where(Representative.person_id == person.id)
        .order_by(Representative.starts_on)
    )
    return _section(
        "representations",
        _("Organisations that you represent"),
        [_("Organisation"), pgettext("day", "From"), _("Until")],
        [
            [
                row.organisation.name,
                in_words(row.starts_on),
                in_words(row.ends_on) if row.ends_on else "–",
            ]
            for row in rows
        ],
    )


def _rolls(session: Session, person: Person, memberships: Sequence[Membership]) -> OwnSection:
    named = or_(
        RollEntry.membership_id.in_([row.id for row in memberships]),
        (RollEntry.representative == person.name) & _of_represented(session, person),
    )
    rows = session.execute(
        select(Roll, RollEntry)
        .join(RollEntry, RollEntry.roll_id == Roll.id)
        .where(named)
        .order_by(Roll.record_date, Roll.id)
    )
    return _section(
        "rolls",
        _("Rolls that you stand on"),
        [_("Roll"), _("Record date"), _("Name"), _("Category"), _("Shares paid"), _("E-mail")],
        [
            [
                roll.title,
                in_words(roll.record_date),
                entry.display_name,
                entry.category,
                entry.shares_paid,
                entry.email or "–",
            ]
            for roll, entry in rows
        ],
        _("Whether and when you took part in a vote is shown on the page of the vote only."),
    )


def _of_represented(session: Session, person: Person) -> Any:
    organisations = select(Representative.organisation_id).where(
        Representative.person_id == person.id
    )
    return RollEntry.membership_id.in_(
        select(Membership.id).where(Membership.organisation_id.in_(organisations))
    )


def _address_problems(session: Session, memberships: Sequence[Membership]) -> OwnSection:
    numbers = {row.id: row.member_number for row in memberships}
    rows = session.scalars(
        select(ContactProblem)
        .where(ContactProblem.membership_id.in_(numbers))
        .order_by(ContactProblem.id)
    )
    return _section(
        "address_problems",
        _("Addresses at which you could not be reached"),
        [_("Member number"), _("Address"), _("Noted on"), _("Reason"), _("Cleared on")],
        [
            [
                numbers[row.membership_id],
                row.about.replace("\n", " "),
                in_words(row.noted_on),
                row.reason,
                in_words(row.cleared_on) if row.cleared_on else "–",
            ]
            for row in rows
        ],
    )


def _mails(session: Session, person: Person, memberships: Sequence[Membership]) -> OwnSection:
    rows = session.scalars(
        select(OutboxMail)
        .where(
            mails_to(session, memberships, person),
            OutboxMail.state.in_([DeliveryState.SENT.value, DeliveryState.UNCLEAR.value]),
        )
        .order_by(OutboxMail.id)
    )
    return _section(
        "mails",
        _("Mails and letters sent to you"),
        [_("Day"), _("Subject"), _("Way")],
        [
            [
                in_words(local_day(row.sent_at or row.created_at), "medium"),
                row.subject or _("with a secret, which is not kept"),
                _("e-mail") if row.channel == Channel.EMAIL.value else _("letter"),
            ]
            for row in rows
        ],
    )


def _account(session: Session, person: Person) -> OwnSection:
    account = person.account
    rows: list[list[str]] = []
    if account is not None:
        rows = [
            [_("Name"), account.name],
            [_("E-mail"), account.email or "–"],
            [_("Language"), LANGUAGE_NAMES.get(account.language, account.language)],
            [_("Opened on"), in_words(account.created_on)],
            [
                _("Ways to sign in"),
                _("password, or a link by mail") if account.password_hash else _("link by mail"),
            ],
        ]
        rows += [
            [
                _("Signed in on"),
                f"{row.device or _('A device that we do not recognise')}, "
                f"{in_words(row.started_on)}",
            ]
            for row in running_sessions(session, account)
        ]
    return _section(
        "account",
        _("Your account"),
        [_("What"), _("Kept")],
        rows,
        _("Of a password only a hash is kept, from which nobody can read it."),
    )


def _roles(session: Session, person: Person) -> OwnSection:
    rows = session.scalars(
        select(RoleGrant)
        .where(RoleGrant.account_id == person.account_id)
        .order_by(RoleGrant.starts_at)
    )
    names = {role.value: name for role, name in ROLE_NAMES.items()}
    return _section(
        "roles",
        _("Roles"),
        [_("Cooperative"), _("Role"), pgettext("day", "From"), _("Until")],
        [
            [
                row.cooperative.name,
                names.get(row.role, row.role),
                in_words(local_day(row.starts_at)),
                in_words(local_day(row.ends_at)) if row.ends_at else "–",
            ]
            for row in rows
        ],
    )


def _readings(session: Session, memberships: Sequence[Membership]) -> OwnSection:
    return _section(
        "readings",
        _("Who looked at your record"),
        [_("Member number"), _("Day"), _("Role"), _("What")],
        [
            [
                row.member_number,
                in_words(reading.day),
                ", ".join(str(ROLE_NAMES[role]) for role in reading.roles),
                _("took the whole register out") if reading.whole_register else _("your record"),
            ]
            for row in memberships
            for reading in readings_of(session, row, limit=1000)
        ],
    )


def _erasures(session: Session, memberships: Sequence[Membership]) -> OwnSection:
    numbers = {row.id: row.member_number for row in memberships}
    rows = session.scalars(
        select(Erasure).where(Erasure.membership_id.in_(numbers)).order_by(Erasure.id)
    )
    return _section(
        "erasures",
        _("Requests to erase"),
        [_("Member number"), _("Asked on"), _("State"), _("Note"), _("Kept until")],
        [
            [
                numbers[row.membership_id],
                in_words(local_day(row.requested_at)),
                ERASURE_STATE_NAMES[ErasureState(row.state)],
                row.note or "–",
                in_words(row.keep_until) if row.keep_until else "–",
            ]
            for row in rows
        ],
    )
