"""What mails are about; imports of an Odoo export beside those of a table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_exchange"
down_revision = "0011_joining"
branch_labels = None
depends_on = None

ROLES_BEFORE = ("source", "mend")
ROLES = (*ROLES_BEFORE, "partners", "register", "lines")


def allow_roles(roles: tuple[str, ...]) -> None:
    """Let ``import_file`` hold files of ``roles`` and no others."""
    known = f"role IN ({', '.join(repr(role) for role in roles)})"
    name = op.f("ck_import_file_role_known")
    with op.batch_alter_table("import_file") as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, known)


def upgrade() -> None:
    op.add_column("outbox_mail", sa.Column("about", sa.String(length=60), nullable=True))
    op.create_index(op.f("ix_outbox_mail_about"), "outbox_mail", ["about"], unique=False)
    with op.batch_alter_table("import_batch") as batch:
        batch.add_column(
            sa.Column("kind", sa.String(length=10), nullable=False, server_default="table")
        )
        batch.add_column(sa.Column("options", sa.JSON(), nullable=False, server_default="{}"))
        batch.create_check_constraint(
            op.f("ck_import_batch_kind_known"), "kind IN ('table', 'odoo')"
        )
    with op.batch_alter_table("import_batch") as batch:
        batch.alter_column("kind", server_default=None)
        batch.alter_column("options", server_default=None)
    with op.batch_alter_table("import_problem") as batch:
        batch.add_column(sa.Column("file", sa.String(length=10), nullable=False, server_default=""))
    with op.batch_alter_table("import_problem") as batch:
        batch.alter_column("file", server_default=None)
    allow_roles(ROLES)


def downgrade() -> None:
    # Imports of an Odoo export mean nothing to the code before: they go, with what they hold.
    of_odoo = "batch_id IN (SELECT id FROM import_batch WHERE kind = 'odoo')"
    for table in ("import_problem", "import_change", "import_file"):
        op.execute(sa.text(f"DELETE FROM {table} WHERE {of_odoo}"))
    op.execute(sa.text("DELETE FROM import_batch WHERE kind = 'odoo'"))
    allow_roles(ROLES_BEFORE)
    with op.batch_alter_table("import_problem") as batch:
        batch.drop_column("file")
    with op.batch_alter_table("import_batch") as batch:
        batch.drop_constraint(op.f("ck_import_batch_kind_known"), type_="check")
        batch.drop_column("options")
        batch.drop_column("kind")
    op.drop_index(op.f("ix_outbox_mail_about"), table_name="outbox_mail")
    op.drop_column("outbox_mail", "about")
