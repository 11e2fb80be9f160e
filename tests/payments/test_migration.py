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


def test_claims_that_were_recorded_before_are_kept_and_can_be_undone(both_databases):
    engine = sa.create_engine(both_databases)
    database.configure_engine(engine)
    schema.downgrade(engine, "0012_exchange")
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
            "bank_account", id=1, public_id="b" * 22, cooperative_id=1, iban="BE68539007547034",
            bic="", holder="SmartCoop", is_default=True, opened_at=NOW,
        )  # fmt: skip
        insert(
            "bank_statement", id=1, public_id="s" * 22, cooperative_id=1, bank_account_id=1,
            format="csv", identification="", file_name="a", file_digest="0" * 64, ordinal=1,
            entries_new=3, entries_known=0, read_at=NOW,
        )  # fmt: skip
        insert(
            "payment_request", id=1, public_id="r" * 22, cooperative_id=1, reference="1" * 12,
            reference_kind="be-structured", amount_cents=6000, paid_cents=6000,
            due_on=NOW.date(), state="settled", subject="order:a:b", payer_name="An",
            language="fr", search_text="", created_at=NOW,
        )  # fmt: skip
        for number, cents, state, note in (
            (1, 6000, "returned", "asked by letter"),
            (2, -6000, "matched", "asked by letter"),
            (3, -100, "set_aside", "not ours"),
        ):
            insert(
                "bank_entry", id=number, public_id=f"{number}" * 22, cooperative_id=1,
                bank_account_id=1, statement_id=1, key=f"{number}", fingerprint="",
                amount_cents=cents, booked_on=NOW.date(), value_on=NOW.date(),
                counterparty_name="", counterparty_iban="", counterparty_bic="", reference="",
                remittance="", end_to_end_id="", bank_reference="", is_return=False,
                return_reason="", state=state, doubt="", note=note, search_text="",
            )  # fmt: skip
        for number, entry, cents, how, returns in (
            (1, 1, 6000, "automatic", None),
            (2, 2, -6000, "return", 1),
        ):
            insert(
                "payment_match", id=number, public_id=f"{number}" * 22, bank_entry_id=entry,
                request_id=1, amount_cents=cents, how=how, act_ids="", returns_id=returns,
                made_at=NOW, undone_reason="",
            )  # fmt: skip
    schema.upgrade(engine)
    with engine.connect() as connection:
        kept = sa.text("SELECT entry_id, original_id, reason, undone_at FROM payer_claim")
        assert connection.execute(kept).all() == [(2, 1, "asked by letter", None)]
    engine.dispose()


def test_requests_made_before_are_found_by_the_payers_name(both_databases):
    engine = sa.create_engine(both_databases)
    database.configure_engine(engine)
    schema.downgrade(engine, "0016_numbers")
    with engine.begin() as connection:
        metadata = sa.MetaData()
        metadata.reflect(connection, only=["cooperative", "payment_request"])
        connection.execute(
            metadata.tables["cooperative"].insert().values(
                id=1, code="smartcoop", name="SmartCoop", country="BE", legal_form="",
                enterprise_number="", seat="", email="", time_zone="Europe/Brussels",
                languages=["fr"], accent="red", status="active", is_demonstration=False,
                created_at=NOW,
            )
        )  # fmt: skip
        for number, name in enumerate(("Mme Zoé De Crayencoür", "Maes", ""), start=1):
            connection.execute(
                metadata.tables["payment_request"].insert().values(
                    id=number, public_id=f"{number}" * 22, cooperative_id=1,
                    reference=f"{number}" * 12, reference_kind="be-structured", amount_cents=100,
                    paid_cents=0, due_on=NOW.date(), state="open", subject=f"grant:{number}",
                    payer_name=name, language="fr", search_text="", created_at=NOW,
                )
            )  # fmt: skip
    schema.upgrade(engine)
    keys = sa.text("SELECT payer_key FROM payment_request ORDER BY id")
    with engine.connect() as connection:
        assert connection.scalars(keys).all() == ["crayencour zoe", "", ""]
    engine.dispose()
