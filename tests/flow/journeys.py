"""Journeys that many flow tests make: sign in and arrive, get tokens, be refused, do one thing many times at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from tests.flow.estate import VERIFIER, Arrival, Browser, Estate, Tokens
from tests.flow.reading import Page

T = TypeVar("T")


def arrive(
    browser: Browser, client_id: str, person: str, key: str = "eid", *, identity: str = "", **asked: str | None
) -> Arrival:
    """Go from an application through sign-in, choice and a yes, as far as they are asked, and back to it."""
    page = browser.ask(client_id, **asked)
    if isinstance(page, Page) and page.name == "login":
        page = browser.sign_in(page, person, key)
    if isinstance(page, Page) and page.name == "identity":
        page = browser.submit(page, ("identity", identity))
    if isinstance(page, Page) and page.name == "consent":
        page = browser.submit(page, ("answer", "allow"))
    assert isinstance(page, Arrival), page.words
    return page


def sign_in(browser: Browser, client_id: str, person: str, key: str = "eid", **options: Any) -> Tokens:
    """Arrive and exchange the code for tokens."""
    verifier = VERIFIER if browser.estate.client(client_id)["token_endpoint_auth_method"] == "none" else ""
    arrived = arrive(browser, client_id, person, key, **options)
    tokens = browser.estate.redeem(client_id, arrived, code_verifier=verifier)
    assert tokens.status == 200, tokens.body
    return tokens


def refresh(estate: Estate, client_id: str, refresh_token: str, **form: str) -> Tokens:
    """Use a refresh token."""
    return estate.call(
        "/op/v1/token", client_id, {"grant_type": "refresh_token", "refresh_token": refresh_token, **form}
    )


def introspect(estate: Estate, caller: str, token: str, **form: str) -> dict[str, Any]:
    """What introspection tells this caller of a token."""
    answer = estate.call("/op/v1/introspect", caller, {"token": token, **form})
    assert answer.status == 200, answer.body
    return answer.body


def assert_error_page(page: Page | Arrival, status: int = 400) -> Page:
    """The page is the error page, and nothing was sent to an application."""
    assert isinstance(page, Page), page
    assert (page.name, page.status) == ("error", status), page.words
    assert {"error-page", "error-code", "error-reference"} <= page.ids
    return page


def error_of(arrived: Page | Arrival) -> str:
    """The error that an application was told, with the state that it sent and our name."""
    assert isinstance(arrived, Arrival), arrived.words
    assert arrived.parameters.get("state") == "the-state"
    assert arrived.parameters.get("iss", "").endswith("/op")
    assert "code" not in arrived.parameters
    return arrived.parameters["error"]


def at_once(times: int, call: Callable[[int], T]) -> list[T]:
    """Do something from many threads at the same moment."""
    barrier = Barrier(times)

    def start(number: int) -> T:
        barrier.wait(10)
        return call(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(start, range(times)))
