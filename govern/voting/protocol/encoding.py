"""Strict, compact JSON and the protocol's text encodings.

Rules upheld here: a message has one spelling only (compact, fields in the specification's order,
UTF-8 unescaped, integers canonical, no key twice), so two readers can never see two meanings in
the same bytes; and hashes are taken over the bytes as received, never over a re-serialisation.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from .errors import EncodingError

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""The alphabet of uuids, credential codes and seeds."""

UUID_MINIMUM_LENGTH = 14

_UUID = re.compile(f"[{BASE58}]{{{UUID_MINIMUM_LENGTH},64}}")
_SCALAR = re.compile(r"0|[1-9][0-9]{0,99}")
_HASH = re.compile(r"[0-9a-f]{64}")
_FINGERPRINT = re.compile(r"[A-Za-z0-9+/]{43}")


def dump(value: Any) -> bytes:
    """Write a message: compact JSON, keys in insertion order, UTF-8 unescaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def dump_text(value: Any) -> str:
    """`dump`, as a string (for messages that are signed inside a string)."""
    return dump(value).decode("utf-8")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a field stands twice in one object")
    return members


def _refuse_number(text: str) -> Any:
    raise ValueError(f"{text[:20]} is not a plain integer")


MAXIMUM_INTEGER = 2**53 - 1
"""The largest number in a message: JavaScript's integers are exact so far."""


def _read_integer(text: str) -> int:
    value = int(text) if len(text) <= 17 else MAXIMUM_INTEGER + 1
    if abs(value) > MAXIMUM_INTEGER:
        raise ValueError(f"{text[:20]} is too large")
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_refuse_duplicates,
    parse_int=_read_integer,
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
)


def parse(data: bytes, *, where: str = "", limit: int | None = None) -> Any:
    """Read a message strictly.

    Raises `EncodingError` (step `encoding`) for anything that `dump` would not have written,
    and for more than `limit` bytes (checked before parsing).
    """
    if limit is not None and len(data) > limit:
        raise EncodingError(
            "encoding", where, f"{len(data)} bytes are more than the {limit} it can need"
        )
    try:
        text = data.decode("utf-8")
        value = _DECODER.decode(text)
        canonical = dump(value)
    except RecursionError:
        raise EncodingError("encoding", where, "the JSON is nested too deeply") from None
    except ValueError as error:  # also UnicodeDecodeError, UnicodeEncodeError, JSONDecodeError
        raise EncodingError("encoding", where, f"not strict JSON: {error}") from None
    if canonical != data:
        raise EncodingError(
            "encoding", where, "not compact canonical JSON (white space, escapes or numbers)"
        )
    return value


def fields(
    value: Any, names: Sequence[str], where: str, optional: Sequence[str] = ()
) -> dict[str, Any]:
    """Check that `value` is an object with exactly `names` in this order (some `optional`)."""
    if type(value) is not dict:
        raise EncodingError("fields", where, "an object is expected here")
    present = list(value)
    if not optional:
        expected = list(names)
    else:
        expected = [name for name in names if name not in optional or name in value]
    if present != expected:
        raise EncodingError(
            "fields",
            where,
            f"the fields must be {', '.join(expected)} in this order, "
            f"not {', '.join(ascii(name[:40]) for name in present[:20]) or 'none'}",
        )
    return value


def array(value: Any, where: str, length: int | None = None) -> list[Any]:
    """Check that `value` is an array, of `length` items where that is known."""
    if type(value) is not list:
        raise EncodingError("fields", where, "an array is expected here")
    if length is not None and len(value) != length:
        raise EncodingError("lengths", where, f"{len(value)} items where {length} are expected")
    return value


def string(value: Any, where: str) -> str:
    """Check that `value` is a string."""
    if type(value) is not str:
        raise EncodingError("fields", where, "a string is expected here")
    return value


def integer(value: Any, where: str, minimum: int = 0, maximum: int = MAXIMUM_INTEGER) -> int:
    """Check that `value` is a small integer (and not a boolean)."""
    if type(value) is not int:
        raise EncodingError("fields", where, "an integer is expected here")
    if not minimum <= value <= maximum:
        raise EncodingError("fields", where, f"must lie between {minimum} and {maximum}")
    return value


def scalar(text: str, order: int, where: str) -> int:
    """Decode a scalar: decimal, canonical, below the group's order."""
    if _SCALAR.fullmatch(text) is None:
        raise EncodingError("scalar", where, "not a canonical decimal number")
    value = int(text)
    if value >= order:
        raise EncodingError("scalar", where, "not below the order of the group")
    return value


def uuid(value: Any, where: str) -> str:
    """Check an election's uuid: 14 to 64 Base58 characters."""
    text = string(value, where)
    if _UUID.fullmatch(text) is None:
        raise EncodingError("fields", where, "a uuid is 14 to 64 Base58 characters")
    return text


def hexadecimal_hash(value: Any, where: str) -> str:
    """Check a SHA-256 as 64 lower-case hexadecimal digits."""
    text = string(value, where)
    if _HASH.fullmatch(text) is None:
        raise EncodingError("fields", where, "a hash is 64 lower-case hexadecimal digits")
    return text


def sha256_hex(data: bytes) -> str:
    """SHA-256 of the bytes as received, in hexadecimal (names in the archive)."""
    return hashlib.sha256(data).hexdigest()


def sha256_base64(data: bytes) -> str:
    """SHA-256 of the bytes as received, unpadded Base64 (fingerprint, tracker, ballot hash)."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode("ascii").rstrip("=")


def is_fingerprint(text: str) -> bool:
    """Whether `text` has the form of an unpadded Base64 SHA-256."""
    return _FINGERPRINT.fullmatch(text) is not None
