"""The pages of the simulated itsme in four languages, out of the templates, catalogues and drawings of the project.

Promises: whatever comes from outside is escaped; a value that a template needs and does not get is an error. Must not
know: sign-ins, or which page comes next.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from babel.messages.pofile import read_po
from flask import Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.filters import do_mark_safe
from jinja2.runtime import Context
from markupsafe import Markup

LANGUAGES = ("nl", "fr", "de", "en")
POLICY = "; ".join(
    (
        "default-src 'none'",
        *("style-src 'self'", "script-src 'self'", "img-src 'self'", "connect-src 'self'"),
        # Back to the relying party, and on to whichever application sent the person there.
        *("form-action 'self' http: https:", "base-uri 'none'", "frame-ancestors 'none'"),
    )
)


@dataclass(frozen=True)
class Frame:
    """What each page gets, by the names of the templates; `csrf` is what its form has to bring back."""

    language: str
    path: str
    csrf: str = ""
    asking: None = None
    simulators: bool = True
    other_key_url: str = ""


class Pages:
    """All pages."""

    def __init__(self, root: Path) -> None:
        self._sentences = {language: read_catalogue(root, language) for language in LANGUAGES}
        self._environment = Environment(
            loader=FileSystemLoader(root / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(_=self._gettext, static=lambda name: f"/static/{name}", languages=LANGUAGES)

    def show(self, name: str, frame: Frame, *, values: Mapping[str, object], status: int = 200) -> Response:
        """The page of this name in the frame's language."""
        template = self._environment.get_template(f"simulators/{name.replace('-', '_')}.html")
        answer = Response(template.render(values, page_name=name, frame=frame), status)
        answer.headers.update(
            {
                "Content-Security-Policy": POLICY,
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
            }
        )
        return answer

    @pass_context
    def _gettext(self, context: Context, text: str, /, **values: Any) -> Markup:
        # Our own sentences are markup; what fills them is escaped as it goes in.
        return do_mark_safe(self._sentences[context["frame"].language].get(text, text)) % values


def read_catalogue(root: Path, language: str) -> dict[str, str]:
    """The sentences of a language by their Dutch ones."""
    if language == "nl":
        return {}
    with (root / "translations" / f"{language}.po").open("rb") as file:
        return {one.id: str(one.string) for one in read_po(file, locale=language) if isinstance(one.id, str)}


def frame_of(usual: str, *, csrf: str = "") -> Frame:
    """The frame of the page that is asked for, in the language that its address names, else the usual one."""
    chosen = request.args.get("ui_locales", "")
    kept = [(name, value) for name, value in request.args.items() if name != "ui_locales"]
    path = request.path + (f"?{urlencode(kept)}" if kept else "")
    return Frame(chosen if chosen in LANGUAGES else usual, path, csrf)
