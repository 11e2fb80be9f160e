"""Babel extractor for ``frontend/strings/*.json``: every value is a message, its key a comment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO


def extract_json(
    file: BinaryIO,
    keywords: Mapping[str, Any],
    comment_tags: Iterable[str],
    options: Mapping[str, Any],
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield (line, function, message, comments) as Babel's extractors do."""
    del keywords, comment_tags, options
    strings: dict[str, str] = json.load(file)
    for number, text in enumerate(strings.values(), start=2):
        yield number, "gettext", text, []
