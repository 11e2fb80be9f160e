"""The full export: nothing is lost on the way out and in, and nothing odd comes in."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from govern.access import NOBODY, SYSTEM
from govern.app import create_app
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, GovernError, InvalidInput, SignInRequired
from govern.extensions import db
from govern.register.cli import register
from govern.register.models import (
    EndReason,
    EntryRemark,
    HolderOpening,
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    RegisterHead,
    Representative,
    ShareEntry,
    ShareNumbering,
)
from govern.register.services import ledger, members
from govern.register.services.exchange import export_register, import_register
from govern.register.services.exchange.tables import TABLES, read_text, write_text
from govern.register.services.verifying import verify_ledger

MAY = date(2018, 5, 2)


@pytest.fixture
def full_register(session, cooperative, make_member, clock):
    """Names that look like formulas, several lines, a firm, a correction, an ending, a reversal."""
    ann = make_member("1", shares=3, email="ann@example.org")
    bo = make_member("2", given_name="=1+1", family_name='\'Claes; "B"')
    firm = make_member("3", organisation_name="-Firm", shares=2)
    ledger.transfer_shares(session, SYSTEM, ann, bo, 1, MAY, cause="gift", remark="+ a note")
    wrong = ledger.subscribe_shares(session, SYSTEM, bo, 4, MAY)
    clock.advance(hours=1)
    ledger.reverse_act(session, SYSTEM, wrong, "typed twice")
    members.change_identity(session, SYSTEM, ann, given_name="Anna", family_name="Peeters")
    members.change_category(session, SYSTEM, bo, "B", MAY)
    members.change_representative(session, SYSTEM, firm, MAY, given_name="Eva", family_name="Diels")
    members.change_contact(
        session, SYSTEM, bo, members.Contact(language="fr", street="Rue A 1\nboîte 2", town="Mons")
    )
    members.end_membership(session, SYSTEM, firm, MAY, EndReason.EXCLUSION, "one\ntwo")
    session.commit()
    return cooperative


@pytest.fixture
def elsewhere(tmp_path, _migrated_sqlite, config, app):
    """``with elsewhere() as session``: another installation with nothing in it."""

    @contextmanager
    def enter(name="elsewhere"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        path = folder / "govern.sqlite"
        if not path.exists():
            shutil.copyfile(_migrated_sqlite, path)
        other = create_app(replace(config, instance_dir=folder, database_url=f"sqlite:///{path}"))
        other.config["GOVERN_NO_REDIS"] = True
        with other.app_context():
            yield db.session()
            db.session.remove()

    return enter


def _export(session, cooperative):
    content = io.BytesIO()
    manifest = export_register(session, SYSTEM, cooperative, content)
    session.commit()
    return content.getvalue(), manifest


def _to_file(tmp_path, content):
    path = tmp_path / "register.zip"
    path.write_bytes(content)
    return path


def _changed(content, name, change):
    """The export with one file changed, and the digest of it in the manifest too."""
    import hashlib

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {item: archive.read(item) for item in archive.namelist()}
    files[name] = change(files[name])
    if name != "manifest.json":
        manifest = json.loads(files["manifest.json"])
        manifest["sha256"][name] = hashlib.sha256(files[name]).hexdigest()
        files["manifest.json"] = json.dumps(manifest).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for item, data in files.items():
            archive.writestr(item, data)
    return made.getvalue()


def test_what_comes_in_again_goes_out_byte_for_byte(
    session, full_register, elsewhere, tmp_path, both_databases
):
    content, manifest = _export(session, full_register)
    head = session.get_one(RegisterHead, full_register.id)
    assert manifest["head"] == {"sequence": head.sequence, "hash": head.hash}
    with elsewhere() as other:
        found = import_register(other, SYSTEM, _to_file(tmp_path, content))
        other.commit()
        assert found.same_chain
        assert (found.state.entries, found.state.head) == (head.sequence, head.hash)
        again, _manifest = _export(other, found.cooperative)
        names = {
            item.member_number: item.display_name for item in other.scalars(select(Membership))
        }
        assert names == {"1": "Anna Peeters", "2": '=1+1 \'Claes; "B"', "3": "-Firm"}
    assert again == content


def test_a_register_that_came_in_goes_on(session, full_register, elsewhere, tmp_path, clock):
    content, _manifest = _export(session, full_register)
    with elsewhere() as other:
        found = import_register(other, SYSTEM, _to_file(tmp_path, content))
        ann = members.membership_by_number(other, found.cooperative.id, "1")
        entry = ledger.subscribe_shares(other, SYSTEM, ann, 1, MAY)
        other.commit()
        # Numbers 1 to 6 were given at first, 7 to 10 to what was taken back.
        assert entry.numbers == "11"
        verify_ledger(other, found.cooperative)


def test_under_another_code_the_chain_is_written_anew_and_verifies(
    session, full_register, elsewhere, tmp_path
):
    content, manifest = _export(session, full_register)
    with elsewhere() as other:
        found = import_register(other, SYSTEM, _to_file(tmp_path, content), code="newcode")
        other.commit()
        assert not found.same_chain
        assert found.state.head != manifest["head"]["hash"]
        assert found.state.entries == manifest["head"]["sequence"]


def test_a_full_export_goes_into_an_empty_register_only(
    session, full_register, elsewhere, tmp_path
):
    content, _manifest = _export(session, full_register)
    path = _to_file(tmp_path, content)
    with pytest.raises(Conflict, match="not empty"):
        import_register(session, SYSTEM, path)
    session.rollback()
    # In this installation the members are known already, under whatever code.
    with pytest.raises(Conflict, match="here already"):
        import_register(session, SYSTEM, path, code="second")
    session.rollback()
    assert session.scalars(select(Cooperative)).all() == [full_register]


TAMPERED = [
    ("entries.csv", lambda data: data.replace(b";9000;", b";9001;"), "head"),
    ("entries.csv", lambda data: data.rsplit(b"\r\n", 2)[0] + b"\r\n", "remarks"),
    ("entries.csv", lambda data: data.replace(b"sequence;", b"number;", 1), "line 1"),
    ("memberships.csv", lambda data: data.replace(b"2018-01-10", b"2018-13-10", 1), "line 2"),
    ("memberships.csv", lambda data: data.replace(b";1;;", b";9;;", 1), "memberships.csv"),
    ("people.csv", lambda data: data.replace(b"\r\n2;", b"\r\n7;", 1), "line 3"),
    ("people.csv", lambda data: data[:-40], "people.csv"),
    ("holders.csv", lambda data: data.replace(b"Anna", b"Eve"), "changed|recorded"),
    ("manifest.json", lambda data: b"{}", "full export"),
    ("manifest.json", lambda data: data.replace(b'"version": 1', b'"version": 9'), "version"),
]


def test_an_export_that_was_tampered_with_is_refused_whole(
    session, full_register, elsewhere, tmp_path
):
    content, _manifest = _export(session, full_register)
    with elsewhere() as other:
        for name, change, told in TAMPERED:
            path = _to_file(tmp_path, _changed(content, name, change))
            with pytest.raises(GovernError, match=told):
                import_register(other, SYSTEM, path)
            other.rollback()
            assert other.scalar(select(ShareEntry.id)) is None
            assert other.scalar(select(Cooperative.id)) is None


def test_a_file_that_was_changed_after_the_export_is_named(
    session, full_register, elsewhere, tmp_path
):
    content, _manifest = _export(session, full_register)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {item: archive.read(item) for item in archive.namelist()}
    path = tmp_path / "register.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for item, data in files.items():
            archive.writestr(item, data.replace(b"Mons", b"Huy!"))
    with elsewhere() as other, pytest.raises(InvalidInput, match=r"memberships\.csv was changed"):
        import_register(other, SYSTEM, path)


def test_what_is_no_zip_file_is_refused(session, tmp_path):
    with pytest.raises(InvalidInput, match="ZIP"):
        import_register(session, SYSTEM, _to_file(tmp_path, b"member;name\n1;An\n"))


def test_nobody_takes_the_register_out_without_being_registrar(session, full_register):
    with pytest.raises(SignInRequired):
        export_register(session, NOBODY, full_register, io.BytesIO())


def test_texts_that_look_like_formulas_are_guarded_and_come_back():
    for text in ("=1+1", "'=1", "''", "-5", "@x", "\t", "An", ""):
        cell = write_text(text)
        assert read_text(cell) == text
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


HERE_ONLY = {
    "id", "account_id", "cooperative_id", "membership_id", "entry_id", "person_id",
    "organisation_id", "public_id", "act_id", "reverses_id", "recorded_by_id", "row_digest",
    "name_key", "number_key", "email_key", "sort_name", "search_text",
}  # fmt: skip
"""Numbers of this one database, what is derived, and identifiers that have another name outside."""


def test_no_column_of_the_register_is_forgotten():
    tables = {
        "people.csv": Person,
        "organisations.csv": Organisation,
        "memberships.csv": Membership,
        "categories.csv": MembershipCategory,
        "representatives.csv": Representative,
        "holders.csv": HolderOpening,
        "entries.csv": ShareEntry,
        "remarks.csv": EntryRemark,
        "numbering.csv": ShareNumbering,
    }
    assert set(tables) == set(TABLES)
    for name, model in tables.items():
        columns = {column.name for column in model.__table__.columns}
        assert columns - HERE_ONLY <= {column.name for column in TABLES[name]}, name


def test_the_commands_take_the_register_out_and_in(
    app, session, full_register, elsewhere, tmp_path
):
    target = tmp_path / "full.zip"
    run = CliRunner()
    code = full_register.code
    session.commit()
    done = run.invoke(register, ["export-full", str(target), "--cooperative", code], obj=app)
    assert done.exit_code == 0, done.output
    assert target.stat().st_mode & 0o077 == 0
    assert [item.name for item in tmp_path.glob(".full.zip*")] == []
    with elsewhere() as other:
        from flask import current_app

        here = current_app._get_current_object()
        tried = run.invoke(register, ["import-full", str(target), "--dry-run"], obj=here)
        assert "nothing was changed" in tried.output
        assert other.scalar(select(Cooperative.id)) is None
        other.rollback()
        done = run.invoke(register, ["import-full", str(target)], obj=here)
        assert done.exit_code == 0, done.output
        again = run.invoke(register, ["import-full", str(target)], obj=here)
        assert again.exit_code == 1
        assert "not empty" in again.output
