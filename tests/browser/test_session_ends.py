"""How applications hear, in a real browser and over real connections, that a session has ended."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.vocabulary import Visitor

WATCHING = """
<iframe id="op" src="{origin}/op/v1/session"></iframe><p id="verdict"></p>
<script>
addEventListener("message", ({{data}}) => {{ document.getElementById("verdict").textContent = data; }});
const ask = (words) => document.getElementById("op").contentWindow.postMessage(words, "{origin}");
</script>
"""


@dataclass
class Site:
    """An application that is nothing but pages: where it answers, what its pages hold, and what was asked."""

    origin: str
    pages: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def at(self, path: str) -> str:
        """An address of it."""
        return f"{self.origin}{path}"

    def framed(self) -> list[str]:
        """The addresses at which its logout page was asked for."""
        return [path for path in self.asked if path.startswith("/framed")]


@pytest.fixture
def site() -> Iterator[Site]:
    """A site on a free port of this machine."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(made.pages.get(self.path, "here").encode())

        def log_message(self, format: str, *values: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    made = Site(f"http://localhost:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def register(visitor: Visitor, site: Site) -> str:
    """Register the site; its id."""
    metadata = {
        "redirect_uris": [site.at("/callback")],
        "post_logout_redirect_uris": [site.at("/goodbye")],
        "frontchannel_logout_uri": site.at("/framed"),
        "frontchannel_logout_session_required": True,
    }
    answer = visitor.page.request.post(visitor.demo.at("/op/v1/register"), data=metadata)
    assert answer.status == 201, answer.text()
    return str(answer.json()["client_id"])


def sign_in(visitor: Visitor, site: Site, client_id: str) -> dict[str, str]:
    """Sign Dirk in to the site; what it was answered."""
    asked = {"client_id": client_id, "redirect_uri": site.at("/callback"), "response_type": "code", "scope": "openid"}
    visitor.page.goto(visitor.demo.at(f"/op/v1/auth?{urlencode(asked)}"))
    visitor.sign_in("dirk", "eid")
    visitor.page.wait_for_load_state()
    if visitor.page.locator("#consent-allow").count():
        visitor.page.click("#consent-allow")
    visitor.page.wait_for_url(f"{site.at('/callback')}*")
    return {name: values[0] for name, values in parse_qs(urlsplit(visitor.page.url).query).items()}


def log_out(visitor: Visitor, **asked: str) -> None:
    visitor.page.goto(visitor.demo.at(f"/op/v1/logout?{urlencode(asked)}"))
    visitor.sees("logout")
    visitor.page.click("#logout-confirm")


def test_an_application_with_a_server_is_told_by_the_back_channel(visitor: Visitor) -> None:
    visitor.visit("hinderpremie")
    visitor.sign_in("dirk", "eid")
    visitor.arrives("hinderpremie")
    other = visitor.another_tab()
    log_out(other)
    other.sees("logged-out")
    signed_out = visitor.page.locator("#sign-in")
    for _ in range(50):
        visitor.page.goto(visitor.demo.application("hinderpremie"))
        if signed_out.count():
            break
        visitor.page.wait_for_timeout(100)
    expect(signed_out).to_be_visible()


def test_an_application_is_framed_and_the_person_goes_on(visitor: Visitor, site: Site) -> None:
    client_id = register(visitor, site)
    sign_in(visitor, site, client_id)
    log_out(visitor, client_id=client_id, post_logout_redirect_uri=site.at("/goodbye"), state="s")
    visitor.page.wait_for_url(site.at("/goodbye?state=s"))
    (address,) = site.framed()
    told = parse_qs(urlsplit(address).query)
    assert told["iss"] == [visitor.demo.at("/op")]
    assert len(told["sid"][0]) >= 20


def test_without_javascript_the_person_goes_on_by_a_link(new_visitor: NewVisitor, site: Site) -> None:
    visitor = new_visitor(java_script_enabled=False)
    client_id = register(visitor, site)
    sign_in(visitor, site, client_id)
    log_out(visitor, client_id=client_id, post_logout_redirect_uri=site.at("/goodbye"))
    visitor.sees("logged-out")
    visitor.page.click("#back")
    visitor.page.wait_for_url(site.at("/goodbye"))
    assert len(site.framed()) == 1


def test_the_framed_page_tells_whether_the_sign_in_has_changed(visitor: Visitor, site: Site) -> None:
    client_id = register(visitor, site)
    words = f"{client_id} {sign_in(visitor, site, client_id)['session_state']}"
    site.pages["/watch"] = WATCHING.format(origin=visitor.demo.at().removesuffix("/"))
    watch = visitor.another_tab()
    watch.page.goto(site.at("/watch"))
    verdict = watch.page.locator("#verdict")
    for asked, said in ((words, "unchanged"), (f"x{words}", "changed"), ("what?", "error"), (words, "unchanged")):
        watch.page.evaluate("words => ask(words)", asked)
        expect(verdict).to_have_text(said)
    log_out(visitor)
    visitor.sees("logged-out")
    watch.page.evaluate("words => ask(words)", words)
    expect(verdict).to_have_text("changed")
