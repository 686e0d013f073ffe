"""The demo's relying party: what it refuses to believe, and what it shows instead."""

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from authlib.integrations.flask_client import OAuthError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask
from jwt.algorithms import RSAAlgorithm

from demo.eloket import Eloket, Registration, Shelf, check_id_token, create_eloket, own_path

KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = rsa.generate_private_key(65537, 2048)
JWK = json.loads(RSAAlgorithm.to_jwk(KEY.public_key())) | {"kid": "current", "use": "sig", "alg": "RS256"}
DAY = 86400


@dataclass
class Published:
    """A provider that only publishes its keys and its metadata."""

    issuer: str
    keys: jwt.PyJWKClient

    def registration(self, **changes: Any) -> Registration:
        """A client of this provider."""
        usual = Registration(
            issuer=self.issuer,
            client_id="hinderpremie",
            client_name="Hinderpremie",
            client_secret="a-secret",
            token_endpoint_auth_method="client_secret_basic",
            redirect_uri="http://localhost:8001/callback",
            post_logout_redirect_uri="http://localhost:8001/",
            scope="openid profile",
        )
        return replace(usual, **changes)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good token, with changes; None takes a claim away."""
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": "hinderpremie", "sub": "a", "nonce": "n", "iat": now, "exp": now + 60}
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def check(self, token: str, **changes: Any) -> dict[str, Any]:
        """The relying party's verdict."""
        return check_id_token(token, self.registration(**changes), keys=self.keys, nonce="n")


class Answer(BaseHTTPRequestHandler):
    """Answers every address with what its server publishes there."""

    published: dict[str, Any]

    def do_GET(self) -> None:
        """Send the document of this address."""
        body = json.dumps(self.published.get(self.path, {})).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: Any) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def provider() -> Iterator[Published]:
    """A server on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    origin = f"http://127.0.0.1:{server.server_port}"
    issuer = f"{origin}/op"
    metadata = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/v1/auth",
        "token_endpoint": f"{issuer}/v1/token",
        "jwks_uri": f"{issuer}/v1/keys",
        "end_session_endpoint": f"{issuer}/v1/logout",
    }
    Answer.published = {"/op/.well-known/openid-configuration": metadata, "/op/v1/keys": {"keys": [JWK]}}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Published(issuer, jwt.PyJWKClient(metadata["jwks_uri"]))
    server.shutdown()
    server.server_close()


def sign(claims: dict[str, Any], *, key: Any = KEY, algorithm: str = "RS256", kid: str = "current") -> str:
    """A token as the provider would sign it, or nearly so."""
    return jwt.encode(claims, key, algorithm, headers={"kid": kid})


def test_a_good_token_gives_its_claims(provider: Published) -> None:
    claims = provider.claims(name="Dirk", azp="hinderpremie")
    assert provider.check(sign(claims)) == claims


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example/op"},
        {"aud": "subsidieloket"},
        {"aud": ["subsidieloket"]},
        {"aud": ["hinderpremie", "subsidieloket"]},
        {"aud": ["hinderpremie", "subsidieloket"], "azp": "subsidieloket"},
        {"azp": "subsidieloket"},
        {"nonce": "of another attempt"},
        {"nonce": None},
        {"nonce": ["n"]},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"iat": 99_999_999_999},
        {"sub": None},
        {"iss": None},
        {"aud": None},
    ],
    ids=lambda value: " ".join(sorted(value)),
)
def test_a_token_with_a_wrong_or_missing_claim_is_refused(provider: Published, changes: dict[str, Any]) -> None:
    with pytest.raises(OAuthError, match="invalid_token"):
        provider.check(sign(provider.claims(**changes)))


def test_a_token_for_several_audiences_is_believed_if_we_asked_for_it(provider: Published) -> None:
    claims = provider.claims(aud=["hinderpremie", "rapport-api"], azp="hinderpremie")
    assert provider.check(sign(claims)) == claims


def test_a_token_without_signature_is_refused(provider: Published) -> None:
    with pytest.raises(OAuthError, match="invalid_token"):
        provider.check(jwt.encode(provider.claims(), None, "none", headers={"kid": "current"}))


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(provider: Published) -> None:
    public = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    algorithm = jwt.get_algorithm_by_name("HS256")
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "kid": "current"}, provider.claims())
    )
    # PyJWT itself refuses to make this token, so that it is put together by hand.
    signature = base64.urlsafe_b64encode(algorithm.sign(head + b"." + body, public)).rstrip(b"=")
    with pytest.raises(OAuthError, match="invalid_token"):
        provider.check(b".".join([head, body, signature]).decode())


def test_a_token_signed_by_another_key_is_refused(provider: Published) -> None:
    with pytest.raises(OAuthError, match="invalid_token"):
        provider.check(sign(provider.claims(), key=OTHER_KEY))


@pytest.mark.parametrize("kid", ["", "unknown"])
def test_a_token_of_an_unknown_key_is_refused(provider: Published, kid: str) -> None:
    with pytest.raises(OAuthError, match="invalid_token"):
        provider.check(sign(provider.claims(), kid=kid))


def test_another_algorithm_than_the_registered_one_is_refused(provider: Published) -> None:
    token = sign(provider.claims(), algorithm="RS512")
    with pytest.raises(OAuthError, match="invalid_token"):
        provider.check(token)
    with pytest.raises(OAuthError, match="invalid_token"):
        provider.check(sign(provider.claims()), signing_algorithm="ES256")


@pytest.mark.parametrize("token", ["", "a.b.c", "not a token"])
def test_what_is_no_token_is_refused(provider: Published, token: str) -> None:
    with pytest.raises(OAuthError, match="invalid_token"):
        provider.check(token)


def test_the_leeway_is_asked_at_each_check(provider: Published) -> None:
    now = int(time.time())
    token = sign(provider.claims(iat=now + 31 * DAY, exp=now + 31 * DAY + 60))
    with pytest.raises(OAuthError, match="invalid_token"):
        provider.check(token)
    assert provider.check(token, leeway=lambda: 10.0 + 31 * DAY)["iat"] == now + 31 * DAY


def test_unreachable_keys_are_told_apart_from_a_bad_token(provider: Published) -> None:
    nobody = jwt.PyJWKClient("http://127.0.0.1:1/keys")
    with pytest.raises(OAuthError, match="provider_unreachable"):
        check_id_token(sign(provider.claims()), provider.registration(), keys=nobody, nonce="n")


def test_the_shelf_is_bounded_and_drops_the_oldest() -> None:
    shelf = Shelf()
    for number in range(1001):
        shelf[str(number)] = {}
    assert len(shelf) == 1000
    assert "0" not in shelf
    assert "1000" in shelf


def test_a_sign_in_asks_for_state_nonce_and_a_code_challenge(provider: Published) -> None:
    answer = create_eloket(provider.registration()).test_client().get("/login?ui_locales=fr&redirect_uri=http://evil")
    asked = dict(part.split("=") for part in answer.headers["Location"].partition("?")[2].split("&"))
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert asked["code_challenge_method"] == "S256"
    assert asked["ui_locales"] == "fr"
    assert "evil" not in asked["redirect_uri"]


def test_an_answer_in_another_browser_than_the_one_that_asked_is_refused(provider: Published) -> None:
    app = create_eloket(provider.registration())
    location = app.test_client().get("/login").headers["Location"]
    state = location.partition("state=")[2].partition("&")[0]
    other = app.test_client()
    other.get("/login")
    answer = other.get(f"/callback?code=stolen&state={state}")
    assert answer.status_code == 400
    assert '<code id="error-code">unknown_attempt</code>' in answer.text


def test_an_answer_of_another_provider_is_refused(provider: Published) -> None:
    browser = create_eloket(provider.registration()).test_client()
    state = browser.get("/login").headers["Location"].partition("state=")[2].partition("&")[0]
    answer = browser.get(f"/callback?code=c&state={state}&iss=https://elsewhere.example/op")
    assert '<code id="error-code">invalid_issuer</code>' in answer.text


def test_a_provider_that_names_another_issuer_is_refused(provider: Published) -> None:
    app = create_eloket(provider.registration(issuer=provider.issuer.replace("127.0.0.1", "localhost")))
    assert '<code id="error-code">invalid_issuer</code>' in app.test_client().get("/login").text


def test_a_refusal_is_shown_in_plain_words_with_its_code(provider: Published) -> None:
    answer = create_eloket(provider.registration()).test_client().get("/callback?error=access_denied")
    assert "U hebt het aanmelden gestopt" in answer.text
    assert '<code id="error-code">access_denied</code>' in answer.text
    assert 'id="sign-in"' in answer.text


def test_an_error_code_that_is_none_is_not_repeated(provider: Published) -> None:
    answer = create_eloket(provider.registration()).test_client().get("/callback?error=Bel%200800%20nu")
    assert "0800" not in answer.text
    assert '<code id="error-code">unknown_error</code>' in answer.text


def test_an_unreachable_provider_is_said_so(provider: Published) -> None:
    app = create_eloket(provider.registration(issuer="http://127.0.0.1:1/op"))
    assert '<code id="error-code">provider_unreachable</code>' in app.test_client().get("/login").text


def test_nobody_is_signed_out_by_a_link(provider: Published) -> None:
    browser = create_eloket(provider.registration()).test_client()
    assert browser.get("/logout").status_code == 405
    assert browser.get("/switch").status_code == 405


def test_after_a_switch_the_sign_in_goes_on_at_once_and_only_with_its_state(provider: Published) -> None:
    browser = create_eloket(provider.registration()).test_client()
    location = browser.post("/switch").headers["Location"]
    assert "switch=true" in location
    assert "id_token_hint" not in location
    state = location.partition("state=")[2].partition("&")[0]
    assert browser.get(f"/?state={state}").headers["Location"] == "/login"
    assert browser.get(f"/?state={state}").status_code == 200


def test_the_cookie_carries_the_port_and_no_claims(provider: Published) -> None:
    browser = create_eloket(provider.registration()).test_client()
    cookie = browser.get("/login").headers["Set-Cookie"]
    assert cookie.startswith("eloket-8001=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert len(cookie) < 250


def test_every_page_has_its_headers(provider: Published) -> None:
    headers = create_eloket(provider.registration()).test_client().get("/").headers
    origin = provider.issuer.removesuffix("/op")
    assert f"form-action 'self' {origin}" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


EVENT = "http://schemas.openid.net/event/backchannel-logout"


def logout_claims(provider: Published, **changes: Any) -> dict[str, Any]:
    """The claims of a good logout token, with changes."""
    usual = {"nonce": None, "jti": secrets.token_hex(8), "sid": "of dirk", "events": {EVENT: {}}}
    return provider.claims(**(usual | changes))


def eloket_with_people(provider: Published) -> tuple[Flask, Eloket]:
    """An eloket in which two people are signed in."""
    made: list[Eloket] = []

    class Kept(Eloket):
        def __init__(self, app: Flask, registration: Registration) -> None:
            super().__init__(app, registration)
            made.append(self)

    app = create_eloket(provider.registration(), Kept)
    made[0].people["1"] = {"claims": {"sub": "a", "sid": "of dirk"}}
    made[0].people["2"] = {"claims": {"sub": "a", "sid": "elsewhere"}}
    made[0].people["3"] = {"claims": {"sub": "b", "sid": "of an"}}
    return app, made[0]


@pytest.mark.parametrize(
    ("changes", "stay"),
    [({}, {"2", "3"}), ({"sub": None}, {"2", "3"}), ({"sid": None}, {"3"}), ({"sid": "of nobody"}, {"1", "2", "3"})],
    ids=lambda value: " ".join(sorted(value)),
)
def test_a_logout_token_ends_the_sessions_that_it_names(
    provider: Published, changes: dict[str, Any], stay: set[str]
) -> None:
    app, eloket = eloket_with_people(provider)
    form = {"logout_token": sign(logout_claims(provider, **changes))}
    answer = app.test_client().post("/backchannel-logout", data=form)
    assert (answer.status_code, answer.data, answer.headers["Cache-Control"]) == (200, b"", "no-store")
    assert set(eloket.people) == stay


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "n"},
        {"events": None},
        {"events": []},
        {"events": {"another": {}}},
        {"events": {EVENT: True}},
        {"jti": None},
        {"sub": None, "sid": None},
        {"aud": "subsidieloket"},
        {"iss": "https://elsewhere.example/op"},
        {"exp": 1},
    ],
    ids=lambda value: " ".join(sorted(value)),
)
def test_a_token_that_is_no_logout_token_ends_nothing(provider: Published, changes: dict[str, Any]) -> None:
    app, eloket = eloket_with_people(provider)
    form = {"logout_token": sign(logout_claims(provider, **changes))}
    assert app.test_client().post("/backchannel-logout", data=form).status_code == 400
    assert len(eloket.people) == 3


def test_a_logout_token_serves_once(provider: Published) -> None:
    app, eloket = eloket_with_people(provider)
    form = {"logout_token": sign(logout_claims(provider))}
    assert app.test_client().post("/backchannel-logout", data=form).status_code == 200
    eloket.people["4"] = {"claims": {"sub": "a", "sid": "of dirk"}}
    assert app.test_client().post("/backchannel-logout", data=form).status_code == 400
    assert "4" in eloket.people


def test_nothing_at_all_ends_nothing(provider: Published) -> None:
    app, eloket = eloket_with_people(provider)
    assert app.test_client().post("/backchannel-logout").status_code == 400
    assert len(eloket.people) == 3


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_sign_in_may_be_begun_elsewhere_in_the_name_of_our_provider_alone(provider: Published, method: str) -> None:
    app = create_eloket(provider.registration())
    asked = getattr(app.test_client(), method)("/login", **sent(method, iss=provider.issuer, login_hint="x"))
    assert asked.status_code == 303
    assert asked.headers["Location"].startswith(f"{provider.issuer}/v1/auth?")
    assert "login_hint=x" in asked.headers["Location"]
    refused = getattr(app.test_client(), method)("/login", **sent(method, iss="https://elsewhere.example/op"))
    assert '<code id="error-code">invalid_issuer</code>' in refused.text


def sent(method: str, **parameters: str) -> dict[str, Any]:
    return {"query_string": parameters} if method == "get" else {"data": parameters}


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("http://localhost:8001/dossiers/1?blad=2", "/dossiers/1?blad=2"),
        ("http://localhost:8001", "/"),
        ("http://localhost:8002/", "/"),
        ("https://localhost:8001/dossiers", "/"),
        ("http://localhost:8001@evil.example/dossiers", "/"),
        ("http://localhost:8001//evil.example/", "/evil.example/"),
        ("http://localhost:8001/\\evil.example/", "/evil.example/"),
        ("//localhost:8001/dossiers", "/"),
        ("/dossiers", "/"),
        ("javascript:alert(1)", "/"),
        ("http://[localhost:8001/", "/"),
        ("", "/"),
    ],
)
def test_a_link_leads_nobody_astray(target: str, path: str) -> None:
    assert own_path(target, "http://localhost:8001/callback") == path
