"""A page as a browser without JavaScript has it: its name, words, links and forms.

Promises: a form is sent as HTML says: all its hidden fields, the fields filled in, and the button pressed.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """A form: where it goes, its fields, and its buttons as (name, value)."""

    action: str
    method: str
    id: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    button_ids: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """A page, read."""

    def __init__(self, status: int, address: str, html: str) -> None:
        super().__init__()
        self.status, self.address, self.html = status, address, html
        self.name = self.language = ""
        self.links: dict[str, str] = {}
        self.ids: set[str] = set()
        self.forms: list[Form] = []
        self.options: dict[str, list[str]] = {}
        self._words: list[str] = []
        self._select = ""
        self.feed(html)

    @property
    def words(self) -> str:
        """The text, each run of spaces as one."""
        return " ".join("".join(self._words).split())

    @property
    def reference(self) -> str:
        """The reference on the page, by which a log line is found."""
        found = re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}", self.words)
        assert found, self.words
        return found.group()

    @property
    def keys(self) -> list[str]:
        """The digital keys offered."""
        return self._values("key")

    @property
    def identities(self) -> list[str]:
        """The identities offered."""
        return self._values("identity")

    def form_with(self, name: str, value: str = "") -> Form:
        """The form that has this field, or this button."""
        for form in self.forms:
            if name in form.fields or any(b[0] == name and (not value or b[1] == value) for b in form.buttons):
                return form
        raise AssertionError(f"no form with {name}={value} on page {self.name}: {self.words[:300]}")

    def form_of_button(self, id: str) -> Form:
        """The form of the button with this id."""
        return next(form for form in self.forms if id in form.button_ids)

    def _values(self, name: str) -> list[str]:
        return [button[1] for form in self.forms for button in form.buttons if button[0] == name]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a person could use."""
        found = {name: value or "" for name, value in attrs}
        self.ids.add(found.get("id", ""))
        if tag == "html":
            self.language = found["lang"]
        elif tag == "body":
            self.name = found["data-page"]
        elif tag == "a" and "id" in found:
            self.links[found["id"]] = found["href"]
        elif tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("method", "get"), found.get("id", "")))
        elif tag in ("input", "select") and self.forms and "name" in found:
            self.forms[-1].fields[found["name"]] = found.get("value", "")
            self._select = found["name"] if tag == "select" else ""
        elif tag == "option":
            values = self.options.setdefault(self._select, [])
            values.append(found.get("value", ""))
            if len(values) == 1 or "selected" in found:
                self.forms[-1].fields[self._select] = found.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append((found.get("name", ""), found.get("value", "")))
            self.forms[-1].button_ids.append(found.get("id", ""))

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self._words.append(data)
