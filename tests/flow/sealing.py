"""Encryption as a client does it, written out here with primitives alone (RFC 7516, RFC 7518): independent of ours."""

import json
import os
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from tests.flow.proving import base64url

ALGORITHMS = ("RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
CONTENTS = ("A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM")
CONTENT_BYTES = {"A128CBC-HS256": 32, "A256CBC-HS512": 64, "A128GCM": 16, "A256GCM": 32}
P256 = ec.SECP256R1()
OAEP_HASHES: dict[str, type[hashes.HashAlgorithm]] = {"RSA-OAEP": hashes.SHA1, "RSA-OAEP-256": hashes.SHA256}


def raw(text: str) -> bytes:
    """Bytes of base64url."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def segment(value: object) -> str:
    """JSON as base64url."""
    return base64url(json.dumps(value).encode())


def number(text: str) -> int:
    """A number of base64url."""
    return int.from_bytes(raw(text), "big")


def text_of(value: int, size: int) -> str:
    """A number as base64url."""
    return base64url(value.to_bytes(size, "big"))


@dataclass
class Recipient:
    """A client's pair of keys to be written to."""

    alg: str
    members: dict[str, Any] = field(default_factory=lambda: {"use": "enc"})
    key: Any = None

    def __post_init__(self) -> None:
        """Make the pair."""
        is_rsa = self.alg.startswith("RSA")
        self.key = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048) if is_rsa else ec.generate_private_key(P256)
        )

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half."""
        return public_jwk(self.key) | self.members

    def open(self, token: str) -> tuple[dict[str, Any], bytes]:
        """The header and the content of a token that was encrypted to this key."""
        head, wrapped, iv, text, tag = token.split(".")
        header = json.loads(raw(head))
        assert "zip" not in header
        key = self._content_key(header, raw(wrapped))
        return header, opened(header["enc"], key, parts=(head.encode(), raw(iv), raw(text), raw(tag)))

    def _content_key(self, header: dict[str, Any], wrapped: bytes) -> bytes:
        if header["alg"].startswith("RSA"):
            return bytes(self.key.decrypt(wrapped, oaep(header["alg"])))
        point = ec.EllipticCurvePublicNumbers(number(header["epk"]["x"]), number(header["epk"]["y"]), P256)
        shared = self.key.exchange(ec.ECDH(), point.public_key())
        agreed = derived(shared, header["alg"], header["enc"])
        return agreed if header["alg"] == "ECDH-ES" else aes_key_unwrap(agreed, wrapped)


def public_jwk(key: Any) -> dict[str, Any]:
    """The public half of a key as a JWK."""
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        return {"kty": "RSA", "n": text_of(numbers.n, key.key_size // 8), "e": "AQAB"}
    point = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": text_of(point.x, 32), "y": text_of(point.y, 32)}


def oaep(alg: str) -> OAEP:
    """The padding of an algorithm."""
    hash_ = OAEP_HASHES[alg]()
    return OAEP(MGF1(hash_), hash_, None)


def derived(shared: bytes, alg: str, enc: str) -> bytes:
    """The Concat KDF (RFC 7518 §4.6.2), by one round of SHA-256 or two."""
    direct = alg == "ECDH-ES"
    name = (enc if direct else alg).encode()
    size = CONTENT_BYTES[enc] if direct else int(alg[-5:-2]) // 8

    def sized(value: bytes) -> bytes:
        return len(value).to_bytes(4, "big") + value

    other = sized(name) + sized(b"") + sized(b"") + (size * 8).to_bytes(4, "big")
    rounds = [sha256(turn.to_bytes(4, "big") + shared + other).digest() for turn in (1, 2)]
    return b"".join(rounds)[:size]


def encrypted(content: str, jwk: dict[str, Any], *, alg: str, enc: str = "A128GCM", **header: Any) -> str:
    """The content encrypted to a public key; None in the header leaves a member out."""
    told: dict[str, Any] = {"alg": alg, "enc": enc, "kid": jwk.get("kid"), "cty": "JWT"}
    wrapped, key = b"", os.urandom(CONTENT_BYTES[enc])
    if alg.startswith("RSA"):
        public = rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])).public_key()
        wrapped = public.encrypt(key, oaep(alg))
    else:
        mine = ec.generate_private_key(P256)
        theirs = ec.EllipticCurvePublicNumbers(number(jwk["x"]), number(jwk["y"]), P256).public_key()
        agreed = derived(mine.exchange(ec.ECDH(), theirs), alg, enc)
        told["epk"] = public_jwk(mine)
        key, wrapped = (agreed, b"") if alg == "ECDH-ES" else (key, aes_key_wrap(agreed, key))
    head = segment({name: value for name, value in (told | header).items() if value is not None})
    iv, text, tag = closed(enc, key, content.encode(), head.encode())
    return ".".join((head, base64url(wrapped), base64url(iv), base64url(text), base64url(tag)))


def closed(enc: str, key: bytes, content: bytes, aad: bytes) -> tuple[bytes, bytes, bytes]:
    """Vector, text and tag."""
    if enc.endswith("GCM"):
        iv = os.urandom(12)
        whole = AESGCM(key).encrypt(iv, content, aad)
        return iv, whole[:-16], whole[-16:]
    iv, half = os.urandom(16), len(key) // 2
    padder = block_padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key[half:]), modes.CBC(iv)).encryptor()
    text = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    return iv, text, mac(key[:half], aad, iv, text)


def opened(enc: str, key: bytes, *, parts: tuple[bytes, bytes, bytes, bytes]) -> bytes:
    """The content, its tag checked."""
    aad, iv, text, tag = parts
    if enc.endswith("GCM"):
        return AESGCM(key).decrypt(iv, text + tag, aad)
    half = len(key) // 2
    assert mac(key[:half], aad, iv, text) == tag
    decryptor = Cipher(algorithms.AES(key[half:]), modes.CBC(iv)).decryptor()
    unpadder = block_padding.PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(text) + decryptor.finalize()) + unpadder.finalize()


def mac(key: bytes, aad: bytes, iv: bytes, text: bytes) -> bytes:
    """The tag of RFC 7518 §5.2.2."""
    whole = digest(key, aad + iv + text + (len(aad) * 8).to_bytes(8, "big"), {16: "sha256", 32: "sha512"}[len(key)])
    return whole[: len(key)]
