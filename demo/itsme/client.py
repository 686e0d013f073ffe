"""The relying party that is registered here, and how it proves itself at the token endpoint.

Promises: a client assertion counts once, and only if it is signed by a published key of the client, for this very
address, and in time (OpenID Connect Core §9). Must not know: sign-ins, accounts.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import jwt

LONGEST_JTI = 255
LONGEST_LIFE = 3600
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

KeySet = Mapping[str, Any]


class ClientRejected(Exception):
    """The client did not prove itself; the message says how, for its developer."""


@dataclass(frozen=True)
class Client:
    """What was agreed with the relying party; `fetch_keys` reads the key set at its registered address."""

    client_id: str
    service: str
    redirect_uri: str
    fetch_keys: Callable[[], KeySet]

    def encryption_key(self) -> Mapping[str, Any]:
        """The key that tokens are encrypted to; ClientRejected if the client publishes none."""
        for key in self.fetch_keys()["keys"]:
            if key.get("use") == "enc" and key.get("kty") == "RSA" and key.get("kid"):
                return dict(key)
        raise ClientRejected("no RSA key with a kid for encryption is published")


class Assertions:
    """Checks what a client presents at the token endpoint, and remembers what was presented."""

    def __init__(self, client: Client, audience: str, *, clock: Callable[[], float]) -> None:
        self._client = client
        self._audience = audience
        self._clock = clock
        self._lock = Lock()
        self._seen: dict[str, float] = {}

    def check(self, form: Mapping[str, str]) -> None:
        """Pass a form with a good assertion; ClientRejected otherwise."""
        if form.get("client_assertion_type") != ASSERTION_TYPE or "client_secret" in form:
            raise ClientRejected("the client has to send an assertion, and nothing else")
        claims = self._verified(form.get("client_assertion", ""))
        now = self._clock()
        if not now < claims["exp"] <= now + LONGEST_LIFE or claims.get("iat", now) > now + 60:
            raise ClientRejected("exp or iat is not of now")
        self._count(claims["jti"], claims["exp"])

    def _verified(self, assertion: str) -> dict[str, Any]:
        try:
            kid = jwt.get_unverified_header(assertion).get("kid")
            keys = [key for key in self._client.fetch_keys()["keys"] if key.get("use") == "sig" and key["kid"] == kid]
            if len(keys) != 1:
                raise ClientRejected("kid names none of the published keys for signatures")
            claims = jwt.decode(
                assertion,
                jwt.PyJWK(keys[0]),
                algorithms=["RS256"],
                audience=self._audience,
                issuer=self._client.client_id,
                options={"require": ["iss", "sub", "aud", "exp", "jti"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError as failure:
            raise ClientRejected(str(failure)) from failure
        if claims["sub"] != self._client.client_id or claims["aud"] != self._audience:
            raise ClientRejected("sub or aud is another")
        if not isinstance(claims["exp"], int) or not isinstance(claims["jti"], str):
            raise ClientRejected("exp or jti is of another type")
        return dict(claims)

    def _count(self, jti: str, expires_at: int) -> None:
        if not 0 < len(jti) <= LONGEST_JTI:
            raise ClientRejected("jti is too long, or empty")
        with self._lock:
            now = self._clock()
            self._seen = {one: end for one, end in self._seen.items() if end > now}
            if jti in self._seen:
                raise ClientRejected("jti was used before")
            self._seen[jti] = expires_at


def is_verifier_of(code_verifier: str, code_challenge: str) -> bool:
    """Whether this is the verifier of an S256 challenge (RFC 7636 §4.6), of a length that may be."""
    digest = hashlib.sha256(code_verifier.encode("utf-8", "replace")).digest()
    made = urlsafe_b64encode(digest).rstrip(b"=").decode()
    return 43 <= len(code_verifier) <= 128 and hmac.compare_digest(made, code_challenge)
