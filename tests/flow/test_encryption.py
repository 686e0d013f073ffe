"""Encryption (RFC 7516): what a client has encrypted to it, and requests that it encrypts to us; read and made by an
implementation of its own (`sealing.py`).
"""

import json
from functools import cache
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from idp.commands import CommandFailed
from idp.composition import House
from idp.keys.jwt import new_key_pair
from idp.keys.keyring import ANNOUNCE_SECONDS, DECRYPTING_SECONDS
from tests.flow.estate import Arrival, Browser, Estate
from tests.flow.journeys import arrive, assert_error_page, error_of, sign_in
from tests.flow.reading import Page
from tests.flow.sealing import ALGORITHMS, CONTENTS, Recipient, encrypted, segment
from tests.flow.test_introspection_jwt import SIGNED, ask_signed
from tests.flow.test_jarm import read
from tests.flow.test_private_key_jwt import KeyServer, serving

CLIENT = "hinderpremie"
DOCUMENT = "/op/.well-known/openid-configuration"


@cache
def recipient(alg: str) -> Recipient:
    """A client's keys for an algorithm, made once."""
    return Recipient(alg)


@cache
def signer() -> tuple[dict[str, Any], dict[str, Any]]:
    """The key pair that a client signs with."""
    return new_key_pair("ES256")


def register(estate: Estate, alg: str = "ECDH-ES", client_id: str = CLIENT, **changes: Any) -> Recipient:
    """A client with a key to encrypt to, beside the one that it signs with."""
    keys = {"keys": [signer()[1], recipient(alg).jwk]}
    estate.register(client_id, **({"jwks": keys} | changes))
    return recipient(alg)


def opened(estate: Estate, token: str, alg: str, *, client_id: str = CLIENT) -> dict[str, Any]:
    """The claims of a token that is encrypted to the client and signed by us."""
    header, content = recipient(alg).open(token)
    assert (header["alg"], header["cty"]) == (alg, "JWT")
    return read(estate, content.decode(), client_id=client_id)


# What a client has encrypted


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_an_id_token_is_signed_and_then_encrypted(estate: Estate, browser: Browser, alg: str) -> None:
    register(estate, alg, id_token_encrypted_response_alg=alg)
    tokens = sign_in(browser, CLIENT, "dirk")
    header, content = recipient(alg).open(tokens.body["id_token"])
    assert header["enc"] == "A128CBC-HS256"
    tokens.body["id_token"] = content.decode()
    assert estate.verified(tokens, CLIENT)["nonce"] == "the-nonce"


@pytest.mark.parametrize("enc", CONTENTS)
def test_the_registered_content_algorithm_is_used(estate: Estate, browser: Browser, enc: str) -> None:
    changes = {"id_token_encrypted_response_alg": "ECDH-ES+A256KW", "id_token_encrypted_response_enc": enc}
    register(estate, "ECDH-ES+A256KW", **changes)
    header, _ = recipient("ECDH-ES+A256KW").open(sign_in(browser, CLIENT, "dirk").body["id_token"])
    assert header["enc"] == enc


def test_a_refreshed_id_token_is_encrypted_too(estate: Estate, browser: Browser) -> None:
    register(estate, id_token_encrypted_response_alg="ECDH-ES")
    tokens = sign_in(browser, CLIENT, "dirk", scope="openid offline_access")
    form = {"grant_type": "refresh_token", "refresh_token": tokens.body["refresh_token"]}
    again = estate.call("/op/v1/token", CLIENT, form)
    assert opened(estate, again.body["id_token"], "ECDH-ES")["sub"]


def test_the_key_is_named_and_is_the_one_for_encryption(estate: Estate, browser: Browser) -> None:
    other, mine = Recipient("ECDH-ES", {}), Recipient("ECDH-ES", {"use": "enc", "kid": "mine"})
    keys = {"keys": [other.jwk | {"use": "sig"}, other.jwk, Recipient("RSA-OAEP").jwk, mine.jwk]}
    estate.register(CLIENT, jwks=keys, id_token_encrypted_response_alg="ECDH-ES")
    header, _ = mine.open(sign_in(browser, CLIENT, "dirk").body["id_token"])
    assert header["kid"] == "mine"


def test_a_key_that_is_for_nothing_in_particular_will_do(estate: Estate, browser: Browser) -> None:
    mine = Recipient("ECDH-ES", {})
    estate.register(CLIENT, jwks={"keys": [mine.jwk]}, id_token_encrypted_response_alg="ECDH-ES")
    header, _ = mine.open(sign_in(browser, CLIENT, "dirk").body["id_token"])
    assert "kid" not in header


def userinfo(estate: Estate, browser: Browser) -> Any:
    return estate.userinfo(sign_in(browser, CLIENT, "dirk").body["access_token"])


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_userinfo_can_be_signed(estate: Estate, browser: Browser, alg: str) -> None:
    estate.register(CLIENT, userinfo_signed_response_alg=alg)
    answer = userinfo(estate, browser)
    assert answer.headers["Content-Type"] == "application/jwt"
    keys = jwt.PyJWKSet.from_dict(estate.get("/op/v1/keys").json or {})
    key = keys[jwt.get_unverified_header(answer.text)["kid"]]
    claims = jwt.decode(answer.text, key, algorithms=[alg], audience=CLIENT, issuer=estate.settings.issuer)
    assert claims["sub"]
    assert claims["vo_orgcode"]


def test_userinfo_can_be_signed_and_encrypted(estate: Estate, browser: Browser) -> None:
    register(estate, userinfo_signed_response_alg="ES256", userinfo_encrypted_response_alg="ECDH-ES")
    header, content = recipient("ECDH-ES").open(userinfo(estate, browser).text)
    assert header["cty"] == "JWT"
    claims = jwt.decode(content, options={"verify_signature": False})
    assert (claims["iss"], claims["aud"]) == (estate.settings.issuer, CLIENT)
    assert jwt.get_unverified_header(content)["alg"] == "ES256"


def test_userinfo_can_be_encrypted_alone(estate: Estate, browser: Browser) -> None:
    register(estate, "RSA-OAEP-256", userinfo_encrypted_response_alg="RSA-OAEP-256")
    answer = userinfo(estate, browser)
    header, content = recipient("RSA-OAEP-256").open(answer.text)
    assert answer.headers["Content-Type"] == "application/jwt"
    assert "cty" not in header
    assert json.loads(content)["sub"]


def test_a_signed_userinfo_is_no_hint_of_a_person(estate: Estate, browser: Browser) -> None:
    estate.register(CLIENT, userinfo_signed_response_alg="RS256")
    arrived = browser.ask(CLIENT, id_token_hint=userinfo(estate, browser).text)
    assert error_of(arrived) == "invalid_request"


@pytest.mark.parametrize("mode", ["jwt", "fragment.jwt"])
def test_an_answer_is_signed_and_then_encrypted(estate: Estate, browser: Browser, mode: str) -> None:
    register(estate, authorization_encrypted_response_alg="ECDH-ES")
    arrived = arrive(browser, CLIENT, "dirk", response_mode=mode)
    said = opened(estate, arrived.parameters["response"], "ECDH-ES")
    assert said["state"] == "the-state"
    assert estate.redeem(CLIENT, Arrival(arrived.address, {"code": said["code"]})).status == 200


def test_a_failure_is_encrypted_too(estate: Estate, browser: Browser) -> None:
    register(estate, authorization_encrypted_response_alg="ECDH-ES")
    arrived = browser.ask(CLIENT, response_mode="jwt", prompt="none")
    assert isinstance(arrived, Arrival)
    assert opened(estate, arrived.parameters["response"], "ECDH-ES")["error"] == "login_required"


def test_introspection_is_signed_and_then_encrypted(estate: Estate, browser: Browser) -> None:
    changes = {"introspection_encrypted_response_alg": "ECDH-ES", "introspection_encrypted_response_enc": "A256GCM"}
    register(estate, client_id="rapport-api", **changes)
    token = sign_in(browser, CLIENT, "dirk").body["access_token"]
    answer = ask_signed(estate, "rapport-api", token)
    assert answer.headers["Content-Type"] == SIGNED
    header, content = recipient("ECDH-ES").open(answer.text)
    assert header["enc"] == "A256GCM"
    assert jwt.decode(content, options={"verify_signature": False})["aud"] == "rapport-api"


def test_a_hint_may_be_encrypted_to_us(estate: Estate, browser: Browser) -> None:
    hint = sign_in(browser, CLIENT, "dirk").body["id_token"]
    sealed = encrypted(hint, our_key(estate, "ECDH-ES"), alg="ECDH-ES")
    assert arrive(browser, CLIENT, "dirk", id_token_hint=sealed, prompt="none").code


# A client without a key that fits


@pytest.fixture
def server() -> Any:
    """The client's key server."""
    with serving() as keys:
        yield keys


def keyless(estate: Estate, server: KeyServer, **changes: Any) -> Estate:
    """A client whose keys are at an address, where there is only one for signatures."""
    server.body = json.dumps({"keys": [signer()[1]]}).encode()
    estate.register(CLIENT, jwks_uri=server.address, **changes)
    return estate.configured(outbound_allow=frozenset({"127.0.0.1"}))


def test_no_key_no_token_the_log_says_why_and_the_code_is_still_good(
    estate: Estate, server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    home = keyless(estate, server, id_token_encrypted_response_alg="ECDH-ES")
    arrived = arrive(home.browser(), CLIENT, "dirk")
    refused = home.redeem(CLIENT, arrived)
    assert (refused.status, refused.body["error"]) == (400, "invalid_request")
    assert "encrypt" in refused.body["error_description"]
    assert "cannot encrypt: client=hinderpremie" in caplog.text
    register(home, jwks_uri="")
    home.clock.advance(1)
    assert opened(home, home.redeem(CLIENT, arrived).body["id_token"], "ECDH-ES")["sub"]
    home.application.close()


def test_a_key_that_was_added_is_found_a_minute_later(estate: Estate, server: KeyServer) -> None:
    home = keyless(estate, server, userinfo_encrypted_response_alg="ECDH-ES")
    browser = home.browser()
    tokens = sign_in(browser, CLIENT, "dirk")
    refused = home.userinfo(tokens.body["access_token"])
    assert (refused.status_code, (refused.json or {})["error"]) == (400, "invalid_request")
    server.body = json.dumps({"keys": [signer()[1], recipient("ECDH-ES").jwk]}).encode()
    home.clock.advance(61)
    answer = home.userinfo(tokens.body["access_token"])
    assert recipient("ECDH-ES").open(answer.text)
    home.application.close()


def test_no_key_no_answer_in_the_clear(estate: Estate, server: KeyServer) -> None:
    home = keyless(estate, server, authorization_encrypted_response_alg="ECDH-ES")
    browser = home.browser()
    page = browser.sign_in(browser.ask(CLIENT, response_mode="jwt"), "dirk", "eid")
    assert "invalid_request" in assert_error_page(page).words
    assert_error_page(browser.ask(CLIENT, response_mode="jwt", prompt="none"))
    home.application.close()


# What may be registered


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"id_token_encrypted_response_alg": "RSA1_5"}, "id_token_encrypted_response_alg"),
        ({"id_token_encrypted_response_alg": "dir"}, "id_token_encrypted_response_alg"),
        ({"userinfo_encrypted_response_alg": "PBES2-HS256+A128KW"}, "userinfo_encrypted_response_alg"),
        ({"authorization_encrypted_response_alg": "none"}, "authorization_encrypted_response_alg"),
        ({"introspection_encrypted_response_enc": "A128GCM"}, "introspection_encrypted_response_enc needs"),
        ({"request_object_encryption_alg": "A128KW"}, "request_object_encryption_alg"),
        (
            {"request_object_encryption_alg": "ECDH-ES", "request_object_encryption_enc": "A128CTR"},
            "request_object_encryption_enc",
        ),
        ({"id_token_encrypted_response_alg": "RSA-OAEP"}, "no key with use enc"),
        ({"jwks": None, "id_token_encrypted_response_alg": "RSA-OAEP"}, "needs jwks or jwks_uri"),
        ({"userinfo_signed_response_alg": "HS256"}, "userinfo_signed_response_alg"),
        ({"userinfo_signed_response_alg": "none"}, "userinfo_signed_response_alg"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_cannot_be_kept_is_not_registered(estate: Estate, changes: dict[str, Any], member: str) -> None:
    with pytest.raises(CommandFailed, match=member):
        register(estate, **changes)


def test_an_application_registers_encryption_by_itself(estate: Estate) -> None:
    home = estate.configured(registration="open")
    body = {
        "redirect_uris": ["https://rp.example.be/cb"],
        "jwks": {"keys": [recipient("RSA-OAEP").jwk]},
        "id_token_encrypted_response_alg": "RSA-OAEP",
        "id_token_encrypted_response_enc": "A256GCM",
        "userinfo_signed_response_alg": "ES256",
        "request_object_encryption_alg": "ECDH-ES",
    }
    answer = home.http().post("/op/v1/register", json=body, base_url=home.origin)
    assert answer.status_code == 201, answer.text
    assert {name: (answer.json or {})[name] for name in body} == body
    wrong = body | {"id_token_encrypted_response_alg": "RSA1_5"}
    refused = home.http().post("/op/v1/register", json=wrong, base_url=home.origin)
    assert (refused.status_code, (refused.json or {})["error"]) == (400, "invalid_client_metadata")
    home.application.close()


def test_discovery_says_what_can_be_encrypted(estate: Estate) -> None:
    said = estate.get(DOCUMENT).json or {}
    for kind in ("id_token", "userinfo", "request_object", "authorization", "introspection"):
        assert said[f"{kind}_encryption_alg_values_supported"] == list(ALGORITHMS)
        assert said[f"{kind}_encryption_enc_values_supported"] == list(CONTENTS)
    assert said["userinfo_signing_alg_values_supported"] == ["RS256", "ES256", "EdDSA"]


# Requests encrypted to us


def our_key(estate: Estate, alg: str) -> dict[str, Any]:
    """Our published key that serves an algorithm."""
    kty = "RSA" if alg.startswith("RSA") else "EC"
    keys = (estate.get("/op/v1/keys").json or {})["keys"]
    return dict(next(key for key in keys if key["use"] == "enc" and key["kty"] == kty))


def request_object(estate: Estate, **changes: Any) -> str:
    """A signed request object."""
    now = int(estate.clock())
    claims = estate.browser().request(CLIENT) | {"iss": CLIENT, "aud": estate.settings.issuer}
    private = signer()[0]
    told = claims | {"iat": now, "nbf": now, "exp": now + 300} | changes
    return jwt.encode(told, jwt.PyJWK(private).key, algorithm="ES256", headers={"kid": private["kid"]})


def ask(estate: Estate, browser: Browser, request: str) -> Page | Arrival:
    """Come with a request object, and beside it where an error may go."""
    usual = browser.request(CLIENT)
    return browser.open("/op/v1/auth?" + urlencode(usual | {"request": request}))


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("enc", CONTENTS)
def test_an_encrypted_request_is_opened(estate: Estate, browser: Browser, alg: str, enc: str) -> None:
    register(estate)
    sealed = encrypted(request_object(estate, state="inside"), our_key(estate, alg), alg=alg, enc=enc)
    page = browser.sign_in(ask(estate, browser, sealed), "dirk", "eid")
    assert isinstance(page, Arrival)
    assert page.parameters["state"] == "inside"


@pytest.mark.parametrize("header", [{"kid": None}, {"cty": None}, {"typ": "JWT"}, {"jku": "https://evil.example/keys"}])
def test_a_header_may_say_less_and_more(estate: Estate, browser: Browser, header: dict[str, Any]) -> None:
    register(estate)
    sealed = encrypted(request_object(estate), our_key(estate, "ECDH-ES"), alg="ECDH-ES", **header)
    assert isinstance(ask(estate, browser, sealed), Page)


def test_an_encrypted_request_can_be_pushed(estate: Estate) -> None:
    register(estate)
    sealed = encrypted(request_object(estate), our_key(estate, "RSA-OAEP"), alg="RSA-OAEP")
    assert estate.call("/op/v1/par", CLIENT, {"request": sealed}).status == 201


@pytest.mark.parametrize(
    "header",
    [
        {"zip": "DEF"},
        {"alg": "RSA1_5"},
        {"alg": "dir"},
        {"alg": "none"},
        {"alg": "PBES2-HS256+A128KW", "p2c": 10**9, "p2s": "AAAA"},
        {"alg": ["ECDH-ES"]},
        {"enc": "A128CTR"},
        {"enc": None},
        {"kid": "unknown"},
        {"kid": 7},
        {"crit": ["exp"], "exp": 1},
        {"epk": None},
        {"epk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"epk": {"kty": "EC", "crv": "P-384", "x": "A" * 64, "y": "A" * 64}},
        {"epk": {"kty": "OKP", "crv": "X25519", "x": "A" * 43}},
        {"epk": {"kty": "oct", "k": "AAAA"}},
        {"apu": "A" * 5000},
        {"x5c": ["A" * 5000]},
    ],
    ids=str,
)
def test_an_envelope_of_another_make_is_not_opened(estate: Estate, browser: Browser, header: dict[str, Any]) -> None:
    register(estate)
    sealed = encrypted(request_object(estate), our_key(estate, "ECDH-ES"), alg="ECDH-ES")
    head = json.loads(jwt.utils.base64url_decode(sealed.partition(".")[0]))
    changed = {name: value for name, value in (head | header).items() if value is not None}
    assert error_of(ask(estate, browser, f"{segment(changed)}.{sealed.partition('.')[2]}")) == "invalid_request_object"


def test_compressed_content_is_not_unpacked(estate: Estate, browser: Browser) -> None:
    register(estate)
    sealed = encrypted(request_object(estate), our_key(estate, "ECDH-ES"), alg="ECDH-ES", zip="DEF")
    assert error_of(ask(estate, browser, sealed)) == "invalid_request_object"


def test_what_was_encrypted_must_be_signed_and_is_opened_once(estate: Estate, browser: Browser) -> None:
    register(estate)
    key = our_key(estate, "ECDH-ES")
    plain = json.dumps(browser.request(CLIENT) | {"iss": CLIENT, "aud": estate.settings.issuer})
    unsigned = jwt.encode(json.loads(plain), "", algorithm="none")
    twice = encrypted(request_object(estate), key, alg="ECDH-ES")
    for content in (plain, unsigned, twice):
        sealed = encrypted(content, key, alg="ECDH-ES")
        assert error_of(ask(estate, browser, sealed)) == "invalid_request_object"


def test_a_changed_envelope_is_not_opened(estate: Estate, browser: Browser) -> None:
    register(estate)
    for enc in CONTENTS:
        parts = encrypted(request_object(estate), our_key(estate, "RSA-OAEP"), alg="RSA-OAEP", enc=enc).split(".")
        for index in range(5):
            changed = [*parts[:index], parts[index][:-6] + "AAAAAA", *parts[index + 1 :]]
            assert error_of(ask(estate, browser, ".".join(changed))) == "invalid_request_object"


# Our keys, as they turn


def rotate(estate: Estate, alg: str) -> None:
    house = House(estate.settings, estate.clock)
    house.keyring.rotate(alg)
    house.engine.dispose()
    estate.clock.advance(1)


@pytest.mark.parametrize("alg", ["RSA-OAEP", "ECDH-ES"])
def test_an_old_key_decrypts_for_a_week_after_its_successor_took_over(
    estate: Estate, browser: Browser, alg: str
) -> None:
    register(estate)
    old = our_key(estate, alg)

    def told(key: dict[str, Any]) -> Page | Arrival:
        return ask(estate, browser, encrypted(request_object(estate), key, alg=alg))

    def published() -> list[str]:
        return [key["kid"] for key in (estate.get("/op/v1/keys").json or {})["keys"] if key["kty"] == old["kty"]]

    rotate(estate, alg)
    both = [key for key in (estate.get("/op/v1/keys").json or {})["keys"] if key["use"] == "enc"]
    assert all(isinstance(told(key), Page) for key in both if key["kty"] == old["kty"])
    estate.clock.advance(ANNOUNCE_SECONDS)
    assert old["kid"] not in published()
    assert isinstance(told(old), Page)
    estate.clock.advance(DECRYPTING_SECONDS - 10)
    assert isinstance(told(old), Page)
    estate.clock.advance(10)
    assert error_of(told(old)) == "invalid_request_object"
    assert isinstance(told(our_key(estate, alg)), Page)
