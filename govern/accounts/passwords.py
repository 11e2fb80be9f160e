"""Passwords are kept as Argon2id hashes, and checking one takes the same work for everybody.

Parameters: OWASP's first choice for servers that many people reach at once (19 MiB, two passes).
"""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from govern.accounts.rules import MAX_PASSWORD

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

# The hash of 256 random bits that were thrown away. Written down rather than made at start, so
# that the first comparison of a process takes no longer than the others.
NOBODYS_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$mauC32rpaPUeXcHiqBvSGA$zHCLZF"
    "R2RVy0oV7tCkgRwmUg6R/42ITjTB8Nza1nBP0"
)


def hash_password(password: str) -> str:
    """The Argon2id hash, with its parameters and a fresh salt, as one string."""
    return _hasher.hash(_normal(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether ``password`` belongs to ``stored``.

    With ``stored`` None the same work is done against a hash that nobody knows the password of,
    so that the time does not tell whether there is an account.
    """
    try:
        _hasher.verify(stored or NOBODYS_HASH, _normal(password))
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether ``stored`` was made with other parameters than today's."""
    try:
        return _hasher.check_needs_rehash(stored)
    except InvalidHashError:
        return True


def _normal(password: str) -> str:
    """One form for characters that keyboards compose differently. Over-long input is cut: a
    password of that length is refused when it is chosen, so the cut text matches nothing."""
    return unicodedata.normalize("NFC", password[: MAX_PASSWORD + 1])
