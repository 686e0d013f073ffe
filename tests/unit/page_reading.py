"""A page, read as a browser would: its elements, its text, and whether it is well formed.

Promises: a tag that does not close as it opened, or an attribute that stands twice, fails the test that reads it.
Must not know: what any page says.
"""

import re
from functools import cache
from html.parser import HTMLParser

from idp.pages import Pages
from tests.unit.page_samples import SAMPLES, Sample, the_pages

SELECTOR = re.compile(r"(\w*)(?:#([\w-]+))?(?:\[(\w+)=(\w+)\])?")
VOID = {"input", "img", "link", "meta", "br"}

Element = tuple[str, dict[str, str]]


class Reading(HTMLParser):
    """A page, read: its elements in order, its text, and whether its tags close as they opened."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element."""
        assert len({name for name, _ in attrs}) == len(attrs), attrs
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """The tag that opened last closes first."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of each element of this tag."""
        return [attributes for name, attributes in self.elements if name == tag]

    def has(self, selector: str) -> bool:
        """Whether an element fits: tag, #id and [name=value], each of them left out or there."""
        asked = SELECTOR.fullmatch(selector)
        assert asked, selector
        tag, id, name, value = asked.groups()
        return any(
            (not tag or found == tag) and (not id or a.get("id") == id) and (not name or a.get(name) == value)
            for found, a in self.elements
        )

    def words(self) -> str:
        """The text, each run of spaces as one."""
        return " ".join("".join(self.text).split())


@cache
def pages() -> Pages:
    """The pages, read once for all tests."""
    return the_pages()


@cache
def read(number: int, language: str) -> Reading:
    """A sample in a language, read."""
    return Reading(SAMPLES[number].html(pages(), language))


def sample(template: str, state: str) -> Sample:
    """The sample of this template in this state."""
    return next(one for one in SAMPLES if (one.template, one.state) == (template, state))


def reading(template: str, state: str, language: str = "nl") -> Reading:
    """The sample of this template in this state, read."""
    return read(SAMPLES.index(sample(template, state)), language)
