"""People, organisations and their memberships.

A membership belongs to one cooperative and to exactly one holder: a person, or an organisation
that a named person represents. Contact data (address, e-mail, language) belongs to the
membership: one cooperative's register never reads another's.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.accounts.models import Account
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.database import UtcDateTime, make_public_id
from govern.extensions import db


class MemberKind(StrEnum):
    """A natural person or a legal one."""

    NATURAL = "natural"
    LEGAL = "legal"


class EndReason(StrEnum):
    """Why a membership ended. An import that gives only a date leaves it ``unstated``."""

    RESIGNATION = "resignation"
    DEATH = "death"
    EXCLUSION = "exclusion"
    LOSS_OF_STATUS = "loss_of_status"
    TRANSFER = "transfer"
    UNSTATED = "unstated"


def one_of(column: str, values: type[StrEnum] | tuple[str, ...]) -> str:
    """The SQL condition that ``column`` holds one of ``values``."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class Person(db.Model):  # type: ignore[name-defined]
    """A natural person: a member, the representative of a member organisation, or both.

    ``name_key`` is the folded name, for finding the same person written twice.
    """

    __tablename__ = "person"
    __table_args__ = (Index("ix_person_name_key", "name_key", "birth_date"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    given_name: Mapped[str] = mapped_column(String(120))
    family_name: Mapped[str] = mapped_column(String(120))
    birth_date: Mapped[date | None]
    name_key: Mapped[str] = mapped_column(String(500))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    account: Mapped[Account | None] = relationship()

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class Organisation(db.Model):  # type: ignore[name-defined]
    """A legal person. ``enterprise_number`` is compact, its check digits verified.

    ``country`` is the one whose numbering it follows.
    """

    __tablename__ = "organisation"
    __table_args__ = (CheckConstraint("length(country) = 2", name="country_length"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(250))
    enterprise_number: Mapped[str] = mapped_column(String(40), index=True)
    country: Mapped[str] = mapped_column(String(2))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    representatives: Mapped[list[Representative]] = relationship(
        back_populates="organisation", order_by="Representative.starts_on"
    )


class Representative(db.Model):  # type: ignore[name-defined]
    """The one person through whom an organisation votes, from ``starts_on`` until ``ends_on``.

    ``ends_on`` is the first day on which the person no longer represents; None while open.
    """

    __tablename__ = "representative"
    __table_args__ = (
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="ends_after_start"),
        Index(
            "uq_representative_open",
            "organisation_id",
            unique=True,
            sqlite_where=text("ends_on IS NULL"),
            postgresql_where=text("ends_on IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    organisation: Mapped[Organisation] = relationship(back_populates="representatives")
    person: Mapped[Person] = relationship()


class Membership(db.Model):  # type: ignore[name-defined]
    """One member of one cooperative under one member number.

    ``joined_on`` is the day of admission; membership takes effect then or when the first share is
    paid, whichever is later. ``ended_on`` is the first day that is no longer covered (at its end
    the member is not on a roll). ``search_text`` and ``sort_name`` are folded for finding and
    ordering; ``email_key`` and ``number_key`` are the address and the number as they are compared
    when somebody signs in.
    """

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("cooperative_id", "member_number"),
        CheckConstraint("(person_id IS NULL) <> (organisation_id IS NULL)", name="one_holder"),
        CheckConstraint("ended_on IS NULL OR ended_on >= joined_on", name="ends_after_joining"),
        CheckConstraint("(ended_on IS NULL) = (end_reason IS NULL)", name="ending_has_reason"),
        CheckConstraint(
            f"end_reason IS NULL OR {one_of('end_reason', EndReason)}", name="end_reason_known"
        ),
        CheckConstraint(one_of("language", LOCALES), name="language_known"),
        CheckConstraint("(email IS NULL) = (email_key IS NULL)", name="email_has_key"),
        Index("ix_membership_sorted", "cooperative_id", "sort_name", "id", "ended_on"),
        Index("ix_membership_email", "email_key", "cooperative_id"),
        Index("ix_membership_ended", "cooperative_id", "ended_on", "organisation_id"),
        Index("ix_membership_number", "number_key", "cooperative_id"),
        # Who holds two memberships, and who has not joined yet, without reading the rows.
        Index(
            "ix_membership_holder",
            "cooperative_id",
            "person_id",
            "organisation_id",
            "ended_on",
            "joined_on",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    member_number: Mapped[str] = mapped_column(String(40))
    number_key: Mapped[str] = mapped_column(String(40))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    joined_on: Mapped[date]
    ended_on: Mapped[date | None]
    end_reason: Mapped[str | None] = mapped_column(String(20))
    end_note: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(2))
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254))
    street: Mapped[str] = mapped_column(String(250), default="")
    postal_code: Mapped[str] = mapped_column(String(20), default="")
    town: Mapped[str] = mapped_column(String(120), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    sort_name: Mapped[str] = mapped_column(String(500))
    search_text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    cooperative: Mapped[Cooperative] = relationship()
    person: Mapped[Person | None] = relationship()
    organisation: Mapped[Organisation | None] = relationship()
    categories: Mapped[list[MembershipCategory]] = relationship(
        back_populates="membership", order_by="MembershipCategory.starts_on"
    )

    @property
    def kind(self) -> MemberKind:
        return MemberKind.NATURAL if self.person_id is not None else MemberKind.LEGAL

    @property
    def display_name(self) -> str:
        """The holder's name: "Given Family", or the organisation's."""
        if self.person is not None:
            return self.person.name
        return self.organisation.name if self.organisation is not None else ""


# The words that are searched, for very large registers (``services.searching``).
Index(
    "ix_membership_words",
    text("array_to_tsvector(string_to_array(btrim(search_text), ' '))"),
    postgresql_using="gin",
    _table=Membership.__table__,
).ddl_if(dialect="postgresql")


COUNTED = "ltrim(member_number, '0123456789') = '' AND length(member_number) BETWEEN 1 AND 18"
"""The condition of the member numbers that are counted on: digits only, at most 18 of them."""

COUNTED_ORDER = ("length(ltrim(member_number, '0'))", "ltrim(member_number, '0')")
"""What puts them in the order of their values, on both databases."""

# The highest number, without looking through all. A query has to use the very same words.
Index(
    "ix_membership_counted",
    Membership.__table__.c.cooperative_id,
    *(text(part) for part in COUNTED_ORDER),
    _table=Membership.__table__,
    sqlite_where=text(COUNTED),
    postgresql_where=text(COUNTED),
)


class MembershipCategory(db.Model):  # type: ignore[name-defined]
    """The category of a membership from ``starts_on`` until ``ends_on`` (exclusive, None: open).

    ``code`` is one of the rule set in force when it was given.
    """

    __tablename__ = "membership_category"
    __table_args__ = (
        UniqueConstraint("membership_id", "starts_on"),
        CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name="ends_after_start"),
        Index(
            "uq_membership_category_open",
            "membership_id",
            unique=True,
            sqlite_where=text("ends_on IS NULL"),
            postgresql_where=text("ends_on IS NULL"),
        ),
        Index("ix_membership_category_code", "code", "membership_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"))
    code: Mapped[str] = mapped_column(String(20))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    membership: Mapped[Membership] = relationship(back_populates="categories")
