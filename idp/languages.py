"""The four languages: which one a person reads, the catalogues, and how days, times and numbers are written.

Promises: Dutch is the source and needs no catalogue; a sentence without a translation is shown in Dutch; choosing a
language costs bounded work on any input, and never fails. Must not know: templates, requests, or what a page is about.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from idm.identifiers import format_enterprise_number, format_national_number

LANGUAGES = ("nl", "fr", "de", "en")
BRUSSELS = ZoneInfo("Europe/Brussels")
Moment = date | datetime | int | float | str
"""A day, or a moment as seconds since the epoch or in ISO 8601."""

_LOCALES = {"nl": "nl_BE", "fr": "fr_BE", "de": "de_BE", "en": "en_GB"}
_LONGEST_LIST = 256
_MOST_ITEMS = 24
_ITEM = re.compile(r"([a-z]{1,8})(?:[-_][a-z0-9-]*)?(?:;q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?", re.ASCII)


def translatable(text: str) -> str:
    """The same text; marks a Dutch sentence for the catalogues where it is kept before a language is known."""
    return text


def choose_language(*candidates: str) -> str:
    """The language of the first candidate that names one of ours, else Dutch.

    A candidate is one tag or a list of them: `ui_locales` (spaces) or Accept-Language (commas and weights).
    """
    for candidate in candidates:
        for language in _by_preference(candidate):
            if language in LANGUAGES:
                return language
    return "nl"


def _by_preference(candidate: str) -> list[str]:
    """Primary subtags, most wanted first; what is not well formed, or is weighed 0, is passed over."""
    text = re.sub(r"\s*;\s*", ";", candidate[:_LONGEST_LIST].lower())
    items = [_ITEM.fullmatch(item) for item in re.split(r"[\s,]+", text, maxsplit=_MOST_ITEMS)]
    weighed = [(float(item[2] or 1), item[1]) for item in items if item]
    return [tag for weight, tag in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0]


def read_catalogues(folder: Path) -> Mapping[str, NullTranslations]:
    """The catalogue of each language; those other than Dutch are read from `<language>.po`. Fails if one is missing."""
    read = {language: _read_catalogue(folder / f"{language}.po", language) for language in LANGUAGES[1:]}
    return {"nl": NullTranslations(), **read}


def _read_catalogue(file: Path, language: str) -> NullTranslations:
    compiled = BytesIO()
    with file.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return Translations(compiled)


def local(moment: Moment) -> datetime | date:
    """The moment on the clock of Brussels; a day stays that day."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, int | float):
        moment = datetime.fromtimestamp(moment, BRUSSELS)
    return moment.astimezone(BRUSSELS) if isinstance(moment, datetime) else moment


def write_day(moment: Moment, language: str) -> str:
    """The day in words: 14 december 2026."""
    return format_date(local(moment), "long", _LOCALES[language])


def write_grouped(number: str) -> str:
    """Enterprise and national numbers as people read them (0999.910.147, 85.64.12-995.05); others unchanged."""
    if re.fullmatch(r"[0-9]{10}", number):
        return format_enterprise_number(number)
    if re.fullmatch(r"[0-9]{11}", number):
        return format_national_number(number)
    return number
