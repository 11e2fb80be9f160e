"""The commands of the house."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from govern import audit, jobs, schema
from govern.access import SYSTEM
from govern.cli_house import audit_log, resume, schema_commands
from tests.house import sample_jobs  # noqa: F401  (registers the jobs)


@pytest.fixture
def run(app, session):
    """``run(command, "verify")``: as from a terminal, on the test's database."""

    def call(command, *arguments, **options):
        session.commit()
        return CliRunner().invoke(command, list(arguments), obj=app, **options)

    return call


def test_the_audit_log_verifies_from_the_command_line(run, session):
    entry = audit.record(session, SYSTEM, "house:test:done", cooperative_id=None)
    newest = entry.hash
    done = run(audit_log, "verify")
    assert done.exit_code == 0
    assert f"1 entries, the chain holds; newest hash {newest}" in done.output


def test_a_broken_audit_log_fails_by_name(run, session):
    audit.record(session, SYSTEM, "house:test:done", cooperative_id=None)
    session.execute(text("DROP TRIGGER audit_entry_no_update"))
    session.execute(text("UPDATE audit_entry SET subject = 'other'"))
    done = run(audit_log, "verify")
    assert done.exit_code == 1
    assert "Entry 1 of the audit log was changed" in done.stderr
    assert "Compare with a backup." in done.stderr


def test_resume_can_be_repeated_and_does_without_redis(run, session):
    jobs.enqueue(session, "tests.add_one", 1)
    for _ in range(2):
        done = run(resume)
        assert (done.exit_code, done.output) == (0, "0 job(s) handed over\n")


def test_resume_lets_features_enqueue_what_a_crash_left(run, session, monkeypatch):
    from govern.jobs import queue

    monkeypatch.setattr(queue, "_resumers", [])
    jobs.register_resume(lambda inner: jobs.enqueue(inner, "tests.add_one", 7))
    run(resume)
    assert [row.arguments for row in session.query(jobs.BackgroundJob)] == [[7]]


def test_a_downgrade_asks_first(run, session):
    done = run(schema_commands, "downgrade", "0001_house", input="n\n")
    assert done.exit_code == 1
    assert schema.database_revision(session.connection()) == schema.newest_revision()


def test_an_unknown_revision_is_named(run):
    done = run(schema_commands, "upgrade", "0099_future")
    assert done.exit_code == 1
    assert "cannot be migrated to '0099_future'" in done.stderr


def test_every_command_explains_itself():
    from govern.cli import main

    runner = CliRunner()
    listed = runner.invoke(main, ["--help"])
    assert listed.exit_code == 0
    for name in ("audit-log", "backup", "db", "restore", "resume", "serve", "web", "worker"):
        assert f"  {name}" in listed.output
        assert runner.invoke(main, [name, "--help"]).exit_code == 0, name
