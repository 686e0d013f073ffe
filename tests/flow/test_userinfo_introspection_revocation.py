"""Userinfo, introspection and revocation: what a token tells, to whom, and how it ends."""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.flow.estate import Browser, Estate, Tokens
from tests.flow.journeys import introspect, refresh, sign_in

USERINFO = "/op/v1/userinfo"
PROTOCOL = {
    *("active", "iss", "client_id", "aud", "scope", "token_type", "exp", "iat", "sub", "acr", "amr", "auth_time"),
    "jwt",
}


def machine_token(estate: Estate, client_id: str = "tijdmeting", **form: str) -> str:
    tokens = estate.call("/op/v1/token", client_id, {"grant_type": "client_credentials", **form})
    return str(tokens.body["access_token"])


def revoke(estate: Estate, client_id: str, token: str, **form: str) -> Tokens:
    return estate.call("/op/v1/revoke", client_id, {"token": token, **form})


def challenge(answer: TestResponse) -> str:
    return answer.headers["WWW-Authenticate"]


# Userinfo.


def test_userinfo_tells_the_same_by_get_and_by_post_in_header_and_in_form(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, "hinderpremie", "dirk")
    token = tokens.body["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    answers = (
        estate.get(USERINFO, headers=header),
        estate.post(USERINFO, {}, headers=header),
        estate.http().post(USERINFO, base_url=estate.origin, headers=header),
        estate.post(USERINFO, {"access_token": token}),
        estate.get(USERINFO, headers={"Authorization": f"bearer {token}"}),
    )
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/json"}
    assert len({answer.data for answer in answers}) == 1
    told = json.loads(answers[0].data)
    claims = tokens.claims
    assert told == {name: claims[name] for name in told}
    protocol = {"iss", "aud", "azp", "exp", "iat", "nonce", "sid", "at_hash"}
    assert claims.keys() - told.keys() == protocol


def test_userinfo_without_a_token_names_the_scheme_and_no_error(estate: Estate) -> None:
    for answer in (
        estate.get(USERINFO),
        estate.post(USERINFO, {}),
        estate.get(USERINFO, headers={"Authorization": "Basic YTpi"}),
        estate.get(USERINFO, headers={"Authorization": "Bearer"}),
    ):
        assert answer.status_code == 401
        assert challenge(answer).startswith("Bearer ")
        assert "error" not in challenge(answer)
        assert answer.data == b""


@pytest.mark.parametrize("token", ["unknown", "é", "a b", '"', "x" * 10_000])
def test_userinfo_with_a_bad_token_says_so(estate: Estate, token: str) -> None:
    answer = estate.get(USERINFO, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in challenge(answer)
    assert json.loads(answer.data)["error"] == "invalid_token"


def test_userinfo_reads_no_token_from_the_address(estate: Estate, browser: Browser) -> None:
    token = sign_in(browser, "hinderpremie", "dirk").body["access_token"]
    assert estate.get(f"{USERINFO}?access_token={token}").status_code == 401


def test_userinfo_with_two_tokens_is_a_faulty_request(estate: Estate, browser: Browser) -> None:
    token = sign_in(browser, "hinderpremie", "dirk").body["access_token"]
    answer = estate.post(USERINFO, {"access_token": token}, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, json.loads(answer.data)["error"]) == (400, "invalid_request")
    assert 'error="invalid_request"' in challenge(answer)


def test_userinfo_needs_openid(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, "hinderpremie", "dirk", scope="profile hinderpremie")
    assert "id_token" not in tokens.body
    answer = estate.userinfo(tokens.body["access_token"])
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in challenge(answer)


def test_userinfo_tells_nobody_of_a_machine(estate: Estate) -> None:
    assert estate.userinfo(machine_token(estate)).status_code == 401


def test_userinfo_of_an_expired_token_is_refused(estate: Estate, browser: Browser) -> None:
    token = sign_in(browser, "hinderpremie", "dirk").body["access_token"]
    estate.clock.advance(3600)
    assert estate.userinfo(token).status_code == 401


def test_a_code_and_an_id_token_are_no_access_tokens(estate: Estate, browser: Browser) -> None:
    assert estate.userinfo(sign_in(browser, "hinderpremie", "dirk").body["id_token"]).status_code == 401


# Introspection.


def test_a_client_learns_all_of_its_own_token(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, "hinderpremie", "dirk")
    told = introspect(estate, "hinderpremie", tokens.body["access_token"])
    assert told["active"] is True
    assert (told["client_id"], told["aud"], told["token_type"]) == ("hinderpremie", ["hinderpremie"], "Bearer")
    assert told["scope"] == "openid profile vo hinderpremie"
    assert told["exp"] - told["iat"] == tokens.body["expires_in"]
    for name in ("sub", "acr", "amr", "auth_time", "vo_orgcode", "hinderpremie_rol_3d", "given_name"):
        assert told[name] == tokens.claims[name]


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
def test_a_hint_of_the_kind_changes_nothing(estate: Estate, browser: Browser, hint: str) -> None:
    scope = estate.client("hinderpremie")["scope"]
    tokens = sign_in(browser, "hinderpremie", "dirk", scope=scope)
    for kind in ("access_token", "refresh_token"):
        told = introspect(estate, "hinderpremie", tokens.body[kind], token_type_hint=hint)
        assert told["active"] is True


def test_an_api_that_may_introspect_sees_what_it_may_know_and_no_more(estate: Estate) -> None:
    estate.register("rapport-api", may_know_scopes="vo hinderpremie")
    token = sign_in(estate.browser(), "hinderpremie", "dirk").body["access_token"]
    told = introspect(estate, "rapport-api", token)
    assert told["active"] is True
    assert told["scope"] == "vo hinderpremie"
    assert told["hinderpremie_rol_3d"] == ["HinderpremieGebruiker-Indiener:0999910147"]
    assert told["vo_orgcode"] == "0999910147"
    more = {name for name in told if not name.startswith("vo_")} - {"hinderpremie_rol_3d", "jwt"}
    surety = {"acr", "auth_time"}  # what an API needs to ask for more (RFC 9470 §6.2)
    assert more == {"active", "iss", "client_id", "aud", "scope", "token_type", "exp", "iat"} | surety


def test_an_api_never_sees_a_number_that_it_may_not_know(estate: Estate, browser: Browser) -> None:
    tokens = sign_in(browser, "subsidieloket", "elif")
    assert "rrn" in tokens.claims
    told = introspect(estate, "rapport-api", tokens.body["access_token"])
    assert told["active"] is True
    assert "rrn" not in told
    assert "rrn" not in told["scope"].split()
    assert told["sub"] == tokens.claims["sub"]


def test_everybody_else_hears_what_they_hear_of_a_token_that_never_was(estate: Estate, browser: Browser) -> None:
    scope = estate.client("hinderpremie")["scope"]
    tokens = sign_in(browser, "hinderpremie", "dirk", scope=scope)
    for token in (tokens.body["access_token"], tokens.body["refresh_token"], "unknown", "\0", "é", "x" * 9999):
        for caller in ("statistiek", "tijdmeting"):
            assert introspect(estate, caller, token) == {"active": False}
    assert introspect(estate, "rapport-api", tokens.body["refresh_token"]) == {"active": False}


def test_introspection_needs_a_proven_caller(estate: Estate, browser: Browser) -> None:
    token = sign_in(browser, "burgerprofiel", "hanne").body["access_token"]
    for answer in (
        estate.post("/op/v1/introspect", {"token": token}),
        estate.post("/op/v1/introspect", {"token": token, "client_id": "hinderpremie"}),
        estate.post("/op/v1/introspect", {"token": token}, auth=("hinderpremie", "wrong")),
        estate.post("/op/v1/introspect", {"token": token, "client_id": "burgerprofiel"}),
    ):
        assert answer.status_code == 401
        assert json.loads(answer.data)["error"] == "invalid_client"


def test_introspection_needs_a_token_and_a_form(estate: Estate) -> None:
    assert estate.call("/op/v1/introspect", "hinderpremie", {}).body["error"] == "invalid_request"
    answer = estate.http().post("/op/v1/introspect", json={"token": "x"}, base_url=estate.origin)
    assert (answer.status_code, json.loads(answer.data)["error"]) == (400, "invalid_request")


def test_an_expired_token_is_inactive(estate: Estate, browser: Browser) -> None:
    token = sign_in(browser, "hinderpremie", "dirk").body["access_token"]
    estate.clock.advance(3599)
    assert introspect(estate, "hinderpremie", token)["active"] is True
    estate.clock.advance(1)
    assert introspect(estate, "hinderpremie", token) == {"active": False}


def test_a_refresh_token_tells_its_own_client_that_it_lives(estate: Estate, browser: Browser) -> None:
    scope = estate.client("hinderpremie")["scope"]
    token = sign_in(browser, "hinderpremie", "dirk", scope=scope).body["refresh_token"]
    told = introspect(estate, "hinderpremie", token)
    assert (told["active"], told["client_id"], told["scope"]) == (True, "hinderpremie", scope)
    refresh(estate, "hinderpremie", token)
    assert introspect(estate, "hinderpremie", token) == {"active": False}


def test_the_token_of_a_machine_tells_its_application_and_organisation(estate: Estate) -> None:
    token = machine_token(estate)
    for caller in ("tijdmeting", "rapport-api"):
        told = introspect(estate, caller, token)
        assert told["active"] is True
        assert (told["sub"], told["client_id"]) == ("tijdmeting", "tijdmeting")
        assert told["vo_applicatienaam"] == "Tijdmeting"
        assert told["vo_orgcode"] == "OVO999505"
        assert told["vo_orgnaam"] == "Agentschap Voorbeeld"


def test_the_token_of_a_machine_without_vo_info_tells_no_more(estate: Estate) -> None:
    told = introspect(estate, "rapport-api", machine_token(estate, scope="rapport_lezen"))
    assert told["scope"] == "rapport_lezen"
    assert told.keys() <= PROTOCOL


def test_no_claim_can_take_the_place_of_a_protocol_member(estate: Estate) -> None:
    estate.register("hinderpremie", role_claim="active")
    told = introspect(estate, "hinderpremie", sign_in(estate.browser(), "hinderpremie", "dirk").body["access_token"])
    assert told["active"] is True


# Revocation.


def test_a_client_gives_its_token_back(estate: Estate, browser: Browser) -> None:
    token = sign_in(browser, "hinderpremie", "dirk").body["access_token"]
    assert revoke(estate, "hinderpremie", token) == Tokens(200, {})
    assert estate.userinfo(token).status_code == 401
    assert introspect(estate, "hinderpremie", token) == {"active": False}
    assert revoke(estate, "hinderpremie", token) == Tokens(200, {})


@pytest.mark.parametrize("token", ["unknown", "\0", "é", "x" * 9999])
def test_a_token_that_never_was_is_as_good_as_revoked(estate: Estate, token: str) -> None:
    assert revoke(estate, "hinderpremie", token) == Tokens(200, {})


def test_the_token_of_another_client_stays(estate: Estate, browser: Browser) -> None:
    scope = estate.client("hinderpremie")["scope"]
    tokens = sign_in(browser, "hinderpremie", "dirk", scope=scope)
    for kind in ("access_token", "refresh_token"):
        assert revoke(estate, "statistiek", tokens.body[kind]).body["error"] == "invalid_grant"
    assert estate.userinfo(tokens.body["access_token"]).status_code == 200
    assert refresh(estate, "hinderpremie", tokens.body["refresh_token"]).status == 200


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
def test_a_refresh_token_takes_all_with_it_whatever_the_hint(estate: Estate, browser: Browser, hint: str) -> None:
    scope = estate.client("hinderpremie")["scope"]
    first = sign_in(browser, "hinderpremie", "dirk", scope=scope)
    second = refresh(estate, "hinderpremie", first.body["refresh_token"])
    assert revoke(estate, "hinderpremie", second.body["refresh_token"], token_type_hint=hint).status == 200
    for tokens in (first, second):
        assert estate.userinfo(tokens.body["access_token"]).status_code == 401
        assert refresh(estate, "hinderpremie", tokens.body["refresh_token"]).body["error"] == "invalid_grant"


def test_an_access_token_goes_alone(estate: Estate, browser: Browser) -> None:
    scope = estate.client("hinderpremie")["scope"]
    tokens = sign_in(browser, "hinderpremie", "dirk", scope=scope)
    assert revoke(estate, "hinderpremie", tokens.body["access_token"], token_type_hint="refresh_token").status == 200
    assert estate.userinfo(tokens.body["access_token"]).status_code == 401
    assert refresh(estate, "hinderpremie", tokens.body["refresh_token"]).status == 200


def test_a_public_client_and_a_machine_can_revoke_their_own(estate: Estate, browser: Browser) -> None:
    token = sign_in(browser, "burgerprofiel", "hanne").body["access_token"]
    assert revoke(estate, "burgerprofiel", token).status == 200
    assert estate.userinfo(token).status_code == 401
    own = machine_token(estate)
    assert revoke(estate, "tijdmeting", own).status == 200
    assert introspect(estate, "rapport-api", own) == {"active": False}


def test_revocation_needs_a_proven_client_and_a_token(estate: Estate, browser: Browser) -> None:
    token = sign_in(browser, "hinderpremie", "dirk").body["access_token"]
    forms: list[dict[str, Any]] = [{"token": token}, {"token": token, "client_id": "hinderpremie"}]
    for form in forms:
        assert estate.post("/op/v1/revoke", form).status_code == 401
    assert estate.userinfo(token).status_code == 200
    assert estate.call("/op/v1/revoke", "hinderpremie", {}).body["error"] == "invalid_request"
