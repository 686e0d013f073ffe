"""Devices without a browser, and the person who allows them: the steps that tests of them share."""

from typing import Any

from tests.flow.estate import Arrival, Browser, Estate, Tokens
from tests.flow.reading import Page

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CLIENT = "hinderpremie"
VERIFY = "/op/v1/device/verify"


def begin(estate: Estate, client_id: str = CLIENT, **parameters: str) -> dict[str, Any]:
    """A device begins: what it is told."""
    usual = {"scope": "openid profile vo" if client_id == CLIENT else "openid profile"}
    answer = estate.call("/op/v1/device", client_id, usual | parameters)
    assert answer.status == 200, answer.body
    return answer.body


def ask(estate: Estate, device: dict[str, Any], client_id: str = CLIENT) -> Tokens:
    """The device asks for its tokens."""
    return estate.call("/op/v1/token", client_id, {"grant_type": GRANT, "device_code": device["device_code"]})


def confirm(browser: Browser, device: dict[str, Any]) -> Page | Arrival:
    """Follow the device's link, and say that it is the device at hand."""
    return browser.submit(browser.open(device["verification_uri_complete"]), ("answer", "allow"))


def approve(browser: Browser, device: dict[str, Any], person: str = "dirk") -> Page:
    """Go the whole way to the yes."""
    page = confirm(browser, device)
    if isinstance(page, Page) and page.name == "login":
        page = browser.sign_in(page, person, "eid")
    assert isinstance(page, Page), page
    return page


def named(page: Page | Arrival, name: str) -> Page:
    """The page, if it is that one."""
    assert isinstance(page, Page), page
    assert page.name == name, page.words
    return page
