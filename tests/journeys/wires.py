"""What must not be in anything that a browser sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote_plus

from tests.journeys.ballots import KEY_PASSPHRASE, Vote
from tests.journeys.officers import CANDIDATES
from tests.journeys.people import Person
from tests.journeys.wire import Request
from tests.journeys.words import Words

ANSWERS = ("For", "Against", "Abstention", "Blank vote", "Blank")
SEALED = re.compile(r"[0-9]+|[0-9a-f]{64}|[A-Za-z0-9+/]{43}|[1-9A-HJ-NP-Za-km-z]{14,}")
FIELDS = {
    *("election_uuid", "election_hash", "credential", "answers", "signature"),
    *("choices", "alpha", "beta", "individual_proofs", "overall_proof", "blank_proof"),
    *("proof", "challenge", "response", "hash"),
}
CHROMIUMS_OWN = {"content-autofill.googleapis.com:443"}
"""Where Chromium itself (no page) asks what kind of fields a form has. Refused here as well."""
BROWSERS_OWN = {
    *("host", "connection", "content-length", "content-type", "accept", "accept-encoding"),
    *("accept-language", "user-agent", "origin", "referer", "cookie", "cache-control", "pragma"),
    *("upgrade-insecure-requests", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"),
    *("priority", "if-none-match", "if-modified-since", "sec-fetch-user"),
    *("sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform"),
}


def sealed_only(votes: Iterable[Vote], words: Words) -> None:
    """From the first tick to the receipt: one ballot was sent, and nothing else that says anything.

    Everything else was asked for in the same words by everybody, whatever they chose."""
    asked = []
    for vote in votes:
        posts = [request for request in vote.sent if request.method != "GET"]
        assert [request.path.rpartition("/")[2] for request in posts] == ["cast"]
        for request in vote.sent:
            assert set(request.headers) <= BROWSERS_OWN | {"x-csrftoken"}
        check_ballot(posts[0])
        gets = [request for request in vote.sent if request.method == "GET"]
        assert not any(request.body for request in gets)
        asked.append({request.target for request in gets if "/static/" not in request.target})
    everything = set().union(*asked)
    assert all("?" not in target for target in everything)
    assert {target.rpartition("/")[2] for target in everything} <= {"credentials.json"}
    for vote in votes:
        said = b"\n".join(request.without_cookies() for request in vote.sent).decode()
        for text in (*CANDIDATES, *(words(answer) for answer in ANSWERS)):
            assert not re.search(rf"\b{re.escape(text)}\b", unquote_plus(said)), text


def check_ballot(request: Request) -> None:
    """The body is one sealed ballot: fields of the protocol, holding numbers and elements."""
    assert "?" not in request.target
    body = json.loads(request.body)
    assert list(body) == ["ballot"]
    for name, value in leaves(json.loads(body["ballot"])):
        assert name in FIELDS, name
        assert SEALED.fullmatch(value), f"{name}: {value[:80]}"
        # A ciphertext of a choice in the clear would be a short number.
        assert name not in ("alpha", "beta") or len(value) >= 60


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a JSON value with the name of the field that it is in."""
    if isinstance(value, dict):
        for key, inner in value.items():
            assert key in FIELDS, f"a ballot has no {key}"
            yield from leaves(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, name)
    else:
        yield name, str(value)


def no_secret_left(people: Iterable[Person], codes: Iterable[str], private_key: int) -> None:
    """No voting code or piece of one, no private key, no passphrase of a key, from anybody."""
    short = {piece for code in codes for piece in pieces_of(code, 6)}
    long = {piece for code in codes for piece in pieces_of(code, 8)}
    key = pieces_of(str(private_key), 16) | pieces_of(f"{private_key:064x}", 16)
    phrases = {KEY_PASSPHRASE, json.dumps(KEY_PASSPHRASE)[1:-1]}
    for person in people:
        for request in person.wire.requests():
            sent = request.without_cookies().decode("utf-8", "replace")
            for text in (sent, unquote_plus(sent)):
                found = [piece for piece in short | key | phrases if piece in text]
                assert not found, f"{person.name} sent {found} to {request.target}"
            # Cookies are random: six characters of a code are found in them by chance.
            cookies = request.headers.get("cookie", "")
            assert not [piece for piece in long | key if piece in cookies]


def workers_were_heard(trustee: Person) -> None:
    """The box that the trustee's worker fetched by itself is in the record: nothing escapes it."""
    asked = {request.path.rpartition("/")[2] for request in trustee.wire.requests()}
    assert {"archive.bel", "partial-decryption"} <= asked


def pieces_of(secret: str, length: int) -> set[str]:
    """Every piece of that length, with and without hyphens.

    Not those which any long number holds by chance: of digits alone, or hexadecimal ones.
    """
    forms = {secret, secret.replace("-", "")}
    found = {form[i : i + length] for form in forms for i in range(len(form) - length + 1)}
    return {piece for piece in found if length > 8 or not re.fullmatch(r"[0-9a-f-]+", piece)}


def nobody_else_was_asked(people: Iterable[Person]) -> None:
    """No browser tried to reach another address."""
    for person in people:
        elsewhere = set(person.wire.elsewhere) - CHROMIUMS_OWN
        assert not elsewhere, f"{person.name}: {elsewhere}"
