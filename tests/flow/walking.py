"""What the walk of the discovery document speaks in: clients made for one trial, and keys of each kind promised.

Promises: what is signed here is signed by another library than ours, or written out. Must not know: what is promised.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from werkzeug.test import TestResponse

from tests.flow.estate import Estate
from tests.flow.listener import listening
from tests.flow.party import CALLBACK, Party
from tests.flow.proving import base64url
from tests.flow.sealing import Recipient, text_of

NUMBERS = count()
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CURVES: dict[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
SIZES = {"ES256": ("P-256", 32), "ES384": ("P-384", 48), "ES512": ("P-521", 66)}


@cache
def private_key(alg: str) -> Any:
    """A private key that an algorithm signs with, made once."""
    if alg[:2] in ("RS", "PS"):
        return rsa_key()
    return ed25519_key() if alg in ("EdDSA", "Ed25519") else ec.generate_private_key(CURVES[alg])


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """One key for all its algorithms: making one takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ed25519_key() -> ed25519.Ed25519PrivateKey:
    """One key for both names of its algorithm."""
    return ed25519.Ed25519PrivateKey.generate()


def public_jwk(alg: str) -> dict[str, Any]:
    """The public half, written out."""
    key = private_key(alg)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_key().public_bytes_raw())}
    numbers = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        return {"kty": "RSA", "n": text_of(numbers.n, 256), "e": "AQAB"}
    curve, size = SIZES[alg]
    return {"kty": "EC", "crv": curve, "x": text_of(numbers.x, size), "y": text_of(numbers.y, size)}


def signed(alg: str, claims: dict[str, Any], **header: Any) -> str:
    """Claims signed by this algorithm; the newest name of one is written out, since the library has it not yet."""
    if alg != "Ed25519":
        return jwt.encode(claims, private_key(alg), algorithm=alg, headers=header)
    head = base64url(json.dumps({"alg": alg, **header}).encode())
    content = f"{head}.{base64url(json.dumps(claims).encode())}"
    return f"{content}.{base64url(ed25519_key().sign(content.encode()))}"


@dataclass
class Walk:
    """An estate in which each trial makes the clients that it needs."""

    estate: Estate
    told: dict[str, Any] = field(default_factory=dict)
    authority: Any = None

    def path(self, member: str) -> str:
        """The path of an endpoint, as the document says."""
        address = str(self.told[member])
        assert address.startswith(f"{self.estate.settings.issuer}/v1/"), address
        return address.removeprefix(self.estate.origin)

    def client(self, like: str = "statistiek", person: str = "elif", **changes: Any) -> Party:
        """A client of an administrator, like one of the demo world, with a new name."""
        usual = {"client_id": f"trial-{next(NUMBERS)}", "redirect_uris": [CALLBACK], "minimum_acr": ""}
        metadata = {**self.estate.client(like), **usual, **changes}
        self.estate.register(like, **metadata)
        self.estate.clock.advance(1)
        return Party(self.estate, metadata, self.estate.browser(), person)

    def citizen(self, **changes: Any) -> Party:
        """A confidential client of citizens, that may have what any person may tell of themselves."""
        usual = {
            "token_endpoint_auth_method": "client_secret_basic",
            "client_secret": "a-secret-that-is-long-enough-to-be-one",
            "scope": "openid profile rrn email phone offline_access",
            "grant_types": ["authorization_code", "refresh_token"],
        }
        return self.client("burgerprofiel", "hanne", **{**usual, **changes})

    def machine(self) -> Party:
        """The machine of the demo world, that acts for an organisation."""
        return Party(self.estate, self.estate.client("tijdmeting"), self.estate.browser())

    def signer(self, alg: str, **changes: Any) -> Party:
        """A client of citizens whose key is of this kind, named."""
        return self.citizen(jwks={"keys": [public_jwk(alg) | {"kid": "a"}]}, **changes)

    def reader(self, recipient: Recipient, **changes: Any) -> Party:
        """A client of citizens to whose key we encrypt."""
        return self.citizen(jwks={"keys": [recipient.jwk]}, **changes)

    def assertion(self, party: Party, alg: str, **changes: Any) -> dict[str, str]:
        """What proves a client by an assertion."""
        now = int(self.estate.clock())
        claims = {"iss": party.client_id, "sub": party.client_id, "aud": self.estate.settings.issuer}
        claims |= {"iat": now, "exp": now + 60, "jti": f"walk-{next(NUMBERS)}"} | changes
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed(alg, claims, kid="a")}

    def request_object(self, party: Party, alg: str, **changes: Any) -> str:
        """A usual request of a client, signed."""
        claims = party.request(**changes) | {"iss": party.client_id, "aud": self.estate.settings.issuer}
        return signed(alg, claims, kid="a")

    def by_assertion(self, path: str, party: Party, alg: str, **form: str) -> TestResponse:
        """Call an endpoint, proven by an assertion."""
        return self.estate.post(path, self.assertion(party, alg) | form)

    @contextmanager
    def page(self, content: str) -> Iterator[str]:
        """An address of the client at which this stands."""
        with listening() as listener:
            listener.pages["/page"] = content.encode()
            yield f"{listener.address}/page"
