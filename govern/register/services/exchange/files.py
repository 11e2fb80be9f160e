"""The files of a full export, read: each value, each digest, and what does not fit by its line."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _

from govern.errors import InvalidInput
from govern.register.services.exchange.tables import (
    FORMAT,
    MANIFEST,
    TABLES,
    VERSION,
)

MAX_JSON_BYTES = 20 * 1024 * 1024
MAX_TABLE_BYTES = 4 * 1024**3


class ExportFiles:
    """The files of an export; InvalidInput names the file and the line of what does not fit."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.manifest = self._json(MANIFEST)
        if (
            not isinstance(self.manifest, dict)
            or self.manifest.get("format") != FORMAT
            or self.manifest.get("version") != VERSION
        ):
            raise refusal(_("This is no full export, or one of a version that is not known here."))

    def json(self, name: str) -> Any:
        """A small file whose digest the manifest states."""
        value = self._json(name)
        content = self.archive.read(name)
        self._check_digest(name, hashlib.sha256(content).hexdigest())
        return value

    def _json(self, name: str) -> Any:
        try:
            info = self.archive.getinfo(name)
            if info.file_size > MAX_JSON_BYTES:
                raise refusal(_("The file %(name)s is larger than it can be.", name=name))
            return json.loads(self.archive.read(info))
        except KeyError as error:
            raise refusal(_("The file %(name)s is missing.", name=name)) from error
        except (ValueError, zipfile.BadZipFile) as error:
            raise refusal(_("The file %(name)s cannot be read.", name=name)) from error

    def _check_digest(self, name: str, found: str) -> None:
        stated = self.manifest.get("sha256", {}).get(name)
        if stated != found:
            raise refusal(_("The file %(name)s was changed after the export.", name=name))

    def rows(self, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows of a table: line in the file, values by column."""
        columns = TABLES[name]
        try:
            info = self.archive.getinfo(name)
        except KeyError as error:
            raise refusal(_("The file %(name)s is missing.", name=name)) from error
        if info.file_size > MAX_TABLE_BYTES:
            raise refusal(_("The file %(name)s is larger than it can be.", name=name))
        with self.archive.open(info) as stream:
            counted = _Counted(stream)
            text = io.TextIOWrapper(io.BufferedReader(counted), encoding="utf-8", newline="")
            try:
                reader = csv.reader(text, delimiter=";", strict=True)
                heading = next(reader, [])
                if heading != [column.name for column in columns]:
                    raise at_line(name, 1, _("The heading is not the one of this file."))
                for cells in reader:
                    if len(cells) != len(columns):
                        raise at_line(
                            name, reader.line_num, _("The row has too few or many cells.")
                        )
                    values = {}
                    for column, cell in zip(columns, cells, strict=True):
                        try:
                            values[column.name] = column.read(cell)
                        except (ValueError, OverflowError) as error:
                            raise at_line(
                                name,
                                reader.line_num,
                                _(
                                    "“%(cell)s” cannot stand under “%(column)s”.",
                                    cell=cell[:60],
                                    column=column.name,
                                ),
                            ) from error
                    yield reader.line_num, values
            except (UnicodeDecodeError, csv.Error, zipfile.BadZipFile, EOFError) as error:
                raise refusal(_("The file %(name)s cannot be read.", name=name)) from error
            self._check_digest(name, counted.digest.hexdigest())


class _Counted(io.RawIOBase):
    """Reads on, and digests what was read."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self.stream.read(len(buffer))
        self.digest.update(piece)
        buffer[: len(piece)] = piece
        return len(piece)


def refusal(message: str) -> InvalidInput:
    return InvalidInput(
        message,
        remedy=_("Nothing was imported. Take the file of “govern register export-full” as it is."),
        field="file",
    )


def at_line(name: str, line: int, message: str) -> InvalidInput:
    return refusal(_("%(name)s, line %(line)s: %(message)s", name=name, line=line, message=message))
