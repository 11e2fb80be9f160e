"""The two groups, behind one interface.

Rules upheld here ("decode once, then trust the type"): an `Element` exists only if its text was
canonical and it lies in the group of prime order, or if it was computed from such elements. The
identity is refused by `decode` and taken only by `decode_or_identity`, which tallies, decryption
factors and nothing else may use.

Powers with a secret exponent go through `power_secret`, which does not branch on the exponent.
Powers of public bases for verification are as fast as the libraries allow.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import gmpy2
from gmpy2 import mpz
from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from .errors import EncodingError

ScalarSource = Callable[[], int]
"""Draws a scalar in [1, q). Tests pass a list's iterator; the default is `secrets`."""


class Element:
    """A member of the group of prime order. Made by a `Group` only; compares by value."""

    __slots__ = ("_text", "prepared", "raw")

    def __init__(self, raw: Any, text: str | None = None, prepared: Any = None) -> None:
        self.raw = raw
        self._text = text
        self.prepared = prepared
        """What `Group.decode_for_powers` keeps to make the next powers cheaper."""

    @property
    def text(self) -> str:
        """The canonical encoding, as in messages and hash inputs."""
        if self._text is None:
            if isinstance(self.raw, bytes):
                self._text = self.raw[::-1].hex()
            else:
                self._text = str(self.raw)
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Element) and bool(self.raw == other.raw)

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"<Element {self.text[:16]}…>"


class FixedBase(ABC):
    """An element prepared for many powers."""

    element: Element

    @abstractmethod
    def power(self, exponent: int) -> Element:
        """Return the element to `exponent` (any integer; reduced modulo the order)."""


class Group(ABC):
    """A cyclic group of prime order q, written multiplicatively as in the specification."""

    name: str
    """The name in the election and in hash inputs."""
    order: int
    """q"""
    generator: Element
    """g"""
    identity: Element
    element_text_length: int
    """The longest text of an element, in characters."""

    @abstractmethod
    def decode(self, text: str, where: str = "") -> Element:
        """Decode an element from outside; refuse whatever is not canonical, not in the group of
        prime order, or the identity. Raises `EncodingError`, step `element`."""

    def decode_for_powers(self, text: str, where: str = "") -> Element:
        """`decode` an element that will be raised to several powers soon. It may hold a table
        in `prepared` until that is set to None."""
        return self.decode(text, where)

    def decode_or_identity(self, text: str, where: str = "") -> Element:
        """`decode`, taking the identity too: only for tallies and decryption factors."""
        return self.identity if text == self.identity.text else self.decode(text, where)

    @abstractmethod
    def decode_trusted(self, text: str) -> Element:
        """Decode a text that `decode` accepted earlier (our own stored data), without the costly
        check of the subgroup."""

    @abstractmethod
    def multiply(self, left: Element, right: Element) -> Element:
        """left · right"""

    @abstractmethod
    def divide(self, left: Element, right: Element) -> Element:
        """left / right"""

    @abstractmethod
    def power(self, base: Element, exponent: int) -> Element:
        """base to a public exponent (any integer)"""

    @abstractmethod
    def power_secret(self, base: Element, exponent: int) -> Element:
        """base to a secret exponent, in constant time as far as the library gives it"""

    @abstractmethod
    def powers(self, base: Element, exponents: Sequence[int]) -> list[Element]:
        """base to each of several public exponents"""

    @abstractmethod
    def fix(self, base: Element) -> FixedBase:
        """Prepare `base` for many powers."""

    @property
    @abstractmethod
    def fixed_generator(self) -> FixedBase:
        """The generator, prepared."""

    def hash_to_scalar(self, text: str) -> int:
        """SHA-256 of the UTF-8 text, big-endian, modulo q."""
        return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest(), "big") % self.order

    def random_scalar(self) -> int:
        """A uniform scalar in [1, q), from the operating system."""
        return secrets.randbelow(self.order - 1) + 1

    def product(self, elements: Sequence[Element]) -> Element:
        """The product of the elements; the identity when there are none."""
        result = self.identity
        for element in elements:
            result = self.multiply(result, element)
        return result


_HEX64 = re.compile(r"[0-9a-f]{64}")


class _SodiumFixedBase(FixedBase):
    def __init__(self, group: Ed25519, element: Element) -> None:
        self._group = group
        self.element = element

    def power(self, exponent: int) -> Element:
        return self._group.power(self.element, exponent)


class Ed25519(Group):
    """The prime-order subgroup of edwards25519 through libsodium, written multiplicatively.

    The text is the RFC 8032 encoding with its bytes reversed, in lower-case hexadecimal.
    libsodium's products release the GIL and run in constant time.
    """

    name = "Ed25519"
    order = 2**252 + 27742317777372353535851937790883648493
    element_text_length = 64

    def __init__(self) -> None:
        self.identity = Element(bytes([1]) + bytes(31))
        self.generator = Element(
            sodium.crypto_scalarmult_ed25519_base_noclamp((1).to_bytes(32, "little"))
        )
        self._fixed_generator = _SodiumFixedBase(self, self.generator)

    def decode(self, text: str, where: str = "") -> Element:
        if _HEX64.fullmatch(text) is None:
            raise EncodingError("element", where, "not 64 lower-case hexadecimal digits")
        raw = bytes.fromhex(text)[::-1]
        if not sodium.crypto_core_ed25519_is_valid_point(raw):
            raise EncodingError(
                "element", where, "not a canonical point of the prime-order subgroup"
            )
        return Element(raw, text)

    def decode_trusted(self, text: str) -> Element:
        return Element(bytes.fromhex(text)[::-1], text)

    def multiply(self, left: Element, right: Element) -> Element:
        return Element(sodium.crypto_core_ed25519_add(left.raw, right.raw))

    def divide(self, left: Element, right: Element) -> Element:
        return Element(sodium.crypto_core_ed25519_sub(left.raw, right.raw))

    def power(self, base: Element, exponent: int) -> Element:
        exponent %= self.order
        # libsodium refuses the zero scalar and the identity; both are decided here.
        if exponent == 0 or base.raw == self.identity.raw:
            return self.identity
        scalar = exponent.to_bytes(32, "little")
        if base.raw == self.generator.raw:
            return Element(sodium.crypto_scalarmult_ed25519_base_noclamp(scalar))
        try:
            return Element(sodium.crypto_scalarmult_ed25519_noclamp(scalar, base.raw))
        except (CryptoError, RuntimeError) as error:  # pragma: no cover - decode excludes it
            raise EncodingError("element", "", "not in the prime-order subgroup") from error

    def power_secret(self, base: Element, exponent: int) -> Element:
        return self.power(base, exponent)

    def powers(self, base: Element, exponents: Sequence[int]) -> list[Element]:
        return [self.power(base, exponent) for exponent in exponents]

    def fix(self, base: Element) -> FixedBase:
        return _SodiumFixedBase(self, base)

    @property
    def fixed_generator(self) -> FixedBase:
        return self._fixed_generator


_DECIMAL = re.compile(r"[1-9][0-9]{0,616}")

_P = mpz(
    "206947856914225464010136436575050080649229892957511040971008847870573742192427174019222372"
    "544976843381290666331380789584049600543896362897963930387739057228036059737494276713767776"
    "188985898727358650490811670993105358677809800307904916540637771737641986785272734744763418"
    "356000356983051931442845617019110007867373073335641239717328979132404745788344682606523279"
    "746479511376726586935821800463179220736688600526271863633860887968821207694323661494910029"
    "234443463732221458841005864210502421203654335612013204811188524087310770141516662001623131"
    "77169372189248078507711827842317498073276598828825169183103125680162072880719"
)
_G = mpz(
    "240235267750185220922768770353239993271228765737836491651007531878766327414635321932028567"
    "615526967879969466829874938909508389657342560190060106847716449173547413728310461045868131"
    "451178164675540052740288984613986453266121505579709716201616827031288643245666383486363578"
    "210615491841998253431518974065818686865115135857641013888221539601604322884360393098933366"
    "277284840659313840601023167509576377798266510360682240663507669776402534625377308513317349"
    "519424896775405257365904949247763147599157519877517771148149092045660020547812705472823814"
    "0972518639858334115700568353695553423781475582491896050296680037745308460627"
)
_Q = 78571733251071885079927659812671450121821421258408794611510081919805623223441


class _Comb(FixedBase):
    """All powers base^(d·256^i), so that a power is at most 31 products."""

    def __init__(self, base: Element) -> None:
        self.element = base
        self._rows: list[list[mpz]] = []
        unit = base.raw
        for _ in range(32):
            row = [mpz(1)]
            for _ in range(255):
                row.append(row[-1] * unit % _P)
            self._rows.append(row)
            unit = row[-1] * unit % _P

    def power(self, exponent: int) -> Element:
        result = None
        for row, digit in zip(self._rows, (exponent % _Q).to_bytes(32, "little"), strict=True):
            if digit:
                result = row[digit] if result is None else result * row[digit] % _P
        return Element(mpz(1) if result is None else result)


def _square_chain(base: mpz) -> list[mpz]:
    """base^(16^i) for i from 63 down to 0. One chain serves several exponents."""
    chain = []
    for _ in range(64):
        chain.append(base)
        base = base * base % _P
        base = base * base % _P
        base = base * base % _P
        base = base * base % _P
    chain.reverse()
    return chain


def _power_from_chain(chain: Sequence[mpz], exponent: int) -> mpz:
    """The power by buckets (Yao's method): about 94 products instead of a ladder's 300.

    `exponent` is public and below 2^256.
    """
    buckets: list[mpz | None] = [None] * 16
    for digit, unit in zip(f"{exponent:064x}", chain, strict=True):
        index = int(digit, 16)
        held = buckets[index]
        buckets[index] = unit if held is None else held * unit % _P
    total: mpz | None = None
    running: mpz | None = None
    for held in reversed(buckets[1:]):
        if held is not None:
            running = held if running is None else running * held % _P
        if running is not None:
            total = running if total is None else total * running % _P
    return mpz(1) if total is None else total


class Belenios2048(Group):
    """The subgroup of order q (256 bits) of the integers modulo p (2048 bits), through GMP.

    The text is the decimal number. GMP checks nothing, so `decode` does: 0 < x < p, x^q = 1.
    """

    name = "BELENIOS-2048"
    order = _Q
    element_text_length = 617

    def __init__(self) -> None:
        self.identity = Element(mpz(1))
        self.generator = Element(_G)
        self._comb: _Comb | None = None

    def decode(self, text: str, where: str = "") -> Element:
        raw = self._read(text, where)
        if gmpy2.powmod(raw, _Q, _P) != 1:
            raise EncodingError("element", where, "not in the subgroup of prime order")
        return Element(raw, text)

    def decode_for_powers(self, text: str, where: str = "") -> Element:
        raw = self._read(text, where)
        chain = _square_chain(raw)
        if _power_from_chain(chain, _Q) != 1:
            raise EncodingError("element", where, "not in the subgroup of prime order")
        return Element(raw, text, chain)

    def _read(self, text: str, where: str) -> mpz:
        if _DECIMAL.fullmatch(text) is None:
            raise EncodingError("element", where, "not a canonical decimal number")
        raw = mpz(text)
        if raw >= _P:
            raise EncodingError("element", where, "not below the modulus")
        if raw == 1:
            raise EncodingError("element", where, "the identity is not allowed here")
        return raw

    def decode_trusted(self, text: str) -> Element:
        return Element(mpz(text), text)

    def multiply(self, left: Element, right: Element) -> Element:
        return Element(left.raw * right.raw % _P)

    def divide(self, left: Element, right: Element) -> Element:
        return Element(left.raw * gmpy2.invert(right.raw, _P) % _P)

    def power(self, base: Element, exponent: int) -> Element:
        return Element(gmpy2.powmod(base.raw, exponent % _Q, _P))

    def power_secret(self, base: Element, exponent: int) -> Element:
        exponent %= _Q
        if exponent == 0:
            return self.identity
        return Element(gmpy2.powmod_sec(base.raw, exponent, _P))

    def powers(self, base: Element, exponents: Sequence[int]) -> list[Element]:
        chain = base.prepared
        if chain is None:
            if len(exponents) < 2:
                return [self.power(base, exponent) for exponent in exponents]
            chain = _square_chain(base.raw)
        return [Element(_power_from_chain(chain, exponent % _Q)) for exponent in exponents]

    def fix(self, base: Element) -> FixedBase:
        return _Comb(base)

    @property
    def fixed_generator(self) -> FixedBase:
        if self._comb is None:
            self._comb = _Comb(self.generator)
        return self._comb


@cache
def group_named(name: str) -> Group:
    """The group of an election, by its name. Raises `EncodingError` for any other."""
    for kind in (Ed25519, Belenios2048):
        if kind.name == name:
            return kind()
    raise EncodingError("fields", "group", f"unknown group {name[:40]!r}")


GROUP_NAMES = (Ed25519.name, Belenios2048.name)
