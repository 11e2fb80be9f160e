"""What somebody who reads a language expects to see: the catalogue that pages are written in."""

from __future__ import annotations

import gettext
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


class Words:
    """``words("Sign in")`` is what a page in that language says for it.

    English is the source: there, a text is its own translation.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        folder = str(ROOT / "govern" / "translations")
        self._catalogue = gettext.translation(
            "messages", folder, [language], fallback=language == "en"
        )

    def __call__(self, text: str, /, **values: Any) -> str:
        said = self._catalogue.gettext(text)
        return said % values if values else said

    def several(self, one: str, many: str, number: int, **values: Any) -> str:
        """A text that depends on a number, which it may name as ``num``."""
        return self._catalogue.ngettext(one, many, number) % {"num": number, **values}

    def like(self, text: str, /, **values: Any) -> re.Pattern[str]:
        """The whole of the text; a placeholder without a value stands for anything."""
        return re.compile(rf"^\s*{self._pattern(text, values)}\s*$")

    def part(self, text: str, /, **values: Any) -> re.Pattern[str]:
        """The same somewhere within a longer text."""
        return re.compile(self._pattern(text, values))

    def _pattern(self, text: str, values: dict[str, Any]) -> str:
        pieces: list[str] = []
        end, said = 0, self(text)
        for found in PLACEHOLDER.finditer(said):
            pieces.append(re.escape(said[end : found.start()]))
            name = found.group(1)
            pieces.append(re.escape(str(values[name])) if name in values else ".+?")
            end = found.end()
        whole = "".join([*pieces, re.escape(said[end:])])
        # Browsers make one kind of blank of all (French has narrow ones before its colons), and
        # Playwright writes patterns between slashes.
        return re.sub(r"\\?\s", r"\\s+", whole).replace("/", r"\/")
