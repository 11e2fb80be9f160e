"""The hash chain of the share ledger, and the commitments to who held the shares.

An entry's hash is SHA-256 over ``govern/share-entry/2``, a line feed, and the canonical JSON
(sorted keys, no blanks, UTF-8) of the entry's fields and the hash before it. Entries of version 1
were written before shares had numbers: their tag ends in 1, and their JSON has neither ``numbers``
nor ``cause``. Who the holder was is not in there but in a *statement*, of which the entry carries
only a commitment, HMAC-SHA256(salt, statement). Deleting salt and statement (an erasure) leaves a
chain that still verifies and tells nothing.

The numbers by which rows of this one database name each other are not part of the chain, which
another database can continue. A row digest binds them to the hash, against slips: who recorded
an entry is attested by the audit log, a chain of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, date, datetime
from typing import Any

BEGINNING = "0" * 64
"""The hash before the first entry."""

VERSION = 2
"""What entries are written as now."""

_ENTRY_TAGS = {1: b"govern/share-entry/1\n", 2: b"govern/share-entry/2\n"}
_ROW_TAG = b"govern/share-row/1\n"


# Made once: a million lines are written in half the time.
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def canonical_json(value: Any) -> bytes:
    """One way to write ``value``: sorted keys, no blanks, UTF-8."""
    return _encode(value).encode()


def entry_hash(
    *,
    version: int,
    cooperative: str,
    sequence: int,
    membership: str,
    commitment: str,
    kind: str,
    share_class: str,
    nominal_cents: int,
    shares: int,
    amount_cents: int,
    effective_on: date,
    recorded_at: datetime,
    act_id: str,
    source: str,
    reverses: int | None,
    previous_hash: str,
    numbers: str,
    cause: str,
) -> str:
    """The hash (64 hexadecimal digits) of one entry; KeyError for an unknown ``version``.

    ``cooperative`` is its code, ``membership`` the membership's public id, ``reverses`` the
    sequence number of the entry taken back. Version 1 does not cover ``numbers`` and ``cause``.
    """
    tag = _ENTRY_TAGS[version]
    content = {
        "act": act_id,
        "amount_cents": amount_cents,
        "class": share_class,
        "commitment": commitment,
        "cooperative": cooperative,
        "effective_on": effective_on.isoformat(),
        "kind": kind,
        "membership": membership,
        "nominal_cents": nominal_cents,
        "previous": previous_hash,
        "recorded_at": recorded_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "reverses": reverses,
        "sequence": sequence,
        "shares": shares,
        "source": source,
    }
    if version > 1:
        content |= {"cause": cause, "numbers": numbers}
    return hashlib.sha256(tag + canonical_json(content)).hexdigest()


def row_digest(
    *,
    entry_hash: str,
    row_id: int,
    cooperative_id: int,
    membership_id: int,
    recorded_by_id: int | None,
    reverses_id: int | None,
) -> str:
    """Binds a row's own number and those it names in this database to the entry's hash."""
    content = {
        "cooperative": cooperative_id,
        "hash": entry_hash,
        "id": row_id,
        "membership": membership_id,
        "recorded_by": recorded_by_id,
        "reverses": reverses_id,
    }
    return hashlib.sha256(_ROW_TAG + canonical_json(content)).hexdigest()


def holder_statement(
    *, member_number: str, kind: str, name: str, birth_date: date | None, enterprise_number: str
) -> str:
    """Who holds a membership, as the text that is committed to."""
    return canonical_json(
        {
            "birth_date": birth_date.isoformat() if birth_date else None,
            "enterprise_number": enterprise_number,
            "kind": kind,
            "member_number": member_number,
            "name": name,
        }
    ).decode()


def commit_to(salt: str, statement: str) -> str:
    """HMAC-SHA256 with ``salt`` (64 hexadecimal digits) over ``statement``."""
    return hmac.digest(bytes.fromhex(salt), statement.encode(), "sha256").hex()
