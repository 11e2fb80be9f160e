"""The message catalogues: ``python -m tools.translations extract|update|compile|check``.

English is the language of the sources; ``govern/translations/{fr,nl,de}`` hold the others.
``extract`` writes a template (for a new language; left out of git), ``update`` brings the messages
of the sources into the catalogues,
``compile`` makes the ``.mo`` files that the program reads (left out of git, made by ``make setup``
and by the build of the package), ``check`` says what ``tests/translations`` would refuse.
The options keep the files quiet: no line numbers, sorted, no guessing.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import frontend
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
TRANSLATIONS = ROOT / "govern" / "translations"
TEMPLATE = TRANSLATIONS / "messages.pot"
LANGUAGES = ("fr", "nl", "de")
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "_l": None,
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "lazy_pgettext": ((1, "c"), 2),
    "_n": (1, 2),
}
PLACEHOLDER = re.compile(r"%\((\w+)\)[#0\- +]?\d*(?:\.\d+)?[a-zA-Z]|\{(\w*)\}")
# Dates in the files would change them without a change of the messages.
EPOCH = datetime(2018, 6, 19, tzinfo=UTC)
#: One message in so many may stay as it is in English (names, "SHA-256", "Board"): no more.
AS_IN_ENGLISH = 20


def catalogue_path(language: str) -> Path:
    """Where the catalogue of ``language`` is kept."""
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


def extract() -> Catalog:
    """Every message of the sources."""
    catalogue = Catalog(
        project="govern",
        copyright_holder="the contributors of govern",
        creation_date=EPOCH,
        charset="utf-8",
    )
    with chdir(ROOT):
        method_map, options_map = frontend.parse_mapping_cfg((ROOT / "babel.cfg").open())
        sys.path.insert(0, str(ROOT))
        for folder in ("govern", "templates", "frontend/strings"):
            # Babel matches patterns against paths below the folder given: give the root's view.
            found = extract_from_dir(
                ROOT / folder,
                [(_below(pattern, folder), method) for pattern, method in method_map],
                {_below(pattern, folder): options for pattern, options in options_map.items()},
                KEYWORDS,
                comment_tags=("Translators:",),
                strip_comment_tags=True,
            )
            for _file, _line, message, comments, context in found:
                catalogue.add(message, None, [], auto_comments=comments, context=context)
    return catalogue


def _below(pattern: str, folder: str) -> str:
    """``pattern`` as seen from inside ``folder``; one that matches nothing for other folders."""
    if pattern.startswith("**"):
        return pattern
    return pattern[len(folder) + 1 :] if pattern.startswith(f"{folder}/") else "no/such/file"


def write_template(catalogue: Catalog) -> None:
    """Write ``messages.pot``."""
    TRANSLATIONS.mkdir(parents=True, exist_ok=True)
    with TEMPLATE.open("wb") as file:
        write_po(file, catalogue, no_location=True, sort_output=True, omit_header=False, width=98)


def read_catalogue(language: str) -> Catalog:
    """The catalogue of ``language``; an empty one where there is none yet."""
    path = catalogue_path(language)
    if not path.exists():
        return Catalog(locale=language, project="govern")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def write_catalogue(language: str, catalogue: Catalog) -> None:
    """Write the catalogue of ``language`` quietly: sorted, no locations, no obsolete messages."""
    path = catalogue_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    name = catalogue.locale.english_name if catalogue.locale else language
    catalogue.header_comment = f"# {name} messages of govern, under the licence of govern."
    catalogue.project, catalogue.version = "govern", ""
    catalogue.last_translator = catalogue.language_team = "govern"
    catalogue.msgid_bugs_address, catalogue.fuzzy = "", False
    catalogue.revision_date = EPOCH
    with path.open("wb") as file:
        write_po(
            file, catalogue, no_location=True, sort_output=True, ignore_obsolete=True, width=98
        )


def update() -> None:
    """Bring the messages of the sources into the catalogues; what is new is left untranslated."""
    template = extract()
    for language in LANGUAGES:
        catalogue = read_catalogue(language)
        catalogue.update(template, no_fuzzy_matching=True)
        write_catalogue(language, catalogue)


def compile_all() -> None:
    """Make the ``.mo`` files, each appearing whole."""
    for language in LANGUAGES:
        target = catalogue_path(language).with_suffix(".mo")
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            write_mo(file, read_catalogue(language))
        Path(file.name).chmod(0o644)
        Path(file.name).replace(target)


@dataclass(frozen=True)
class Problem:
    """Something in a catalogue that must not be published."""

    language: str
    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.language}: {self.kind}: {self.message}"


def problems(language: str, template: Catalog | None = None) -> Iterator[Problem]:
    """What is missing, fuzzy, obsolete, out of date or has other placeholders than the source."""
    template = template if template is not None else extract()
    catalogue = read_catalogue(language)
    wanted = {_key(message): message for message in template if message.id}
    given = {_key(message): message for message in catalogue if message.id}
    for key in sorted(wanted.keys() - given.keys()):
        yield Problem(language, "not in the catalogue (run update)", key)
    for key in sorted(given.keys() - wanted.keys()):
        yield Problem(language, "no longer in the sources (run update)", key)
    for obsolete in catalogue.obsolete.values():
        yield Problem(language, "obsolete (run update)", _key(obsolete))
    for key, message in sorted(given.items()):
        if message.fuzzy:
            yield Problem(language, "fuzzy", key)
        if not _is_translated(message, catalogue.num_plurals):
            yield Problem(language, "not translated", key)
        else:
            yield from _placeholder_problems(language, key, message)


def _is_translated(message: Message, plurals: int) -> bool:
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    expected = plurals if isinstance(message.id, tuple | list) else 1
    return len(strings) == expected and all(text.strip() for text in strings)


def _placeholder_problems(language: str, key: str, message: Message) -> Iterator[Problem]:
    sources = list(message.id) if isinstance(message.id, tuple | list) else [message.id]
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    allowed = [_placeholders(source) for source in sources]
    for text in strings:
        found = _placeholders(text)
        # "One member" and "%(num)s members": a plural form may say the number or the word.
        if found not in allowed:
            yield Problem(language, f"placeholders differ: {sorted(found)}", key)
    for source in sources[:1]:
        if source[:1].isspace() != strings[0][:1].isspace() or source.endswith("\n") != strings[
            0
        ].endswith("\n"):
            yield Problem(language, "white space at an end differs", key)


def _placeholders(text: str) -> frozenset[str]:
    return frozenset(match.group(0) for match in PLACEHOLDER.finditer(text))


def left_as_in_english(language: str) -> list[str]:
    """The messages whose translation is the source itself."""
    return [
        _key(message)
        for message in read_catalogue(language)
        if message.id and message.string == message.id
    ]


def _key(message: Message) -> str:
    source = message.id[0] if isinstance(message.id, tuple | list) else message.id
    return f"{message.context}|{source}" if message.context else str(source)


def check() -> int:
    """Print every problem; 1 if there is one."""
    template = extract()
    found = [problem for language in LANGUAGES for problem in problems(language, template)]
    for problem in found:
        print(problem)
    return 1 if found else 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["extract", "update", "compile", "check"])
    command = parser.parse_args().command
    if command == "extract":
        write_template(extract())
    elif command == "update":
        update()
    elif command == "compile":
        compile_all()
    else:
        return check()
    return 0


if __name__ == "__main__":
    sys.exit(main())
