"""Keys of an election that come from the server's secret, which is not in the database.

Receipts: an Ed25519 key per election; its public half is stored at opening and shown on the
election's page. Attendance: the tag that keeps a member to one credential is
HMAC-SHA256(k, public credential), k = HMAC-SHA256(server key, salt); the salt is in the database
until the box is closed and then deleted (protocol.md §6).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import date

from flask_babel import gettext as _
from nacl.secret import SecretBox
from nacl.signing import SigningKey

from govern.errors import InvalidInput, Unavailable
from govern.sealing import derive_key, seal, unseal
from govern.voting.models import Election

SALT_BYTES = 32


def make_salt() -> bytes:
    """A fresh salt for one election's attendance tags."""
    return secrets.token_bytes(SALT_BYTES)


def attendance_tag(election: Election, credential: str) -> bytes:
    """The tag of a public credential (32 bytes). The election must have its salt."""
    if election.attendance_salt is None:
        raise ValueError("the salt is gone: nobody can compute this tag any more")
    server_key = derive_key(f"voting attendance {election.uuid}")
    key = hmac.digest(server_key, election.attendance_salt, "sha256")
    return hmac.digest(key, credential.encode(), "sha256")


def _receipt_signing_key(election: Election) -> SigningKey:
    return SigningKey(derive_key(f"voting receipt {election.uuid}"))


def receipt_public_key(election: Election) -> str:
    """The public half of the election's receipt key, 64 hexadecimal digits."""
    return bytes(_receipt_signing_key(election).verify_key).hex()


def receipt_message(uuid: str, tracker: str, height: int, event_hash: str, day: date) -> bytes:
    """What the server signs. No part can hold a vertical bar, so there is one way to read it."""
    return f"govern-receipt|{uuid}|{tracker}|{height}|{event_hash}|{day.isoformat()}".encode()


def sign_receipt(election: Election, tracker: str, height: int, event_hash: str, day: date) -> str:
    """The server's Ed25519 signature over ``receipt_message``, Base64.

    Raises Unavailable when the server's secret is not the one with which the election was opened:
    a receipt under another key could not be verified with the one that was announced.
    """
    key = _receipt_signing_key(election)
    if bytes(key.verify_key).hex() != election.receipt_key:
        raise Unavailable(
            _("The server was started with another secret than when this election opened."),
            remedy=_("Nothing was stored. Tell the returning officer; keep your sealed ballot."),
        )
    signed = key.sign(receipt_message(election.uuid, tracker, height, event_hash, day))
    return base64.b64encode(signed.signature).decode()


_BEHALF = "voting on behalf"


def seal_behalf(election: Election, roll_entry_id: int) -> str:
    """An opaque word for "on behalf of this member", different every time.

    It stands in the address that a ballot is sent to, where a proxy may log it: it must not tell
    the member, and the same member must not be recognisable in two lines of the log.
    """
    content = roll_entry_id.to_bytes(8, "big") + hashlib.sha256(election.uuid.encode()).digest()[:8]
    return base64.urlsafe_b64encode(seal(_BEHALF, content)).decode().rstrip("=")


def unseal_behalf(election: Election, word: str) -> int:
    """The roll entry that ``seal_behalf`` was given. Raises InvalidInput for anything else."""
    refusal = InvalidInput(
        _("The page does not say any more for whom you vote."),
        remedy=_("Open the booth again from the page of the election."),
    )
    if len(word) > 4 * (16 + SecretBox.NONCE_SIZE + SecretBox.MACBYTES):
        raise refusal
    try:
        sealed = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
        content = unseal(_BEHALF, sealed)
    except (ValueError, Unavailable) as error:
        raise refusal from error
    if content[8:] != hashlib.sha256(election.uuid.encode()).digest()[:8]:
        raise refusal
    return int.from_bytes(content[:8], "big")
