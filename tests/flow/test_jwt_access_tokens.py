"""JWT access tokens (RFC 9068): what they tell, who reads them, and how they end."""

from typing import Any

import jwt
import pytest

from tests.flow.estate import Browser, Estate, Tokens
from tests.flow.journeys import introspect, refresh, sign_in

TOKEN = "/op/v1/token"
REPORTS = "https://rapport.example.be/"
REQUIRED = {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"}


def read(estate: Estate, token: str, audience: str, alg: str = "RS256") -> dict[str, Any]:
    """The claims as an API reads them, by an independent library."""
    keys = jwt.PyJWKSet.from_dict(estate.get("/op/v1/keys").json or {})
    header = jwt.get_unverified_header(token)
    assert (header["typ"], header["alg"]) == ("at+jwt", alg)
    claims: dict[str, Any] = jwt.decode(
        token,
        keys[header["kid"]],
        algorithms=[alg],
        audience=audience,
        issuer=estate.settings.issuer,
        options={"verify_exp": False, "verify_iat": False, "require": list(REQUIRED)},
    )
    return claims


@pytest.fixture(autouse=True)
def reading_api(estate: Estate) -> None:
    """The world's API reads JWTs."""
    estate.register("rapport-api", access_token_format="jwt")


def machine(estate: Estate, **form: str) -> Tokens:
    return estate.call(TOKEN, "tijdmeting", {"grant_type": "client_credentials", **form})


def test_a_machine_gets_a_jwt_for_an_api_that_reads_them(estate: Estate) -> None:
    tokens = machine(estate, resource=REPORTS)
    claims = read(estate, tokens.body["access_token"], REPORTS)
    assert (claims["sub"], claims["client_id"], claims["aud"]) == ("tijdmeting", "tijdmeting", REPORTS)
    assert claims["scope"] == "vo_info rapport_lezen"
    assert claims["vo_applicatienaam"] == "Tijdmeting"
    assert claims["exp"] - claims["iat"] == tokens.body["expires_in"] == 3600
    assert not {"acr", "auth_time"} & claims.keys()


def test_no_two_tokens_have_the_same_name(estate: Estate) -> None:
    names = {read(estate, machine(estate, resource=REPORTS).body["access_token"], REPORTS)["jti"] for _ in range(3)}
    assert len(names) == 3


def test_for_itself_and_for_an_api_that_says_nothing_it_gets_opaque_ones(estate: Estate) -> None:
    assert "." not in machine(estate).body["access_token"]
    estate.register("rapport-api", access_token_format="opaque")
    estate.clock.advance(2)
    assert "." not in machine(estate, resource=REPORTS).body["access_token"]


def test_a_client_may_want_jwts_for_itself(estate: Estate) -> None:
    alg = "ES256"
    estate.register("tijdmeting", organisation="", access_token_format="jwt", id_token_signed_response_alg=alg)
    tokens = machine(estate)
    assert tokens.status == 200, tokens.body
    claims = read(estate, tokens.body["access_token"], "tijdmeting", alg)
    assert claims["scope"] == "vo_info rapport_lezen"
    assert "vo_applicatienaam" not in claims


def test_a_person_is_told_of_as_far_as_the_api_may_know(estate: Estate) -> None:
    estate.register("rapport-api", access_token_format="jwt", may_know_scopes="vo hinderpremie")
    tokens = sign_in(estate.browser(), "hinderpremie", "dirk", resource=REPORTS)
    claims = read(estate, tokens.body["access_token"], REPORTS)
    assert claims["scope"] == "vo hinderpremie"
    assert tokens.body["scope"] == "openid profile vo hinderpremie"
    assert claims["hinderpremie_rol_3d"] == ["HinderpremieGebruiker-Indiener:0999910147"]
    for name in ("sub", "acr", "auth_time", "vo_orgcode"):
        assert claims[name] == tokens.claims[name]
    assert not {"given_name", "sid", "amr", "nonce"} & claims.keys()


def test_a_token_that_serves_at_userinfo_too_is_opaque(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, "hinderpremie", "dirk", resource=REPORTS, audience="hinderpremie")
    assert "." not in tokens.body["access_token"]
    assert estate.userinfo(tokens.body["access_token"]).status_code == 200


def test_a_jwt_of_its_own_serves_at_userinfo_and_introspection(estate: Estate) -> None:
    estate.register("hinderpremie", access_token_format="jwt")
    tokens = sign_in(estate.browser(), "hinderpremie", "dirk")
    claims = read(estate, tokens.body["access_token"], "hinderpremie")
    assert "given_name" not in claims
    told = estate.userinfo(tokens.body["access_token"])
    assert (told.json or {})["given_name"] == tokens.claims["given_name"]
    introspected = introspect(estate, "hinderpremie", tokens.body["access_token"])
    assert introspected["exp"] == claims["exp"]
    assert introspected["scope"] == "openid profile vo hinderpremie"


def test_a_jwt_for_an_api_is_introspected_by_it_and_is_no_key_to_userinfo(estate: Estate, browser: Browser) -> None:
    token = sign_in(browser, "hinderpremie", "dirk", resource=REPORTS).body["access_token"]
    assert introspect(estate, "rapport-api", token)["aud"] == [REPORTS]
    assert introspect(estate, "subsidieloket", token) == {"active": False}
    assert estate.userinfo(token).status_code == 401


def test_a_revoked_jwt_is_inactive_and_others_of_its_grant_live(estate: Estate) -> None:
    estate.register("hinderpremie", access_token_format="jwt")
    scope = estate.client("hinderpremie")["scope"]
    first = sign_in(estate.browser(), "hinderpremie", "dirk", scope=scope)
    second = refresh(estate, "hinderpremie", first.body["refresh_token"])
    refused = estate.call("/op/v1/revoke", "subsidieloket", {"token": first.body["access_token"]})
    assert refused.body["error"] == "invalid_grant"
    for _ in range(2):
        assert estate.call("/op/v1/revoke", "hinderpremie", {"token": first.body["access_token"]}).status == 200
    assert estate.userinfo(first.body["access_token"]).status_code == 401
    assert introspect(estate, "hinderpremie", first.body["access_token"]) == {"active": False}
    assert estate.userinfo(second.body["access_token"]).status_code == 200


def test_a_jwt_ends_with_its_grant_and_with_its_time(estate: Estate) -> None:
    estate.register("hinderpremie", access_token_format="jwt")
    scope = estate.client("hinderpremie")["scope"]
    tokens = sign_in(estate.browser(), "hinderpremie", "dirk", scope=scope)
    estate.clock.advance(3599)
    assert estate.userinfo(tokens.body["access_token"]).status_code == 200
    again = refresh(estate, "hinderpremie", tokens.body["refresh_token"])
    estate.clock.advance(1)
    assert estate.userinfo(tokens.body["access_token"]).status_code == 401
    estate.call("/op/v1/revoke", "hinderpremie", {"token": again.body["refresh_token"]})
    assert introspect(estate, "hinderpremie", again.body["access_token"]) == {"active": False}


def test_a_changed_jwt_is_no_token(estate: Estate) -> None:
    token = machine(estate, resource=REPORTS).body["access_token"]
    header, claims, signature = token.split(".")
    flipped = signature[:-2] + ("A" if signature[-2] != "A" else "B") + signature[-1]
    for changed in (f"{header}.{claims}.{flipped}", f"{header}.{claims}.", f"{claims}.{claims}.{signature}", ".."):
        assert introspect(estate, "tijdmeting", changed) == {"active": False}
        assert estate.call("/op/v1/revoke", "tijdmeting", {"token": changed}).status == 200
    assert introspect(estate, "tijdmeting", token)["active"] is True


def test_an_id_token_is_no_access_token_and_an_access_token_no_hint(estate: Estate) -> None:
    estate.register("hinderpremie", access_token_format="jwt")
    browser = estate.browser()
    tokens = sign_in(browser, "hinderpremie", "dirk")
    assert estate.userinfo(tokens.body["id_token"]).status_code == 401
    assert introspect(estate, "hinderpremie", tokens.body["id_token"]) == {"active": False}
    arrived: Any = browser.ask("hinderpremie", id_token_hint=tokens.body["access_token"])
    assert arrived.parameters["error"] == "invalid_request"
