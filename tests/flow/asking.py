"""Applications that ask for people who are not at their page (CIBA): the steps that tests of them share."""

from typing import Any

from idp.composition import House
from tests.flow.devices import named
from tests.flow.estate import Arrival, Browser, Estate, Tokens
from tests.flow.reading import Page

GRANT = "urn:openid:params:grant-type:ciba"
CLIENT = "hinderpremie"
APPROVE = "/op/v1/backchannel/approve"


def changed(estate: Estate, client_id: str = CLIENT, **changes: Any) -> None:
    """Change a registration, and let every process see it."""
    estate.register(client_id, **changes)
    estate.clock.advance(1)


def subject(estate: Estate, person: str = "dirk") -> str:
    """The `sub` by which applications know a person."""
    house = House(estate.settings, estate.clock)
    with house.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT subject, given_name FROM person").all()
    house.engine.dispose()
    return str(next(row[0] for row in found if row[1] == estate.person(person).given_name))


def send(estate: Estate, client_id: str = CLIENT, **parameters: str) -> Tokens:
    """Ask for a person."""
    usual = {"scope": "openid profile vo"}
    if not parameters.keys() & {"login_hint", "id_token_hint", "login_hint_token", "request"}:
        usual["login_hint"] = subject(estate)
    sent = {name: value for name, value in (usual | parameters).items() if value and "request" not in parameters}
    return estate.call("/op/v1/backchannel", client_id, sent or parameters)


def begin(estate: Estate, client_id: str = CLIENT, **parameters: str) -> str:
    """Ask for a person, as one may; the `auth_req_id`."""
    answer = send(estate, client_id, **parameters)
    assert answer.status == 200, answer.body
    return str(answer.body["auth_req_id"])


def ask(estate: Estate, auth_req_id: str, client_id: str = CLIENT) -> Tokens:
    """The client asks for its tokens."""
    return estate.call("/op/v1/token", client_id, {"grant_type": GRANT, "auth_req_id": auth_req_id})


def open_list(browser: Browser, person: str = "dirk", key: str = "eid") -> Page:
    """The page of what waits, signed in if need be."""
    page = browser.open(APPROVE)
    if isinstance(page, Page) and page.name == "login":
        page = browser.sign_in(page, person, key)
    return named(page, "backchannel")


def answer(browser: Browser, word: str = "allow", person: str = "dirk", key: str = "eid") -> Page | Arrival:
    """Answer the newest request."""
    return browser.submit(open_list(browser, person, key), ("answer", word))


def approve(browser: Browser, person: str = "dirk") -> Page:
    """Say yes, as far as the end."""
    return named(answer(browser, person=person), "answered")
