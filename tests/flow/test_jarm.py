"""Signed answers: JWT Secured Authorization Response Mode (JARM), requirement by requirement."""

from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from tests.flow.estate import Arrival, Browser, Estate
from tests.flow.journeys import assert_error_page
from tests.flow.reading import Page
from tests.flow.test_pushed import address as pushed_address
from tests.flow.test_pushed import pushed

CLIENT = "hinderpremie"
URI = "http://localhost:8001/callback"


def read(estate: Estate, response: str, alg: str = "RS256", client_id: str = CLIENT) -> dict[str, Any]:
    """What a signed answer holds, checked with an independent library through the published keys."""
    keys = jwt.PyJWKSet.from_dict(estate.get("/op/v1/keys").json or {})
    kid = jwt.get_unverified_header(response)["kid"]
    key = next(key for key in keys.keys if key.key_id == kid)
    said = jwt.decode(
        response,
        key,
        algorithms=[alg],
        audience=client_id,
        issuer=estate.settings.issuer,
        options={"verify_exp": False, "require": ["iss", "aud", "exp"]},
    )
    return dict(said)


def finish(browser: Browser, page: Page | Arrival) -> Arrival:
    if isinstance(page, Page):
        page = browser.sign_in(page, "dirk", "eid")
    assert isinstance(page, Arrival), page.words
    return page


@pytest.mark.parametrize(("mode", "mark"), [("jwt", "?"), ("query.jwt", "?"), ("fragment.jwt", "#")])
def test_the_answer_is_one_signed_parameter(estate: Estate, browser: Browser, mode: str, mark: str) -> None:
    finish(browser, browser.ask(CLIENT))
    answer = browser.get("/op/v1/auth?" + query(browser, response_mode=mode, prompt="none"))
    place = answer.headers["Location"]
    assert place.startswith(f"{URI}{mark}response=")
    assert "&" not in place
    said = read(estate, place.partition("response=")[2])
    assert said["state"] == "the-state"
    assert said["exp"] == int(estate.clock()) + 600
    tokens = estate.redeem(CLIENT, Arrival(URI, {"code": said["code"]}))
    assert tokens.status == 200


def query(browser: Browser, **parameters: str) -> str:
    return urlencode(browser.request(CLIENT, **parameters))


def test_a_signed_answer_can_be_posted(estate: Estate, browser: Browser) -> None:
    page = browser.sign_in(browser.ask(CLIENT, response_mode="form_post.jwt"), "dirk", "eid")
    assert isinstance(page, Page)
    form = page.form_with("response")
    assert form.action == URI
    assert set(form.fields) == {"response"}
    assert read(estate, form.fields["response"])["code"]


def test_a_failure_is_signed_too(estate: Estate, browser: Browser) -> None:
    arrived = browser.ask(CLIENT, response_mode="jwt", prompt="none")
    assert isinstance(arrived, Arrival)
    assert set(arrived.parameters) == {"response"}
    said = read(estate, arrived.parameters["response"])
    assert (said["error"], said["state"]) == ("login_required", "the-state")
    assert "code" not in said


@pytest.mark.parametrize("changes", [{"scope": "rrn"}, {"response_type": "token"}, {"max_age": "x"}, {"claims": "{"}])
def test_a_refusal_at_once_is_signed_too(estate: Estate, browser: Browser, changes: dict[str, str]) -> None:
    arrived = browser.ask(CLIENT, response_mode="query.jwt", **changes)
    assert isinstance(arrived, Arrival)
    assert read(estate, arrived.parameters["response"])["error"]


def test_a_person_who_stops_is_told_signed(estate: Estate, browser: Browser) -> None:
    page = browser.ask(CLIENT, response_mode="fragment.jwt")
    assert isinstance(page, Page)
    arrived = browser.open(page.address.rpartition("/")[0] + "/cancel")
    assert isinstance(arrived, Arrival)
    assert read(estate, arrived.parameters["response"])["error"] == "access_denied"


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_the_registered_algorithm_signs(estate: Estate, browser: Browser, alg: str) -> None:
    estate.register(CLIENT, authorization_signed_response_alg=alg)
    arrived = finish(browser, browser.ask(CLIENT, response_mode="jwt"))
    assert read(estate, arrived.parameters["response"], alg)["code"]


def test_a_pushed_request_may_ask_for_it(estate: Estate, browser: Browser) -> None:
    arrived = finish(browser, browser.open(pushed_address(pushed(estate, response_mode="jwt"))))
    assert read(estate, arrived.parameters["response"])["code"]


def test_a_signed_answer_is_no_hint_of_a_person(estate: Estate, browser: Browser) -> None:
    response = finish(browser, browser.ask(CLIENT, response_mode="jwt")).parameters["response"]
    arrived = browser.ask(CLIENT, id_token_hint=response)
    assert isinstance(arrived, Arrival)
    assert arrived.parameters["error"] == "invalid_request"


def test_nothing_is_signed_for_an_address_that_is_not_registered(browser: Browser) -> None:
    assert_error_page(browser.ask(CLIENT, response_mode="jwt", redirect_uri="https://evil.example/"))


def test_without_the_iss_parameter_a_signed_answer_still_names_us(estate: Estate) -> None:
    estate = estate.configured(iss_parameter=False)
    arrived = estate.browser().ask(CLIENT, response_mode="jwt", prompt="none")
    assert isinstance(arrived, Arrival)
    assert read(estate, arrived.parameters["response"])["iss"] == estate.settings.issuer
    estate.application.close()


def test_discovery_says_which_ways_and_algorithms_there_are(estate: Estate) -> None:
    said = estate.get("/op/.well-known/openid-configuration").json or {}
    assert {"jwt", "query.jwt", "fragment.jwt", "form_post.jwt"} <= set(said["response_modes_supported"])
    assert said["authorization_signing_alg_values_supported"] == ["RS256", "ES256", "EdDSA"]
