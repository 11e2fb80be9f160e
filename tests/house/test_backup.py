"""Backups: written from either database, restored into either, whole or not at all."""

from __future__ import annotations

import json
import stat
import zipfile

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from govern import audit, database, schema
from govern.access import SYSTEM, Role
from govern.backup import read_manifest, restore_backup, write_backup
from govern.cli_house import backup as backup_command
from govern.cli_house import restore as restore_command
from govern.errors import Conflict, InvalidInput
from govern.mail import sending
from govern.mail.models import OutboxMail
from govern.mail.queueing import queue_letter, queue_mail
from tests.access.world import build_side


@pytest.fixture
def full(session, clock):
    """A database with two cooperatives and something of every feature in each."""
    for code in ("thuis", "elders"):
        build_side(session, code, clock)
        session.commit()
    audit.record(session, SYSTEM, "house:test:done", cooperative_id=None, data={"é": 1})
    # Mails that wait do not come back as they were: see below.
    session.query(OutboxMail).filter_by(state="queued").update({"state": "sent"})
    session.commit()
    return session.get_bind()


@pytest.fixture
def some(session, cooperative, make_account):
    """A database with a little in it."""
    make_account("Ana", "ana@example.org", roles=[(cooperative, Role.SECRETARY)])
    return session.get_bind()


@pytest.fixture
def empty_sqlite(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'restored.sqlite'}")
    database.configure_engine(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def empty_postgresql(make_postgresql_url):
    engine = sa.create_engine(make_postgresql_url())
    database.configure_engine(engine)
    yield engine
    engine.dispose()


def _triggers(engine) -> list:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
        else:
            query = (
                "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"
            )
        return [tuple(row) for row in connection.exec_driver_sql(query)]


@pytest.mark.parametrize("target", ["empty_sqlite", "empty_postgresql"])
def test_a_restored_database_is_the_same(request, full, both_databases, target, tmp_path):
    first = write_backup(full, tmp_path / "first.zip")
    engine = request.getfixturevalue(target)
    schema.upgrade(engine)
    guards = _triggers(engine)
    restore_backup(engine, tmp_path / "first.zip")
    second = write_backup(engine, tmp_path / "second.zip")
    assert second.tables == first.tables
    assert first.rows > 30
    assert _triggers(engine) == guards
    with sa.orm.Session(engine) as restored:
        assert audit.verify_chain(restored).entries > 0


def test_a_restored_database_goes_on_where_the_other_ended(full, empty_postgresql, tmp_path):
    write_backup(full, tmp_path / "backup.zip")
    restore_backup(empty_postgresql, tmp_path / "backup.zip")
    with sa.orm.Session(empty_postgresql) as restored:
        from govern.cooperatives.models import Cooperative

        highest = restored.scalar(sa.select(sa.func.max(Cooperative.id)))
        values = restored.execute(sa.select(Cooperative.__table__)).first()._asdict()
        restored.add(Cooperative(**{**values, "id": None, "code": "third"}))
        audit.record(restored, SYSTEM, "house:test:done", cooperative_id=None)
        restored.commit()
        assert restored.scalar(sa.select(sa.func.max(Cooperative.id))) == highest + 1
        audit.verify_chain(restored)


def test_mails_that_waited_at_backup_time_wait_for_a_decision_after_a_restore(
    app, session, cooperative, empty_sqlite, tmp_path
):
    """They may have left since: whoever was told twice has been told wrongly once."""
    for number in range(4):
        queue_mail(
            session,
            cooperative_id=cooperative.id,
            to_address=f"member{number}@example.org",
            to_name="Member",
            language="en",
            template="sign_in_link",
            context={"link": "http://localhost/x", "minutes": 15},
            dedupe_key=f"test:{number}",
            category="test",
        )
    queue_letter(
        session,
        cooperative_id=cooperative.id,
        to_name="Member",
        language="en",
        subject="Letter",
        pdf=b"%PDF",
        filename="letter.pdf",
        dedupe_key="test:letter",
        category="test",
    )
    session.commit()
    batch = sending.claim_batch(session)
    sending.mark_sent(batch[0])
    batch[1].state, batch[1].claim = "queued", None
    session.commit()
    write_backup(session.get_bind(), tmp_path / "backup.zip")
    restore_backup(empty_sqlite, tmp_path / "backup.zip")
    with sa.orm.Session(empty_sqlite) as restored:
        states = dict(restored.query(OutboxMail.dedupe_key, OutboxMail.state).all())
        assert states == {
            "test:0": "sent",
            "test:1": "unclear",
            "test:2": "unclear",
            "test:3": "unclear",
            "test:letter": "queued",
        }
        assert sending.claim_batch(restored) == []


def test_every_table_of_the_house_is_in_a_backup(some, tmp_path):
    names = {entry.name for entry in write_backup(some, tmp_path / "b.zip").tables}
    kept_out = {
        table.name
        for table in schema.load_models().sorted_tables
        if not table.info.get("backup", True)
    }
    assert names == set(schema.load_models().tables) - kept_out


def test_the_salt_of_an_open_vote_is_left_out():
    """Or a copy could tell who cast which ballot from the tags in the attendance."""
    tables = schema.load_models().tables
    assert tables["election"].c.attendance_salt.info == {"backup": False}
    assert tables["election_attendance"].c.tag.info == {"backup": False}


def test_signing_in_leaves_nothing_in_a_backup():
    """Whoever holds a copy must not learn when people signed in, nor use their sessions."""
    tables = schema.load_models().tables
    for name in ("account_session", "sign_in_link", "sign_in_request", "sign_in_throttle"):
        assert tables[name].info == {"backup": False}, name


def test_what_is_left_out_is_not_in_the_file(some, session, tmp_path, monkeypatch):
    column = schema.load_models().tables["cooperative"].c.seat
    monkeypatch.setitem(column.info, "backup", False)
    write_backup(some, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        rows = [json.loads(line) for line in archive.read("cooperative.jsonl").splitlines()]
    assert all("seat" not in row for row in rows)


def test_only_the_operator_can_read_the_file(some, tmp_path):
    write_backup(some, tmp_path / "b.zip")
    assert stat.S_IMODE((tmp_path / "b.zip").stat().st_mode) == 0o600


def test_a_file_that_exists_is_not_overwritten(some, tmp_path):
    (tmp_path / "b.zip").write_text("precious")
    with pytest.raises(Conflict, match="exists already"):
        write_backup(some, tmp_path / "b.zip")
    assert (tmp_path / "b.zip").read_text() == "precious"


def test_a_backup_that_fails_leaves_no_half_file(some, tmp_path, monkeypatch):
    monkeypatch.setattr("govern.backup._plain", lambda value: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_backup(some, tmp_path / "b.zip")
    assert list(tmp_path.glob("b.zip*")) == []


def test_a_database_with_rows_is_not_restored_into(some, tmp_path):
    write_backup(some, tmp_path / "b.zip")
    with pytest.raises(Conflict, match="not empty"):
        restore_backup(some, tmp_path / "b.zip")


@pytest.mark.parametrize("target", ["empty_sqlite", "empty_postgresql"])
def test_a_damaged_backup_restores_nothing(request, some, tmp_path, target):
    write_backup(some, tmp_path / "b.zip")
    with (
        zipfile.ZipFile(tmp_path / "b.zip") as good,
        zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad,
    ):
        for name in good.namelist():
            content = good.read(name)
            if name == "role_grant.jsonl":
                content = content.replace(b"secretary", b"registrar", 1)
            bad.writestr(name, content)
    engine = request.getfixturevalue(target)
    schema.upgrade(engine)
    guards = _triggers(engine)
    with pytest.raises(InvalidInput, match="role_grant"):
        restore_backup(engine, tmp_path / "bad.zip")
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM cooperative")) == 0
        assert connection.scalar(sa.text("SELECT position FROM audit_head")) == 0
    assert _triggers(engine) == guards
    restore_backup(engine, tmp_path / "b.zip")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 99}, "has format 99"),
        ({"revision": "9999_future"}, "does not know"),
        ({"tables": 1}, "not a backup"),
    ],
)
def test_a_backup_of_another_version_is_refused_by_name(
    some, empty_sqlite, tmp_path, change, words
):
    write_backup(some, tmp_path / "b.zip")
    manifest = json.loads(zipfile.ZipFile(tmp_path / "b.zip").read("manifest.json"))
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("manifest.json", json.dumps({**manifest, **change}))
    with pytest.raises(InvalidInput, match=words):
        restore_backup(empty_sqlite, tmp_path / "other.zip")


def test_something_else_is_no_backup(tmp_path):
    (tmp_path / "x.zip").write_text("hello")
    with pytest.raises(InvalidInput, match="not a backup"):
        read_manifest(tmp_path / "x.zip")


def test_the_commands(app, some, session, config, tmp_path):
    from govern.app import create_app

    session.rollback()
    file = str(tmp_path / "b.zip")
    done = CliRunner().invoke(backup_command, [file], obj=app)
    assert done.exit_code == 0, done.output
    assert "secret key is not in it" in done.output
    other = create_app(config.with_changes(database_url=f"sqlite:///{tmp_path / 'new.sqlite'}"))
    done = CliRunner().invoke(restore_command, [file], obj=other)
    assert done.exit_code == 0, done.output
    assert "the chain holds" in done.output
