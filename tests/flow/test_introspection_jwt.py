"""What introspection tells signed: ACM's `jwt` member, RFC 9701, and what an API says of its own callers."""

from typing import Any

import jwt
import pytest

from idp.commands import CommandFailed
from tests.flow.estate import Browser, Estate
from tests.flow.journeys import introspect, sign_in

SIGNED = "application/token-introspection+jwt"
SET = {"setbyapi_vo_orgcode_ovo": "OVO002949"}


def machine_token(estate: Estate) -> str:
    tokens = estate.call("/op/v1/token", "tijdmeting", {"grant_type": "client_credentials"})
    return str(tokens.body["access_token"])


def read(estate: Estate, token: str, alg: str = "RS256", **options: Any) -> dict[str, Any]:
    """The claims, by an independent library, whatever their dates."""
    keys = jwt.PyJWKSet.from_dict(estate.get("/op/v1/keys").json or {})
    key = keys[jwt.get_unverified_header(token)["kid"]]
    unchecked: Any = {"verify_exp": False, "verify_iat": False} | options
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=[alg], options=unchecked)
    return claims


def ask_signed(estate: Estate, caller: str, token: str, accept: str = SIGNED) -> Any:
    auth = (caller, estate.client(caller)["client_secret"])
    return estate.post("/op/v1/introspect", {"token": token}, headers={"Accept": accept}, auth=auth)


def test_the_same_claims_come_signed_beside_them(estate: Estate, browser: Browser) -> None:
    person = sign_in(browser, "hinderpremie", "dirk").body["access_token"]
    for token in (machine_token(estate), person):
        told = introspect(estate, "rapport-api", token)
        signed = told.pop("jwt")
        assert read(estate, signed, verify_aud=False) == told
        assert jwt.get_unverified_header(signed)["alg"] == "RS256"


def test_nothing_is_signed_of_what_is_no_token(estate: Estate) -> None:
    assert introspect(estate, "rapport-api", "unknown") == {"active": False}
    assert introspect(estate, "subsidieloket", machine_token(estate)) == {"active": False}


def test_an_api_may_do_without(estate: Estate) -> None:
    estate.register("rapport-api", introspection_jwt=False)
    assert "jwt" not in introspect(estate, "rapport-api", machine_token(estate))


def test_the_signed_answer_passes_for_no_token_and_no_hint(estate: Estate, browser: Browser) -> None:
    token = sign_in(browser, "hinderpremie", "dirk").body["access_token"]
    for signed in (introspect(estate, "hinderpremie", token)["jwt"], ask_signed(estate, "hinderpremie", token).text):
        assert estate.userinfo(signed).status_code == 401
        arrived: Any = browser.ask("hinderpremie", id_token_hint=signed)
        assert arrived.parameters["error"] == "invalid_request"


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_an_api_gets_its_answer_signed_where_it_accepts_that(estate: Estate, alg: str) -> None:
    estate.register("rapport-api", introspection_signed_response_alg=alg)
    token = machine_token(estate)
    answer = ask_signed(estate, "rapport-api", token, f"application/json;q=0.1, {SIGNED.upper()}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, SIGNED)
    assert jwt.get_unverified_header(answer.text)["typ"] == "token-introspection+jwt"
    claims = read(estate, answer.text, alg, verify_aud=False)
    plain = introspect(estate, "rapport-api", token)
    del plain["jwt"]
    assert claims == {
        "iss": estate.settings.issuer,
        "aud": "rapport-api",
        "iat": int(estate.clock()),
        "token_introspection": plain,
    }


def test_that_a_token_is_inactive_is_signed_too(estate: Estate) -> None:
    claims = read(estate, ask_signed(estate, "rapport-api", "unknown").text, verify_aud=False)
    assert claims["token_introspection"] == {"active": False}


def test_who_does_not_prove_itself_gets_nothing_signed(estate: Estate) -> None:
    answer = estate.post("/op/v1/introspect", {"token": "x"}, headers={"Accept": SIGNED}, auth=("rapport-api", "no"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/json")


def test_an_api_is_told_what_it_has_set_on_a_client_and_nobody_else_is(estate: Estate) -> None:
    estate.register("rapport-api", client_id="kaart-api")
    estate.register("rapport-api", set_by_api={"tijdmeting": SET, "nachtverwerking": {"setbyapi_other": ["a", "b"]}})
    token = machine_token(estate)
    told = introspect(estate, "rapport-api", token)
    assert {name: value for name, value in told.items() if name.startswith("setbyapi_")} == SET
    for caller in ("tijdmeting", "kaart-api"):
        assert "setbyapi_vo_orgcode_ovo" not in introspect(estate, caller, token)


def test_what_an_api_sets_takes_the_place_of_nothing(estate: Estate) -> None:
    with pytest.raises(CommandFailed, match="setbyapi_"):
        estate.register("rapport-api", set_by_api={"tijdmeting": {"active": "no"}})
