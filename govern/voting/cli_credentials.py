"""``govern credentials``: the authority that makes the voting codes, away from the server.

Imports nothing of Flask. ``make`` and ``find`` open no connection; ``send`` talks to the mail
server that is named and to nothing else.
"""

from __future__ import annotations

import sys
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from govern.voting.agefile import WrongPassphrase
from govern.voting.offline import LETTERS, LIST_FILE, MAILS, PUBLIC_FILE, Workshop, find_code
from govern.voting.rollfile import FileProblem, RollFile, read_roll_file

MINIMUM_PASSPHRASE = 12

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def credentials() -> None:
    """Make and send voting codes without the server knowing them."""


def _refuse(sentence: str) -> NoReturn:
    click.secho(f"Refused: {sentence}", fg="red", err=True)
    sys.exit(1)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )


@credentials.command()
@click.argument("roll", type=_FILE)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--sender", required=True, help='Who the mails are from: "Notary <notary@…>".')
@click.password_option(
    "--passphrase",
    prompt="Passphrase of the list (at least 12 characters)",
    envvar="GOVERN_PASSPHRASE",
    help="Opens the list when a member has lost their code.",
)
def make(roll: Path, folder: Path, sender: str, passphrase: str) -> None:
    """Make one code per member of ROLL and write everything into the new FOLDER.

    FOLDER gets mails/*.eml, letters/*.pdf, public-credentials.json (to upload) and
    private-list.age (for lost codes).
    """
    if len(passphrase) < MINIMUM_PASSPHRASE:
        _refuse(f"the passphrase needs at least {MINIMUM_PASSPHRASE} characters.")
    name, address = parseaddr(sender)
    if "@" not in address:
        _refuse(f"{sender!r} is not an address to send from.")
    read = _read_roll(roll)
    console = Console(stderr=True)
    with _bar(console) as bar:
        task = bar.add_task("voting codes", total=len(read.recipients))
        try:
            Workshop(read, Address(name, addr_spec=address)).make(
                folder, passphrase, lambda done, _total: bar.update(task, completed=done)
            )
        except FileExistsError:
            bar.stop()
            _refuse(f"{folder} exists already; nothing was written.")
    by_mail = sum(1 for recipient in read.recipients if recipient.email)
    click.echo(f"Codes made: {len(read.recipients)}")
    click.echo(f"Mails to send: {by_mail}, in {folder / MAILS} (govern credentials send {folder})")
    click.echo(f"Letters to print: {len(read.recipients) - by_mail}, in {folder / LETTERS}")
    click.echo(f"To upload: {folder / PUBLIC_FILE}")
    click.echo(f"For lost codes, keep safe: {folder / LIST_FILE}")


def _read_roll(path: Path) -> RollFile:
    with path.open("rb") as file:
        try:
            return read_roll_file(file)
        except FileProblem as problem:
            _refuse(f"{path}, {problem}.")


@credentials.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--mail-url",
    required=True,
    envvar="MAIL_URL",
    help="smtp://, smtps:// or smtp+starttls://user:password@host:port",
)
def send(folder: Path, mail_url: str) -> None:
    """Send the mails in FOLDER; each goes to sent/ when the server has taken it.

    Run it again after an interruption: what was sent is not sent again.
    """
    if urlsplit(mail_url).scheme not in ("smtp", "smtps", "smtp+starttls"):
        _refuse("the mail URL does not name an SMTP server.")
    # The outbox belongs to the application: loaded only by who sends, never by who makes codes.
    from govern.voting.code_mails import NotDelivered, send_folder

    waiting = len(list((folder / MAILS).glob("*.eml")))
    console = Console(stderr=True)
    with _bar(console) as bar:
        task = bar.add_task("mails", total=waiting)
        try:
            refused = send_folder(folder, mail_url, lambda: bar.advance(task))
        except NotDelivered as problem:
            bar.stop()
            _refuse(str(problem))
    for name, answer in refused:
        click.echo(f"{name}: refused by the mail server ({answer})", err=True)
    click.echo(f"Sent: {waiting - len(refused)}, refused: {len(refused)}")
    sys.exit(1 if refused else 0)


@credentials.command()
@click.argument("folder", type=_FOLDER)
@click.argument("member_number")
@click.option("--passphrase", prompt=True, hide_input=True, envvar="GOVERN_PASSPHRASE")
def find(folder: Path, member_number: str, passphrase: str) -> None:
    """Show the code of one member who has lost it, from the encrypted list in FOLDER."""
    try:
        click.echo(find_code(folder, member_number, passphrase))
    except WrongPassphrase:
        _refuse("the passphrase does not open the list.")
    except LookupError:
        _refuse(f"there is no member {member_number!r} in the list.")
