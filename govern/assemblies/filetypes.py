"""What a file is, found in its content; the name and what the browser says prove nothing.

Only kinds that people exchange before an assembly are accepted. HTML and SVG are not: they run.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from dataclasses import dataclass


@dataclass(frozen=True)
class FileType:
    """A kind of file: its media type and the ending that its name gets."""

    media_type: str
    ending: str


PDF = FileType("application/pdf", "pdf")
PNG = FileType("image/png", "png")
JPEG = FileType("image/jpeg", "jpg")
TEXT = FileType("text/plain", "txt")
ODT = FileType("application/vnd.oasis.opendocument.text", "odt")
ODS = FileType("application/vnd.oasis.opendocument.spreadsheet", "ods")
ODP = FileType("application/vnd.oasis.opendocument.presentation", "odp")
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = FileType(_OFFICE + "wordprocessingml.document", "docx")
XLSX = FileType(_OFFICE + "spreadsheetml.sheet", "xlsx")
PPTX = FileType(_OFFICE + "presentationml.presentation", "pptx")

ENDINGS = ("pdf", "png", "jpg", "odt", "ods", "odp", "docx", "xlsx", "pptx", "txt")
MAX_BYTES = 20 * 1024 * 1024
_MAX_MEMBERS = 10_000


def detect_type(content: bytes) -> FileType | None:
    """The kind of ``content``; None for anything that is not accepted."""
    if content.startswith(b"%PDF-"):
        return PDF if b"%%EOF" in content[-2048:] else None
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"PK\x03\x04"):
        return _detect_office(content)
    return TEXT if _is_plain_text(content) else None


def _detect_office(content: bytes) -> FileType | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            if len(names) > _MAX_MEMBERS or any("vbaproject" in name.lower() for name in names):
                return None  # macros run
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                declared = archive.read("mimetype").decode("ascii", "replace").strip()
                return next((t for t in (ODT, ODS, ODP) if t.media_type == declared), None)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        return None
    if "[Content_Types].xml" not in names:
        return None
    for folder, kind in (("word/", DOCX), ("xl/", XLSX), ("ppt/", PPTX)):
        if any(name.startswith(folder) for name in names):
            return kind
    return None


def _is_plain_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    if any(unicodedata.category(c) == "Cc" and c not in "\n\r\t\f" for c in text):
        return False
    # A browser that guesses must not find markup at the beginning.
    return not re.match(r"\s*(\ufeff)?\s*<", text)


def safe_filename(name: str, kind: FileType) -> str:
    """A file name that is safe in a header and on any disk, with the ending of its kind."""
    stem = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", stem)
    stem = re.sub(r"[^\w\-. ]+", "_", stem).strip(" ._") or "document"
    return f"{stem[:80].strip(' ._')}.{kind.ending}"
