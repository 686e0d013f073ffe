"""The `claims` parameter: OpenID Connect Core §5.5, requirement by requirement."""

import json
from typing import Any

import pytest

from tests.flow.estate import VERIFIER, Arrival, Browser, Estate
from tests.flow.journeys import arrive, error_of, refresh, sign_in
from tests.flow.reading import Page

CLIENT = "burgerprofiel"
EID = "urn:be:vlaanderen:authmech:eid"
SMS = "urn:be:vlaanderen:authmech:csamsms"
PASSWORD = "urn:be:vlaanderen:authmech:csampassword"
PROFILE = {"given_name", "family_name", "name", "locale"}


def asking(**places: dict[str, Any] | None) -> str:
    return json.dumps(places)


def essential(*acrs: str) -> str:
    wish = {"value": acrs[0]} if len(acrs) == 1 else {"values": acrs}
    return asking(id_token={"acr": {"essential": True, **wish}})


def told(browser: Browser, claims: str, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the ID token and userinfo tell Hanne's Burgerprofiel, which asks scope openid alone."""
    tokens = sign_in(browser, CLIENT, "hanne", claims=claims, scope="openid", **options)
    return tokens.claims, browser.estate.userinfo(tokens.body["access_token"]).json or {}


def test_a_claim_is_told_where_it_is_asked(browser: Browser) -> None:
    id_token, userinfo = told(browser, asking(id_token={"given_name": None}, userinfo={"rrn": {"essential": True}}))
    assert id_token["given_name"] == "Hanne"
    assert "rrn" not in id_token
    assert userinfo["rrn"] == browser.estate.person("hanne").national_number
    assert not PROFILE & set(userinfo)


def test_one_claim_of_a_scope_brings_no_other(browser: Browser) -> None:
    id_token, userinfo = told(browser, asking(id_token={"locale": None}))
    assert PROFILE & set(id_token) == {"locale"}
    assert not PROFILE & set(userinfo)


def test_what_is_asked_comes_beside_what_the_scope_gives(browser: Browser) -> None:
    tokens = sign_in(browser, CLIENT, "hanne", scope="openid profile", claims=asking(id_token={"rrn": None}))
    assert {*PROFILE, "rrn"} <= set(tokens.claims)


@pytest.mark.parametrize("name", ["email", "phone_number", "vo_id", "hinderpremie_rol_3d", "wv_orgcode", "unknown"])
def test_what_the_client_is_not_registered_for_is_not_told(browser: Browser, name: str) -> None:
    id_token, userinfo = told(browser, asking(id_token={name: {"essential": True}}, userinfo={name: None}))
    assert name not in id_token
    assert name not in userinfo


def test_a_role_claim_can_be_asked_by_its_name(browser: Browser) -> None:
    tokens = sign_in(
        browser, "hinderpremie", "dirk", scope="openid", claims=asking(userinfo={"hinderpremie_rol_3d": None})
    )
    assert "hinderpremie_rol_3d" not in tokens.claims
    userinfo = browser.estate.userinfo(tokens.body["access_token"]).json or {}
    assert userinfo["hinderpremie_rol_3d"]


@pytest.mark.parametrize(
    ("wish", "is_told"),
    [
        ({"value": "Hanne"}, True),
        ({"value": "Dirk"}, False),
        ({"values": ["Dirk", "Hanne"]}, True),
        ({"values": ["Dirk", 5]}, False),
        ({"values": []}, True),
        ({"essential": False, "purpose": "so that we can greet", "nested": {"a": [{}]}}, True),
    ],
)
def test_a_claim_with_another_value_than_asked_is_not_told(
    browser: Browser, wish: dict[str, Any], is_told: bool
) -> None:
    id_token, _ = told(browser, asking(id_token={"given_name": wish}))
    assert ("given_name" in id_token) is is_told


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "nonce", "sid", "azp"])
def test_a_claim_of_the_protocol_is_never_another_for_being_asked(browser: Browser, name: str) -> None:
    id_token, _ = told(browser, asking(id_token={name: {"value": "evil"}}))
    assert id_token[name] != "evil"


def test_the_same_is_told_after_a_refresh(estate: Estate, browser: Browser) -> None:
    claims = asking(id_token={"given_name": None}, userinfo={"name": None})
    first = sign_in(browser, "hinderpremie", "dirk", scope="openid offline_access", claims=claims)
    again = refresh(estate, "hinderpremie", first.body["refresh_token"])
    assert again.claims["given_name"] == first.claims["given_name"]
    assert "name" in (estate.userinfo(again.body["access_token"]).json or {})


def test_what_is_no_longer_registered_is_no_longer_told(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, CLIENT, "hanne", scope="openid", claims=asking(userinfo={"rrn": None, "name": None}))
    estate.register(CLIENT, scope="openid profile")
    estate.clock.advance(1)
    userinfo = estate.userinfo(tokens.body["access_token"]).json or {}
    assert "rrn" not in userinfo
    assert "name" in userinfo


@pytest.mark.parametrize(
    "claims",
    [
        "{",
        "[]",
        "null",
        '"id_token"',
        "1",
        '{"id_token": []}',
        '{"id_token": "name"}',
        '{"id_token": {"name": true}}',
        '{"id_token": {"name": {"essential": "yes"}}}',
        '{"userinfo": {"name": {"value": {"a": 1}}}}',
        '{"userinfo": {"name": {"values": "a"}}}',
        '{"userinfo": {"name": {"values": [["a"]]}}}',
        '{"x": ' + "[" * 1500 + "]" * 1500 + "}",
        json.dumps({"userinfo": {f"claim-{number}": None for number in range(101)}}),
        json.dumps({"userinfo": {"x" * 8192: None}}),
        '{"id_token": {"\\ud800": null}}',
    ],
)
def test_what_cannot_be_read_is_refused(browser: Browser, claims: str) -> None:
    assert error_of(browser.ask(CLIENT, claims=claims)) == "invalid_request"


@pytest.mark.parametrize("claims", ["{}", '{"id_token": null, "userinfo": {}, "access_token": {"a": 1}}'])
def test_what_asks_nothing_or_elsewhere_is_let_be(browser: Browser, claims: str) -> None:
    assert isinstance(browser.ask(CLIENT, claims=claims), Page)


# acr, as essential claim


def test_an_essential_acr_offers_that_means_alone(browser: Browser) -> None:
    page = browser.ask(CLIENT, claims=essential(SMS))
    assert isinstance(page, Page)
    assert page.keys == ["sms"]
    page = browser.ask(CLIENT, claims=essential(SMS, PASSWORD), acr_values=EID)
    assert isinstance(page, Page)
    assert page.keys == ["sms", "password"]


def test_an_essential_acr_is_what_the_token_tells(browser: Browser) -> None:
    assert sign_in(browser, CLIENT, "hanne", "password", claims=essential(PASSWORD)).claims["acr"] == PASSWORD


def test_a_surer_session_does_not_suffice(browser: Browser) -> None:
    sign_in(browser, CLIENT, "dirk", "eid")
    page = browser.ask(CLIENT, claims=essential(PASSWORD))
    assert isinstance(page, Page)
    assert page.keys == ["password"]
    arrived = browser.sign_in(page, "dirk", "password")
    assert isinstance(arrived, Arrival)
    tokens = browser.estate.redeem(CLIENT, arrived, code_verifier=VERIFIER)
    assert (tokens.claims["acr"], tokens.claims["amr"]) == (PASSWORD, ["pwd"])


def test_each_of_the_means_named_suffices(browser: Browser) -> None:
    sign_in(browser, CLIENT, "dirk", "eid")
    assert arrive(browser, CLIENT, "dirk", claims=essential(PASSWORD, EID)).code


def test_a_session_that_used_both_answers_with_the_means_asked(browser: Browser) -> None:
    sign_in(browser, CLIENT, "dirk", "password", claims=essential(PASSWORD))
    sign_in(browser, CLIENT, "dirk", "eid", claims=essential(EID))
    silent = sign_in(browser, CLIENT, "dirk", claims=essential(PASSWORD), prompt="none")
    assert silent.claims["acr"] == PASSWORD


def test_without_a_page_an_essential_acr_that_is_not_met_is_told(browser: Browser) -> None:
    sign_in(browser, CLIENT, "dirk", "eid")
    assert error_of(browser.ask(CLIENT, claims=essential(PASSWORD), prompt="none")) == "login_required"


@pytest.mark.parametrize("prompt", [None, "none", "login"])
@pytest.mark.parametrize("is_signed_in", [True, False])
@pytest.mark.parametrize("acr", ["urn:unknown", "urn:be:vlaanderen:authmech:tlsclient"])
def test_a_means_that_is_not_here_cannot_be_met(
    browser: Browser, acr: str, is_signed_in: bool, prompt: str | None
) -> None:
    if is_signed_in:
        sign_in(browser, CLIENT, "dirk", "eid")
    asked = browser.ask(CLIENT, claims=essential(acr), prompt=prompt)
    assert error_of(asked) == "unmet_authentication_requirements"


def test_a_means_below_what_the_client_admits_cannot_be_met(browser: Browser) -> None:
    assert error_of(browser.ask("hinderpremie", claims=essential(PASSWORD))) == "unmet_authentication_requirements"


def test_a_person_without_that_key_cannot_meet_it(browser: Browser) -> None:
    sign_in(browser, CLIENT, "marc", "sms")
    assert error_of(browser.ask(CLIENT, claims=essential(EID))) == "unmet_authentication_requirements"
    page = browser.ask(CLIENT, claims=essential(EID, PASSWORD))
    assert isinstance(page, Page)
    assert isinstance(browser.sign_in(page, "marc", "password"), Arrival)


def test_a_voluntary_acr_is_a_wish(browser: Browser) -> None:
    page = browser.ask(CLIENT, claims=asking(id_token={"acr": {"values": [SMS]}}))
    assert isinstance(page, Page)
    assert page.keys == ["sms"]
    sign_in(browser, CLIENT, "dirk", "eid")
    assert arrive(browser, CLIENT, "dirk", claims=asking(id_token={"acr": {"values": [SMS]}})).code
    unknown = asking(id_token={"acr": {"values": ["urn:unknown"]}})
    assert arrive(browser, CLIENT, "dirk", claims=unknown).code


def test_an_essential_acr_without_a_value_is_always_met(browser: Browser) -> None:
    id_token, _ = told(browser, asking(id_token={"acr": {"essential": True}, "auth_time": {"essential": True}}))
    assert id_token["acr"] == EID
    assert id_token["auth_time"] == int(browser.estate.clock())


# sub, with a value


def test_a_person_asked_by_sub_is_the_only_one_answered_for(browser: Browser) -> None:
    sub = sign_in(browser, CLIENT, "hanne").claims["sub"]
    wanted = asking(id_token={"sub": {"value": sub}})
    assert arrive(browser, CLIENT, "hanne", claims=wanted, prompt="none").code
    another = asking(id_token={"sub": {"value": "somebody-else"}})
    assert error_of(browser.ask(CLIENT, claims=another, prompt="none")) == "login_required"
