"""Keys derived from the server's secret, one per purpose, and encryption under them.

The secret is not in the database: a copy of the database alone opens nothing that is sealed here.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from govern.errors import Unavailable


def derive_key(purpose: str) -> bytes:
    """32 bytes for ``purpose`` from the server's secret key (HKDF-SHA256)."""
    secret = current_app.config["GOVERN"].secret_key.encode()
    return HKDF(hashes.SHA256(), 32, None, f"govern:{purpose}".encode()).derive(secret)


def seal(purpose: str, content: bytes) -> bytes:
    """Encrypt and authenticate ``content`` (XSalsa20-Poly1305, random nonce in front)."""
    return bytes(SecretBox(derive_key(purpose)).encrypt(content))


def unseal(purpose: str, sealed: bytes) -> bytes:
    """The inverse of ``seal``; Unavailable when it was sealed under another secret key."""
    try:
        return bytes(SecretBox(derive_key(purpose)).decrypt(sealed))
    except CryptoError as error:
        raise Unavailable(
            "A sealed text cannot be opened: it was sealed under another secret key.",
            remedy="Start with the GOVERN_SECRET_KEY that was in force then.",
        ) from error
