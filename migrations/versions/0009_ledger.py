"""Numbers and causes in the share ledger, conversions, transfers by both parties, certificates.

Entries of version 1 get the numbers that follow from replaying the ledger; their hashes stay as
they are. A ledger that has entries of version 2 cannot go back: their hashes cover what the older
tables cannot hold.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from govern.database import append_only_ddl, drop_append_only_ddl
from govern.register.rules.numbers import (
    NumberedRow,
    Numbering,
    Ranges,
    format_numbers,
    number_first_version,
)

revision = "0009_ledger"
down_revision = "0008_payments"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

KINDS = ("subscription", "payment", "transfer_in", "transfer_out", "refund")
CONVERSIONS = ("conversion_out", "conversion_in")
CAUSES = "('sale', 'gift', 'succession', 'merger', 'other')"
FORMER_SIGNS = (
    "(kind = 'subscription' AND amount_cents = 0 AND shares <> 0"
    " AND (shares > 0) = (reverses_id IS NULL))"
    " OR (kind = 'payment' AND shares = 0 AND amount_cents <> 0"
    " AND (amount_cents > 0) = (reverses_id IS NULL))"
    " OR (kind = 'transfer_in' AND shares > 0 AND amount_cents >= 0 AND reverses_id IS NULL)"
    " OR (kind = 'transfer_in' AND shares < 0 AND amount_cents <= 0 AND reverses_id IS NOT NULL)"
    " OR (kind = 'transfer_out' AND shares < 0 AND amount_cents <= 0 AND reverses_id IS NULL)"
    " OR (kind = 'transfer_out' AND shares > 0 AND amount_cents >= 0 AND reverses_id IS NOT NULL)"
    " OR (kind = 'refund' AND shares <= 0 AND amount_cents <= 0"
    " AND (shares < 0 OR amount_cents < 0) AND reverses_id IS NULL)"
    " OR (kind = 'refund' AND shares >= 0 AND amount_cents >= 0"
    " AND (shares > 0 OR amount_cents > 0) AND reverses_id IS NOT NULL)"
)
SIGNS = FORMER_SIGNS + (
    " OR (kind = 'conversion_in' AND shares > 0 AND amount_cents >= 0 AND reverses_id IS NULL)"
    " OR (kind = 'conversion_in' AND shares < 0 AND amount_cents <= 0"
    " AND reverses_id IS NOT NULL)"
    " OR (kind = 'conversion_out' AND shares < 0 AND amount_cents <= 0 AND reverses_id IS NULL)"
    " OR (kind = 'conversion_out' AND shares > 0 AND amount_cents >= 0"
    " AND reverses_id IS NOT NULL)"
)
HASHES = "length(hash) = 64 AND length(previous_hash) = 64 AND length(commitment) = 64"
NEW_COLUMNS = ("version", "numbers", "cause", "row_digest")
ADDED = {
    "version_known": "version IN (1, 2)",
    "shares_have_numbers": "(shares = 0) = (numbers = '')",
    "cause_fits_kind": f"cause = '' OR (cause IN {CAUSES} AND version >= 2"
    " AND kind IN ('transfer_in', 'transfer_out'))",
}


def account_number() -> sa.types.TypeEngine[int]:
    """The type of an account's random number."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def checks(*, former: bool) -> dict[str, str]:
    """The conditions that rows of the ledger fulfil, before and after this migration."""
    kinds = KINDS if former else (*KINDS, *CONVERSIONS)
    return {
        "kind_known": f"kind IN ({', '.join(repr(kind) for kind in kinds)})",
        "signs_fit_kind": FORMER_SIGNS if former else SIGNS,
        "hash_length": HASHES if former else HASHES + " AND length(row_digest) = 64",
    } | ({} if former else ADDED)


def upgrade() -> None:
    connection = op.get_bind()
    op.create_table(
        "share_numbering",
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("share_class", sa.String(20), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "last_number >= 0", name=op.f("ck_share_numbering_last_number_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_share_numbering_cooperative_id_cooperative"),
        ),
        sa.PrimaryKeyConstraint("cooperative_id", "share_class", name=op.f("pk_share_numbering")),
    )
    for statement in drop_append_only_ddl("share_entry", connection.dialect.name):
        op.execute(statement)
    op.add_column("share_entry", sa.Column("version", sa.Integer(), nullable=True))
    op.add_column("share_entry", sa.Column("numbers", sa.Text(), nullable=True))
    op.add_column("share_entry", sa.Column("cause", sa.String(20), nullable=True))
    op.add_column("share_entry", sa.Column("row_digest", sa.String(64), nullable=True))
    for cooperative_id in connection.scalars(
        sa.text("SELECT DISTINCT cooperative_id FROM share_entry ORDER BY 1")
    ).all():
        number_ledger(connection, cooperative_id)
    rebuild(connection, former=False)
    for statement in append_only_ddl("share_entry", connection.dialect.name):
        op.execute(statement)
    create_transfers()
    create_certificates()


def downgrade() -> None:
    connection = op.get_bind()
    later = connection.scalar(sa.text("SELECT count(*) FROM share_entry WHERE version > 1"))
    if later:
        raise RuntimeError(
            f"{later} entries of the share ledger carry numbers in their hashes, which the older "
            "tables cannot hold; go back to a backup from before instead"
        )
    op.drop_table("share_certificate")
    op.drop_table("transfer_request")
    op.drop_table("share_numbering")
    for statement in drop_append_only_ddl("share_entry", connection.dialect.name):
        op.execute(statement)
    rebuild(connection, former=True)
    for statement in append_only_ddl("share_entry", connection.dialect.name):
        op.execute(statement)


# -- the numbers of what is in the ledger already ---------------------------------------------


def number_ledger(connection: sa.Connection, cooperative_id: int) -> None:
    """Give every entry of the cooperative its numbers, in the order of recording."""
    rows = connection.execute(
        sa.text(
            "SELECT e.id, e.cooperative_id, e.sequence, e.membership_id, e.kind, e.share_class,"
            " e.nominal_cents, e.shares, e.effective_on, e.act_id, e.recorded_by_id,"
            " e.reverses_id, e.hash, r.sequence AS reverses"
            " FROM share_entry e LEFT JOIN share_entry r ON e.reverses_id = r.id"
            " WHERE e.cooperative_id = :cooperative ORDER BY e.sequence"
        ),
        {"cooperative": cooperative_id},
    ).all()
    numbering = Numbering()
    known: dict[int, Ranges] = {}
    changes = []
    for _act, of_act in groupby(rows, key=lambda row: row.act_id):
        act = list(of_act)
        known.update(
            number_first_version(numbering, [numbered(row) for row in act], known.__getitem__)
        )
        changes += [
            {
                "key": row.id,
                "numbers": format_numbers(known.get(row.sequence, ())),
                "digest": row_digest(row),
            }
            for row in act
        ]
    connection.execute(
        sa.text(
            "UPDATE share_entry SET version = 1, cause = '', numbers = :numbers,"
            " row_digest = :digest WHERE id = :key"
        ),
        changes,
    )
    for share_class, last in sorted(numbering.last.items()):
        connection.execute(
            sa.text("INSERT INTO share_numbering VALUES (:cooperative, :share_class, :last)"),
            {"cooperative": cooperative_id, "share_class": share_class, "last": last},
        )


def numbered(row: Any) -> NumberedRow:
    day = row.effective_on
    return NumberedRow(
        sequence=row.sequence,
        holder=row.membership_id,
        kind=row.kind,
        lot=(row.share_class, row.nominal_cents),
        shares=row.shares,
        effective_on=day if isinstance(day, date) else date.fromisoformat(day),
        reverses=row.reverses,
    )


def row_digest(row: Any) -> str:
    """As ``govern.register.rules.chain.row_digest``."""
    content = {
        "cooperative": row.cooperative_id,
        "hash": row.hash,
        "id": row.id,
        "membership": row.membership_id,
        "recorded_by": row.recorded_by_id,
        "reverses": row.reverses_id,
    }
    written = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(b"govern/share-row/1\n" + written).hexdigest()


# -- the table of entries ---------------------------------------------------------------------


def rebuild(connection: sa.Connection, *, former: bool) -> None:
    """Bring the table's columns and conditions into their former or their new form."""
    if connection.dialect.name == "sqlite":
        rebuild_sqlite(connection, former=former)
        return
    for name in checks(former=not former):
        op.drop_constraint(op.f(f"ck_share_entry_{name}"), "share_entry", type_="check")
    for column in NEW_COLUMNS:
        if former:
            op.drop_column("share_entry", column)
        else:
            op.alter_column("share_entry", column, nullable=False)
    for name, condition in checks(former=former).items():
        op.create_check_constraint(op.f(f"ck_share_entry_{name}"), "share_entry", condition)


def rebuild_sqlite(connection: sa.Connection, *, former: bool) -> None:
    """SQLite cannot change conditions: a new table takes the place of the old one."""
    columns = [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("share_class", sa.String(20), nullable=False),
        sa.Column("nominal_cents", sa.Integer(), nullable=False),
        sa.Column("shares", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("act_id", sa.String(22), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("reverses_id", sa.Integer()),
        sa.Column("recorded_by_id", account_number()),
        sa.Column("commitment", sa.String(64), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    ]
    if not former:
        columns += [
            sa.Column("version", sa.Integer(), nullable=False),
            sa.Column("numbers", sa.Text(), nullable=False),
            sa.Column("cause", sa.String(20), nullable=False),
            sa.Column("row_digest", sa.String(64), nullable=False),
        ]
    foreign = {
        "cooperative_id": ("cooperative", "id"),
        "membership_id": ("membership", "id"),
        "recorded_by_id": ("account", "id"),
        "reverses_id": ("share_entry", "id"),
    }
    op.create_table(
        "share_entry_rebuilt",
        *columns,
        *(
            sa.CheckConstraint(condition, name=op.f(f"ck_share_entry_{name}"))
            for name, condition in (
                checks(former=former)
                | {
                    "nominal_positive": "nominal_cents > 0",
                    "sequence_positive": "sequence > 0",
                }
            ).items()
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.{key}"], name=op.f(f"fk_share_entry_{column}_{table}")
            )
            for column, (table, key) in foreign.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_entry")),
        sa.UniqueConstraint(
            "cooperative_id", "sequence", name=op.f("uq_share_entry_cooperative_id_sequence")
        ),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_share_entry_reverses_id")),
    )
    names = ", ".join(column.name for column in columns)
    connection.exec_driver_sql(
        f"INSERT INTO share_entry_rebuilt ({names}) SELECT {names} FROM share_entry"
    )
    op.drop_table("share_entry")
    op.rename_table("share_entry_rebuilt", "share_entry")
    op.create_index(op.f("ix_share_entry_act_id"), "share_entry", ["act_id"])
    op.create_index(op.f("ix_share_entry_commitment"), "share_entry", ["commitment"])
    op.create_index(
        "ix_share_entry_effective",
        "share_entry",
        ["cooperative_id", "effective_on", "shares", "amount_cents"],
    )
    op.create_index(
        "ix_share_entry_holding",
        "share_entry",
        ["membership_id", "share_class", "nominal_cents", "effective_on", "shares", "amount_cents"],
    )


# -- transfers and certificates ---------------------------------------------------------------


def create_transfers() -> None:
    op.create_table(
        "transfer_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("giver_id", sa.Integer(), nullable=False),
        sa.Column("receiver_id", sa.Integer()),
        sa.Column("receiver_name", sa.String(250), nullable=False),
        sa.Column("receiver_email", sa.String(254), nullable=False),
        sa.Column("shares", sa.Integer(), nullable=False),
        sa.Column("share_class", sa.String(20), nullable=False),
        sa.Column("numbers", sa.String(500), nullable=False),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("effective_on", sa.Date()),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("proposed_by_id", account_number()),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT),
        sa.Column("answered_by_id", account_number()),
        sa.Column("act_id", sa.String(22)),
        sa.CheckConstraint(
            "state IN ('proposed', 'awaiting_admission', 'completed', 'declined', 'withdrawn',"
            " 'expired')",
            name=op.f("ck_transfer_request_state_known"),
        ),
        sa.CheckConstraint(f"cause IN {CAUSES}", name=op.f("ck_transfer_request_cause_known")),
        sa.CheckConstraint("shares > 0", name=op.f("ck_transfer_request_shares_positive")),
        sa.CheckConstraint(
            "receiver_id IS NULL OR receiver_id <> giver_id",
            name=op.f("ck_transfer_request_two_parties"),
        ),
        sa.CheckConstraint(
            "(state = 'completed') = (act_id IS NOT NULL)",
            name=op.f("ck_transfer_request_completed_has_act"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('proposed', 'completed') OR receiver_id IS NOT NULL",
            name=op.f("ck_transfer_request_receiver_known"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_transfer_request_{column}_{table}")
            )
            for column, table in (
                ("cooperative_id", "cooperative"),
                ("giver_id", "membership"),
                ("receiver_id", "membership"),
                ("proposed_by_id", "account"),
                ("answered_by_id", "account"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_request")),
        sa.UniqueConstraint("public_id", name=op.f("uq_transfer_request_public_id")),
        sa.UniqueConstraint("act_id", name=op.f("uq_transfer_request_act_id")),
    )
    op.create_index("ix_transfer_request_giver", "transfer_request", ["giver_id", "state"])
    op.create_index("ix_transfer_request_receiver", "transfer_request", ["receiver_id", "state"])
    op.create_index(
        "ix_transfer_request_cooperative",
        "transfer_request",
        ["cooperative_id", "state", "proposed_at"],
    )


def create_certificates() -> None:
    op.create_table(
        "share_certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(24), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("certified_on", sa.Date(), nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("ledger_sequence", sa.Integer(), nullable=False),
        sa.Column("ledger_hash", sa.String(64), nullable=False),
        sa.Column("last_entry", sa.Integer(), nullable=False),
        sa.Column("shares_issued", sa.BigInteger(), nullable=False),
        sa.Column("shares_paid", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "length(digest) = 64 AND length(ledger_hash) = 64",
            name=op.f("ck_share_certificate_digest_length"),
        ),
        sa.CheckConstraint(
            "shares_issued >= 0 AND shares_paid >= 0",
            name=op.f("ck_share_certificate_shares_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_share_certificate_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_share_certificate_membership_id_membership"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_certificate")),
        sa.UniqueConstraint("code", name=op.f("uq_share_certificate_code")),
        sa.UniqueConstraint("digest", name=op.f("uq_share_certificate_digest")),
    )
    op.create_index("ix_share_certificate_membership", "share_certificate", ["membership_id", "id"])
