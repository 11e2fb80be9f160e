"""Imports of a register: the uploaded file, what is wrong in it, and what it would change."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.register.models.people import one_of


class ImportState(StrEnum):
    """Where an import stands. ``checking`` and ``importing`` are worked on by a job."""

    MAPPING = "mapping"
    CHECKING = "checking"
    CHECKED = "checked"
    IMPORTING = "importing"
    IMPORTED = "imported"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ImportKind(StrEnum):
    """``table``: one row per member. ``odoo``: the three files of an Odoo export."""

    TABLE = "table"
    ODOO = "odoo"


class Severity(StrEnum):
    """An ``error`` keeps the row out; a ``warning`` asks to look; a ``note`` says what was done."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class ImportBatch(db.Model):  # type: ignore[name-defined]
    """One uploaded file (of ``kind`` odoo: three) on its way into the register.

    ``mapping`` says which column (counted from 0) holds which field; of an Odoo export the columns
    are recognised by themselves, and ``options`` holds what was said about it. ``counts`` is what
    the preview and the end report show. ``job_id`` is the background job of the present step.
    ``plan_digest`` covers everything that the preview says will change: what is confirmed is what
    was shown.
    """

    __tablename__ = "import_batch"
    __table_args__ = (
        CheckConstraint(one_of("state", ImportState), name="state_known"),
        CheckConstraint(one_of("kind", ImportKind), name="kind_known"),
        Index("ix_import_batch_cooperative", "cooperative_id", "created_at"),
        Index("ix_import_batch_state", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    kind: Mapped[str] = mapped_column(String(10), default=ImportKind.TABLE.value)
    state: Mapped[str] = mapped_column(String(12))
    file_name: Mapped[str] = mapped_column(String(200))
    file_digest: Mapped[str] = mapped_column(String(64))
    file_size: Mapped[int]
    layout: Mapped[dict[str, Any]] = mapped_column(JSON)
    mapping: Mapped[dict[str, int]] = mapped_column(JSON)
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    hold_back_duplicates: Mapped[bool] = mapped_column(default=False)
    job_id: Mapped[int | None]
    plan_digest: Mapped[str] = mapped_column(String(64), default="")
    rows_total: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    failure: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(2))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    forgotten_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ImportFile(db.Model):  # type: ignore[name-defined]
    """The bytes of an import: the ``source`` as uploaded (of an Odoo export ``partners``,
    ``register`` and ``lines``), or the rows to ``mend``.

    All hold personal data: they are deleted when they have served (``purge_imports``).
    """

    __tablename__ = "import_file"
    __table_args__ = (
        CheckConstraint(
            "role IN ('source', 'mend', 'partners', 'register', 'lines')", name="role_known"
        ),
    )

    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(10), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportProblem(db.Model):  # type: ignore[name-defined]
    """One oddity: ``row`` as a spreadsheet counts (header = 1), the column's header, the value.
    ``file`` tells the files of an Odoo export apart, and is empty where there is one.

    ``code`` and ``params`` become a sentence and a remedy in the reader's language.
    """

    __tablename__ = "import_problem"
    __table_args__ = (
        CheckConstraint(one_of("severity", Severity), name="severity_known"),
        Index("ix_import_problem_row", "batch_id", "severity", "row"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"))
    file: Mapped[str] = mapped_column(String(10), default="")
    row: Mapped[int]
    column: Mapped[str] = mapped_column(String(200))
    value: Mapped[str] = mapped_column(String(200))
    severity: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(40))
    params: Mapped[dict[str, Any]] = mapped_column(JSON)


class ImportChange(db.Model):  # type: ignore[name-defined]
    """One contact datum (or ending) of a known member that the file would change."""

    __tablename__ = "import_change"
    __table_args__ = (Index("ix_import_change_row", "batch_id", "row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"))
    row: Mapped[int]
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"))
    field: Mapped[str] = mapped_column(String(20))
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
