"""``govern trustee``: what the trustee's page does, without a browser and without a server.

Imports nothing of Flask and opens no connection. The archive is verified completely before the
key is used, and a key file opens one tally only.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from govern.voting.keyfile import (
    MINIMUM_PASSPHRASE,
    KeyFileProblem,
    TrusteeKey,
    file_name,
    read_key_file,
    write_key_file,
)
from govern.voting.protocol.archive import ArchiveReader, EventType, read_setup_data
from govern.voting.protocol.audit import AuditReport, audit_archive
from govern.voting.protocol.decryption import make_partial_decryption, read_encrypted_tally
from govern.voting.protocol.elections import Election, read_election
from govern.voting.protocol.encoding import sha256_hex
from govern.voting.protocol.errors import AuditError
from govern.voting.protocol.groups import GROUP_NAMES, group_named
from govern.voting.protocol.trustees import Trustees, make_trustee_key, read_trustees

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def trustee() -> None:
    """Make a trustee's key, and open their part of a count, offline."""


def _refuse(sentence: str) -> NoReturn:
    click.secho(f"Refused: {sentence}", fg="red", err=True)
    sys.exit(1)


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet, readable by its owner only, whole or not at all."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        _refuse(f"{path} exists already; nothing was written.")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@trustee.command()
@click.argument("uuid")
@click.option("--group", type=click.Choice(GROUP_NAMES), default=GROUP_NAMES[0], show_default=True)
@click.option("--key-file", type=_NEW_FILE, help="Default: govern-trustee-key-UUID.age")
@click.option("--public-file", type=_NEW_FILE, help="Default: public-key-UUID.json")
@click.password_option(
    "--passphrase", prompt="Passphrase (at least 12 characters)", envvar="GOVERN_PASSPHRASE"
)
def keygen(
    uuid: str, group: str, key_file: Path | None, public_file: Path | None, passphrase: str
) -> None:
    """Make the key for election UUID: an encrypted key file, and the public half to send in.

    Upload the public half on the trustee page (or choose the key file there).
    """
    made = group_named(group)
    private = made.random_scalar()
    key_path = key_file or Path(file_name(uuid))
    public_path = public_file or Path(f"public-key-{uuid}.json")
    if public_path.exists():
        _refuse(f"{public_path} exists already; nothing was written.")
    if len(passphrase) < MINIMUM_PASSPHRASE:
        _refuse(f"the passphrase needs at least {MINIMUM_PASSPHRASE} characters.")
    _write_new(key_path, write_key_file(uuid, group, private, passphrase))
    # Read back from the disk before the key is announced: a key that cannot be read is lost.
    key = _open(key_path, passphrase)
    _write_new(public_path, make_trustee_key(made, key.private))
    click.echo(f"Key file: {key_path} (keep it in two places, and remember the passphrase)")
    click.echo(f"Public half, to upload: {public_path}")
    click.echo(f"Public key: {key.public}")


def _open(path: Path, passphrase: str) -> TrusteeKey:
    try:
        return read_key_file(path.read_bytes(), passphrase)
    except KeyFileProblem as problem:
        _refuse(f"{path}: {problem}.")


@trustee.command()
@click.argument("archive", type=_FILE)
@click.argument("key_file", type=_FILE)
@click.option("--output", type=_NEW_FILE, help="Default: partial-decryption-UUID.json")
@click.option("--passphrase", prompt=True, hide_input=True, envvar="GOVERN_PASSPHRASE")
def decrypt(archive: Path, key_file: Path, output: Path | None, passphrase: str) -> None:
    """Verify ARCHIVE, then open this trustee's part of the count with KEY_FILE.

    The key is used only if everything in the archive holds, and for one tally per election.
    """
    key = _open(key_file, passphrase)
    report = _audit(archive)
    if report.state not in (EventType.ENCRYPTED_TALLY, EventType.PARTIAL_DECRYPTION):
        _refuse(f"the last event of the archive is {report.state}: there is no tally to open now.")
    if report.uuid != key.election_uuid:
        _refuse(f"the key was made for election {key.election_uuid}, not for {report.uuid}.")
    election, trustees, tally = _read(archive)
    if key.public not in [element.text for element in trustees.verification_keys]:
        _refuse("the key in this file is not one of this election.")
    if [len(item.verification_keys) for item in trustees.items].count(1) != len(trustees.items):
        _refuse("this command opens elections whose keys are all needed, not threshold ones.")
    _remember(key_file, sha256_hex(tally))
    part = make_partial_decryption(election, read_encrypted_tally(election, tally), key.private)
    path = output or Path(f"partial-decryption-{report.uuid}.json")
    _write_new(path, part)
    click.echo(report.sentence)
    click.echo(f"Part of the count, to upload: {path}")


def _audit(archive: Path) -> AuditReport:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("verifying the archive", total=1)

        def show(number: int, title: str, done: int, total: int) -> None:
            bar.update(task, description=f"step {number}: {title}", completed=done, total=total)

        try:
            return audit_archive(archive, progress=show)
        except AuditError as error:
            bar.stop()
            _refuse(f"{error}. The key was not used.")


def _read(archive: Path) -> tuple[Election, Trustees, bytes]:
    """Election, trustees and encrypted tally of an archive that was just verified."""
    election = trustees = tally = None
    with archive.open("rb") as file:
        for archived in ArchiveReader(file).events():
            event = archived.event
            if event.type is EventType.SETUP:
                named = {sha256_hex(data): data for data in event.data}
                hashes = read_setup_data(event.data[-1])
                election = read_election(named[hashes[0]])
                trustees = read_trustees(election.group, named[hashes[1]])
            elif event.type is EventType.ENCRYPTED_TALLY:
                tally = event.data[0]
    if election is None or trustees is None or tally is None:
        raise AssertionError("the archive was verified and must hold all three")
    return election, trustees, tally


def _remember(key_file: Path, tally: str) -> None:
    """Note beside the key file which tally it opens; refuse a second one."""
    mark = key_file.with_name(f"{key_file.name}.opened")
    try:
        _exclusive(mark, tally)
    except FileExistsError:
        if mark.read_text().strip() != tally:
            _refuse(
                f"{mark} says that this key has opened another tally of this election. "
                "Tell the other trustees."
            )


def _exclusive(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
