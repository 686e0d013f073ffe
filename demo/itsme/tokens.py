"""Nested tokens: signed by our key, then encrypted to a key of the client (RFC 7519 §11.2).

Promises: written out with primitives and another library than the relying party's, so that a misreading of the one is
not shared by the other. Must not know: what the claims mean.
"""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hmac import digest
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SIGNING_ALGORITHM = "RS256"
KEY_ALGORITHM = "RSA-OAEP-256"
CONTENT_ALGORITHM = "A128CBC-HS256"


class Tokens:
    """Makes tokens with a key of its own, new at each start where none is handed in."""

    def __init__(self, signing_key: rsa.RSAPrivateKey | None = None) -> None:
        self.signing_key = signing_key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = base64url(os.urandom(12))

    def key_set(self) -> dict[str, Any]:
        """The key that verifies what is made here."""
        members = jwt.algorithms.RSAAlgorithm.to_jwk(self.signing_key.public_key(), as_dict=True)
        named = {"kid": self.kid, "alg": SIGNING_ALGORITHM, "use": "sig"}
        return {"keys": [{name: members[name] for name in ("kty", "n", "e")} | named]}

    def nested(self, claims: Mapping[str, Any], recipient: Mapping[str, Any]) -> str:
        """The claims, signed, then encrypted to the recipient's public key (a JWK)."""
        return self.encrypted(self.signed(claims), recipient)

    def signed(self, claims: Mapping[str, Any]) -> str:
        """The claims, signed."""
        return jwt.encode(dict(claims), self.signing_key, algorithm=SIGNING_ALGORITHM, headers={"kid": self.kid})

    def encrypted(self, content: str, recipient: Mapping[str, Any]) -> str:
        """The content, encrypted to the recipient (RFC 7516 §5.1, RFC 7518 §4.3 and §5.2.2)."""
        header = {"alg": KEY_ALGORITHM, "enc": CONTENT_ALGORITHM, "cty": "JWT", "kid": recipient["kid"]}
        head = base64url(json.dumps(header).encode())
        content_key, vector = os.urandom(32), os.urandom(16)
        public = rsa.RSAPublicNumbers(number(recipient["e"]), number(recipient["n"])).public_key()
        wrapped = public.encrypt(content_key, OAEP(MGF1(hashes.SHA256()), hashes.SHA256(), None))
        padder = padding.PKCS7(128).padder()
        encryptor = Cipher(algorithms.AES(content_key[16:]), modes.CBC(vector)).encryptor()
        text = encryptor.update(padder.update(content.encode()) + padder.finalize()) + encryptor.finalize()
        authenticated = head.encode() + vector + text + (len(head) * 8).to_bytes(8, "big")
        tag = digest(content_key[:16], authenticated, "sha256")[:16]
        return ".".join((head, *(base64url(part) for part in (wrapped, vector, text, tag))))


def base64url(raw: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(text: str) -> int:
    """A number of a JWK (RFC 7518 §6.3.1)."""
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
