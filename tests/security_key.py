"""A security key in software: makes passkeys and signs with them, as WebAuthn §6 has it, by our own code.

Promises: what it sends is what a browser with a real one would send; each part can be made wrong on purpose.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_bytes
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40
NO_AAGUID = bytes(16)

Answer = dict[str, Any]


def base64url(value: bytes) -> str:
    """Without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def unbase64url(text: str) -> bytes:
    """The bytes."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def new_private_key(alg: int) -> Any:
    """A private key for a COSE algorithm."""
    if alg == -7:
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate() if alg == -8 else rsa.generate_private_key(65537, 2048)


def cose(key: Any, alg: int) -> bytes:
    """The public half, as RFC 9053 writes it."""
    public = key.public_key()
    if alg == -8:
        return cbor2.dumps({1: 1, 3: alg, -1: 6, -2: public.public_bytes_raw()})
    numbers = public.public_numbers()
    if alg == -7:
        return cbor2.dumps({1: 2, 3: alg, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
    return cbor2.dumps({1: 3, 3: alg, -1: numbers.n.to_bytes(256), -2: b"\1\0\1"})


def signature(key: Any, alg: int, *, content: bytes) -> bytes:
    """The signature of an authenticator."""
    if alg == -7:
        return bytes(key.sign(content, ec.ECDSA(SHA256())))
    return bytes(key.sign(content) if alg == -8 else key.sign(content, padding.PKCS1v15(), SHA256()))


@dataclass
class SecurityKey:
    """One credential of one person on one device; `flags` are what it says of the touch, the person and the backup."""

    origin: str = "http://localhost:8000"
    rp_id: str = "localhost"
    alg: int = -7
    flags: int = PRESENT | VERIFIED
    count: int = 0
    counts: bool = True
    credential_id: bytes = field(default_factory=lambda: token_bytes(32))
    user_handle: bytes = b""
    private_key: Any = None

    def __post_init__(self) -> None:
        self.private_key = self.private_key or new_private_key(self.alg)

    def create(self, options: Answer, **wrong: Any) -> Answer:
        """What a browser answers to the wish for a new passkey."""
        self.user_handle = unbase64url(options["user"]["id"])
        attested = (
            NO_AAGUID + len(self.credential_id).to_bytes(2) + self.credential_id + cose(self.private_key, self.alg)
        )
        said = self.authenticator_data(ATTESTED, **wrong) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": said})
        client = self.client_data("webauthn.create", options, **wrong)
        response = {"clientDataJSON": base64url(client), "attestationObject": base64url(attestation)}
        return self.answer({**response, "transports": ["internal"]})

    def get(self, options: Answer, **wrong: Any) -> Answer:
        """What a browser answers to the wish for a sign-in."""
        self.count += 1 if self.counts else 0
        said, client = self.authenticator_data(0, **wrong), self.client_data("webauthn.get", options, **wrong)
        signed = signature(self.private_key, self.alg, content=said + sha256(client).digest())
        return self.answer(
            {
                "clientDataJSON": base64url(client),
                "authenticatorData": base64url(said),
                "signature": base64url(signed),
                "userHandle": base64url(wrong.get("user_handle", self.user_handle)),
            }
        )

    def authenticator_data(self, more: int, **wrong: Any) -> bytes:
        """RP id, flags and counter (WebAuthn §6.1)."""
        flags = wrong.get("flags", self.flags) | more
        return sha256(wrong.get("rp_id", self.rp_id).encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def client_data(self, kind: str, options: Answer, **wrong: Any) -> bytes:
        """What the browser adds (WebAuthn §5.8.1)."""
        client = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(client | wrong.get("client", {})).encode()

    def answer(self, response: Answer) -> Answer:
        """The credential around a response."""
        name = base64url(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}
