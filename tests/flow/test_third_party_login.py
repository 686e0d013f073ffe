"""A sign-in that the provider begins (OpenID Connect Core §4): from the start page, by the application, and back."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from demo.eloket import Registration, create_eloket
from tests.flow.estate import Arrival, Browser, Estate
from tests.flow.journeys import sign_in
from tests.flow.reading import Page
from tests.flow.serving import prepare_served, serving

LOGIN = "http://localhost:8001/login"
TARGET = "http://localhost:8001/dossiers/1?blad=2"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Estate]:
    """An estate whose first application says where its sign-in begins."""
    made = prepare_served(tmp_path)
    made.register("hinderpremie", initiate_login_uri=LOGIN, client_uri=TARGET)
    with serving(made):
        yield made


def eloket(estate: Estate) -> FlaskClient:
    client = estate.client("hinderpremie")
    registration = Registration(
        issuer=estate.settings.issuer,
        client_id="hinderpremie",
        client_name="Hinderpremie",
        client_secret=client["client_secret"],
        token_endpoint_auth_method=client["token_endpoint_auth_method"],
        redirect_uri="http://localhost:8001/callback",
        post_logout_redirect_uri="http://localhost:8001/",
        scope="openid profile",
    )
    return create_eloket(registration).test_client()


def link(page: Page | Arrival, to: str) -> str:
    """The address of the link that leads there."""
    assert isinstance(page, Page)
    found = [part.partition('"')[0] for part in page.html.split('href="') if part.startswith(to)]
    assert len(found) == 1
    return found[0].replace("&amp;", "&")


def test_the_start_page_leads_through_the_application_to_where_the_person_wanted(served: Estate) -> None:
    browser, application = served.browser(), eloket(served)
    address = link(browser.open("/"), f"{LOGIN}?")
    assert parse_qs(urlsplit(address).query) == {"iss": [served.settings.issuer], "target_link_uri": [TARGET]}
    asked = application.get(address)
    assert asked.status_code == 303
    arrived = browser.sign_in(browser.open(asked.headers["Location"]), "dirk", "eid")
    assert isinstance(arrived, Arrival)
    back = application.get("/callback", query_string=arrived.parameters)
    assert (back.status_code, back.headers["Location"]) == (303, "/dossiers/1?blad=2")
    assert "Dirk Maes" in application.get("/").text


def test_what_was_held_before_leads_there_too(served: Estate) -> None:
    browser = served.browser()
    sign_in(browser, "hinderpremie", "dirk")
    assert link(browser.open("/op/v1/consents"), f"{LOGIN}?").startswith(LOGIN)


def test_a_query_of_its_own_is_kept_and_without_a_page_of_its_own_only_the_issuer_is_told(
    estate: Estate, browser: Browser
) -> None:
    estate.register("hinderpremie", initiate_login_uri=f"{LOGIN}?tenant=1", client_uri="")
    address = link(browser.open("/"), f"{LOGIN}?")
    assert parse_qs(urlsplit(address).query) == {"tenant": ["1"], "iss": [estate.settings.issuer]}


def test_whoever_says_nothing_is_entered_at_its_own_page(browser: Browser) -> None:
    assert link(browser.open("/"), "http://localhost:8001/") == "http://localhost:8001/"


@pytest.mark.parametrize(
    "address",
    [
        "http://rp.example.be/login",
        "http://127.0.0.1:8001/login",
        "https://rp.example.be/#login",
        "javascript:alert(1)",
    ],
)
def test_only_a_safe_address_can_be_registered(estate: Estate, address: str) -> None:
    open_to_all = estate.configured(registration="open")
    metadata = {"redirect_uris": ["https://rp.example.be/cb"], "initiate_login_uri": address}
    answer = open_to_all.http().post("/op/v1/register", json=metadata, base_url=estate.origin)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_client_metadata")


def test_an_application_registers_it_by_itself(estate: Estate) -> None:
    address = "https://rp.example.be/login?x=1"
    open_to_all = estate.configured(registration="open")
    metadata = {"redirect_uris": ["https://rp.example.be/cb"], "initiate_login_uri": address}
    answer = open_to_all.http().post("/op/v1/register", json=metadata, base_url=estate.origin)
    assert (answer.status_code, answer.json["initiate_login_uri"]) == (201, address)
