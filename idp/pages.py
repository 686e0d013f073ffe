"""Pages: a template and its values become the HTML of a whole page, in the person's language.

Promises: whatever comes from outside is escaped; a value that a template needs and does not get is an error, never an
empty space; templates, catalogues and the versions of static files are read once. Must not know: Flask, who is signed
in, or which page comes next.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from idp.languages import LANGUAGES, choose_language, read_catalogues, translatable
from idp.templating import Words, make_environment

__all__ = ["LANGUAGES", "Asking", "Frame", "Pages", "choose_language", "translatable"]


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


class Pages:
    """All pages, and the sentences outside them. One object serves every request; it holds nothing of any."""

    def __init__(self, templates: Path, translations: Path, *, static: Path) -> None:
        self._catalogues = read_catalogues(translations)
        self._versions = {
            file.relative_to(static).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()[:12]
            for file in static.rglob("*")
            if file.is_file()
        }
        words = {language: Words(language, catalogue) for language, catalogue in self._catalogues.items()}
        self._environments = {
            language: make_environment(templates, of_language, static=self.static_url)
            for language, of_language in words.items()
        }

    def render(self, template: str, name: str, *, values: Mapping[str, object], frame: Frame) -> str:
        """The whole page; `name` becomes its `data-page`. Fails on a value that the template misses."""
        found = self._environments[frame.language].get_template(template)
        return found.render(values, page_name=name, frame=frame)

    def sentence(self, language: str, text: str, **values: object) -> str:
        """One Dutch sentence in another language, as plain text; values fill its named places."""
        translated = self._catalogues[language].gettext(text)
        return translated % values if values else translated

    def static_url(self, name: str) -> str:
        """The address of a static file, with its version; KeyError if there is no such file."""
        return f"/static/{name}?v={self._versions[name]}"
