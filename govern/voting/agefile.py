"""Files protected by a passphrase in the age format (age-encryption.org/v1, scrypt recipient).

Any ``age`` opens them, and ``pyrage`` opens them here. Only the writing is ours: pyrage chooses a
work factor by how idle the machine happens to be and may take a gigabyte of memory, more than the
telephone has on which a trustee opens the same file. Ours is age's own default, 2^18 (256 MB).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

import pyrage
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

WORK_FACTOR = 18
"""log2 of scrypt's N; r = 8 and p = 1 are fixed by the format."""

_CHUNK = 64 * 1024
_LINE = 64


class WrongPassphrase(ValueError):
    """The passphrase does not open the file, or it is not such a file."""


def encrypt(content: bytes, passphrase: str) -> bytes:
    """The age file that ``passphrase`` opens. Takes about a second on purpose."""
    file_key = secrets.token_bytes(16)
    salt = secrets.token_bytes(16)
    wrapping_key = hashlib.scrypt(
        passphrase.encode(),
        salt=b"age-encryption.org/v1/scrypt" + salt,
        n=1 << WORK_FACTOR,
        r=8,
        p=1,
        maxmem=(128 * 8 << WORK_FACTOR) + (1 << 20),
        dklen=32,
    )
    wrapped = ChaCha20Poly1305(wrapping_key).encrypt(bytes(12), file_key, None)
    header = (
        f"age-encryption.org/v1\n-> scrypt {_base64(salt)} {WORK_FACTOR}\n{_base64(wrapped)}\n---"
    ).encode()
    mac = hmac.digest(_derive(file_key, None, b"header"), header, "sha256")
    nonce = secrets.token_bytes(16)
    sealed = _seal_stream(_derive(file_key, nonce, b"payload"), content)
    return header + f" {_base64(mac)}\n".encode() + nonce + sealed


def decrypt(data: bytes, passphrase: str) -> bytes:
    """The content of an age file. Raises WrongPassphrase."""
    try:
        return bytes(pyrage.passphrase.decrypt(data, passphrase))
    except pyrage.DecryptError as error:
        raise WrongPassphrase("the passphrase does not open this file") from error


def _base64(data: bytes) -> str:
    """Unpadded; everything here fits on one line of a stanza (under 64 characters)."""
    text = base64.b64encode(data).decode().rstrip("=")
    if len(text) >= _LINE:
        raise ValueError("too long for one line of an age header")
    return text


def _derive(file_key: bytes, salt: bytes | None, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt, purpose).derive(file_key)


def _seal_stream(key: bytes, content: bytes) -> bytes:
    """STREAM: chunks of 64 KiB; the nonce counts them and marks the last one."""
    cipher = ChaCha20Poly1305(key)
    starts = range(0, len(content), _CHUNK) or range(1)
    return b"".join(
        cipher.encrypt(
            number.to_bytes(11, "big") + bytes([start + _CHUNK >= len(content)]),
            content[start : start + _CHUNK],
            None,
        )
        for number, start in enumerate(starts)
    )
