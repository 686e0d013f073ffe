"""The catalogues hold every sentence of the templates and of the code, and nothing else."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from idp.languages import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]
TRANSLATED = LANGUAGES[1:]
KEYWORDS = {"_": None, "ngettext": (1, 2), "sentence": (2,), "translatable": None}
SOURCES = {
    "templates": ("**.html", "jinja2.ext:babel_extract"),
    "idp": ("**.py", "python"),
    "authenticators": ("**.py", "python"),
}
OPTIONS = {"**.html": {"extensions": "jinja2.ext.i18n", "silent": "false", "newstyle_gettext": "true"}}
PLACE = re.compile(r"%(?:\([a-z_]+\)s)?")
TAG = re.compile(r"<[^>]*>")

Id = str | tuple[str, ...]


@cache
def sentences() -> frozenset[Id]:
    """Every Dutch sentence that a template or the code asks a translation for."""
    return frozenset(
        message
        for folder, method in SOURCES.items()
        for _, _, message, _, _ in extract_from_dir(ROOT / folder, [method], OPTIONS, keywords=KEYWORDS)
    )


@cache
def catalogue(language: str) -> Catalog:
    """The catalogue as it is written."""
    with (ROOT / "translations" / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def messages(language: str) -> list[Message]:
    """The messages of the catalogue, without its header."""
    return [message for message in catalogue(language) if message.id]


def forms(text: Id | list[str] | None) -> tuple[str, ...]:
    """The one form of a sentence, or its singular and plural."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def test_sentences_are_found_in_templates_and_in_code() -> None:
    assert "Kies uw digitale sleutel" in sentences()
    assert "hoog" in sentences()
    assert ("Nog %(num)s dag", "Nog %(num)s dagen") in sentences()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_stands_in_the_catalogue_and_no_other(language: str) -> None:
    known = {message.id for message in messages(language)}
    assert sentences() - known == set(), "missing"
    assert known - sentences() == set(), "unused"
    assert not catalogue(language).obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_left_empty_or_doubtful(language: str) -> None:
    assert [m.id for m in messages(language) if m.fuzzy or not all(forms(m.string))] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_places_and_the_markup_of_its_sentence(language: str) -> None:
    for message in messages(language):
        for source, translated in zip(forms(message.id), forms(message.string), strict=True):
            assert Counter(PLACE.findall(translated)) == Counter(PLACE.findall(source)), source
            assert Counter(TAG.findall(translated)) == Counter(TAG.findall(source)), source


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_can_break_out_of_an_attribute_or_of_its_places(language: str) -> None:
    texts = sentences() if language == "nl" else [message.string for message in messages(language)]
    for text in (form for one in texts for form in forms(one)):
        assert '"' not in TAG.sub("", text), text
        assert "%" not in PLACE.findall(text), text


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_knows_the_plurals_of_its_language(language: str) -> None:
    assert catalogue(language).num_plurals == 2
    assert catalogue(language).plural_expr == ("(n > 1)" if language == "fr" else "(n != 1)")


def test_french_never_breaks_a_line_before_its_double_punctuation() -> None:
    loose = [m.string for m in messages("fr") for text in forms(m.string) if re.search(r" [:;?!»]|« ", text)]
    assert loose == []
