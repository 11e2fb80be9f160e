"""The schema: models and migrations say the same, up and down, on both databases."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from govern import database, schema
from govern.database import append_only_ddl

NOW = datetime(2018, 6, 1, tzinfo=UTC)


def _open(url: str) -> sa.Engine:
    engine = sa.create_engine(url)
    database.configure_engine(engine)
    return engine


@pytest.fixture
def engine(both_databases):
    opened = _open(both_databases)
    yield opened
    opened.dispose()


def _triggers(connection: sa.Connection) -> set[tuple[str, str]]:
    """(table, trigger) of everything that guards a table."""
    if connection.dialect.name == "sqlite":
        query = "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = (
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE NOT t.tgisinternal AND t.tgenabled = 'A'"
        )
    return {(table, name) for table, name in connection.exec_driver_sql(query)}


def _guarded_tables(connection: sa.Connection) -> set[str]:
    """The tables that have every guard that ``append_only_ddl`` makes."""
    found = _triggers(connection)
    guarded = set()
    for table in {table for table, _name in found}:
        statements = append_only_ddl(table, connection.dialect.name)
        names = set(re.findall(r"CREATE TRIGGER (\w+)", " ".join(statements)))
        if all((table, name) in found for name in names):
            guarded.add(table)
    return guarded


def _fill(connection: sa.Connection) -> None:
    """One row in each table of the first migration."""
    metadata = sa.MetaData()
    metadata.reflect(connection)

    def insert(table: str, **values: object) -> None:
        connection.execute(metadata.tables[table].insert().values(**values))

    insert(
        "cooperative", id=1, code="smartcoop", name="SmartCoop", country="BE", legal_form="",
        enterprise_number="", seat="", email="", time_zone="Europe/Brussels", languages=["fr"],
        accent="red", status="active", is_demonstration=False, created_at=NOW,
    )  # fmt: skip
    insert(
        "rule_set", id=1, cooperative_id=1, starts_on=NOW.date(), source="statutes",
        source_confirmed=False, rules={}, recorded_at=NOW,
    )  # fmt: skip
    insert(
        "audit_entry", position=1, recorded_at=NOW, tag="a:b:c", cooperative_id=1, subject="",
        data="{}", request_id="", previous_hash="0" * 64, hash="1" * 64,
    )  # fmt: skip
    insert(
        "background_job", id=1, name="a.b", arguments=[1], state="queued", attempts=0,
        done_count=0, total_count=0, error="", created_at=NOW, due_at=NOW,
    )  # fmt: skip
    insert(
        "outbox_mail", id=1, public_id="x", cooperative_id=1, channel="letter", category="notice",
        state="queued", to_address="", to_name="Ana", language="fr", subject="", text_body="",
        html_body="", is_secret=False, dedupe_key="k", message_id="m", attempts=0, last_error="",
        created_at=NOW, due_at=NOW,
    )  # fmt: skip
    insert("outbox_file", digest="d" * 64, content=b"%PDF", size=4)
    insert(
        "outbox_attachment", id=1, mail_id=1, place=0, filename="a.pdf",
        media_type="application/pdf", digest="d" * 64,
    )  # fmt: skip


def test_models_and_migrations_say_the_same(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.load_models()) == []


def test_named_checks_of_the_models_are_in_the_database(engine):
    """Alembic does not compare CHECK constraints, and they hold our invariants."""
    inspector = sa.inspect(engine)
    for table in schema.load_models().sorted_tables:
        wanted = {str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
        present = {str(c["name"]) for c in inspector.get_check_constraints(table.name)}
        assert wanted <= present, table.name


def test_all_the_way_down_and_up_again_with_data_in_the_tables(engine):
    with engine.connect() as connection:
        before = _triggers(connection)
    schema.downgrade(engine, "0001_house")
    with engine.begin() as connection:
        _fill(connection)
    schema.upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT name FROM cooperative")) == "SmartCoop"
        assert connection.scalar(sa.text("SELECT tag FROM audit_entry")) == "a:b:c"
        assert _triggers(connection) == before
    schema.downgrade(engine, "base")
    with engine.connect() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {"alembic_version"}
    schema.upgrade(engine)
    with engine.connect() as connection:
        assert schema.database_revision(connection) == schema.newest_revision()
        assert _triggers(connection) == before


def test_mails_and_imports_survive_the_step_of_what_they_are_about(engine):
    schema.downgrade(engine, "0011_joining")
    with engine.begin() as connection:
        _fill(connection)
        _fill_imports(connection, [{"id": 1, "public_id": "old"}])
    schema.upgrade(engine)
    rows = "SELECT b.public_id, b.kind, b.options, p.file, f.role FROM import_batch b " \
        "JOIN import_problem p ON p.batch_id = b.id JOIN import_file f ON f.batch_id = b.id " \
        "ORDER BY b.id"  # fmt: skip
    with engine.begin() as connection:
        [row] = connection.execute(sa.text(rows)).all()
        assert (row[0], row[1], str(row[2]), *row[3:]) == ("old", "table", "{}", "", "source")
        connection.execute(sa.text("UPDATE outbox_mail SET about = 'membership:x'"))
        odoo = {"id": 2, "public_id": "new", "kind": "odoo", "options": {}}
        _fill_imports(connection, [odoo], role="partners", file="partners")
    schema.downgrade(engine, "0011_joining")
    with engine.connect() as connection:
        assert connection.scalars(sa.text("SELECT public_id FROM import_batch")).all() == ["old"]
        assert connection.scalars(sa.text("SELECT batch_id FROM import_file")).all() == [1]
        assert connection.scalar(sa.text("SELECT to_name FROM outbox_mail")) == "Ana"
    schema.upgrade(engine)


def _fill_imports(
    connection: sa.Connection, batches: list[dict[str, object]], role: str = "source", **more: str
) -> None:
    """Imports with a file and a problem each; ``more`` are columns of the problem."""
    metadata = sa.MetaData()
    metadata.reflect(connection, only=["import_batch", "import_file", "import_problem"])
    for batch in batches:
        connection.execute(
            metadata.tables["import_batch"].insert().values(
                cooperative_id=1, state="checked", file_name="a.csv", file_digest="d" * 64,
                file_size=1, layout={}, mapping={}, hold_back_duplicates=False, plan_digest="",
                rows_total=1, counts={}, failure="", language="en", created_at=NOW, **batch,
            )
        )  # fmt: skip
        connection.execute(
            metadata.tables["import_file"].insert().values(
                batch_id=batch["id"], role=role, content=b"x"
            )
        )  # fmt: skip
        connection.execute(
            metadata.tables["import_problem"].insert().values(
                batch_id=batch["id"], row=1, column="", value="", severity="note", code="x",
                params={}, **more,
            )
        )  # fmt: skip


def test_each_step_can_be_taken_back_and_repeated(engine):
    revisions = [r.revision for r in ScriptDirectory.from_config(schema.alembic_config())
                 .walk_revisions()]  # fmt: skip
    for below in [*revisions[1:], "base"]:
        schema.downgrade(engine, below)
    for revision in reversed(revisions):
        schema.upgrade(engine, revision)


def test_migrating_twice_changes_nothing(engine):
    schema.upgrade(engine)
    schema.upgrade(engine)


def test_append_only_tables_are_guarded(engine):
    with engine.connect() as connection:
        assert "audit_entry" in _guarded_tables(connection)


def test_the_same_tables_are_guarded_on_both_databases(sqlite_url, postgresql_url):
    guarded = []
    for url in (sqlite_url, postgresql_url):
        engine = _open(url)
        with engine.connect() as connection:
            guarded.append(_guarded_tables(connection))
        engine.dispose()
    assert guarded[0] == guarded[1]


def test_a_batch_that_recreates_a_table_drops_its_triggers():
    """Why later migrations must make them anew, and why the test above exists."""
    engine = _open("sqlite://")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE thing (id INTEGER PRIMARY KEY)")
        for statement in append_only_ddl("thing", "sqlite"):
            connection.exec_driver_sql(statement)
        from alembic.operations import Operations

        with (
            Operations.context(MigrationContext.configure(connection)) as operations,
            operations.batch_alter_table("thing", recreate="always") as batch,
        ):
            batch.add_column(sa.Column("more", sa.Integer()))
        assert _triggers(connection) == set()


def test_a_database_at_another_schema_is_refused_by_commands(app, session):
    from click.testing import CliRunner

    from govern.cli_house import audit_log

    schema.downgrade(session.get_bind(), "0001_house")
    done = CliRunner().invoke(audit_log, ["verify"], obj=app)
    assert done.exit_code == 1
    assert "govern db upgrade" in done.stderr
