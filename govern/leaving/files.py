"""Scanned papers: which files are accepted, found in their content and not in their names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_BYTES = 10 * 1024 * 1024
ENDINGS = ("pdf", "png", "jpg")


@dataclass(frozen=True)
class PaperType:
    """A kind of file: its media type and the ending that its name gets."""

    media_type: str
    ending: str


def detect_paper(content: bytes) -> PaperType | None:
    """The kind of a scanned paper; None for anything else."""
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-2048:]:
        return PaperType("application/pdf", "pdf")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PaperType("image/png", "png")
    if content.startswith(b"\xff\xd8\xff"):
        return PaperType("image/jpeg", "jpg")
    return None


def safe_name(name: str, kind: PaperType) -> str:
    """A file name that is safe in a header and on any disk."""
    stem = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", stem)
    stem = re.sub(r"[^\w\-. ]+", "_", stem).strip(" ._") or "document"
    return f"{stem[:80].strip(' ._')}.{kind.ending}"
