"""Sending the mails that ``govern credentials make`` has written."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes, policy
from email.utils import parseaddr
from pathlib import Path

from govern.mail.smtp import Conversation, Interrupted, Refused, ServerAway
from govern.voting.offline import MAILS, SENT


class NotDelivered(Exception):
    """The rest could not be handed over; what was taken stands in ``sent/``."""


def send_folder(folder: Path, mail_url: str, advance: Callable[[], None]) -> list[tuple[str, str]]:
    """Hand over every mail in ``mails/`` and move it to ``sent/``; the refused ones, with why.

    A mail is moved only after the server has taken it: after a crash in between it may go out a
    second time, with the same code. Raises NotDelivered when the server is away.
    """
    (folder / SENT).mkdir(mode=0o700, exist_ok=True)
    refused = []
    try:
        with Conversation(mail_url) as conversation:
            for path in sorted((folder / MAILS).glob("*.eml")):
                message = message_from_bytes(path.read_bytes(), policy=policy.SMTP)
                sender, recipient = (parseaddr(str(message[name]))[1] for name in ("From", "To"))
                try:
                    conversation.send(message, sender, recipient)
                except Refused as answer:
                    refused.append((path.name, str(answer)))
                else:
                    path.rename(folder / SENT / path.name)
                advance()
    except ServerAway as away:
        raise NotDelivered(
            f"the mail server is away ({away}); run the command again later."
        ) from away
    except Interrupted as broken:
        raise NotDelivered(
            "the connection broke while a mail was being handed over; it stays in mails/ and may "
            "reach its member twice, with the same code. Run the command again."
        ) from broken
    return refused
