"""oidc-client-ts signs in from a page that has no server: it reads discovery, tokens and userinfo from the browser."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.vocabulary import Demo, Visitor
from tests.flow.scripted import FOLDER
from tests.node import installed


@pytest.fixture(scope="module")
def page_of_the_library() -> Iterator[str]:
    """The origin of the page."""
    folder = installed(FOLDER)
    library = folder / "node_modules" / "oidc-client-ts" / "dist" / "browser" / "oidc-client-ts.min.js"
    files = {"/": (folder / "browser.html", "text/html"), "/oidc-client-ts.js": (library, "text/javascript")}
    with answering(files) as origin:
        yield origin


@contextmanager
def answering(files: dict[str, Any]) -> Iterator[str]:
    """A server of files, by path, on a free port of this machine."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file, kind = files.get(self.path.partition("?")[0], (None, "text/plain"))
            self.send_response(200 if file else 404)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(file.read_bytes() if file else b"")

        def log_message(self, format: str, *values: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("localhost", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def registered(demo: Demo, origin: str) -> str:
    """The id of the page's client, which registers by itself."""
    metadata = {
        "redirect_uris": [f"{origin}/"],
        "post_logout_redirect_uris": [f"{origin}/?left=1"],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "client_name": "Bladwijzer",
    }
    answer = requests.post(demo.at("/op/v1/register"), json=metadata, timeout=10)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["client_id"])


def said(visitor: Visitor) -> dict[str, Any]:
    """What the page tells once it is done."""
    place = visitor.page.locator("#said")
    expect(place).not_to_be_empty()
    return dict(json.loads(place.inner_text()))


@pytest.mark.parametrize("scope", ["openid profile", "openid profile offline_access"], ids=["in a frame", "by refresh"])
def test_it_signs_in_renews_in_silence_and_logs_out(
    demo: Demo, new_visitor: NewVisitor, page_of_the_library: str, scope: str
) -> None:
    origin, visitor = page_of_the_library, new_visitor()
    asked = {"authority": demo.at("/op"), "client_id": registered(demo, origin), "scope": scope}
    visitor.page.goto(f"{origin}/?{urlencode(asked)}")
    visitor.sign_in("dirk", "eid")
    visitor.sees("consent")
    visitor.page.click("#consent-allow")
    found = said(visitor)
    assert "failure" not in found, found
    assert found["first"]["profile"]["given_name"] == "Dirk"
    assert found["first"]["profile"]["sub"] == found["renewed"]["profile"]["sub"]
    assert found["first"]["refresh"] is ("offline_access" in scope)
    assert found["first"]["session"]
    assert found["isNew"] is True
    visitor.page.evaluate("void window.leave()")
    visitor.page.wait_for_url(f"{origin}/?left=1*")
    assert said(visitor) == {"left": True}


def test_it_sees_from_its_frame_that_the_person_logged_out_elsewhere(
    demo: Demo, new_visitor: NewVisitor, page_of_the_library: str
) -> None:
    origin, visitor = page_of_the_library, new_visitor()
    asked = {"authority": demo.at("/op"), "client_id": registered(demo, origin), "scope": "openid", "watch": "1"}
    visitor.page.goto(f"{origin}/?{urlencode(asked)}")
    visitor.sign_in("hanne", "eid")
    visitor.sees("consent")
    visitor.page.click("#consent-allow")
    assert "first" in said(visitor)
    elsewhere = visitor.another_tab()
    elsewhere.page.goto(demo.at("/op/v1/logout"))
    elsewhere.page.click("#logout-confirm")
    elsewhere.sees("logged-out")
    expect(visitor.page.locator("#said")).to_have_text('{"signedOut":true}')
