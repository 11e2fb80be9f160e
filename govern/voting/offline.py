"""Making voting codes away from any server: roll file in, mails, letters, public keys and list out.

Imports nothing of Flask and opens no connection. Everything is written into a new folder, which
gets its name only when it is complete: there is never a half-made set of codes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from babel.dates import format_datetime
from babel.support import NullTranslations, Translations

from govern.paths import PACKAGE, TEMPLATES
from govern.typesetting import typeset
from govern.voting import agefile
from govern.voting.letters import letter_data, origin_sentence
from govern.voting.protocol.credentials import (
    derive_credential,
    generate_code,
    make_public_credentials,
)
from govern.voting.protocol.groups import Element, group_named
from govern.voting.rollfile import Recipient, RollFile, write_public_file

PUBLIC_FILE = "public-credentials.json"
LIST_FILE = "private-list.age"
MAILS = "mails"
SENT = "sent"
LETTERS = "letters"

LANGUAGES = ("fr", "nl", "de", "en")


class Speaker:
    """gettext in one language from the compiled catalogues (English where there is none)."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._catalogue: NullTranslations = Translations.load(
            PACKAGE / "translations", [self.language]
        )

    def gettext(self, text: str, **values: Any) -> str:
        found = str(self._catalogue.ugettext(text))
        return found % values if values else found

    def ngettext(self, one: str, many: str, num: int, **values: Any) -> str:
        return str(self._catalogue.ungettext(one, many, num)) % {"num": num, **values}

    def text(self, texts: dict[str, str]) -> str:
        """The text of the election in this language, else visibly in another one."""
        if texts.get(self.language):
            return texts[self.language]
        for code in LANGUAGES:
            if texts.get(code):
                return f"{texts[code]} [{code.upper()}]"
        return ""

    def time(self, value: str, time_zone: str) -> str:
        """An ISO instant in the cooperative's time zone, in words."""
        local = datetime.fromisoformat(value).astimezone(ZoneInfo(time_zone))
        return str(format_datetime(local, "d MMMM y, HH:mm", locale=self.language))


def _environment(speaker: Speaker) -> jinja2.Environment:
    made: Any = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(),
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(speaker.gettext, speaker.ngettext, newstyle=True)
    made.globals["local_text"] = speaker.text
    return made


class Workshop:
    """Makes the codes of one roll and writes what goes to whom."""

    def __init__(self, roll: RollFile, sender: Address) -> None:
        self._roll = roll
        self._sender = sender
        self._group = group_named(roll.group)
        self._speakers: dict[str, Speaker] = {}
        self._templates: dict[str, jinja2.Environment] = {}

    def make(
        self,
        folder: Path,
        passphrase: str,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Make one code per member and write everything into ``folder``, which must not exist.

        A run that dies leaves ``<folder>.unfinished``, which the next run removes: none of its
        codes was announced to anybody. Raises FileExistsError.
        """
        if folder.exists():
            raise FileExistsError(folder)
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        for name in ("", MAILS, LETTERS):
            (unfinished / name).mkdir(parents=True, mode=0o700, exist_ok=True)
        elements: list[Element] = []
        lines: list[dict[str, str]] = []
        for number, recipient in enumerate(self._roll.recipients, 1):
            code = generate_code()
            elements.append(derive_credential(self._group, self._roll.election_uuid, code).public)
            lines.append(
                {
                    "member_number": recipient.member_number,
                    "name": recipient.name,
                    "code": code,
                }
            )
            self._write_for(unfinished, number, recipient, code)
            progress(number, len(self._roll.recipients))
        public = write_public_file(
            self._roll.election_uuid,
            self._roll.group,
            self._roll.roll_digest,
            make_public_credentials(elements),
        )
        (unfinished / PUBLIC_FILE).write_bytes(public)
        content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        _write_private(unfinished / LIST_FILE, agefile.encrypt(content.encode(), passphrase))
        os.replace(unfinished, folder)

    def _speaker(self, language: str) -> Speaker:
        if language not in self._speakers:
            self._speakers[language] = Speaker(language)
        return self._speakers[language]

    def _write_for(self, folder: Path, number: int, recipient: Recipient, code: str) -> None:
        safe = re.sub(r"[^A-Za-z0-9._-]", "_", recipient.member_number)
        name = f"{number:06d}-{safe}"
        if recipient.email:
            message = self.mail(recipient, code)
            _write_private(folder / MAILS / f"{name}.eml", message.as_bytes())
        else:
            _write_private(folder / LETTERS / f"{name}.pdf", self.letter(recipient, code))

    def mail(self, recipient: Recipient, code: str) -> EmailMessage:
        """The mail with one member's code, in their language."""
        speaker, roll = self._speaker(recipient.language), self._roll
        if speaker.language not in self._templates:
            self._templates[speaker.language] = _environment(speaker)
        template = self._templates[speaker.language].get_template("email/voting_code.txt")
        addressee = recipient.representative or recipient.name
        text = template.render(
            title=roll.title,
            opens_at=speaker.time(roll.opens_at, roll.time_zone),
            closes_at=speaker.time(roll.closes_at, roll.time_zone),
            recipient_name=addressee,
            member_name=recipient.name,
            member_number=recipient.member_number,
            code=code,
            booth_url=roll.booth_url,
            is_trial=roll.is_trial,
            replaces=False,
            again=False,
            origin=origin_sentence(speaker.gettext, server_made=False),
        )
        head, _, body = text.strip().partition("\n")
        message = EmailMessage(policy=policy.SMTP)
        message["From"] = self._sender
        message["To"] = Address(addressee, addr_spec=recipient.email)
        message["Subject"] = " ".join(head.removeprefix("Subject: ").split())
        message["Content-Language"] = speaker.language
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(re.sub(r"\n{3,}", "\n\n", body.strip()) + "\n")
        return message

    def letter(self, recipient: Recipient, code: str) -> bytes:
        """The letter (PDF) with one member's code, in their language."""
        speaker, roll = self._speaker(recipient.language), self._roll
        data = letter_data(
            speaker.gettext,
            election_title=speaker.text(dict(roll.title)),
            cooperative_name=roll.cooperative_name,
            name=recipient.name,
            representative=recipient.representative,
            member_number=recipient.member_number,
            address=recipient.address,
            opens_at=speaker.time(roll.opens_at, roll.time_zone),
            closes_at=speaker.time(roll.closes_at, roll.time_zone),
            booth_url=roll.booth_url,
            code=code,
            server_made=False,
            replaces=False,
            again=False,
            is_trial=roll.is_trial,
        )
        return typeset("voting_code_letter", data, speaker.language, speaker.gettext)


def _write_private(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def find_code(folder: Path, member_number: str, passphrase: str) -> str:
    """A member's code from the encrypted list. Raises WrongPassphrase or LookupError."""
    content = agefile.decrypt((folder / LIST_FILE).read_bytes(), passphrase)
    for line in content.decode().splitlines():
        entry = json.loads(line)
        if entry["member_number"] == member_number:
            return str(entry["code"])
    raise LookupError(member_number)
