"""What the Basic and Form Post OP profiles of OpenID Connect demand, a test for each demand, by response mode."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.flow.estate import Arrival, Estate
from tests.flow.journeys import assert_error_page
from tests.flow.party import CALLBACK, Party, delivered, metadata_of, open_to_all, register
from tests.flow.proving import base64url
from tests.flow.reading import Page

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


@pytest.fixture
def estate(estate: Estate) -> Estate:
    return open_to_all(estate)


@pytest.fixture(params=["query", "form_post"])
def party(request: pytest.FixtureRequest, estate: Estate) -> Party:
    """A client that has every answer by this mode."""
    return replace(register(estate), mode=request.param)


def error_of(answer: Page | Arrival) -> str:
    """The error that went back, by whichever mode."""
    arrived = delivered(answer) if isinstance(answer, Page) else answer
    assert arrived.address == CALLBACK
    assert arrived.parameters["state"] == "a state"
    return arrived.parameters["error"]


def is_login(answer: Page | Arrival) -> bool:
    return isinstance(answer, Page) and answer.name == "login"


def test_a_sign_in_gives_an_id_token_and_userinfo_of_the_same_person(party: Party) -> None:
    tokens = party.tokens()
    assert party.userinfo(tokens)["sub"] == tokens["claims"]["sub"]


def test_a_request_without_response_type_is_refused(party: Party) -> None:
    answer = party.ask(response_type=None)
    assert isinstance(answer, Page | Arrival)
    if isinstance(answer, Page) and answer.name == "error":
        assert_error_page(answer)
    else:
        assert error_of(answer) in ("invalid_request", "unsupported_response_type")


@pytest.mark.parametrize("way", ["header", "post header", "post body"])
def test_userinfo_takes_the_token_in_each_way(estate: Estate, party: Party, way: str) -> None:
    token = party.tokens()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = {
        "header": lambda: estate.get("/op/v1/userinfo", headers=headers),
        "post header": lambda: estate.http().post("/op/v1/userinfo", base_url=estate.origin, headers=headers),
        "post body": lambda: estate.post("/op/v1/userinfo", {"access_token": token}),
    }[way]()
    assert answer.status_code == 200
    assert answer.get_json()["sub"]


def test_a_request_without_nonce_succeeds_and_the_token_has_none(party: Party) -> None:
    assert "nonce" not in party.tokens(nonce=None)["claims"]


@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("openid profile", {"name", "given_name", "family_name", "locale"}),
        ("openid email", {"email", "email_verified"}),
        ("openid phone", {"phone_number"}),
        ("openid profile email phone", {"name", "email", "phone_number"}),
        ("email phone profile openid", {"name", "email", "phone_number"}),
    ],
)
def test_a_scope_gives_its_claims_in_any_order(party: Party, scope: str, claims: set[str]) -> None:
    party.person = "dirk"
    told = party.userinfo(party.tokens(scope=scope))
    assert claims <= told.keys()


def test_every_scope_that_is_said_to_be_supported_can_be_asked_or_is_not_for_strangers(party: Party) -> None:
    said = set(metadata_of(party.estate)["scopes_supported"])
    assert {"openid", "profile", "email", "phone", "offline_access"} <= said
    for scope in said - set(party.client["scope"].split()):
        assert error_of(party.ask(scope=f"openid {scope}")) == "invalid_scope"


@pytest.mark.parametrize("display", ["page", "popup", "touch", "wap"])
def test_display_is_taken(party: Party, display: str) -> None:
    assert party.tokens(display=display)


def test_prompt_login_asks_again(estate: Estate, party: Party) -> None:
    first = party.tokens()
    estate.clock.advance(2)
    page = party.ask(prompt="login")
    assert is_login(page)
    second = party.redeem(party.through(page)).get_json()
    claims = party.checked(second)
    assert claims["sub"] == first["claims"]["sub"]
    assert claims["auth_time"] > first["claims"]["auth_time"]


def test_prompt_none_without_a_session_is_told_so(party: Party) -> None:
    assert error_of(party.ask(prompt="none")) in ("login_required", "interaction_required")


def test_prompt_none_with_a_session_is_answered_in_silence(party: Party) -> None:
    first = party.tokens()
    second = party.tokens(prompt="none")
    assert second["claims"]["sub"] == first["claims"]["sub"]
    assert second["claims"].get("auth_time") == first["claims"].get("auth_time")


def test_max_age_1_asks_again_two_seconds_later(estate: Estate, party: Party) -> None:
    first = party.tokens()
    estate.clock.advance(2)
    page = party.ask(max_age="1")
    assert is_login(page)
    claims = party.checked(party.redeem(party.through(page)).get_json())
    assert claims["auth_time"] > first["claims"]["auth_time"]
    assert claims["auth_time"] >= int(estate.clock()) - 1


def test_max_age_10000_does_not_ask_again_and_tells_when(estate: Estate, party: Party) -> None:
    first = party.tokens(max_age="10000")
    estate.clock.advance(2)
    again = party.ask(max_age="10000")
    assert not is_login(again)
    second = party.checked(party.redeem(party.through(again)).get_json())
    assert second["auth_time"] == first["claims"]["auth_time"]


def test_an_unknown_parameter_changes_nothing(party: Party) -> None:
    assert party.tokens(extra="foobar", claims_locales="se", ui_locales="se de")["claims"]["sub"]


def test_an_id_token_is_taken_as_a_hint(party: Party) -> None:
    first = party.tokens()
    second = party.tokens(prompt="none", id_token_hint=first["id_token"])
    assert second["claims"]["sub"] == first["claims"]["sub"]


def test_the_hint_of_another_person_gets_no_answer_about_whoever_is_there(estate: Estate, party: Party) -> None:
    other = register(estate)
    other.person = "dirk"
    party.tokens()
    hint = other.tokens()["id_token"]
    assert error_of(party.ask(prompt="none", id_token_hint=hint)) == "login_required"


def test_login_hint_is_taken(party: Party) -> None:
    assert party.tokens(login_hint="buffy@suite.example")


def test_acr_values_are_taken_also_unknown_ones(party: Party) -> None:
    supported = [acr for acr in metadata_of(party.estate)["acr_values_supported"] if acr.endswith(":eid")]
    assert party.tokens(acr_values=f"urn:unknown {supported[0]}")["claims"]["acr"] == supported[0]
    assert party.tokens(acr_values="1 2")["claims"]["acr"]


def test_a_code_serves_once_and_its_reuse_ends_what_it_gave(estate: Estate, party: Party) -> None:
    arrived = party.arrive()
    first = party.redeem(arrived)
    assert first.status_code == 200
    estate.clock.advance(31)
    again = party.redeem(arrived)
    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_grant")
    assert estate.userinfo(first.get_json()["access_token"]).status_code == 401


def test_an_address_that_is_not_registered_gets_nothing(party: Party) -> None:
    page = assert_error_page(party.browser.open("/op/v1/auth?" + query(party, redirect_uri=f"{CALLBACK}/other")))
    assert "suite.example" not in page.words


def query(party: Party, **parameters: str | None) -> str:
    return "&".join(f"{name}={value.replace(' ', '+')}" for name, value in party.request(**parameters).items())


def test_a_request_may_be_posted(party: Party) -> None:
    answer = party.browser.post("/op/v1/auth", party.request())
    arrived = party.through(party.browser.rest("/op/v1/auth", answer))
    assert party.redeem(arrived).status_code == 200


def test_a_secret_may_be_sent_in_the_form(estate: Estate) -> None:
    party = register(estate, token_endpoint_auth_method="client_secret_post")
    assert party.tokens()["claims"]["sub"]


def test_another_method_than_registered_is_refused(estate: Estate) -> None:
    party = register(estate)
    arrived = party.arrive()
    party.client["token_endpoint_auth_method"] = "client_secret_post"
    answer = party.redeem(arrived)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def unsigned(party: Party, **changes: Any) -> str:
    """A request object without a signature."""
    parts = ({"alg": "none"}, party.request(**changes) | {"aud": party.estate.settings.issuer, "iss": party.client_id})
    return ".".join(encoded(part) for part in parts) + "."


def encoded(part: dict[str, Any]) -> str:
    return base64url(json.dumps(part).encode())


def test_an_unsigned_request_object_is_refused_as_such(party: Party) -> None:
    assert "none" not in metadata_of(party.estate)["request_object_signing_alg_values_supported"]
    sent = unsigned(party, state="another")
    assert error_of(party.ask(request=sent)) == "invalid_request_object"


def test_a_claim_can_be_asked_as_essential(party: Party) -> None:
    claims = json.dumps({"userinfo": {"name": {"essential": True}}})
    assert party.userinfo(party.tokens(claims=claims))["name"] == "Hanne Willems"


def test_a_refresh_token_gives_new_tokens_of_the_same_sign_in(estate: Estate) -> None:
    party = register(estate, grant_types=["authorization_code", "refresh_token"])
    first = party.tokens(scope="openid offline_access", prompt="consent")
    estate.clock.advance(2)
    answer = party.token({"grant_type": "refresh_token", "refresh_token": first["refresh_token"]})
    assert answer.status_code == 200
    second = answer.get_json()
    assert second["access_token"] != first["access_token"]
    party.asked.pop("nonce")
    claims, before = party.checked(second), first["claims"]
    assert {name: claims[name] for name in ("iss", "sub", "aud", "auth_time")} == {
        name: before[name] for name in ("iss", "sub", "aud", "auth_time")
    }
    assert claims["iat"] > before["iat"]
    assert claims.get("nonce", before["nonce"]) == before["nonce"]


def test_a_refresh_token_of_another_client_is_refused(estate: Estate) -> None:
    grants = ["authorization_code", "refresh_token"]
    party, other = register(estate, grant_types=grants), register(estate, grant_types=grants)
    token = party.tokens(scope="openid offline_access", prompt="consent")["refresh_token"]
    answer = other.token({"grant_type": "refresh_token", "refresh_token": token})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")


def test_pkce_is_taken_and_held_to(party: Party) -> None:
    asked = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    assert party.redeem(party.arrive(**asked), code_verifier=VERIFIER).status_code == 200
    wrong = party.redeem(party.arrive(**asked), code_verifier=VERIFIER.replace("dB", "dC"))
    assert (wrong.status_code, wrong.get_json()["error"]) == (400, "invalid_grant")
    plain = party.ask(code_challenge=VERIFIER, code_challenge_method="plain")
    assert error_of(plain) == "invalid_request"


def test_a_code_without_its_redirect_uri_or_with_another_is_refused(party: Party) -> None:
    answer = party.redeem(party.arrive(), redirect_uri="https://suite.example/other")
    assert answer.get_json()["error"] == "invalid_grant"


def test_another_response_type_is_refused(party: Party) -> None:
    for response_type in ("id_token", "token", "code id_token", "code token", "none", "id_token token"):
        assert error_of(party.ask(response_type=response_type)) == "unsupported_response_type"


def test_a_form_that_is_posted_holds_every_member_and_goes_by_itself(estate: Estate) -> None:
    party = replace(register(estate), mode="form_post")
    page = party.ask(prompt="none")
    assert isinstance(page, Page)
    assert delivered(page).parameters.keys() >= {"error", "state", "iss"}
    assert "form-post.js" in page.html
    answer = party.browser.get("/op/v1/auth?" + query(party, prompt="none"))
    assert "no-store" in answer.headers["Cache-Control"]
    assert "https://suite.example" in answer.headers["Content-Security-Policy"]
