"""For whom an access token is meant: resource (RFC 8707) and ACM's audience, at each endpoint that takes them."""

import json
from urllib.parse import urlencode

import pytest

from tests.flow.estate import Arrival, Browser, Estate, Tokens
from tests.flow.journeys import arrive, error_of, introspect, refresh, sign_in

TOKEN = "/op/v1/token"
REPORTS = "https://rapport.example.be/"
MAPS = "urn:example:maps"


@pytest.fixture(autouse=True)
def second_api(estate: Estate) -> None:
    """Beside the world's API, another that may know little and does not introspect what is not for it."""
    estate.register(
        "rapport-api", client_id="kaart-api", resource=MAPS, may_introspect=False, may_know_scopes="vo hinderpremie"
    )


def machine(estate: Estate, **form: str) -> Tokens:
    return estate.call(TOKEN, "tijdmeting", {"grant_type": "client_credentials", **form})


def audience(estate: Estate, client_id: str, tokens: Tokens) -> list[str]:
    assert tokens.status == 200, tokens.body
    return list(introspect(estate, client_id, tokens.body["access_token"])["aud"])


def test_a_machine_gets_a_token_for_itself_for_a_resource_or_for_an_audience(estate: Estate) -> None:
    assert audience(estate, "tijdmeting", machine(estate)) == ["tijdmeting"]
    assert audience(estate, "tijdmeting", machine(estate, resource=REPORTS)) == [REPORTS]
    assert audience(estate, "tijdmeting", machine(estate, audience="rapport-api")) == ["rapport-api"]
    assert audience(estate, "tijdmeting", machine(estate, audience="tijdmeting")) == ["tijdmeting"]
    both = machine(estate, resource=REPORTS, audience="kaart-api")
    assert audience(estate, "tijdmeting", both) == [REPORTS, "kaart-api"]


def test_a_resource_may_stand_twice(estate: Estate) -> None:
    form = urlencode([("grant_type", "client_credentials"), ("resource", REPORTS), ("resource", MAPS)])
    options = {"content_type": "application/x-www-form-urlencoded"}
    secret = estate.client("tijdmeting")["client_secret"]
    answer = estate.http().post(TOKEN, data=form, base_url=estate.origin, auth=("tijdmeting", secret), **options)
    assert audience(estate, "tijdmeting", Tokens(answer.status_code, json.loads(answer.data))) == [REPORTS, MAPS]


@pytest.mark.parametrize(
    "form",
    [
        {"resource": "https://elsewhere.example/"},
        {"resource": "https://rapport.example.be"},
        {"resource": "https://rapport.example.be/#part"},
        {"resource": "rapport-api"},
        {"resource": f"{REPORTS} https://elsewhere.example/"},
        {"resource": "é\0"},
        {"audience": "nobody"},
        {"audience": "hinderpremie"},
        {"audience": REPORTS},
    ],
)
def test_what_is_no_api_of_ours_is_refused(estate: Estate, form: dict[str, str]) -> None:
    refused = machine(estate, **form)
    assert (refused.status, refused.body["error"]) == (400, "invalid_target")


def test_an_authorization_request_for_an_unknown_resource_is_refused_before_any_key_is_asked(browser: Browser) -> None:
    assert error_of(browser.ask("hinderpremie", resource="https://elsewhere.example/")) == "invalid_target"
    assert error_of(browser.ask("hinderpremie", audience="nobody")) == "invalid_target"


def test_what_was_asked_at_sign_in_is_what_the_token_is_for(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, "hinderpremie", "dirk", resource=f"{REPORTS} {MAPS}")
    assert audience(estate, "hinderpremie", tokens) == [REPORTS, MAPS]


def test_a_code_is_narrowed_to_one_resource_and_its_refresh_token_to_the_other(
    estate: Estate, browser: Browser
) -> None:
    scope = estate.client("hinderpremie")["scope"]
    arrived = arrive(browser, "hinderpremie", "dirk", scope=scope, resource=f"{REPORTS} {MAPS}")
    tokens = estate.redeem("hinderpremie", arrived, resource=REPORTS)
    assert audience(estate, "hinderpremie", tokens) == [REPORTS]
    other = refresh(estate, "hinderpremie", tokens.body["refresh_token"], resource=MAPS)
    assert audience(estate, "hinderpremie", other) == [MAPS]
    both = refresh(estate, "hinderpremie", other.body["refresh_token"])
    assert audience(estate, "hinderpremie", both) == [REPORTS, MAPS]


def test_more_than_was_granted_is_refused(estate: Estate, browser: Browser) -> None:
    scope = estate.client("hinderpremie")["scope"]
    tokens = sign_in(browser, "hinderpremie", "dirk", scope=scope, resource=REPORTS)
    for form in ({"resource": MAPS}, {"audience": "kaart-api"}, {"audience": "hinderpremie"}):
        refused = refresh(estate, "hinderpremie", tokens.body["refresh_token"], **form)
        assert (refused.status, refused.body["error"]) == (400, "invalid_target")


def test_a_misspelt_resource_does_not_cost_the_code(estate: Estate, browser: Browser) -> None:
    arrived: Arrival = arrive(browser, "hinderpremie", "dirk")
    assert estate.redeem("hinderpremie", arrived, resource="https://elsewhere.example/").status == 400
    assert audience(estate, "hinderpremie", estate.redeem("hinderpremie", arrived, resource=REPORTS)) == [REPORTS]


def test_an_api_learns_of_tokens_that_are_for_it_and_of_no_others(estate: Estate, browser: Browser) -> None:
    for_maps = sign_in(browser, "hinderpremie", "dirk", resource=MAPS).body["access_token"]
    told = introspect(estate, "kaart-api", for_maps)
    assert (told["active"], told["scope"], told["aud"]) == (True, "vo hinderpremie", [MAPS])
    assert "given_name" not in told
    for_reports = sign_in(browser, "hinderpremie", "dirk", resource=REPORTS).body["access_token"]
    assert introspect(estate, "kaart-api", for_reports) == {"active": False}
    assert introspect(estate, "kaart-api", sign_in(browser, "hinderpremie", "dirk").body["access_token"]) == {
        "active": False
    }


def test_a_token_for_an_api_is_no_key_to_userinfo(estate: Estate, browser: Browser) -> None:
    for_api = sign_in(browser, "hinderpremie", "dirk", resource=REPORTS).body["access_token"]
    assert estate.userinfo(for_api).status_code == 401
    for_both = sign_in(browser, "hinderpremie", "dirk", resource=REPORTS, audience="hinderpremie").body["access_token"]
    assert estate.userinfo(for_both).status_code == 200
