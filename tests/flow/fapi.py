"""A client that is held to a FAPI 2.0 profile, as it speaks to us: by private_key_jwt or its certificate, with tokens
bound to a DPoP key or to that certificate. One vocabulary for all four, so that each requirement is tried on each.
"""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any
from urllib.parse import urlencode

import jwt

from idp.keys.jwt import new_key_pair
from idp.tickets import challenge_of
from tests.flow.estate import VERIFIER, Arrival, Browser, Estate, Tokens
from tests.flow.proving import Prover
from tests.flow.reading import Page
from tests.flow.sealing import public_jwk
from tests.flow.test_mtls import PROXY, Card, issue
from tests.flow.test_private_key_jwt import TYPE

WAYS = ("private_key_jwt", "mtls", "private_key_jwt and mtls", "mtls and dpop")
"""How a client proves itself, and what its tokens are bound to, where that is not the usual."""
URI = "https://rp.example.be/callback"
SCOPE = "openid profile vo hinderpremie offline_access"
NUMBERS = count()


@dataclass
class Party:
    """A registered client, with its keys."""

    estate: Estate
    way: str = "private_key_jwt"
    client_id: str = "bank"
    profile: str = "fapi2"
    alg: str = "ES256"
    changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Register it."""
        self.estate.register("hinderpremie", **(self.metadata | self.changes))

    @property
    def has_assertions(self) -> bool:
        """Whether it signs assertions to prove itself."""
        return self.way.startswith("private_key_jwt")

    @property
    def has_proofs(self) -> bool:
        """Whether its tokens are bound to a DPoP key."""
        return self.way in ("private_key_jwt", "mtls and dpop")

    @property
    def has_certificate(self) -> bool:
        """Whether it shows a certificate."""
        return self.way != "private_key_jwt"

    @cached_property
    def keys(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What it signs with: private and public."""
        private, public = new_key_pair(self.alg.replace("PS", "RS"))
        return private | {"alg": self.alg}, public | {"alg": self.alg}

    @cached_property
    def prover(self) -> Prover:
        """Its DPoP key."""
        return Prover(self.estate)

    @cached_property
    def card(self) -> Card:
        """Its certificate."""
        return issue(self.estate, subject=f"CN={self.client_id},C=BE")

    @property
    def metadata(self) -> dict[str, Any]:
        """What is registered: the profile is the one switch."""
        shown = public_jwk(self.card.key) | {"use": "sig", "x5c": [b64encode(self.card.der).decode()]}
        return {
            "client_id": self.client_id,
            "profile": self.profile,
            "redirect_uris": [URI],
            "scope": SCOPE,
            "refresh_token_rotation": False,
            "token_endpoint_auth_method": "private_key_jwt" if self.has_assertions else "self_signed_tls_client_auth",
            "jwks": {"keys": [self.keys[1]] if self.has_assertions else [self.keys[1], shown]},
        }

    def sign(self, claims: dict[str, Any], *, alg: str = "", **header: Any) -> str:
        """Claims signed by its key; None leaves a claim out."""
        told = {name: value for name, value in claims.items() if value is not None}
        key = jwt.PyJWK(self.keys[0]).key
        return jwt.encode(told, key, algorithm=alg or self.alg, headers={"kid": self.keys[0]["kid"], **header})

    def assertion(self, *, alg: str = "", header: dict[str, Any] | None = None, **changes: Any) -> str:
        """An assertion that proves it, with changes."""
        now = int(self.estate.clock())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": self.estate.settings.issuer}
        usual = claims | {"iat": now, "exp": now + 60, "jti": f"fapi-{next(NUMBERS)}"}
        return self.sign(usual | changes, alg=alg, **(header or {}))

    def post(
        self, path: str, form: dict[str, str], *, is_bound: bool = True, headers: dict[str, str] | None = None
    ) -> Tokens:
        """Call an endpoint, proven; `is_bound` also with what its tokens hang on."""
        own = {"client_id": self.client_id}
        if self.has_assertions and "client_assertion" not in form:
            own |= {"client_assertion_type": TYPE, "client_assertion": self.assertion()}
        sent = self.connection(is_bound=is_bound or not self.has_assertions)
        if is_bound and self.has_proofs:
            sent["headers"] |= self.prover.sent(path)
        sent["headers"] |= headers or {}
        answer = self.estate.post(path, own | form, **sent)
        return Tokens(answer.status_code, json.loads(answer.data or b"{}"))

    def connection(self, *, is_bound: bool = True) -> dict[str, Any]:
        """What a request over its connection brings."""
        shown = {"Client-Cert": self.card.header} if self.has_certificate and is_bound else {}
        return {"headers": shown, "environ_overrides": {"REMOTE_ADDR": PROXY}}

    def request(self, **parameters: str | None) -> dict[str, str]:
        """A usual request."""
        usual = {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256", "scope": SCOPE}
        if self.profile == "fapi2-message-signing":
            usual["response_mode"] = "jwt"
        return Browser(self.estate).request(self.client_id, **(usual | parameters))

    def request_object(self, *, alg: str = "", header: dict[str, Any] | None = None, **changes: Any) -> str:
        """The same, signed."""
        now = int(self.estate.clock())
        claims: dict[str, Any] = dict(self.request()) | {"iss": self.client_id, "aud": self.estate.settings.issuer}
        claims |= {"iat": now, "nbf": now, "exp": now + 300, "jti": f"fapi-{next(NUMBERS)}"} | changes
        return self.sign(claims, alg=alg, **({"typ": "oauth-authz-req+jwt"} | (header or {})))

    def push(self, **parameters: str | None) -> Tokens:
        """Push a request; signed, where the profile says so."""
        if self.profile == "fapi2-message-signing":
            return self.post("/op/v1/par", {"request": self.request_object(**parameters)}, is_bound=False)
        return self.post("/op/v1/par", self.request(**parameters), is_bound=False)

    def pushed(self, **parameters: str | None) -> str:
        """The name of a request that is taken."""
        answer = self.push(**parameters)
        assert answer.status == 201, answer.body
        return str(answer.body["request_uri"])

    def address(self, request_uri: str, **others: str) -> str:
        """Where the browser is sent."""
        return "/op/v1/auth?" + urlencode({"client_id": self.client_id, "request_uri": request_uri, **others})

    def arrive(self, browser: Browser | None = None, *, uri: str = "", **parameters: str | None) -> Arrival:
        """Through sign-in, and back with a code."""
        browser = browser or self.estate.browser()
        page = browser.open(self.address(uri or self.pushed(**parameters)))
        page = browser.sign_in(page, "dirk", "eid") if isinstance(page, Page) else page
        assert isinstance(page, Arrival), page.words
        return self.read(page)

    def read(self, arrived: Arrival) -> Arrival:
        """What a signed answer holds; a plain one as it is."""
        response = arrived.parameters.get("response")
        if response is None:
            return arrived
        keys = jwt.PyJWKSet.from_dict(self.estate.get("/op/v1/keys").json or {})
        header = jwt.get_unverified_header(response)
        assert header["alg"] in ("PS256", "ES256", "EdDSA")
        said = jwt.decode(
            response,
            keys[header["kid"]],
            algorithms=[header["alg"]],
            audience=self.client_id,
            issuer=self.estate.settings.issuer,
            options={"verify_exp": False, "require": ["exp"]},
        )
        return Arrival(arrived.address, {name: str(value) for name, value in said.items()})

    def redeem(self, arrived: Arrival, *, is_bound: bool = True, **form: str) -> Tokens:
        """Exchange the code; an empty member leaves one out."""
        usual = {"grant_type": "authorization_code", "code": arrived.code, "redirect_uri": URI}
        asked = usual | {"code_verifier": VERIFIER} | form
        return self.post("/op/v1/token", {name: value for name, value in asked.items() if value}, is_bound=is_bound)

    def tokens(self, **parameters: str | None) -> dict[str, Any]:
        """What a whole sign-in gives."""
        answer = self.redeem(self.arrive(**parameters))
        assert answer.status == 200, answer.body
        return answer.body

    def userinfo(self, token: str, *, prover: Prover | None = None, **proof: Any) -> Any:
        """Ask userinfo with the token, as it is bound; or with a proof of another."""
        sent = self.connection()
        if self.has_proofs:
            sent["headers"] |= (prover or self.prover).userinfo(token, **proof)
        else:
            sent["headers"]["Authorization"] = f"Bearer {token}"
        return self.estate.get("/op/v1/userinfo", **sent)
