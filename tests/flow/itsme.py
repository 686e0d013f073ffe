"""The simulated itsme beside an estate, and a person with a browser and a telephone in front of both.

Promises: it is served over real HTTP, as the provider calls it; its time is that of the estate, its client's keys are
read from the provider. Must not know: anything of the provider but its addresses.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.serving import make_server
from werkzeug.test import Client as WsgiClient
from werkzeug.test import TestResponse

from demo.itsme.accounts import read_accounts
from demo.itsme.app import create_itsme
from demo.itsme.client import Client
from demo.itsme.provider import Itsme
from demo.itsme.sign_ins import SignIns
from demo.itsme.tokens import Tokens
from demo.plan import ROOT, WORLD
from tests.flow.estate import Arrival, Browser, Estate
from tests.flow.reading import Page
from tests.flow.serving import Silent
from tests.servers import free_port

CLIENT_ID, SERVICE = "toegang-test", "TOEGANG_TEST"


@dataclass
class Beside:
    """The simulated itsme of an estate; a test may exchange any part of it."""

    estate: Estate
    itsme: Itsme
    asked: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """Where it answers."""
        return self.itsme.issuer.removesuffix("/v2")


@contextmanager
def itsme_beside(estate: Estate, **changes: object) -> Iterator[Beside]:
    """The estate with itsme as a key; the simulated itsme answers at a free port of this machine."""
    issuer = f"http://localhost:{free_port()}/v2"
    own = {"itsme_issuer": issuer, "itsme_client_id": CLIENT_ID, "itsme_service": SERVICE}
    made = estate.configured(**(own | changes))
    client = Client(
        CLIENT_ID,
        SERVICE,
        redirect_uri=f"{made.settings.issuer}/v1/auth/itsme/callback",
        fetch_keys=lambda: made.get("/op/v1/keys/itsme").json or {"keys": []},
    )
    clock = made.simulated_clock
    itsme = Itsme(issuer, client, sign_ins=SignIns(read_accounts(WORLD), clock), clock=clock)
    itsme.tokens = Tokens(signing_key())
    beside = Beside(made, itsme)
    with serving(beside):
        yield beside
    made.application.close()


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """Its key, made once for all tests: that takes longer than a test."""
    return Tokens().signing_key


@contextmanager
def serving(beside: Beside) -> Iterator[None]:
    """Answer at the address of its issuer, and note each path that is asked."""
    app = create_itsme(beside.itsme, ROOT)

    def noting(environ: dict[str, Any], start: Any) -> Any:
        beside.asked.append(environ["PATH_INFO"])
        return app.wsgi_app(environ, start)

    port = int(beside.origin.rpartition(":")[2])
    server = make_server("127.0.0.1", port, noting, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Person:
    """Somebody with a browser, a telephone and an account with itsme."""

    def __init__(self, beside: Beside, person: str, browser: Browser | None = None) -> None:
        self.beside, self.estate = beside, beside.estate
        self.phone = self.estate.person(person).phone
        self.browser = browser or self.estate.browser()
        self.wsgi = WsgiClient(create_itsme(beside.itsme, ROOT), use_cookies=True)

    def leave(self, client_id: str, **asked: str | None) -> Page:
        """Go from an application to the page of itsme that asks the number."""
        return self.leave_from(self.browser.ask(client_id, **asked))

    def leave_from(self, page: "Page | Arrival") -> Page:
        """Choose itsme on the page of keys, and go there."""
        away = self.browser.submit(page, ("key", "itsme"))
        assert isinstance(away, Arrival), away.words
        return self.open(f"{away.address}?{urlencode(away.parameters)}")

    def open(self, address: str) -> Page:
        """A page of itsme."""
        page = self.follow(address, self.get(address))
        assert isinstance(page, Page), page
        return page

    def wait(self, page: Page, phone: str = "") -> Page:
        """Type the number; the page that waits."""
        waiting = self.submit(page, phone=phone or self.phone)
        assert isinstance(waiting, Page)
        return waiting

    def press(self, id: str, phone: str = "") -> Page:
        """Press a button of the telephone."""
        shown = self.open(f"/simulators/itsme/{phone or self.phone}")
        form = shown.form_of_button(id)
        button = next(one for one, its in zip(form.buttons, form.button_ids, strict=True) if its == id)
        pressed = self.follow(form.action, self.post(form.action, form.fields | dict([button])))
        assert isinstance(pressed, Page)
        return pressed

    def go_on(self, waiting: Page) -> "Page | str":
        """Press the button of the page that waits: the page again, or the address back."""
        return self.submit(waiting)

    def approve(self, page: Page) -> str:
        """Type the number, approve on the telephone, go on: the address back."""
        waiting = self.wait(page)
        self.press("approve")
        address = self.go_on(waiting)
        assert isinstance(address, str), address.words
        return address

    def sign_in(self, client_id: str, **asked: str | None) -> "Page | Arrival":
        """From an application through itsme to wherever that leads."""
        return self.browser.open(self.approve(self.leave(client_id, **asked)))

    def submit(self, page: Page, **fields: str) -> "Page | str":
        """Send the form of a page."""
        form = next(one for one in page.forms if one.method == "post")
        return self.follow(form.action, self.post(form.action, form.fields | fields))

    def get(self, address: str) -> TestResponse:
        """The plain answer of itsme."""
        return self.wsgi.get(self.path(address), base_url=self.beside.origin)

    def post(self, address: str, form: dict[str, str]) -> TestResponse:
        """The plain answer of itsme to a form."""
        return self.wsgi.post(self.path(address), data=form, base_url=self.beside.origin)

    def path(self, address: str) -> str:
        """An address of itsme without its origin."""
        return address.removeprefix(self.beside.origin)

    def follow(self, address: str, answer: TestResponse) -> "Page | str":
        """Follow redirects while they stay with itsme; else the address that they leave for."""
        for _ in range(5):
            if answer.status_code != 303:
                return Page(answer.status_code, address, answer.text)
            address = answer.headers["Location"]
            if not address.startswith(("/", self.beside.origin)):
                return address
            answer = self.get(address)
        raise AssertionError("redirected in a circle")
