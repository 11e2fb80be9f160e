"""A real SMTP server for the tests, which refuses, stumbles or hangs up where it is told to."""

from __future__ import annotations

import datetime
import email
import email.policy
import ipaddress
import socket
import ssl
from collections import Counter
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Postman:
    """aiosmtpd's handler: what it was given, and how it answers to whom."""

    def __init__(self) -> None:
        self.delivered: list[EmailMessage] = []
        self.answers_to_rcpt: dict[str, str] = {}
        self.answers_to_data: dict[str, str] = {}
        self.hang_up_before: set[str] = set()
        self.hang_up_after: set[str] = set()
        self.connections = 0
        self.mails_per_connection = 10_000
        self._taken_on_this_one = 0

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: Any
    ) -> Any:
        session.host_name = hostname
        self.connections += 1
        self._taken_on_this_one = 0
        return responses

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self._taken_on_this_one == self.mails_per_connection:
            return "421 too many mails, come again"
        if address in self.hang_up_before:
            self.hang_up_before.discard(address)
            server.transport.abort()
            return "421 gone"
        answer = self.answers_to_rcpt.get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        recipient = envelope.rcpt_tos[0]
        answer = self.answers_to_data.get(recipient, "250 taken")
        if answer.startswith("2"):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.delivered.append(message)
            self._taken_on_this_one += 1
        if recipient in self.hang_up_after:
            self.hang_up_after.discard(recipient)
            server.transport.abort()
        return answer

    def recipients(self) -> Counter[str]:
        """How often each address was delivered to."""
        return Counter(m["To"].addresses[0].addr_spec for m in self.delivered)


class SmtpServer:
    """The postman behind a port of this machine."""

    def __init__(self, postman: Postman, folder: Path, kind: str = "smtp") -> None:
        self.postman = postman
        self.kind = kind
        self.certificate = folder / "certificate.pem"
        options: dict[str, Any] = {}
        if kind != "smtp":
            context = make_certificate(self.certificate)
            options["ssl_context" if kind == "smtps" else "tls_context"] = context
        if kind == "smtp+starttls":
            options.update(
                require_starttls=True, auth_required=True, authenticator=self._authenticate
            )
        self._running = False
        self.port = free_port()
        self.controller = Controller(postman, hostname="127.0.0.1", port=self.port, **options)

    @staticmethod
    def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (
            b"govern",
            b"p@ss:word",
        )
        return AuthResult(success=right)

    @property
    def url(self) -> str:
        user = "govern:p%40ss%3Aword@" if self.kind == "smtp+starttls" else ""
        return f"{self.kind}://{user}127.0.0.1:{self.port}"

    def start(self) -> None:
        self.controller.start()
        self._running = True

    def stop(self) -> None:
        if self._running:
            self.controller.stop()
        self._running = False


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_certificate(path: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 at ``path``, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = path.with_suffix(".key")
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, private)
    return context
