"""The migration of payments, up and down, with treasurers and payments in the tables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from govern import database, schema

NOW = datetime(2018, 6, 1, tzinfo=UTC)


def test_roles_and_their_grants_survive_and_treasurers_go_with_their_tables(both_databases):
    engine = sa.create_engine(both_databases)
    database.configure_engine(engine)
    script = ScriptDirectory.from_config(schema.alembic_config()).get_revision("0008_payments")
    assert script is not None
    below = str(script.down_revision)
    with engine.begin() as connection:
        metadata = sa.MetaData()
        metadata.reflect(connection)

        def insert(table: str, **values: object) -> None:
            connection.execute(metadata.tables[table].insert().values(**values))

        insert(
            "cooperative", id=1, code="smartcoop", name="SmartCoop", country="BE", legal_form="",
            enterprise_number="", seat="", email="", time_zone="Europe/Brussels",
            languages=["fr"],
            accent="red", status="active", is_demonstration=False, created_at=NOW,
        )  # fmt: skip
        insert(
            "account", id=77, public_id="a" * 22, name="Tamara", language="fr", session_version=1,
            created_on=NOW.date(),
        )  # fmt: skip
        for number, role in enumerate(("registrar", "treasurer"), start=1):
            insert(
                "role_grant", id=number, public_id=f"{number}" * 22, account_id=77,
                cooperative_id=1, role=role, starts_at=NOW,
            )  # fmt: skip
        insert(
            "bank_account", id=1, public_id="b" * 22, cooperative_id=1, iban="BE68539007547034",
            bic="", holder="SmartCoop", is_default=True, opened_at=NOW,
        )  # fmt: skip
    schema.downgrade(engine, below)
    grants = sa.text("SELECT role FROM role_grant ORDER BY id")
    treasurer = sa.text(
        "INSERT INTO role_grant (id, public_id, account_id, cooperative_id, role, starts_at)"
        " VALUES (3, 'cccccccccccccccccccccc', 77, 1, 'treasurer', '2018-06-01 00:00:00')"
    )
    with engine.connect() as connection:
        assert connection.scalars(grants).all() == ["registrar"]
        assert "bank_account" not in sa.inspect(connection).get_table_names()
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(treasurer)
    schema.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(treasurer)
        assert connection.scalars(grants).all() == ["registrar", "treasurer"]
    engine.dispose()
