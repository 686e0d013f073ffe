"""Pages: a template and its values become the HTML of a whole page, in the person's language.

Promises: whatever comes from outside is escaped; a value that a template needs and does not get is an error, never an
empty space; templates, catalogues and the versions of static files are read once. Must not know: Flask, who is signed
in, or which page comes next.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.filters import do_mark_safe
from jinja2.runtime import Context
from markupsafe import Markup

from idp.languages import (
    LANGUAGES,
    Moment,
    choose_language,
    local,
    read_catalogues,
    write_day,
    write_grouped,
)

__all__ = ["LANGUAGES", "Asking", "Frame", "Pages", "choose_language", "translatable"]

HIGH, MEDIUM = 27, 25


@dataclass(frozen=True)
class Asking:
    """The application that asks who is there, as the person is told of it."""

    name: str
    owner: str = ""
    logo_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""


@dataclass(frozen=True)
class Frame:
    """What every page gets. `path` is the page's own address; `other_key_url` the way back to the choice of keys."""

    language: str
    path: str
    csrf: str = ""
    asking: Asking | None = None
    simulators: bool = False
    helpdesk: str = "1700"
    now: float = 0
    other_key_url: str = ""


def translatable(text: str) -> str:
    """The same text; marks a Dutch sentence for the catalogues where it is kept before a language is known."""
    return text


class Pages:
    """All pages, and the sentences outside them. One object serves every request; it holds nothing of any."""

    def __init__(self, templates: Path, translations: Path, *, static: Path) -> None:
        self._catalogues = read_catalogues(translations)
        self._versions = {
            file.relative_to(static).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()[:12]
            for file in static.rglob("*")
            if file.is_file()
        }
        self._environment = self._make_environment(templates)

    def _make_environment(self, templates: Path) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            cache_size=-1,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(
            _=self._gettext, ngettext=self._ngettext, static=self.static_url, languages=LANGUAGES
        )
        environment.filters.update(
            clock_time=self._clock_time,
            day=_day,
            grouped=write_grouped,
            iso=_iso,
            level_icon=_level_icon,
            level_word=self._level_word,
            translated=self._translated,
        )
        environment.tests["web_address"] = _is_web_address
        return environment

    def render(self, template: str, name: str, *, values: Mapping[str, object], frame: Frame) -> str:
        """The whole page; `name` becomes its `data-page`. Fails on a value that the template misses."""
        return self._environment.get_template(template).render(values, page_name=name, frame=frame)

    def sentence(self, language: str, text: str, **values: object) -> str:
        """One Dutch sentence in another language, as plain text; values fill its named places."""
        translated = self._catalogues[language].gettext(text)
        return translated % values if values else translated

    def static_url(self, name: str) -> str:
        """The address of a static file, with its version; KeyError if there is no such file."""
        return f"/static/{name}?v={self._versions[name]}"

    # A sentence of ours is markup (it may hold <strong>); what fills it is escaped as it goes in.
    @pass_context
    def _gettext(self, context: Context, text: str, /, **values: object) -> Markup:
        return do_mark_safe(self.sentence(_language(context), text)) % values

    @pass_context
    def _ngettext(self, context: Context, /, *forms: str, num: int) -> Markup:
        one, many = forms
        return do_mark_safe(self._catalogues[_language(context)].ngettext(one, many, num)) % {"num": num}

    @pass_context
    def _translated(self, context: Context, text: str) -> str:
        """For a sentence that comes in a value: as plain text, so that it is escaped like any value."""
        return self.sentence(_language(context), text)

    @pass_context
    def _level_word(self, context: Context, level: int) -> str:
        words = {3: translatable("hoog"), 2: translatable("gemiddeld"), 1: translatable("laag")}
        return self.sentence(_language(context), words[_bars(level)])

    @pass_context
    def _clock_time(self, context: Context, moment: Moment) -> str:
        at = local(moment)
        hour, minute = (f"{at.hour:02}", f"{at.minute:02}") if isinstance(at, datetime) else ("00", "00")
        return self.sentence(_language(context), "%(hour)s.%(minute)s uur", hour=hour, minute=minute)


def _language(context: Context) -> str:
    frame = context["frame"]
    return str(frame.language)


@pass_context
def _day(context: Context, moment: Moment) -> str:
    return write_day(moment, _language(context))


def _iso(moment: Moment) -> str:
    return local(moment).isoformat()


def _bars(level: int) -> int:
    return 3 if level >= HIGH else 2 if level >= MEDIUM else 1


def _level_icon(level: int) -> str:
    return f"icons/level-{_bars(level)}.svg"


def _is_web_address(address: str) -> bool:
    """Whether a client's own address may become a link or a picture: never `javascript:` or `data:`."""
    return address.startswith(("https://", "http://"))
