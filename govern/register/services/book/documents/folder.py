"""All volumes of an extract in a folder: written one by one, and going on where it was left."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.database import reading
from govern.errors import Conflict
from govern.register.services.book.documents.volume import (
    Extract,
    make_extract,
    volume_name,
    volume_pdf,
)
from govern.register.services.book.documents.words import words_on
from govern.register.services.book.extracts import digest_of
from govern.register.services.book.moments import BookMoment, book_at

PARTICULARS = "volumes.json"
"""What the volumes of the folder are of: written first, read by whoever goes on."""

SUMS = "SHA256SUMS"
"""The digest of each file, in the form that ``sha256sum --check`` reads."""

_SUM = re.compile(r"([0-9a-f]{64})  ([^/\n]+)")


@dataclass(frozen=True)
class Asked:
    """What is to be written.

    ``on`` None: today; ``known_at`` None: what is known now; in a folder that was begun already,
    those with which it was begun.
    """

    on: date | None
    known_at: datetime | None
    language: str
    with_domicile: bool


def write_volumes(
    session: Session,
    cooperative: Cooperative,
    asked: Asked,
    folder: Path,
    progress: Callable[[int, int], None],
) -> Extract:
    """Write every volume of the extract into ``folder``, readable by its owner only.

    A folder that was begun with the same wishes is finished with the moment of its beginning; what
    is whole in it already stays. Raises Conflict, and overwrites nothing, where the folder is
    another extract's or a file of one of the names is something else.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with reading(session):
        begun = _read_particulars(folder, cooperative)
        moment = _moment_of(session, cooperative, asked, begun)
        extract = make_extract(
            session,
            cooperative,
            moment,
            words_on(session, cooperative, moment.on),
            asked.language,
            with_domicile=asked.with_domicile,
        )
        stem = f"{cooperative.code}-register-{moment.on.isoformat()}"
        _put(folder / PARTICULARS, _particulars(extract), is_of_another=True)
    total = len(extract.volumes.all)
    sums = _read_sums(folder)
    for volume in extract.volumes.all:
        progress(volume.number - 1, total)
        name = f"{stem}-{volume_name(volume.number, total)}.pdf" if total > 1 else f"{stem}.pdf"
        target = folder / name
        if sums.get(name) is None or _sum_of(target) != sums[name]:
            with reading(session):
                content = volume_pdf(session, extract, volume)
            _put(target, content)
            sums[name] = hashlib.sha256(content).hexdigest()
            _replace(folder / SUMS, _as_text(sums))
    progress(total, total)
    with reading(session):
        if digest_of(session, cooperative, moment) != extract.digest:
            raise Conflict(
                "A name in the book was erased while the volumes were being written.",
                remedy="Write them again into another folder, and destroy these.",
            )
    return extract


def _moment_of(
    session: Session, cooperative: Cooperative, asked: Asked, begun: dict[str, Any] | None
) -> BookMoment:
    """The moment asked for, fixed; or the one with which the folder was begun."""
    if begun is None:
        now = book_at(session, cooperative, asked.on, asked.known_at)
        return book_at(session, cooperative, asked.on, now.known_at, now.sequence)
    on = asked.on or date.fromisoformat(begun["on"])
    known_at = asked.known_at or datetime.fromisoformat(begun["known_at"])
    return book_at(session, cooperative, on, known_at, begun["entry"])


def _particulars(extract: Extract) -> bytes:
    moment = extract.moment
    particulars = {
        "cooperative": extract.cooperative.code,
        "digest": extract.digest,
        "entry": moment.sequence,
        "hash": moment.hash,
        "known_at": moment.known_at.isoformat(timespec="microseconds"),
        "language": extract.language,
        "on": moment.on.isoformat(),
        "volumes": len(extract.volumes.all),
        "with_domiciles": extract.with_domicile,
    }
    return (json.dumps(particulars, ensure_ascii=False, indent=1) + "\n").encode()


def _read_particulars(folder: Path, cooperative: Cooperative) -> dict[str, Any] | None:
    """What the folder was begun with; None where it was not."""
    path = folder / PARTICULARS
    if not path.exists():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        if found["cooperative"] == cooperative.code and {"on", "known_at", "entry"} <= found.keys():
            return found
    except (ValueError, TypeError, KeyError):
        pass
    raise _another(folder)


def _another(folder: Path) -> Conflict:
    return Conflict(
        f"“{folder}” holds another extract, or one in which a name was erased since.",
        remedy="Name a folder that is empty or does not exist yet.",
    )


def _put(target: Path, content: bytes, *, is_of_another: bool = False) -> None:
    """Write ``content`` under that name unless it is there; anything else under it stays."""
    if target.exists():
        if target.read_bytes() == content:
            return
        if is_of_another:
            raise _another(target.parent)
        raise Conflict(
            f"“{target}” exists and is something else.",
            remedy="Move it away, or name another folder.",
        )
    _replace(target, content)


def _replace(target: Path, content: bytes) -> None:
    """The file is there whole or as it was before, whenever the process dies."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def _read_sums(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except FileNotFoundError:
        return {}
    found = filter(None, map(_SUM.fullmatch, lines))
    return {match[2]: match[1] for match in found}


def _sum_of(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def _as_text(sums: dict[str, str]) -> bytes:
    return "".join(f"{value}  {name}\n" for name, value in sorted(sums.items())).encode()
