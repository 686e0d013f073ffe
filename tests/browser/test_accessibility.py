"""WCAG 2.2 AA as far as a program can tell: axe finds nothing on any page, in any state, language, width and scheme."""

from collections.abc import Iterator, Sequence

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, ViewportSize

from idp.pages import LANGUAGES
from tests.browser.conftest import NewVisitor
from tests.browser.samples import hang, open_gallery
from tests.browser.vocabulary import NOORD, PEOPLE, Visitor
from tests.unit.page_samples import SAMPLES, Sample

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
NARROW, WIDE = ViewportSize(width=320, height=800), ViewportSize(width=1280, height=800)

Violation = tuple[str, list[str]]
"""A rule, and where it is broken."""


@pytest.fixture(scope="module")
def gallery(chromium: Browser) -> Iterator[Page]:
    """A tab for all samples, with axe in it."""
    page = chromium.new_page(viewport=NARROW)
    open_gallery(page)
    page.evaluate(AXE_SCRIPT)
    yield page
    page.close()


@pytest.mark.parametrize("sample", SAMPLES, ids=[f"{sample.template} {sample.state}" for sample in SAMPLES])
def test_axe_finds_nothing(gallery: Page, sample: Sample) -> None:
    found: list[tuple[str, Violation]] = []
    gallery.set_viewport_size(NARROW)
    for language in reversed(LANGUAGES):
        hang(gallery, sample, language=language)
        open_all(gallery)
        found += [(f"narrow {language}", one) for one in violations(gallery) + too_wide(gallery)]
    assert gallery.title().endswith("Toegang")
    gallery.set_viewport_size(WIDE)
    found += [("wide", one) for one in violations(gallery)]
    gallery.emulate_media(color_scheme="dark")
    found += [("dark", one) for one in violations(gallery, ["color-contrast"])]
    gallery.emulate_media(color_scheme="light")
    assert found == []


def test_axe_would_find_what_is_wrong(gallery: Page) -> None:
    hang(gallery, SAMPLES[0], language="nl")
    gallery.set_viewport_size(NARROW)
    gallery.evaluate("document.querySelector('.lead').style = 'color: #ddd'")
    gallery.evaluate("document.querySelector('.row .icon').removeAttribute('alt')")
    assert [rule for rule, _ in violations(gallery)] == ["color-contrast", "image-alt"]
    gallery.evaluate("document.querySelector('h1').style = 'white-space: nowrap'")
    gallery.evaluate("document.querySelector('h1').append('!'.repeat(99))")
    assert [rule for rule, _ in too_wide(gallery)] == ["scrolls sideways"]


def test_axe_finds_nothing_on_the_pages_of_a_sign_in(new_visitor: NewVisitor) -> None:
    visitor = new_visitor(viewport=NARROW)
    found = []
    for name in live_pages(visitor):
        visitor.sees(name)
        open_all(visitor.page)
        visitor.page.evaluate(AXE_SCRIPT)
        found += [(name, one) for one in violations(visitor.page)]
    assert found == []


def live_pages(visitor: Visitor) -> Iterator[str]:
    """Stops at each page of the provider, the simulators and the application on Elif's way."""
    visitor.visit("hinderpremie")
    yield "login"
    visitor.choose_key("eid")
    yield "eid"
    visitor.show_card(PEOPLE["elif"]["insz"], "9999")
    visitor.page.wait_for_selector("#pin-wrong")
    yield "eid"
    visitor.show_card(PEOPLE["elif"]["insz"], PEOPLE["elif"]["eid_pin"])
    yield "identity"
    visitor.choose_identity(f"EA:{NOORD}")
    visitor.arrives("hinderpremie")
    yield "eloket"
    for path, name in (("/", "start"), ("/simulators/inbox/", "inboxes"), ("/op/v1/logout", "logout")):
        visitor.page.goto(visitor.demo.at(path))
        yield name
    visitor.page.click("#logout-confirm")
    yield "logged-out"
    visitor.page.goto(f"{visitor.demo.application('hinderpremie')}callback?error=access_denied")
    yield "eloket"


def open_all(page: Page) -> None:
    """Open all that can be opened: axe looks at nothing that is hidden."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")


def violations(page: Page, rules: Sequence[str] = RULES) -> list[Violation]:
    """What axe finds by these rules, or sets of rules."""
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    answer = page.evaluate("(options) => axe.run(document, options)", options)
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in answer["violations"]]


def too_wide(page: Page) -> list[Violation]:
    """The page's width, if it is wider than a narrow screen."""
    width = page.evaluate("document.documentElement.scrollWidth")
    return [("scrolls sideways", [str(width)])] if width > NARROW["width"] else []
