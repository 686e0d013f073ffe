"""The samples of every page, shown in one tab of Chromium with the stylesheet and the drawings, without a server.

Promises: what hangs in the tab is what the provider would send, parsed by the browser. Only the body, the title and the
language are exchanged, since all pages share their head: loading each anew would take longer than looking at it.
Must not know: the demo.
"""

from mimetypes import guess_type

from playwright.sync_api import Page, Route

from tests.unit.page_reading import pages
from tests.unit.page_samples import ROOT, SAMPLES, Sample

ORIGIN = "http://pages.test/"

EXCHANGE = """(html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    document.documentElement.lang = page.documentElement.lang;
    document.title = page.title;
    document.body.replaceWith(document.adoptNode(page.body));
}"""


def open_gallery(page: Page) -> None:
    """Make this tab one that samples can be hung in."""
    page.route("**/*", answer)
    page.goto(ORIGIN)


def hang(page: Page, sample: Sample, *, language: str) -> None:
    """Show the sample in the tab."""
    page.evaluate(EXCHANGE, sample.html(pages(), language))


def answer(route: Route) -> None:
    """The first sample, or a static file; nothing for what a page asks elsewhere (the logo of a client)."""
    address = route.request.url
    if address == ORIGIN:
        route.fulfill(body=SAMPLES[0].html(pages(), "nl"), content_type="text/html; charset=utf-8")
    elif address.startswith(f"{ORIGIN}static/"):
        file = ROOT / address.removeprefix(ORIGIN).partition("?")[0]
        route.fulfill(body=file.read_bytes(), content_type=guess_type(file.name)[0])
    else:
        route.abort()
