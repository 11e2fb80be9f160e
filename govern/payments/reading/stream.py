"""XML as a stream of elements, from whoever sends it.

Nothing outside the file is ever fetched. Refused as early as it shows: a document type or an
entity, deep nesting, and what is longer or more than any bank writes. Without these bounds a file
of 20 MB keeps a processor busy for minutes: a tag that is not closed is looked at anew with every
piece that is read, and the name of a namespace is copied into every element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from govern.payments.reading.records import UnreadableStatement

MAX_DEPTH = 40
MAX_TAG = 100_000
"""Bytes of one tag or comment. A bank's longest have a few hundred."""

MAX_TEXT = 100_000
"""Characters inside one element."""

MAX_ATTRIBUTES = 50
MAX_NAMES = 2000
"""Different names of elements and attributes in one file: the schema has about 500."""

MAX_NAMESPACES = 1000
MAX_NAMESPACE = 500
"""Declarations in one file, and characters of one."""

_PIECE = 1 << 16


def read_elements(
    content: bytes, begin: Callable[[Element], None], end: Callable[[Element], None]
) -> None:
    """Call ``begin`` and ``end`` for each element of a file in turn. Raises UnreadableStatement:
    ``hostile``, ``oversized`` or ``broken``, and whatever the two raise."""
    target = _Target(begin, end)
    parser: Any = XMLParser(
        target=target, forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    parser.parser.StartNamespaceDeclHandler = target.namespace
    try:
        for at in range(0, len(content), _PIECE):
            parser.feed(content[at : at + _PIECE])
            # What is read and not understood yet is one tag that has not come to its end.
            if at + _PIECE - max(parser.parser.CurrentByteIndex, 0) > MAX_TAG + _PIECE:
                raise UnreadableStatement("oversized", line=parser.parser.CurrentLineNumber)
        parser.close()
    except DefusedXmlException as error:
        raise UnreadableStatement("hostile") from error
    except _Oversized as error:
        line = parser.parser.CurrentLineNumber
        raise UnreadableStatement("oversized", line=line) from error
    except ParseError as error:
        raise UnreadableStatement("broken", line=error.position[0]) from error
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        if isinstance(error, UnreadableStatement):
            raise
        # An encoding that is declared and not known, or not kept to.
        raise UnreadableStatement("broken", line=1) from error


class _Oversized(Exception):
    """Longer, or more, than any bank writes."""


class _Target:
    """Builds the elements, counting."""

    def __init__(self, begin: Callable[[Element], None], end: Callable[[Element], None]) -> None:
        self._tree = TreeBuilder()
        self._begin, self._end = begin, end
        self._names: set[str] = set()
        self._depth = self._text = self._namespaces = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._text = 0
        if self._depth > MAX_DEPTH:
            raise UnreadableStatement("hostile")
        self._names.add(tag)
        if attributes:
            self._names.update(attributes)
        if len(attributes) > MAX_ATTRIBUTES or len(self._names) > MAX_NAMES:
            raise _Oversized
        self._begin(self._tree.start(tag, attributes))

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._text = 0
        self._end(self._tree.end(tag))

    def data(self, text: str) -> None:
        self._text += len(text)
        if self._text > MAX_TEXT:
            raise _Oversized
        self._tree.data(text)

    def namespace(self, _prefix: str | None, address: str | None) -> None:
        self._namespaces += 1
        if self._namespaces > MAX_NAMESPACES or len(address or "") > MAX_NAMESPACE:
            raise _Oversized

    def close(self) -> None:
        self._tree.close()
