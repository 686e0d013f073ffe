"""The mechanism of Web eID: a card reader's token, checked against the challenge it answers and the issuers trusted.

Promises: a holder comes back only if every check holds; each way to fail has a name of its own (`rejections`).
Takes values, keeps nothing. Must not know: attempts, stores, pages, or where the trusted issuers come from.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from authenticators.card_certificate import CardHolder, TrustedIssuers, check, read_holder
from authenticators.rejections import Malformed, WrongAlgorithm, WrongSignature

LONGEST_TOKEN = 16 * 1024
FORMAT = re.compile(r"web-eid:1(\.[0-9]{1,3})?", re.ASCII)
DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
CURVES: dict[str, tuple[str, int]] = {
    "ES256": ("secp256r1", 32),
    "ES384": ("secp384r1", 48),
    "ES512": ("secp521r1", 66),
}
UNREADABLE = (x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")


@dataclass(frozen=True)
class Challenge:
    """What a card has to sign: the origin of the page, and a nonce that was given out once."""

    origin: str
    nonce: str


class Token(msgspec.Struct, frozen=True, rename="camel"):
    """The members of a token that we read; a reader may add others."""

    unverified_certificate: str
    algorithm: str
    signature: str
    format: str


def verify(token: str, challenge: Challenge, *, trust: TrustedIssuers, at: float) -> CardHolder:
    """Who holds the card that answered this challenge; else raises a `Rejected`."""
    read = _read_token(token)
    certificate = _read_certificate(read.unverified_certificate)
    try:
        check(certificate, trust, at=datetime.fromtimestamp(at, UTC))
        _check_signature(certificate, read, signed=signed_value(challenge, read.algorithm))
        return read_holder(certificate)
    # Extensions, key and subject are parsed when they are first asked for, and may be unreadable only then.
    except (ValueError, TypeError, UnsupportedAlgorithm, *UNREADABLE) as fault:
        raise Malformed from fault


def signed_value(challenge: Challenge, algorithm: str) -> bytes:
    """hash(origin) followed by hash(nonce), with the digest that the algorithm names; raises WrongAlgorithm."""
    digest = _digest(algorithm)
    return b"".join(_hash(part, digest) for part in (challenge.origin, challenge.nonce))


def _read_token(token: str) -> Token:
    if len(token) > LONGEST_TOKEN:
        raise Malformed
    try:
        read = msgspec.json.decode(token, type=Token)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as fault:
        raise Malformed from fault
    if not FORMAT.fullmatch(read.format):
        raise Malformed
    return read


def _read_certificate(text: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(_decode(text))
    except (ValueError, x509.InvalidVersion) as fault:
        raise Malformed from fault


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise Malformed from fault


def _digest(algorithm: str) -> hashes.HashAlgorithm:
    if algorithm not in CURVES and algorithm not in RSA_ALGORITHMS:
        raise WrongAlgorithm
    return DIGESTS[algorithm[2:]]


def _hash(text: str, digest: hashes.HashAlgorithm) -> bytes:
    hasher = hashes.Hash(digest)
    hasher.update(text.encode())
    return hasher.finalize()


def _check_signature(certificate: x509.Certificate, token: Token, *, signed: bytes) -> None:
    key, signature = certificate.public_key(), _decode(token.signature)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            _check_ecdsa(key, token.algorithm, signature=signature, signed=signed)
        elif isinstance(key, rsa.RSAPublicKey):
            _check_rsa(key, token.algorithm, signature=signature, signed=signed)
        else:
            raise WrongAlgorithm
    except InvalidSignature as fault:
        raise WrongSignature from fault


def _check_ecdsa(key: ec.EllipticCurvePublicKey, algorithm: str, *, signature: bytes, signed: bytes) -> None:
    curve, size = CURVES.get(algorithm, ("", 0))
    if key.curve.name != curve:
        raise WrongAlgorithm
    if len(signature) != 2 * size:
        raise WrongSignature
    # A card answers r and s side by side (IEEE P1363); the library reads them as ASN.1.
    r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(_digest(algorithm)))


def _check_rsa(key: rsa.RSAPublicKey, algorithm: str, *, signature: bytes, signed: bytes) -> None:
    if algorithm not in RSA_ALGORITHMS:
        raise WrongAlgorithm
    digest = _digest(algorithm)
    # The salt is as long as the digest (RFC 7518 §3.5).
    pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
    key.verify(signature, signed, pss if algorithm.startswith("PS") else padding.PKCS1v15(), digest)
