"""One conversation with the SMTP server that ``MAIL_URL`` names.

``smtp://``, ``smtps://`` (TLS from the start) or ``smtp+starttls://``, as
``scheme://user:password@host:port``. Certificates are verified.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from types import TracebackType
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 30.0


class Refused(Exception):
    """The server answered: this mail is refused. ``for_good`` for a 5xx answer.

    ``at`` is the command that was refused: "sender", "recipient" or "text".
    """

    def __init__(self, code: int, reason: str, at: str = "text") -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason
        self.for_good = 500 <= code < 600
        self.is_about_address = is_about_address(code, reason, at)


_ENHANCED = re.compile(r"\b5\.(\d{1,3})\.(\d{1,3})\b")


def is_about_address(code: int, reason: str, at: str) -> bool:
    """Whether a refusal says that the recipient's address takes no mail.

    RFC 3463: subject 1 is the address, 2.0 and 2.1 a mailbox that is disabled; a full mailbox
    (2.2), a size, a text or a policy (3 to 7) is not the address's fault. Without such a code the
    refusal of the recipient itself counts, that of the text does not.
    """
    if not 500 <= code < 600 or at == "sender":
        return False
    enhanced = _ENHANCED.search(reason)
    if enhanced is None:
        return at == "recipient" and code in (550, 551, 553)
    subject, detail = enhanced.groups()
    if subject == "1":
        # 1.7 and 1.8 are about the sender's address.
        return detail not in ("7", "8")
    return subject == "2" and detail in ("0", "1")


class ServerAway(Exception):
    """The server could not be reached or left before it was given a mail: nothing was sent."""


class Interrupted(Exception):
    """The connection broke after the mail had been handed over: nobody knows whether it went."""


@dataclass(frozen=True)
class Server:
    """What ``MAIL_URL`` says."""

    host: str
    port: int
    tls: str
    user: str
    password: str


def parse_mail_url(url: str) -> Server:
    """Read ``MAIL_URL`` (its form was checked at start)."""
    parts = urlsplit(url)
    tls = {"smtp": "none", "smtps": "always", "smtp+starttls": "starttls"}[parts.scheme]
    default = {"none": 25, "always": 465, "starttls": 587}[tls]
    return Server(
        parts.hostname or "localhost",
        parts.port or default,
        tls,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


class Conversation:
    """An open connection that takes one mail after the other.

    Used as a context manager. A refused mail leaves the connection usable for the next one.
    """

    def __init__(self, url: str) -> None:
        self._server = parse_mail_url(url)
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Conversation:
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._smtp is not None:
            try:
                self._smtp.quit()
            except (smtplib.SMTPException, OSError):
                self._smtp.close()

    def _open(self) -> None:
        server = self._server
        try:
            if server.tls == "always":
                context = ssl.create_default_context()
                smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                    server.host, server.port, timeout=TIMEOUT_SECONDS, context=context
                )
            else:
                smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
                if server.tls == "starttls":
                    smtp.starttls(context=ssl.create_default_context())
            if server.user:
                smtp.login(server.user, server.password)
            smtp.ehlo_or_helo_if_needed()
        except (smtplib.SMTPException, OSError) as error:
            raise ServerAway(type(error).__name__) from error
        self._smtp = smtp

    def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """Hand over one mail.

        Raises Refused (the server said no), ServerAway (nothing was sent, the connection is gone)
        or Interrupted (it may have been sent; only whoever reads it can tell).
        """
        smtp = self._smtp
        if smtp is None:
            raise ServerAway("the conversation is not open")
        octets = message.as_bytes(policy=message.policy.clone(linesep="\r\n", max_line_length=998))
        try:
            at = "sender"
            code, answer = smtp.mail(sender)
            if code == 250:
                at = "recipient"
                code, answer = smtp.rcpt(recipient)
            if code not in (250, 251):
                self._refuse(smtp, code, answer, at)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            raise ServerAway(type(error).__name__) from error
        self._send_data(smtp, octets)

    def _send_data(self, smtp: smtplib.SMTP, octets: bytes) -> None:
        try:
            code, answer = smtp.data(octets)
        except smtplib.SMTPDataError as error:
            # The server did not want to hear the text at all.
            self._refuse(smtp, error.smtp_code, error.smtp_error)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            raise Interrupted(type(error).__name__) from error
        else:
            if code != 250:
                self._refuse(smtp, code, answer)

    def _refuse(self, smtp: smtplib.SMTP, code: int, answer: bytes | str, at: str = "text") -> None:
        reason = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        if code == 421:
            # "Service closing": about the connection, not about this mail.
            raise ServerAway(f"{code} {reason}")
        try:
            smtp.rset()
        except (smtplib.SMTPException, OSError) as error:
            raise Refused(code, reason, at) from error
        raise Refused(code, reason, at)


def mailbox_address(name: str, address: str) -> Address:
    """A header's address: the name (any script) and the address, without line breaks."""
    plain = " ".join(name.split())
    local, _, domain = address.rpartition("@")
    return Address(display_name=plain, username=local, domain=domain)


def bare_address(header: str) -> str:
    """The address alone, of ``name <address>``."""
    return parseaddr(header)[1]
