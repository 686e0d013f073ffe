"""Attacks that were tried against this provider, and others that hit its peers: each stays tried."""

import json

import msgspec
import pytest
from sqlalchemy import text

from idp.addresses import is_acceptable_uri, without_port
from idp.database import open_database
from idp.keys.jwt import encode_segment
from idp.records.clients import ClientRecords
from tests.flow.estate import Arrival, Browser, Estate


@pytest.mark.parametrize(
    "uri",
    [
        "http://[::1].evil.example:9/cb",
        "http://[::1]evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://[::1]:9/cb#fragment",
        "HTTP://[::1]/cb",
    ],
)
def test_an_address_that_parsers_read_in_two_ways_is_no_loopback_address(uri: str) -> None:
    assert without_port(uri) != "http://[::1]/cb"
    assert without_port(uri) != "http://127.0.0.1/cb"


@pytest.mark.parametrize(
    "uri",
    [
        "https://a; form-action *; x",
        "https://a,b/cb",
        "javascript:alert(1)",
        "https://u@a.be/",
        "//a.be/",
        "https://é.be/",
    ],
)
def test_an_address_that_could_end_a_policy_is_not_registered(uri: str) -> None:
    assert not is_acceptable_uri(uri)


@pytest.mark.parametrize("path", ["/op//v1/auth?client_id=x", "/op/v1//keys", "/health//live", "/simulators/inbox"])
def test_no_redirect_is_built_from_the_host_header(estate: Estate, path: str) -> None:
    answer = estate.http().get(path, base_url="http://evil.example")
    assert "evil.example" not in answer.headers.get("Location", "")
    assert answer.status_code in (403, 404)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_has_to_be_kept_for_a_stranger_is_small(browser: Browser, estate: Estate) -> None:
    arrived = browser.ask("hinderpremie", state=None, nonce="n" * 1025)
    assert arrived.parameters["error"] == "invalid_request"
    long = estate.post("/op/v1/auth", browser.request("hinderpremie", state="s" * 60_000))
    assert "error=invalid_request" in long.headers["Location"]


def test_two_tabs_that_sign_in_share_one_session_and_logging_out_ends_it(estate: Estate, browser: Browser) -> None:
    first, second = browser.ask("hinderpremie"), browser.ask("hinderpremie")
    old_cookie = browser.wsgi.get_cookie("toegang_8000_session")
    one = browser.sign_in(first, "dirk", "eid")
    browser.wsgi.delete_cookie("toegang_8000_session")
    assert old_cookie is None
    two = browser.sign_in(second, "dirk", "eid")
    tokens = [estate.redeem("hinderpremie", arrived) for arrived in (one, two)]
    assert tokens[0].claims["sid"] == tokens[1].claims["sid"]
    browser.open("/op/v1/logout?id_token_hint=" + tokens[1].body["id_token"])
    assert estate.userinfo(tokens[0].body["access_token"]).status_code == 401


def test_a_minimum_that_a_client_raises_reaches_what_it_holds_already(estate: Estate, browser: Browser) -> None:
    scope = estate.client("hinderpremie")["scope"]
    arrived = browser.sign_in(browser.ask("hinderpremie", scope=scope), "dirk", "totp")
    tokens = estate.redeem("hinderpremie", arrived)
    records = ClientRecords(open_database(estate.settings.database_url), estate.clock)
    client = records.get("hinderpremie")
    assert client
    records.put(msgspec.structs.replace(client, minimum_acr="urn:be:vlaanderen:authmech:eid"))
    estate.clock.advance(2)
    refreshed = {"grant_type": "refresh_token", "refresh_token": tokens.body["refresh_token"]}
    assert estate.call("/op/v1/token", "hinderpremie", refreshed).body["error"] == "invalid_grant"
    assert estate.userinfo(tokens.body["access_token"]).status_code == 401


def test_a_code_that_is_redeemed_after_logging_out_gives_nothing(estate: Estate, browser: Browser) -> None:
    scope = estate.client("hinderpremie")["scope"]
    arrived = browser.sign_in(browser.ask("hinderpremie", scope=scope), "dirk", "eid")
    page = browser.open("/op/v1/logout")
    browser.rest("", browser.wsgi.post("/op/v1/logout/confirm", data=page.form_with("csrf").fields))
    assert estate.redeem("hinderpremie", arrived).body["error"] == "invalid_grant"


def test_head_never_acts(estate: Estate, browser: Browser) -> None:
    page = browser.ask("hinderpremie")
    cancel = page.address.replace("/login", "/cancel")
    assert browser.wsgi.head(cancel, base_url="http://localhost:8000").status_code == 405
    assert browser.open(page.address).name == "login"
    arrived = browser.open(cancel)
    assert isinstance(arrived, Arrival)
    assert arrived.parameters["error"] == "access_denied"


@pytest.mark.parametrize("origin", ["http://[", "null", "http://localhost:8000.evil.example", "http://evil.example"])
def test_the_clock_is_turned_from_our_own_pages_alone(estate: Estate, origin: str) -> None:
    answer = estate.post("/simulators/clock", {"offset_days": "1"}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert json.loads(estate.http().get("/simulators/clock", base_url="http://localhost:8000").data)["offset_days"] == 0


@pytest.mark.parametrize("kid", [[1], {}, 7])
def test_a_key_name_that_is_no_text_is_refused_like_any_garbage(estate: Estate, kid: object) -> None:
    header, claims = ({"alg": "ES256", "kid": kid}, {"iss": "nachtverwerking", "sub": "nachtverwerking"})
    parts = [encode_segment(json.dumps(part).encode()).decode() for part in (header, claims)]
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": ".".join([*parts, "AAAA"]),
    }
    answer = estate.post("/op/v1/token", form)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


def test_a_client_that_cannot_be_read_takes_no_other_with_it(estate: Estate) -> None:
    engine = open_database(estate.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO client (client_id, body) VALUES ('broken', :body)"), {"body": b"{"})
    engine.dispose()
    assert estate.call("/op/v1/token", "tijdmeting", {"grant_type": "client_credentials"}).status == 200
