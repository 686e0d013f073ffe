"""DPoP proofs as a client makes them, with an independent library."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.flow.estate import Estate

NUMBERS = count()
MAKERS: dict[str, Callable[[], Any]] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "PS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=4096),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


def base64url(raw: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Prover:
    """A key, and the proofs that it signs."""

    estate: Estate
    alg: str = "ES256"
    key: Any = None
    header: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make a key."""
        self.key = MAKERS[self.alg]()

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half."""
        public = jwt.get_algorithm_by_name(self.alg).to_jwk(self.key.public_key(), as_dict=True)
        return {name: value for name, value in public.items() if name in {"kty", "crv", "x", "y", "n", "e"}}

    @property
    def thumbprint(self) -> str:
        """By RFC 7638, computed here."""
        return base64url(sha256(json.dumps(self.jwk, sort_keys=True, separators=(",", ":")).encode()).digest())

    def proof(self, path: str = "/op/v1/token", method: str = "POST", *, token: str = "", **changes: Any) -> str:
        """A proof for a request; None as a change leaves a claim out."""
        claims = {
            "jti": f"proof-{next(NUMBERS)}",
            "htm": method,
            "htu": self.estate.origin + path,
            "iat": int(self.estate.clock()),
            "ath": base64url(sha256(token.encode()).digest()) if token else None,
        } | changes
        told = {name: value for name, value in claims.items() if value is not None}
        header = {"typ": "dpop+jwt", "jwk": self.jwk} | self.header
        return jwt.encode(told, self.key, algorithm=self.alg, headers=header)

    def sent(self, path: str = "/op/v1/token", **options: Any) -> dict[str, str]:
        """The header of a request."""
        return {"DPoP": self.proof(path, **options)}

    def userinfo(self, token: str, **options: Any) -> dict[str, str]:
        """The headers of a request to userinfo."""
        proof = self.proof("/op/v1/userinfo", "GET", token=token, **options)
        return {"Authorization": f"DPoP {token}", "DPoP": proof}
