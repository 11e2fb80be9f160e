"""Everything that a browser sends, byte for byte.

Each person's browser reaches the world through a SOCKS proxy of its own (RFC 1928, no
authentication), which lets it through to one address only and keeps what it sent. Unlike the
browser's own list of requests this also holds what workers, beacons and downloads send, all
headers, and any attempt to reach somebody else.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """One HTTP request as it left the browser."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def without_cookies(self) -> bytes:
        """All of it except the cookies: those are only what the server has given before."""
        lines = [f"{name}: {text}" for name, text in self.headers.items() if name != "cookie"]
        return "\n".join([f"{self.method} {self.target}", *lines, ""]).encode() + self.body


@dataclass
class Wire:
    """The way of one browser to ``allowed`` (host, port), and nowhere else."""

    allowed: tuple[str, int]
    sent: list[bytearray] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"socks5://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept nothing more."""
        self._listener.close()

    def requests(self, since: list[int] | None = None) -> list[Request]:
        """What was asked, connection by connection; only what came after ``since`` (``mark``)."""
        marks = since or []
        found = []
        for number, data in enumerate(list(self.sent)):
            begins = marks[number] if number < len(marks) else 0
            found += read_requests(bytes(data)[begins:])
        return found

    def mark(self) -> list[int]:
        """Where the record stands now."""
        return [len(data) for data in self.sent]

    # -- the proxy ----------------------------------------------------------------------------

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            host, port = _greet(client)
            if (host, port) != self.allowed:
                self.elsewhere.append(f"{host}:{port}")
                client.sendall(b"\x05\x02\x00\x01" + bytes(6))
                return
            with socket.create_connection(self.allowed) as server:
                client.sendall(b"\x05\x00\x00\x01" + bytes(6))
                kept = bytearray()
                self.sent.append(kept)
                back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
                back.start()
                _pass_on(client, server, kept)
                back.join()


def _greet(client: socket.socket) -> tuple[str, int]:
    """The SOCKS handshake; where the client wants to go."""
    _version, methods = _take(client, 2)
    _take(client, methods)
    client.sendall(b"\x05\x00")
    _version, _command, _reserved, kind = _take(client, 4)
    if kind == 3:
        host = _take(client, _take(client, 1)[0]).decode()
    else:
        family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
        host = socket.inet_ntop(family, _take(client, size))
    (port,) = struct.unpack(">H", _take(client, 2))
    return host, port


def _take(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = source.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def _pass_on(source: socket.socket, target: socket.socket, kept: bytearray | None = None) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            if kept is not None:
                kept += piece
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def read_requests(data: bytes) -> list[Request]:
    """The HTTP/1.1 requests in what one connection carried."""
    found = []
    while data:
        head, blank, rest = data.partition(b"\r\n\r\n")
        assert blank, f"the end of a request is missing: {head[:200]!r}"
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _version = first.split(" ")
        headers = {
            name.lower(): text.strip() for name, _colon, text in (x.partition(":") for x in lines)
        }
        assert "transfer-encoding" not in headers, "a body in pieces cannot be read here"
        size = int(headers.get("content-length", "0"))
        found.append(Request(method, target, headers, rest[:size]))
        data = rest[size:]
    return found
