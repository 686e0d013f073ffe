"""DPoP (RFC 9449): tokens that only the holder of a key can get, refresh and use."""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.flow.estate import VERIFIER, Browser, Estate, Tokens
from tests.flow.journeys import arrive, at_once, error_of, introspect
from tests.flow.proving import MAKERS, Prover, base64url

TOKEN = "/op/v1/token"
USERINFO = "/op/v1/userinfo"
CREDENTIALS = {"grant_type": "client_credentials"}


@pytest.fixture
def prover(estate: Estate) -> Prover:
    """A client's key."""
    return Prover(estate)


def told(answer: TestResponse) -> Tokens:
    return Tokens(answer.status_code, json.loads(answer.data))


def ask(estate: Estate, headers: dict[str, str], form: dict[str, str] | None = None, to: str = "tijdmeting") -> Tokens:
    return told(answer_of(estate, headers, form, to))


def answer_of(
    estate: Estate, headers: dict[str, str], form: dict[str, str] | None = None, to: str = "tijdmeting"
) -> TestResponse:
    client = estate.client(to)
    options: dict[str, Any] = {"auth": (to, client["client_secret"])} if "client_secret" in client else {}
    return estate.post(TOKEN, form or CREDENTIALS, headers=headers, **options)


def redeem(estate: Estate, prover: Prover, arrived: Any, client_id: str = "hinderpremie") -> Tokens:
    form = {"grant_type": "authorization_code", "code": arrived.code, "redirect_uri": arrived.address}
    if client_id == "burgerprofiel":
        form |= {"client_id": client_id, "code_verifier": VERIFIER}
    return ask(estate, prover.sent(), form, client_id)


@pytest.mark.parametrize("alg", MAKERS)
def test_a_key_of_every_kind_gets_a_bound_token(estate: Estate, alg: str) -> None:
    prover = Prover(estate, alg)
    tokens = ask(estate, prover.sent())
    assert (tokens.status, tokens.body.get("token_type")) == (200, "DPoP"), tokens.body
    told_of = introspect(estate, "tijdmeting", tokens.body["access_token"])
    assert (told_of["token_type"], told_of["cnf"]) == ("DPoP", {"jkt": prover.thumbprint})
    assert alg in (estate.get("/op/.well-known/openid-configuration").json or {})["dpop_signing_alg_values_supported"]


def test_the_fully_specified_name_of_ed25519_does_too(estate: Estate) -> None:
    prover = Prover(estate, "EdDSA")
    _, claims, _ = prover.proof().split(".")
    header = base64url(json.dumps({"typ": "dpop+jwt", "alg": "Ed25519", "jwk": prover.jwk}).encode())
    signature = base64url(prover.key.sign(f"{header}.{claims}".encode()))
    assert ask(estate, {"DPoP": f"{header}.{claims}.{signature}"}).status == 200


def test_a_jwt_names_the_key(estate: Estate, prover: Prover) -> None:
    estate.register("rapport-api", access_token_format="jwt")
    tokens = ask(estate, prover.sent(), CREDENTIALS | {"resource": "https://rapport.example.be/"})
    told_of = introspect(estate, "rapport-api", tokens.body["access_token"])
    assert told_of["cnf"] == {"jkt": prover.thumbprint}
    assert (told_of["token_type"], tokens.body["token_type"]) == ("DPoP", "DPoP")


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": None},
        {"htu": "http://localhost:8000/op/v1/userinfo"},
        {"htu": "https://localhost:8000/op/v1/token"},
        {"htu": "http://localhost:8001/op/v1/token"},
        {"htu": "http://[::1/op"},
        {"htu": None},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"iat": 0},
        {"iat": 10**30},
    ],
)
def test_a_proof_of_another_request_is_refused(estate: Estate, prover: Prover, changes: dict[str, Any]) -> None:
    refused = ask(estate, prover.sent(**changes))
    assert (refused.status, refused.body["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize(("offset", "status"), [(-300, 200), (-301, 400), (60, 200), (61, 400)])
def test_a_proof_is_good_for_five_minutes_and_a_minute_of_skew(
    estate: Estate, prover: Prover, offset: int, status: int
) -> None:
    assert ask(estate, prover.sent(iat=int(estate.clock()) + offset)).status == status


@pytest.mark.parametrize("part", ["?a=b", "#part", "?a=b#part"])
def test_query_and_fragment_of_the_address_count_for_nothing(estate: Estate, prover: Prover, part: str) -> None:
    assert ask(estate, prover.sent(htu=f"HTTP://LOCALHOST:8000/op/v1/token{part}")).status == 200


def test_a_proof_serves_once_also_when_twenty_send_it(estate: Estate, prover: Prover) -> None:
    sent = prover.sent()
    answers = at_once(20, lambda _: ask(estate, sent).status)
    assert sorted(answers) == [200] + [400] * 19
    estate.clock.advance(300)
    assert ask(estate, sent).status == 400
    assert ask(estate, Prover(estate).sent(jti="the same")).status == 200
    assert ask(estate, Prover(estate).sent(jti="the same")).status == 200


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"jwk": None},
        {"jwk": []},
        {"jwk": {}},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}},
        {"crit": ["unknown"], "unknown": 1},
    ],
)
def test_a_proof_of_another_shape_is_refused(estate: Estate, prover: Prover, header: dict[str, Any]) -> None:
    prover.header = header
    assert ask(estate, prover.sent()).body["error"] == "invalid_dpop_proof"


def test_a_proof_with_a_private_key_in_it_is_refused(estate: Estate, prover: Prover) -> None:
    prover.header = {"jwk": prover.jwk | {"d": "AAAA"}}
    assert ask(estate, prover.sent()).body["error"] == "invalid_dpop_proof"


def test_a_proof_signed_by_another_key_is_refused(estate: Estate, prover: Prover) -> None:
    prover.header = {"jwk": Prover(estate).jwk}
    assert ask(estate, prover.sent()).body["error"] == "invalid_dpop_proof"


@pytest.mark.parametrize("text", ["x", "a.b.c", "..", "é", "x" * 20_000, "e30.e30.", "\x7f"])
def test_what_is_no_proof_is_refused(estate: Estate, text: str) -> None:
    assert ask(estate, {"DPoP": text}).body["error"] == "invalid_dpop_proof"


def test_two_proofs_are_no_proof(estate: Estate, prover: Prover) -> None:
    both = f"{prover.proof()},{prover.proof()}"
    assert ask(estate, {"DPoP": both}).body["error"] == "invalid_dpop_proof"


# Using a bound token.


def bound(estate: Estate, browser: Browser, prover: Prover) -> str:
    tokens = redeem(estate, prover, arrive(browser, "hinderpremie", "dirk"))
    assert tokens.status == 200, tokens.body
    return str(tokens.body["access_token"])


def test_userinfo_answers_the_holder_of_the_key(estate: Estate, browser: Browser, prover: Prover) -> None:
    token = bound(estate, browser, prover)
    answer = estate.get(USERINFO, headers=prover.userinfo(token))
    assert answer.status_code == 200
    assert (answer.json or {})["vo_orgcode"] == "0999910147"


def test_userinfo_refuses_a_bound_token_without_its_key(estate: Estate, browser: Browser, prover: Prover) -> None:
    token = bound(estate, browser, prover)
    right = prover.userinfo(token)
    for headers in (
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"Bearer {token}", "DPoP": right["DPoP"]},
        {"Authorization": f"DPoP {token}"},
        Prover(estate).userinfo(token),
        prover.userinfo(token, ath="another"),
        prover.userinfo(token, ath=None),
        prover.userinfo(token, htm="POST"),
    ):
        answer = estate.get(USERINFO, headers=headers)
        assert answer.status_code == 401, headers
        scheme = headers["Authorization"].partition(" ")[0]
        assert answer.headers["WWW-Authenticate"].startswith(scheme)
        assert json.loads(answer.data)["error"] in {"invalid_token", "invalid_dpop_proof"}
    assert estate.get(USERINFO, headers=right).status_code == 200
    assert estate.get(USERINFO, headers=right).status_code == 401


def test_a_bearer_token_is_not_made_better_by_a_proof(estate: Estate, browser: Browser, prover: Prover) -> None:
    tokens = estate.redeem("hinderpremie", arrive(browser, "hinderpremie", "dirk"))
    assert tokens.body["token_type"] == "Bearer"
    token = tokens.body["access_token"]
    assert estate.get(USERINFO, headers=prover.userinfo(token)).status_code == 401
    assert estate.userinfo(token).status_code == 200


# Codes and refresh tokens.


def test_a_code_bound_to_a_key_is_worth_nothing_without_it(estate: Estate, browser: Browser, prover: Prover) -> None:
    def arrived() -> Any:
        return arrive(browser, "hinderpremie", "dirk", dpop_jkt=prover.thumbprint)

    assert redeem(estate, prover, arrived()).status == 200
    assert redeem(estate, Prover(estate), arrived()).body["error"] == "invalid_grant"
    assert estate.redeem("hinderpremie", arrived()).body["error"] == "invalid_grant"


def test_a_garbled_thumbprint_is_a_faulty_request(browser: Browser) -> None:
    assert error_of(browser.ask("hinderpremie", dpop_jkt="short")) == "invalid_request"


def test_a_pushed_request_is_bound_by_its_proof(estate: Estate, browser: Browser, prover: Prover) -> None:
    secret = estate.client("hinderpremie")["client_secret"]

    def push(**more: str) -> Tokens:
        form = browser.request("hinderpremie", **more)
        headers = prover.sent("/op/v1/par")
        return told(estate.post("/op/v1/par", form, headers=headers, auth=("hinderpremie", secret)))

    assert push(dpop_jkt=Prover(estate).thumbprint).body["error"] == "invalid_dpop_proof"
    pushed = push(dpop_jkt=prover.thumbprint).body["request_uri"]
    arrived = arrive(browser, "hinderpremie", "dirk", request_uri=pushed)
    assert redeem(estate, prover, arrived).status == 200
    arrived = arrive(browser, "hinderpremie", "dirk", request_uri=push().body["request_uri"])
    assert redeem(estate, Prover(estate), arrived).body["error"] == "invalid_grant"


def test_the_refresh_token_of_a_public_client_hangs_on_its_key(estate: Estate, prover: Prover) -> None:
    scope = "openid profile offline_access"
    estate.register("burgerprofiel", scope=scope, grant_types=["authorization_code", "refresh_token"])
    tokens = redeem(
        estate, prover, arrive(estate.browser(), "burgerprofiel", "hanne", scope=scope), client_id="burgerprofiel"
    )
    form = {
        "grant_type": "refresh_token",
        "client_id": "burgerprofiel",
        "refresh_token": tokens.body["refresh_token"],
    }
    for headers in ({}, Prover(estate).sent()):
        assert ask(estate, headers, form, "burgerprofiel").body["error"] == "invalid_grant"
    again = ask(estate, prover.sent(), form, "burgerprofiel")
    assert (again.status, again.body["token_type"]) == (200, "DPoP")


def test_a_confidential_client_may_change_its_key(estate: Estate, browser: Browser, prover: Prover) -> None:
    scope = estate.client("hinderpremie")["scope"]
    tokens = redeem(estate, prover, arrive(browser, "hinderpremie", "dirk", scope=scope))
    form = {"grant_type": "refresh_token", "refresh_token": tokens.body["refresh_token"]}
    other = Prover(estate)
    again = ask(estate, other.sent(), form, "hinderpremie")
    assert introspect(estate, "hinderpremie", again.body["access_token"])["cnf"] == {"jkt": other.thumbprint}


# Clients that are registered for it, and nonces.


def test_a_client_registered_for_bound_tokens_gets_no_others(estate: Estate) -> None:
    estate.register("tijdmeting", organisation="", dpop_bound_access_tokens=True)
    refused = ask(estate, {})
    assert (refused.status, refused.body["error"]) == (400, "invalid_dpop_proof")


def test_a_registered_client_proves_that_it_made_its_proof_just_now(estate: Estate, prover: Prover) -> None:
    estate.register("tijdmeting", organisation="", dpop_bound_access_tokens=True)
    for nonce in (None, "made-up", "é"):
        refused = answer_of(estate, prover.sent(nonce=nonce))
        assert (refused.status_code, json.loads(refused.data)["error"]) == (400, "use_dpop_nonce")
    nonce = refused.headers["DPoP-Nonce"]
    answer = answer_of(estate, prover.sent(nonce=nonce))
    assert (answer.status_code, json.loads(answer.data)["token_type"]) == (200, "DPoP")
    assert answer.headers["DPoP-Nonce"] == nonce
    estate.clock.advance(150)
    answer = answer_of(estate, prover.sent(nonce=nonce))
    assert answer.status_code == 200
    assert answer.headers["DPoP-Nonce"] != nonce
    estate.clock.advance(150)
    assert answer_of(estate, prover.sent(nonce=nonce)).status_code == 400


def test_userinfo_asks_the_nonce_too(estate: Estate, prover: Prover) -> None:
    estate.register("hinderpremie", dpop_bound_access_tokens=True)
    arrived = arrive(estate.browser(), "hinderpremie", "dirk")
    form = {"grant_type": "authorization_code", "code": arrived.code, "redirect_uri": arrived.address}
    nonce = answer_of(estate, prover.sent(), form, "hinderpremie").headers["DPoP-Nonce"]
    token = ask(estate, prover.sent(nonce=nonce), form, "hinderpremie").body["access_token"]
    refused = estate.get(USERINFO, headers=prover.userinfo(token))
    assert refused.status_code == 401
    assert 'error="use_dpop_nonce"' in refused.headers["WWW-Authenticate"]
    headers = prover.userinfo(token, nonce=refused.headers["DPoP-Nonce"])
    assert estate.get(USERINFO, headers=headers).status_code == 200


@pytest.mark.parametrize(("rule", "status"), [("always", 400), ("registered", 200), ("never", 200)])
def test_an_operator_says_who_needs_nonces(estate: Estate, rule: str, status: int) -> None:
    ruled = estate.configured(dpop_nonce=rule)
    assert ask(ruled, Prover(ruled).sent()).status == status
    ruled.application.close()
