"""Examples of the routes of elections."""

from __future__ import annotations

import io
from typing import Any

from govern.access import Role
from tests.access.example import Example
from tests.access.world_elections import PASSPHRASE


def _at(state: str, form: Any = None, **more: Any) -> Example:
    """A route of the election in ``state``."""
    return Example(
        arguments=lambda side: {"uuid": getattr(side, f"election_{state}")},
        form=form or {},
        **more,
    )


REASON = {"reason": "the network of the hall failed"}
TIMES = {"opens_at": "2018-06-10T09:00", "closes_at": "2018-06-19T17:00"}

ELECTIONS = {
    "voting.elections": Example(),
    "voting.election": _at("open"),
    "voting.election_json": _at("open"),
    "voting.credentials_json": _at("open"),
    "voting.board": _at("open"),
    "voting.archive": _at("open"),
    "voting.named_archive": Example(
        arguments=lambda side: {"uuid": side.election_open, "name": side.election_open}
    ),
    "voting.record": _at("published"),
    # Everybody who is signed in may open the booth; whoever is not on the roll reads that there.
    "voting.booth": _at("open"),
    "voting.cast": _at(
        "open", json=lambda side: {"ballot": side.ballot}, only=frozenset({Role.MEMBER})
    ),
    "voting.trustee": _at("keys"),
    "voting.public_key": _at("keys", json=lambda side: {"public_key": side.new_key}),
    "voting.trustee_upload": _at(
        "keys", lambda side: {"file": (io.BytesIO(side.new_key.encode()), "key.json")}
    ),
    "voting.partial_decryption": _at(
        "tallying", json=lambda side: {"partial_decryption": side.partial_decryption}
    ),
    "voting.manage": _at("draft"),
    "voting.schedule": _at("draft", TIMES),
    "voting.trustees": _at("draft", lambda side: {"trustees": [str(side.accounts[Role.TRUSTEE])]}),
    "voting.keys": _at("draft"),
    "voting.trustee_key": Example(
        arguments=lambda side: {"uuid": side.election_keys, "position": 1},
        form=lambda side: {"account": str(side.accounts[Role.TRUSTEE]), **REASON},
    ),
    "voting.fix": _at("keyed"),
    "voting.codes": _at(
        "fixed", lambda side: {"file": (io.BytesIO(side.credentials_file), "public.json")}
    ),
    "voting.codes_progress": _at("coded"),
    "voting.roll_file": _at("fixed"),
    "voting.discard_codes": _at("coded", REASON),
    "voting.lost_code": _at(
        "lost", lambda side: {"member_number": side.number, "passphrase": PASSPHRASE}
    ),
    "voting.extend": _at("open", {"closes_at": "2018-06-20T17:00", **REASON}),
    "voting.close": _at("open", REASON),
    "voting.cancel": _at("draft", REASON),
}
