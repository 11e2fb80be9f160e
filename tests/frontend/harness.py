"""A small server that follows the contract of frontend/README.md, for tests of the served bundles.

It serves the built bundles under the application's own Content-Security-Policy, an election held
in memory, and the pages that the bundles take over. It imports the protocol to check what arrives,
so that what the browser seals is judged by the other implementation.
"""

from __future__ import annotations

import base64
import html
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from nacl.signing import SigningKey

from govern.paths import DIST
from govern.voting.protocol import trustees
from govern.voting.protocol.encoding import sha256_base64
from govern.voting.protocol.groups import Group
from govern.web import CONTENT_SECURITY_POLICY
from tests.protocol.holding import ONE_OF_THREE, UP_TO_TWO_OR_BLANK, HeldElection, set_up

CONTENT_TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
TOKEN = "the-csrf-token"


@dataclass
class Request:
    """What the browser sent."""

    method: str
    path: str
    headers: str
    body: bytes


@dataclass
class Harness:
    """The server, what it saw, and how it is to misbehave next."""

    held: HeldElection
    requests: list[Request] = field(default_factory=list)
    cast: list[bytes] = field(default_factory=list)
    public_keys: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    misbehave: list[str] = field(default_factory=list)
    stage: str = "generate"
    texts: dict[str, str] = field(default_factory=dict)
    base: str = ""
    archive: bytes | None = None
    receipt_key: SigningKey = field(default_factory=SigningKey.generate)

    @property
    def uuid(self) -> str:
        """The election's identifier."""
        return self.held.election.uuid

    def receipt(self, ballot: bytes, fault: str = "") -> dict[str, object]:
        """The receipt that the application gives for a ballot; see govern/voting/keys.py."""
        tracker, height, day = sha256_base64(ballot), len(self.held.events) - 1, "2018-06-19"
        event_hash = self.held.events[-1].hash
        message = f"govern-receipt|{self.uuid}|{tracker}|{height}|{event_hash}|{day}"
        if fault == "forged":
            message += "0"
        signature = base64.b64encode(self.receipt_key.sign(message.encode()).signature).decode()
        return {
            "tracker": tracker,
            "height": height,
            "event_hash": event_hash,
            "signature": signature,
            "received_at_day": day,
        }

    def address(self, page: str) -> str:
        """The address of one of the election's pages."""
        return f"{self.base}/elections/{self.uuid}/{page}"


def _page(title: str, body: str, script: str) -> bytes:
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/dist/styles.css"></head>
<body class="accent-red"><main id="content"><h1>{title}</h1>{body}</main>
<script type="module" src="/static/dist/{script}"></script></body></html>""".encode()


def _fieldset(index: int, question: Any, texts: dict[str, str]) -> str:
    single = question.minimum == question.maximum == 1
    kind = "radio" if single else "checkbox"

    def row(value: str, text: str) -> str:
        shown = html.escape(texts.get(text, text.split(" / ")[0]))
        return (
            f'<label><input type="{kind}" name="q{index}" value="{value}" autocomplete="off"> '
            f"<span data-answer-text>{shown}</span></label>"
        )

    rows = [row(str(position), answer) for position, answer in enumerate(question.answers)]
    if question.blank:
        rows.append(row("blank", "Blank vote"))
    title = html.escape(question.text.split(" / ")[0])
    return (
        f'<fieldset data-question="{index}"><legend><span data-question-text>{title}</span>'
        f"</legend>{''.join(rows)}</fieldset>"
    )


def booth_page(harness: Harness) -> bytes:
    """The booth's page, as the application's template makes it."""
    at = f"/elections/{harness.uuid}"
    fields = "".join(
        _fieldset(index, question, harness.texts)
        for index, question in enumerate(harness.held.election.questions)
    )
    return _page(
        "Assembly",
        f'<script type="application/json" id="booth-strings">{{}}</script>'
        f'<div id="booth" data-election-url="{at}/election.json" data-cast-url="{at}/cast" '
        f'data-board-url="{at}/board" data-credentials-url="{at}/credentials.json" '
        f'data-receipt-key="{bytes(harness.receipt_key.verify_key).hex()}" '
        f'data-fingerprint="{harness.held.election.fingerprint}" data-csrf-token="{TOKEN}">'
        f"<noscript>JavaScript is needed.</noscript><div data-questions>{fields}</div></div>",
        "booth.js",
    )


def trustee_page(harness: Harness) -> bytes:
    """The trustee's page."""
    at = f"/elections/{harness.uuid}"
    key = f'data-public-key="{harness.public_keys[-1]}"' if harness.public_keys else ""
    return _page(
        "Trustee",
        f'<script type="application/json" id="trustee-strings">{{}}</script>'
        f'<div id="trustee" data-stage="{harness.stage}" data-uuid="{harness.uuid}" '
        f'data-group="{harness.held.group.name}" data-election-name="AG" '
        f'data-public-key-url="{at}/trustee/public-key" '
        f'data-partial-decryption-url="{at}/trustee/partial-decryption" '
        f'data-archive-url="{at}/archive.bel" {key} data-csrf-token="{TOKEN}"></div>',
        "trustee.js",
    )


def _handler(harness: Harness) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            self.end_headers()
            self.wfile.write(body)

        def _json(self, value: object, status: int = 200) -> None:
            self._answer(status, "application/json", json.dumps(value).encode())

        def _note(self, body: bytes = b"") -> str:
            request = Request(self.command, self.path, str(self.headers), body)
            harness.requests.append(request)
            return self.path.partition("?")[0]

        def do_GET(self) -> None:
            path = self._note()
            held = harness.held
            if path.startswith("/static/dist/"):
                file = DIST / path.rsplit("/", 1)[1]
                self._answer(200, CONTENT_TYPES.get(file.suffix, "text/plain"), file.read_bytes())
            elif path.endswith("/booth"):
                self._answer(200, "text/html; charset=utf-8", booth_page(harness))
            elif path.endswith("/trustee"):
                self._answer(200, "text/html; charset=utf-8", trustee_page(harness))
            elif path.endswith("/election.json"):
                self._answer(200, "application/json", held.election.data)
            elif path.endswith("/credentials.json"):
                self._answer(200, "application/json", held.public_credentials)
            elif path.endswith("/archive.bel"):
                body = harness.archive if harness.archive is not None else held.archive()
                self._answer(200, "application/octet-stream", body)
            elif path == "/favicon.ico":
                self._answer(200, "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
            elif path.endswith("/empty"):
                self._answer(200, "text/html", b"<!doctype html><title>Empty</title>")
            else:
                self._answer(404, "text/plain", b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            path = self._note(body)
            assert self.headers["X-CSRFToken"] == TOKEN
            fault = harness.misbehave.pop(0) if harness.misbehave else ""
            if fault == "before":
                self.connection.close()
                return
            if fault == "refuse":
                error = {"title": "Closed", "detail": "It is too late.", "remedy": "Nothing."}
                self._json({"error": error}, 409)
                return
            value = json.loads(body)
            if path.endswith("/cast"):
                self._cast(value["ballot"].encode(), fault)
            elif path.endswith("/public-key"):
                key = trustees.read_trustee_key(harness.held.group, value["public_key"].encode())
                harness.public_keys.append(key.public_key.text)
                if fault == "after":
                    self.connection.close()
                    return
                self._json({})
            elif path.endswith("/partial-decryption"):
                harness.parts.append(value["partial_decryption"])
                self._json({})

        def _cast(self, ballot: bytes, fault: str) -> None:
            if ballot not in harness.cast:
                harness.held.cast(ballot)
                harness.cast.append(ballot)
            if fault == "after":
                self.connection.close()
                return
            if fault == "broken":
                self._answer(502, "text/html", b"<h1>Bad gateway</h1>")
                return
            self._json(harness.receipt(ballot if fault != "other" else b"another", fault))

    return Handler


@contextmanager
def serve(group: Group, voters: int = 3) -> Iterator[Harness]:
    """Hold a small election in ``group`` and serve it."""
    questions = [ONE_OF_THREE, UP_TO_TWO_OR_BLANK]
    harness = Harness(set_up(group, questions, voters=voters, trustee_count=1, seed="harness"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(harness))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    harness.base = f"http://127.0.0.1:{server.server_port}"
    yield harness
    server.shutdown()
    thread.join()
    server.server_close()
