"""What is decided about signing in: who a typed identifier means, which password is good enough,
how often one may try, and where a page may send a person next. Pure: no database, no clock.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise
from urllib.parse import urlsplit

MAX_IDENTIFIER = 254
MAX_NEXT_PATH = 500

# -- who is meant -------------------------------------------------------------------------------


@dataclass(frozen=True)
class SignInCandidate:
    """One membership (or one account without any) that a typed identifier may mean.

    ``account_id`` is None for a person of the register who has not signed in yet; ``person_id``
    is None for an account that belongs to nobody in the register. One of the two is given.
    ``email`` is the address that a sign-in link may be sent to, None where there is none.
    """

    account_id: int | None
    person_id: int | None
    name: str
    cooperative_name: str = ""
    member_number: str = ""
    email: str | None = None

    @property
    def key(self) -> str:
        """Which person this is: the same for all memberships of one person."""
        if self.account_id is not None:
            return f"account:{self.account_id}"
        return f"person:{self.person_id}"


@dataclass(frozen=True)
class Person:
    """One human being whom an identifier may mean, with the memberships to recognise them by."""

    key: str
    account_id: int | None
    person_id: int | None
    name: str
    memberships: tuple[tuple[str, str], ...]


def people_among(candidates: Iterable[SignInCandidate]) -> list[Person]:
    """The people behind ``candidates``, each once, in the order of their names."""
    people: dict[str, Person] = {}
    for candidate in candidates:
        known = people.get(candidate.key)
        membership = (candidate.cooperative_name, candidate.member_number)
        lines = (membership,) if any(membership) else ()
        if known is None:
            people[candidate.key] = Person(
                candidate.key, candidate.account_id, candidate.person_id, candidate.name, lines
            )
        else:
            added = tuple(line for line in lines if line not in known.memberships)
            people[candidate.key] = replace(
                known,
                person_id=known.person_id or candidate.person_id,
                memberships=known.memberships + added,
            )
    return sorted(people.values(), key=lambda person: (person.name.casefold(), person.key))


def fold_email(address: str) -> str:
    """The address as it is compared: NFKC, without case and surrounding space."""
    return unicodedata.normalize("NFKC", address).strip().casefold()


def fold_identifier(typed: str) -> str:
    """What somebody typed to say who they are, as it is compared and counted.

    Spaces disappear, since numbers are printed in groups; at most 254 characters are kept.
    """
    return re.sub(r"\s+", "", fold_email(typed[:1000]))[:MAX_IDENTIFIER]


def looks_like_email(identifier: str) -> bool:
    """Whether a folded identifier is meant as an address rather than as a member number."""
    return "@" in identifier


# -- passwords ----------------------------------------------------------------------------------

MIN_PASSWORD = 12
MAX_PASSWORD = 1000

COMMON_WORDS = frozenset(
    """
    abc access admin administrateur administrator amour azerty azertyuiop baseball batman beheerder
    belgique belgium berlin bienvenue bonjour bruxelles brussel brussels changeme cheval chocolat
    chouchou computer cooperative cooperatie cooperateur coucou dolphin doudou dragon
    flower football foobar france freedom geheim genossenschaft hallo hello iloveyou
    jesus jetaime jordan letmein liebe login loulou lovely master member membre michael
    mitglied monkey motdepasse mustang mynoob nicolas ninja office ordinateur pass passe passport
    passw passwort password paris princess princesse qwert qwerty qwertyuiop qwertz qwertzuiop
    schatz secret secure shadow smart smartbe smartcoop smartfr soleil sommer starwars summer
    sunshine superman test thomas trustno user utilisateur vennoot voetbal vote wachtwoord
    welcome welkom whatever willkommen winter zomer
    """.split()
)
"""Letters that most guessed passwords consist of, once digits and signs are taken away."""

RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "qsdfghjklm",
    "zxcvbnm",
    "wxcvbn",
    "yxcvbnm",
    "&é\"'(§è!çà)",
)
LEET = str.maketrans("013457@$€!", "oieastasei")


class PasswordWeakness(StrEnum):
    """Why a password is not accepted."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    COMMON = "common"
    PREDICTABLE = "predictable"
    PERSONAL = "personal"


def find_weakness(password: str, personal: Sequence[str] = ()) -> PasswordWeakness | None:
    """Why ``password`` cannot be accepted, None if it can.

    ``personal`` are texts that an attacker tries first: name, address, member number, cooperative.
    Length counts in characters. No mixture of kinds of characters is asked for (NIST SP 800-63B).
    """
    if len(password) > MAX_PASSWORD:
        return PasswordWeakness.TOO_LONG
    if len(password) < MIN_PASSWORD:
        return PasswordWeakness.TOO_SHORT
    folded = unicodedata.normalize("NFKC", password).casefold()
    own = {
        word
        for text in personal
        for word in re.split(r"[^\w]+|_", unicodedata.normalize("NFKC", text).casefold())
        if len(word) >= 3
    }
    # "P@ssw0rd!2024": what hangs on at either end goes first, then the disguise.
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", folded)
    letters = {_letters(folded), _letters(core.translate(LEET))}
    if any(_consists_of(text, COMMON_WORDS) for text in letters):
        return PasswordWeakness.COMMON
    if _is_predictable(folded):
        return PasswordWeakness.PREDICTABLE
    if own and any(_consists_of(text, COMMON_WORDS | own) for text in letters):
        return PasswordWeakness.PERSONAL
    return None


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalpha())


def _consists_of(letters: str, words: Iterable[str]) -> bool:
    """Whether ``letters`` is at most two of ``words``, in any repetition."""
    if len(letters) < 3:
        # All that remains are digits and signs: a long number is judged by its variety alone.
        return False
    pattern = "|".join(re.escape(_letters(word)) for word in sorted(words) if _letters(word))
    if re.fullmatch(f"(?:{pattern})+", letters) is None:
        return False
    found = set(re.findall(pattern, letters))
    return len(found) <= 2


def _is_predictable(text: str) -> bool:
    """Few different characters, a short piece repeated, or mostly runs along a row of keys."""
    if len(set(text)) < 5:
        return True
    for size in range(1, len(text) // 2 + 1):
        piece = text[:size]
        if size < 8 and (piece * (len(text) // size + 1))[: len(text)] == text:
            return True
    steps = sum(_follows(a, b) for a, b in pairwise(text))
    return steps >= 0.75 * (len(text) - 1)


def _follows(first: str, second: str) -> bool:
    pair = first + second
    return first == second or any(pair in row or pair[::-1] in row for row in RUNS)


# -- how often ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    """At most ``limit`` tries of a password for one identifier within ``length``."""

    name: str
    length: timedelta
    limit: int


PASSWORD_WINDOWS = (
    Window("short", timedelta(minutes=15), 10),
    Window("long", timedelta(hours=24), 60),
)

LINK_LIFE = timedelta(minutes=20)
LINK_SPACING = timedelta(minutes=4)
"""A new mail to one address goes out at most this often. Asking again and again neither fills a
mailbox nor shuts its owner out: the link that is there stays good for longer than the wait."""

SESSION_LIFE = timedelta(hours=12)
IDLE_LIFE = timedelta(hours=4)

# -- where to -----------------------------------------------------------------------------------


def safe_next(path: str | None, *, otherwise: str = "") -> str:
    """``path`` if it leads to a page of this site, else ``otherwise``.

    Refused: other hosts (``//host``, ``/\\host``, ``https:…``), control characters (browsers drop
    tabs and line breaks inside an address), and anything longer than 500 characters.
    """
    if not path or len(path) > MAX_NEXT_PATH or not path.startswith("/"):
        return otherwise
    if path.startswith("//") or "\\" in path:
        return otherwise
    if any(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for character in path):
        return otherwise
    parts = urlsplit(path)
    return otherwise if parts.scheme or parts.netloc else path


# -- devices ------------------------------------------------------------------------------------

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def describe_device(user_agent: str) -> str:
    """Two words by which a person recognises their own device: "Firefox, Android".

    Proper names only, so that it reads the same in every language; "" if nothing is known.
    """
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return ", ".join(part for part in (browser, system) if part)
