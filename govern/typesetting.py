"""Typst, without the application: templates under ``templates/pdf``, values as data.

Imports nothing of Flask, so that commands which run away from any server make the same documents.

Values travel as JSON, so that nothing that somebody typed can become markup. Fonts come from a
package, never from the machine, and the document carries no clock: the same data give the same
bytes, which is what makes a digest of a PDF worth anything.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import font_source_sans_pro
import typst

from govern.paths import TEMPLATES

_FOLDER = TEMPLATES / "pdf"
_FIXED_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_STANDARDS: list[typst.PDFStandard] = ["a-2b", "ua-1"]

# A compiler keeps the fonts that it has read; it is not made for two threads at once.
_compilers = threading.local()


def typeset(
    template: str, data: Mapping[str, Any], language: str, gettext: Callable[..., str]
) -> bytes:
    """``govern.pdf.render_pdf`` for a caller that brings its own ``gettext`` in ``language``."""
    return _compile(template, _as_input(data, language, gettext))


def typeset_apart(
    template: str, data: Mapping[str, Any], language: str, gettext: Callable[..., str]
) -> bytes:
    """``typeset`` in a process of its own, which gives its memory back when it ends.

    For documents of a hundred pages: a compiler keeps what it has made for the next ten documents,
    some 200 MiB of each.
    """
    done = subprocess.run(  # noqa: S603  (this very program)
        [sys.executable, "-I", "-m", "govern.typesetting", template],
        input=_as_input(data, language, gettext).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(f"pdf/{template}.typ: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def _as_input(data: Mapping[str, Any], language: str, gettext: Callable[..., str]) -> str:
    return json.dumps(
        {**data, "language": language, "labels": _labels(gettext)}, ensure_ascii=False
    )


def _compile(template: str, data: str) -> bytes:
    try:
        document = _compiler().compile(
            str(_FOLDER / f"{template}.typ"),
            format="pdf",
            sys_inputs={"data": data},
            pdf_standards=_STANDARDS,
            timestamp=_FIXED_TIME,
        )
    except typst.TypstError as error:
        raise ValueError(f"pdf/{template}.typ: {error.message} {error.diagnostic}") from error
    if not isinstance(document, bytes):
        raise ValueError(f"pdf/{template}.typ gives no single document")
    return document


def _compiler() -> typst.Compiler:
    if not hasattr(_compilers, "one"):
        fonts = typst.Fonts(
            include_system_fonts=False, font_paths=[font_source_sans_pro.font_directory]
        )
        _compilers.one = typst.Compiler(
            root=str(_FOLDER), font_paths=fonts, ignore_system_fonts=True
        )
    return _compilers.one


def _labels(_: Callable[..., str]) -> dict[str, str]:
    """The words of ``base.typ`` itself."""
    return {
        "page": _("Page %(number)s of %(total)s", number="{number}", total="{total}"),
        "digest": _("Digest (SHA-256):"),
        "verification_code": _("Verification code:"),
    }


if __name__ == "__main__":
    sys.stdout.buffer.write(_compile(sys.argv[1], sys.stdin.buffer.read().decode()))
