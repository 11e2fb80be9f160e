"""Nobody meets English in the middle of a French page: the catalogues are whole and true."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from govern.config import LOCALES
from tools import translations
from tools.translations import LANGUAGES, Problem


@pytest.fixture(scope="module")
def template() -> Catalog:
    return translations.extract()


def test_every_language_but_the_source_has_a_catalogue() -> None:
    assert set(LANGUAGES) == set(LOCALES) - {"en"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing_fuzzy_obsolete_or_out_of_date(language: str, template: Catalog) -> None:
    found = list(translations.problems(language, template))
    shown = "\n".join(str(problem) for problem in found[:20])
    assert len(found) == 0, f"{len(found)} problems, beginning with:\n{shown}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_hardly_anything_is_left_as_in_english(language: str) -> None:
    same = translations.left_as_in_english(language)
    total = len(translations.read_catalogue(language))
    assert len(same) * translations.AS_IN_ENGLISH <= total, same


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_is_written_as_the_tool_writes_it(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the next ``update`` would change lines that nobody meant to change."""
    committed = translations.catalogue_path(language).read_text()
    catalogue = translations.read_catalogue(language)
    monkeypatch.setattr(translations, "TRANSLATIONS", tmp_path)
    translations.write_catalogue(language, catalogue)
    assert translations.catalogue_path(language).read_text() == committed


def test_the_texts_of_the_booth_are_messages(template: Catalog) -> None:
    assert template.get("Your vote is not yet cast.") is not None


def test_the_layout_is_read(template: Catalog) -> None:
    assert template.get("Skip to the content") is not None


# -- the tool finds what it should ------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of one's own; gives the path of the French file."""
    monkeypatch.setattr(translations, "TRANSLATIONS", tmp_path)
    path = translations.catalogue_path("fr")
    path.parent.mkdir(parents=True)
    return path


HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


def _template(*ids: str | tuple[str, str]) -> Catalog:
    catalogue = Catalog()
    for each in ids:
        catalogue.add(each)
    return catalogue


def _kinds(path: Path, text: str, template: Catalog) -> list[str]:
    path.write_text(HEADER + text)
    found: list[Problem] = list(translations.problems("fr", template))
    return [problem.kind.split(" (")[0].split(":")[0] for problem in found]


def test_a_missing_message_is_found(small: Path) -> None:
    assert _kinds(small, "", _template("Hello")) == ["not in the catalogue"]


def test_an_empty_translation_is_found(small: Path) -> None:
    assert _kinds(small, 'msgid "Hello"\nmsgstr ""\n', _template("Hello")) == ["not translated"]


def test_a_fuzzy_translation_is_found(small: Path) -> None:
    text = '#, fuzzy\nmsgid "Hello"\nmsgstr "Bonjour"\n'
    assert _kinds(small, text, _template("Hello")) == ["fuzzy"]


def test_an_obsolete_translation_is_found(small: Path) -> None:
    text = 'msgid "Hello"\nmsgstr "Bonjour"\n\n#~ msgid "Bye"\n#~ msgstr "Adieu"\n'
    assert _kinds(small, text, _template("Hello")) == ["obsolete"]


def test_a_message_that_the_sources_no_longer_have_is_found(small: Path) -> None:
    text = 'msgid "Bye"\nmsgstr "Adieu"\n'
    assert _kinds(small, text, _template()) == ["no longer in the sources"]


def test_a_lost_placeholder_is_found(small: Path) -> None:
    text = 'msgid "Hello %(name)s"\nmsgstr "Bonjour %(nom)s"\n'
    assert _kinds(small, text, _template("Hello %(name)s")) == ["placeholders differ"]


def test_a_missing_plural_is_found(small: Path) -> None:
    text = 'msgid "One"\nmsgid_plural "%(num)s things"\nmsgstr[0] "Une chose"\nmsgstr[1] ""\n'
    assert _kinds(small, text, _template(("One", "%(num)s things"))) == ["not translated"]


def test_a_good_catalogue_has_no_problem(small: Path) -> None:
    text = 'msgid "Hello %(name)s"\nmsgstr "Bonjour %(name)s"\n'
    assert _kinds(small, text, _template("Hello %(name)s")) == []


def test_compiling_makes_what_the_program_reads(small: Path) -> None:
    from babel.support import Translations

    for language in LANGUAGES:
        path = translations.catalogue_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEADER + 'msgid "Hello"\nmsgstr "Bonjour"\n')
    translations.compile_all()
    read = Translations.load(str(translations.TRANSLATIONS), ["fr"], "messages")
    assert read.gettext("Hello") == "Bonjour"
