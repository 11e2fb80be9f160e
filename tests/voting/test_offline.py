"""The commands that run away from any server: voting codes, trustees' keys."""

from __future__ import annotations

import json
import subprocess
import sys

import pyrage
import pytest
from click.testing import CliRunner

from govern.access import SYSTEM
from govern.cli import main
from govern.voting.keyfile import KeyFileProblem, read_key_file, write_key_file
from govern.voting.models import PublicCredential
from govern.voting.protocol.credentials import derive_credential
from govern.voting.protocol.groups import group_named
from govern.voting.services import credentials, trustees
from tests.house.smtp_server import Postman, SmtpServer, free_port

pytestmark = pytest.mark.usefixtures("light_passphrases")

PASSPHRASE = "correct horse battery staple"


def run(*arguments, passphrase=PASSPHRASE):
    return CliRunner().invoke(
        main, [str(part) for part in arguments], env={"GOVERN_PASSPHRASE": passphrase}
    )


@pytest.fixture
def roll_file(holding, tmp_path):
    """A held election that waits for its codes, and its roll file (one member gets a letter)."""
    for _ in range(4):
        holding.add_member()
    holding.add_member(email=False)
    held = holding.with_keys(members=0)
    path = tmp_path / "roll.jsonl"
    path.write_bytes(b"".join(credentials.write_roll_file(holding.session, SYSTEM, held.election)))
    return held, path


def make(path, folder, **options):
    return run("credentials", "make", path, folder, "--sender", "Notary <n@example.org>", **options)


@pytest.mark.parametrize("command", ["audit", "credentials", "trustee"])
def test_the_offline_commands_import_nothing_of_flask(command):
    script = (
        "import sys; from govern.cli import main\n"
        f"try: main([{command!r}, '--help'])\n"
        "except SystemExit: pass\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('flask', 'sqlalchemy', 'werkzeug')]\n"
        "sys.exit(', '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_member_gets_one_code_and_a_lost_one_is_found_again(holding, roll_file, tmp_path):
    held, path = roll_file
    folder = tmp_path / "codes"
    assert make(path, folder).exit_code == 0
    assert len(list((folder / "mails").glob("*.eml"))) == 4
    (letter,) = (folder / "letters").glob("*.pdf")
    assert letter.read_bytes().startswith(b"%PDF")
    header, *members = [json.loads(line) for line in path.read_bytes().splitlines()]
    public = json.loads((folder / "public-credentials.json").read_bytes())
    group = group_named(held.election.group)
    content = pyrage.passphrase.decrypt((folder / "private-list.age").read_bytes(), PASSPHRASE)
    codes = [json.loads(line)["code"] for line in content.splitlines()]
    assert len(set(codes)) == 5
    made = {derive_credential(group, header["election_uuid"], code).public.text for code in codes}
    assert made == set(public["public_credentials"])
    number = members[0]["member_number"]
    assert run("credentials", "find", folder, number).stdout.strip() == codes[0]
    assert run("credentials", "find", folder, number, passphrase="another one").exit_code == 1
    mail = next((folder / "mails").glob(f"*{members[0]['member_number']}.eml")).read_text()
    assert codes[0] in mail

    credentials.upload_public_credentials(
        holding.session, SYSTEM, held.election, (folder / "public-credentials.json").read_bytes()
    )
    holding.run_jobs()
    holding.opened(held)
    assert holding.session.query(PublicCredential).count() == 5


def test_a_folder_that_exists_is_never_written_into(roll_file, tmp_path):
    _held, path = roll_file
    (tmp_path / "codes").mkdir()
    done = make(path, tmp_path / "codes")
    assert done.exit_code == 1
    assert list((tmp_path / "codes").iterdir()) == []


def test_a_roll_file_with_a_broken_line_is_refused_naming_it(roll_file, tmp_path):
    _held, path = roll_file
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"{}\n", *lines[3:]]))
    done = make(path, tmp_path / "codes")
    assert done.exit_code == 1
    assert "line 3" in done.stderr
    assert not (tmp_path / "codes").exists()


def test_a_key_made_offline_opens_the_count_offline(holding, tmp_path):
    held = holding.draft()
    uuid = held.election.public_id
    key_file, public_file = tmp_path / "key.age", tmp_path / "public.json"
    done = run("trustee", "keygen", uuid, "--key-file", key_file, "--public-file", public_file)
    assert done.exit_code == 0, done.stderr
    from govern.accounts.services import actor_for
    from govern.voting.services import elections

    actor = actor_for(holding.session, held.trustee_accounts[0])
    elections.start_keys(holding.session, SYSTEM, held.election)
    trustees.register_public_key(holding.session, actor, held.election, public_file.read_bytes())
    elections.fix_election(holding.session, SYSTEM, held.election)
    holding.opened(holding.with_credentials(held))
    for voter in held.voters[:3]:
        held.cast(voter, [1, 0, 0], [1, 0, 0, 0, 0])
    opened = held.write_archive(tmp_path)
    refused = run("trustee", "decrypt", opened, key_file, "--output", tmp_path / "part.json")
    assert refused.exit_code == 1
    assert "no tally" in refused.stderr
    holding.tallied(held)
    archive = held.write_archive(tmp_path)
    done = run("trustee", "decrypt", archive, key_file, "--output", tmp_path / "part.json")
    assert done.exit_code == 0, done.stderr
    trustees.register_partial_decryption(
        holding.session, actor, held.election, (tmp_path / "part.json").read_bytes()
    )
    holding.run_jobs()
    holding.session.refresh(held.election)
    assert held.election.state == "published"


def test_a_key_file_opens_one_tally_only(holding, tmp_path):
    held = holding.opened()
    for voter in held.voters[:3]:
        held.cast(voter)
    holding.tallied(held)
    key_file = tmp_path / "key.age"
    key_file.write_bytes(
        write_key_file(held.election.uuid, held.election.group, held.keys[1], PASSPHRASE)
    )
    archive = held.write_archive(tmp_path)
    (tmp_path / "key.age.opened").write_text("0" * 64)
    done = run("trustee", "decrypt", archive, key_file, "--output", tmp_path / "part.json")
    assert done.exit_code == 1
    assert not (tmp_path / "part.json").exists()


def test_the_key_is_not_used_on_an_archive_that_does_not_verify(holding, tmp_path):
    held = holding.opened()
    for voter in held.voters[:3]:
        held.cast(voter)
    holding.tallied(held)
    key_file = tmp_path / "key.age"
    key_file.write_bytes(
        write_key_file(held.election.uuid, held.election.group, held.keys[1], PASSPHRASE)
    )
    archive = held.write_archive(tmp_path)
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(bytes(data))
    done = run("trustee", "decrypt", archive, key_file, "--output", tmp_path / "part.json")
    assert done.exit_code == 1
    assert "not used" in done.stderr
    assert not (tmp_path / "key.age.opened").exists()


@pytest.mark.parametrize("group", ["Ed25519", "BELENIOS-2048"])
def test_a_key_file_is_read_back_with_its_passphrase_only(group):
    private = group_named(group).random_scalar()
    data = write_key_file("1" * 14, group, private, PASSPHRASE)
    assert read_key_file(data, PASSPHRASE).private == private
    with pytest.raises(KeyFileProblem):
        read_key_file(data, "another passphrase")
    with pytest.raises(KeyFileProblem):
        read_key_file(b"nothing", PASSPHRASE)


def test_the_mails_are_sent_once_and_the_refused_ones_stay(roll_file, tmp_path):
    _held, path = roll_file
    folder = tmp_path / "codes"
    make(path, folder)
    postman = Postman()
    server = SmtpServer(postman, tmp_path)
    refused = json.loads(path.read_bytes().splitlines()[2])["email"]
    postman.answers_to_rcpt[refused] = "550 no such mailbox"
    server.start()
    try:
        first = run("credentials", "send", folder, "--mail-url", server.url)
        assert (first.exit_code, first.stdout.strip()) == (1, "Sent: 3, refused: 1")
        postman.answers_to_rcpt.clear()
        again = run("credentials", "send", folder, "--mail-url", server.url)
        assert again.stdout.strip() == "Sent: 1, refused: 0"
    finally:
        server.stop()
    assert set(postman.recipients().values()) == {1}
    assert len(postman.delivered) == 4


def test_no_mail_server_no_mail_lost(roll_file, tmp_path):
    _held, path = roll_file
    folder = tmp_path / "codes"
    make(path, folder)
    done = run("credentials", "send", folder, "--mail-url", f"smtp://127.0.0.1:{free_port()}")
    assert done.exit_code == 1
    assert "away" in done.stderr
    assert len(list((folder / "mails").glob("*.eml"))) == 4
