"""A relying party as a conformance suite plays one: it registers by itself, and checks all that it is told.

Promises: an ID token is believed only after every check of OpenID Connect Core §3.1.3.7, with an independent library.
Must not know: anything of the provider but its discovery document.
"""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import jwt
from werkzeug.test import TestResponse

from tests.flow.estate import Arrival, Browser, Estate
from tests.flow.reading import Page

CALLBACK = "https://suite.example/test/a/toegang/callback"
LEFT = "https://suite.example/test/a/toegang/post_logout_redirect"
USUAL: dict[str, Any] = {
    "client_name": "suite",
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code"],
    "response_types": ["code"],
    "contacts": ["suite@suite.example"],
    "token_endpoint_auth_method": "client_secret_basic",
}


def open_to_all(estate: Estate) -> Estate:
    """The same estate, in which anybody may register."""
    return estate.configured(registration="open")


def metadata_of(estate: Estate) -> dict[str, Any]:
    """The discovery document."""
    found = estate.get("/op/.well-known/openid-configuration").json
    assert found is not None
    return dict(found)


@dataclass
class Party:
    """One registered client, the browser in front of it, and who sits there."""

    estate: Estate
    client: dict[str, Any]
    browser: Browser
    person: str = "hanne"
    mode: str = ""
    asked: dict[str, str] = field(default_factory=dict)

    @property
    def client_id(self) -> str:
        """Its name."""
        return str(self.client["client_id"])

    def ask(self, **parameters: str | None) -> Page | Arrival:
        """Come with a request; None leaves a usual parameter out."""
        return self.browser.open("/op/v1/auth?" + urlencode(self.request(**parameters)))

    def request(self, **parameters: str | None) -> dict[str, str]:
        """The parameters of a request, as the suite sends them."""
        usual: dict[str, str | None] = {
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid",
            "state": "a state",
            "nonce": "a nonce",
            "response_mode": self.mode or None,
        }
        self.asked = {name: value for name, value in (usual | parameters).items() if value is not None}
        return self.asked

    def arrive(self, **parameters: str | None) -> Arrival:
        """Come with a request, sign in and say yes where that is asked, and go back."""
        return self.through(self.ask(**parameters))

    def through(self, page: Page | Arrival) -> Arrival:
        """From whatever page it is to the answer; the answer has the state that was sent, and our name."""
        if isinstance(page, Page) and page.name == "login":
            page = self.browser.sign_in(page, self.person, "eid")
        if isinstance(page, Page) and page.name == "consent":
            page = self.browser.submit(page, ("answer", "allow"))
        arrived = delivered(page) if isinstance(page, Page) else page
        assert arrived.parameters["state"] == self.asked.get("state", arrived.parameters["state"])
        assert arrived.parameters["iss"] == self.estate.settings.issuer
        return arrived

    def token(self, form: dict[str, str], **options: Any) -> TestResponse:
        """Call the token endpoint as this client is registered."""
        return self.call("/op/v1/token", form, **options)

    def call(self, path: str, form: dict[str, str], **options: Any) -> TestResponse:
        """Call an endpoint as this client is registered."""
        method, secret = self.client["token_endpoint_auth_method"], self.client.get("client_secret", "")
        if method == "client_secret_basic":
            return self.estate.post(path, form, auth=(self.client_id, secret), **options)
        own = {"client_id": self.client_id} if method != "private_key_jwt" else {}
        return self.estate.post(path, form | own | ({"client_secret": secret} if secret else {}), **options)

    def redeem(self, arrived: Arrival, **form: str) -> TestResponse:
        """Exchange the code."""
        return self.token(
            {
                "grant_type": "authorization_code",
                "code": arrived.code,
                "redirect_uri": self.asked["redirect_uri"],
                **form,
            }
        )

    def tokens(self, **parameters: str | None) -> dict[str, Any]:
        """Sign in and get tokens, whose ID token is sound."""
        answer = self.redeem(self.arrive(**parameters))
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("application/json")
        assert "no-store" in answer.headers["Cache-Control"]
        body = dict(answer.get_json())
        assert body["token_type"].lower() == "bearer"
        return body | {"claims": self.checked(body)}

    def checked(self, body: dict[str, Any]) -> dict[str, Any]:
        """The claims of an ID token, after the checks of §3.1.3.7 and §3.1.3.8."""
        claims = self.verified(body["id_token"], self.client.get("id_token_signed_response_alg", "RS256"))
        assert isinstance(claims["sub"], str)
        assert 0 < len(claims["sub"]) <= 255
        assert claims.get("azp", self.client_id) == self.client_id
        assert claims["exp"] > int(self.estate.clock()) >= claims["iat"]
        assert claims.get("nonce") == self.asked.get("nonce", claims.get("nonce"))
        if "at_hash" in claims and self.client.get("id_token_signed_response_alg", "RS256") != "EdDSA":
            half = sha256(body["access_token"].encode()).digest()[:16]
            assert claims["at_hash"] == urlsafe_b64encode(half).rstrip(b"=").decode()
        return claims

    def verified(self, token: str, alg: str) -> dict[str, Any]:
        """The claims of a token that was signed for us by a published key and this algorithm."""
        header = jwt.get_unverified_header(token)
        assert header["alg"] == alg
        keys = jwt.PyJWKSet.from_dict(self.estate.get("/op/v1/keys").json)
        (key,) = [key for key in keys.keys if key.key_id == header["kid"]]
        options = {"verify_exp": False, "verify_iat": False}
        issuer = self.estate.settings.issuer
        return dict(jwt.decode(token, key, algorithms=[alg], audience=self.client_id, issuer=issuer, options=options))

    def userinfo(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """What userinfo says; of the same person."""
        answer = self.estate.userinfo(tokens["access_token"])
        assert answer.status_code == 200, answer.text
        told = json.loads(answer.data)
        assert told["sub"] == tokens["claims"]["sub"]
        return dict(told)


def delivered(page: Page) -> Arrival:
    """What a page that posts itself brings to the application (OAuth 2.0 Form Post Response Mode)."""
    assert page.name == "form-post", page.words
    (form,) = page.forms
    assert form.method == "post"
    return Arrival(form.action, form.fields)


def register(estate: Estate, **metadata: Any) -> Party:
    """A client that registers by itself; AssertionError if it may not."""
    answer = try_register(estate, **metadata)
    assert answer.status_code == 201, answer.text
    return Party(estate, dict(answer.get_json()), estate.browser())


def try_register(estate: Estate, **metadata: Any) -> TestResponse:
    """The answer to a registration; None leaves a usual member out."""
    sent = {name: value for name, value in (USUAL | metadata).items() if value is not None}
    return estate.http().post("/op/v1/register", json=sent, base_url=estate.origin)
